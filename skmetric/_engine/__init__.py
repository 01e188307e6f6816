"""The machine that trains a network: NumPy and SciPy alone, and nothing of the rest of the package."""
