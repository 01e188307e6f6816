"""Networks and their training, with NumPy and SciPy only, independent of the rest of the package."""
