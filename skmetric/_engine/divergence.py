"""A training that diverged: something that it computed is not finite."""

import numpy as np


def raise_if_diverged(*arrays):
    """Raise FloatingPointError unless all values of some arrays are finite."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise FloatingPointError
