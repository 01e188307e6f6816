"""Values in messages."""

import numpy as np


def shown(value):
    """Return a label or a number as Python writes it: not np.int64(1)."""
    return repr(value.item() if isinstance(value, np.generic) else value)
