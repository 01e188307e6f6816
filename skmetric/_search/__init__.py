"""Exact search for nearest neighbours, and measures of what it finds."""
