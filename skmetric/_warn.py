"""Warnings that point at the code of the user."""

import sys
import warnings

OURS = ("skmetric", "sklearn")


def warn(message, category=UserWarning):
    """Warn at the nearest line that is outside skmetric and scikit-learn."""
    frame = sys._getframe(1)
    stacklevel = 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(OURS):
        frame = frame.f_back
        stacklevel += 1
    warnings.warn(message, category, stacklevel=stacklevel)
