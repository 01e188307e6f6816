"""Values in error messages."""

import numpy as np


def shown(value):
    """Return the repr of a label or a number as a Python object: 1, not np.int64(1)."""
    return repr(value.item() if isinstance(value, np.generic) else value)
