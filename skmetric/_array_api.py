"""Arrays of other libraries: computed with as NumPy arrays, given back as they came.

They are taken if ``sklearn.config_context(array_api_dispatch=True)`` says so. The tag
`array_api_support` is not set: estimators that have it keep what they learned in the library of the
training rows, and refuse rows of another. Here the weights are NumPy arrays, and rows may be of any
library.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._array_api import _convert_to_numpy, get_namespace_and_device

TEXT = "OUS"  # kinds of dtypes that no other library has


def to_numpy(X):
    """Return an array of another library as an array of NumPy, in the same memory where it is on the CPU.

    Parameters
    ----------
    X : object
        Array of any library. Everything else is returned as it is.

    Returns
    -------
    ndarray or object
        The array.
    """
    xp, _ = _library_of(X)
    if xp is None:
        return X
    if xp.__name__ == "array_api_strict":  # scikit-learn before 1.8 converts only what is on its "CPU"
        X = xp.asarray(X, device=xp.Device("CPU_DEVICE"))
    return _convert_to_numpy(X, xp)


def like(X, result):
    """Return a result in the library, and on the device, of the rows that it was computed from.

    Parameters
    ----------
    X : object
        Rows as the caller gave them.
    result : ndarray
        What was computed.

    Returns
    -------
    array
        The result. Text stays in NumPy, since no other library has it.
    """
    xp, device = _library_of(X)
    if xp is None or result.dtype.kind in TEXT:
        return result
    return xp.asarray(result, device=device)


def _library_of(X):
    """Namespace and device of an array, or None for NumPy and for what is no array."""
    if isinstance(X, np.ndarray | list | tuple) or issparse(X) or not hasattr(X, "device"):
        return None, None
    xp, is_dispatched, device = get_namespace_and_device(X)
    return (xp, device) if is_dispatched else (None, None)
