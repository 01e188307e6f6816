"""Squared distances between all rows of a batch, and the chain rule from them to the embeddings."""

from functools import partial

import numpy as np

from .._team import share
from ._blocks import by_blocks
from ._forms import Array


def squared_distances(Z: Array) -> Array:
    """Compute the squared Euclidean distances between all rows of a batch.

    ``D[i, j] = |z_i|^2 + |z_j|^2 - 2 z_i . z_j``, clipped at 0. The diagonal is exactly 0.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings, float32 or float64.

    Returns
    -------
    ndarray of shape (n, n)
        Squared distances in the dtype of `Z`, symmetric up to rounding.

    Raises
    ------
    FloatingPointError
        If `Z` contains NaN or infinity, or if its rows are so far apart that squared distances may
        overflow.

    Notes
    -----
    This formula needs one matrix product, but it is inaccurate for rows that nearly coincide: in float32,
    distances (not squared) below about 1e-3 of the spread of the batch are rounding errors. The rows are
    centred first, so that the error depends on their spread and not on their distance to the origin.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import squared_distances
    >>> squared_distances(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist()
    [[0.0, 25.0], [25.0, 0.0]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        Z = Z - Z.mean(axis=0)  # changes no distance
        squares = np.einsum("ij,ij->i", Z, Z)
    check_below(squares, np.finfo(Z.dtype).max / 4)

    def put(D, Z_of_rows, squares_of_rows):
        np.add(squares_of_rows, squares, out=D)
        # The product of 2 Z and Z: for Z and Z itself, NumPy calls another routine (syrk), slower here.
        D -= np.matmul(2 * Z_of_rows, Z.T)
        np.maximum(D, 0, out=D)

    D = np.empty((len(Z), len(Z)), Z.dtype)
    by_blocks(put, D, Z, squares[:, np.newaxis])
    np.fill_diagonal(D, 0)
    return D


def squared_distances_chain(Z: Array, C: Array) -> Array:
    """Turn a gradient on squared distances into a gradient on the embeddings.

    ``dZ = 2 (diag(S 1) - S) Z`` with ``S = C + C.T``. The matrix in brackets is the Laplacian of the
    graph with edge weights S.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings, float32 or float64.
    C : ndarray of shape (n, n)
        ``C[i, j] = dL/dD[i, j]``. It need not be symmetric.

    Returns
    -------
    ndarray of shape (n, n_components)
        ``dL/dZ``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import squared_distances_chain
    >>> C = np.array([[0.0, 1.0], [0.0, 0.0]])  # L is the squared distance of rows 0 and 1
    >>> squared_distances_chain(np.array([[0.0], [3.0]]), C).tolist()
    [[-6.0], [6.0]]
    """
    Z = Z - Z.mean(axis=0)  # changes no gradient and reduces rounding errors
    dZ = Z * (2 * (C.sum(axis=1) + C.sum(axis=0)))[:, np.newaxis]
    Z *= 2
    # C Z and C.T Z, not (C + C.T) Z: for large batches a second product is cheaper than the sum.
    parts = np.empty((2, *Z.shape), Z.dtype)
    share([partial(np.matmul, factor, Z, part) for factor, part in zip((C, C.T), parts)])
    dZ -= parts[0]
    dZ -= parts[1]
    return dZ


def check_below(squares, limit):
    """Raise `FloatingPointError` if a square is NaN or larger than the limit."""
    largest = squares.max(initial=0)
    if not largest <= limit:
        raise FloatingPointError(
            f"Embeddings contain NaN or infinity, or are too far apart for {squares.dtype}: a square is "
            f"{largest:.4g}."
        )


def check_representable(value, dtype):
    """Raise `FloatingPointError` if a margin or a temperature is 0 or infinite in the dtype of distances.

    Otherwise training would learn nothing without an error.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = dtype.type(value)
    if value > 0 and not 0 < rounded < np.inf:
        raise FloatingPointError
