"""Losses are finite, or raise an error, instead of NaN that spreads silently."""

import math

import numpy as np


def finite(value, dZ):
    """Return a loss and its gradient if both are finite, else raise `FloatingPointError`."""
    if not (math.isfinite(value) and np.isfinite(dZ).all()):
        raise FloatingPointError(
            f"The loss is {value:.4g}, and it or its gradient is not finite in {dZ.dtype}: embeddings, "
            "logits or weights contain NaN or infinity, or are too large or too small."
        )
    return value, dZ


def mean(values):
    """Compute a mean of numbers whose sum may be larger than the largest float."""
    return float(np.divide(values, len(values)).sum())
