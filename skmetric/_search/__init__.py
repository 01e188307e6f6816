"""Exact search for neighbours, and the measures that look at them."""
