"""Displays: one picture a file."""
