"""Stored arrays, which lie outside memory: how they are recognised, and in which blocks they are read."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse

BLOCK_BYTES = 2**20  # a disk then spends more time on reading than on finding the place
HELD_BYTES = 2**27
LEAST_BLOCKS = 4  # to mix


def is_stored(X):
    """Return whether `X` is an array with `shape`, `dtype` and ``X[start:stop]``, but not of NumPy.

    Arrays of zarr and h5py are. Data frames, sparse matrices and arrays of the array API, which have a
    device, are not.
    """
    if isinstance(X, np.ndarray) or issparse(X) or hasattr(X, "device") or hasattr(X, "columns"):
        return False
    return all(hasattr(X, name) for name in ("shape", "dtype", "__getitem__")) and len(X.shape) > 1


def rows_of_chunk(X):
    """Return the number of rows that an array reads and writes at once; 1 if it has no chunks."""
    chunks = getattr(X, "chunks", None)
    if not chunks:
        return 1
    # dask has the sizes of all chunks.
    return chunks[0] if isinstance(chunks[0], Integral) else max(chunks[0])


def rows_of_block(X):
    """Return the number of rows of a block: about a megabyte, in whole chunks of the file."""
    row_bytes = max(1, X.shape[1] * X.dtype.itemsize)
    chunk = rows_of_chunk(X)
    return chunk * max(1, round(BLOCK_BYTES / (row_bytes * chunk)))


def n_blocks_held(X):
    """Return the number of blocks that are in memory at the same time."""
    block_bytes = max(1, rows_of_block(X) * X.shape[1] * X.dtype.itemsize)
    return max(LEAST_BLOCKS, HELD_BYTES // block_bytes)


def stored_rows_of(X, numbers):
    """Return some rows of a stored array.

    Parameters
    ----------
    X : object with `shape`, `dtype` and ``X[start:stop]``
        Stored array.
    numbers : ndarray of int of shape (n,)
        Row numbers, in increasing order.

    Returns
    -------
    ndarray of shape (n, n_features)
        The rows.
    """
    size = rows_of_block(X)
    blocks, firsts = np.unique(numbers // size, return_index=True)
    some = np.split(numbers, firsts[1:])
    parts = [np.asarray(X[k * size : (k + 1) * size])[part - k * size] for k, part in zip(blocks, some)]
    return np.concatenate(parts)
