"""The argument `out` of `transform`: an array, a memory map or a stored array that takes the result."""

import numpy as np
from sklearn.utils._set_output import _get_output_config

from ._array_api import like
from ._input import check_X
from ._stored_arrays import rows_of_chunk

PART_BYTES = 2**26
MOST_ROWS = 2**14  # enough for all cores
MULTIPLE = 1024  # rows that the network takes at a time


def transformed(estimator, X, out):
    """Compute the result of `transform` of an estimator, into `out` if it is given."""
    rows = check_X(estimator, X)
    if out is None:
        return like(X, estimator._transformed(rows))
    container = _get_output_config("transform", estimator)["dense"]
    if container != "default":
        raise ValueError(
            f"out=... is returned as it is, but the output of transform is set to {container!r}. Call "
            "set_output(transform='default')."
        )
    check_out(out, (rows.shape[0], estimator._n_features_out), estimator.coefs_[0].dtype)
    for part in parts_of(rows, out):
        out[part] = estimator._transformed(rows[part])
    return out


def check_out(out, shape, dtype):
    """Check that an array can take a result.

    Parameters
    ----------
    out : object with `shape`, `dtype` and ``out[start:stop] = values``
        Array to check.
    shape : tuple of int
        Shape of the result.
    dtype : dtype
        Dtype of the result.

    Raises
    ------
    TypeError
        If `out` is not an array to write to.
    ValueError
        If its shape or dtype does not fit, or if it is read-only.
    """
    if not all(hasattr(out, name) for name in ("shape", "dtype", "__setitem__")):
        raise TypeError(
            "out must be an array with shape, dtype and out[start:stop] = values, got "
            f"{type(out).__name__}."
        )
    if tuple(out.shape) != shape:
        raise ValueError(f"out must have shape {shape}, got {tuple(out.shape)}.")
    if not np.can_cast(dtype, out.dtype, "same_kind"):
        raise ValueError(f"out must have dtype {dtype} or another dtype of floats, got {out.dtype}.")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise ValueError("out is read-only. Open a memory map with mode='r+' or 'w+'.")


def parts_of(X, out):
    """Yield slices of rows that are computed and written at a time: whole chunks of a stored array."""
    row_bytes = max(1, X.shape[1] * X.dtype.itemsize)
    n_rows = min(MOST_ROWS, max(MULTIPLE, PART_BYTES // row_bytes // MULTIPLE * MULTIPLE))
    chunk = rows_of_chunk(out)
    n_rows = -(-n_rows // chunk) * chunk
    for start in range(0, X.shape[0], n_rows):
        yield slice(start, start + n_rows)
