"""Squared distances of all pairs of a batch, and the one chain rule that leads back from them."""

from functools import partial

import numpy as np

from .._team import share
from ._blocks import by_blocks


def squared_distances(Z):
    """Compute the squared Euclidean distances between all rows of a batch.

    ``D[i, j] = |z_i|^2 + |z_j|^2 - 2 z_i . z_j``, clipped at 0, with an exact 0 on the diagonal.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings, float32 or float64.

    Returns
    -------
    ndarray of shape (n, n)
        Squared distances in the dtype of `Z`, symmetric up to rounding.

    Notes
    -----
    This form costs one matrix product and loses digits where rows nearly coincide: in float32, a
    distance below about 1e-3 of the spread of the batch is noise. `Z` is centred first, so that the
    spread counts and not the distance to the origin.
    """
    Z = Z - Z.mean(axis=0)  # which changes no distance
    squares = np.einsum("ij,ij->i", Z, Z)

    def put(D, Z_of_rows, squares_of_rows):
        np.add(squares_of_rows, squares, out=D)
        # Of 2 Z and Z, not of Z with itself: for that NumPy calls another routine, which is slower here.
        D -= np.matmul(2 * Z_of_rows, Z.T)
        np.maximum(D, 0, out=D)

    D = np.empty((len(Z), len(Z)), Z.dtype)
    by_blocks(put, D, Z, squares[:, np.newaxis])
    np.fill_diagonal(D, 0)
    return D


def squared_distances_chain(Z, C):
    """Carry a gradient on squared distances back to the embeddings.

    ``dZ = 2 (diag(S 1) - S) Z`` with ``S = C + C.T``: the Laplacian of the graph with weights `S`.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings, float32 or float64.
    C : ndarray of shape (n, n)
        ``C[i, j] = dL/dD[i, j]``; it need not be symmetric.

    Returns
    -------
    ndarray of shape (n, n_components)
        ``dL/dZ``.
    """
    Z = Z - Z.mean(axis=0)  # which changes no row of the result, but spares it digits
    dZ = Z * (2 * (C.sum(axis=1) + C.sum(axis=0)))[:, np.newaxis]
    Z *= 2
    # C and its transpose in turn: a product is cheaper than the sum of the two for large batches.
    parts = np.empty((2, *Z.shape), Z.dtype)
    share([partial(np.matmul, factor, Z, part) for factor, part in zip((C, C.T), parts)])
    dZ -= parts[0]
    dZ -= parts[1]
    return dZ


def check_representable(value, dtype):
    """Raise `FloatingPointError` if a margin or a temperature is 0 or infinite in the dtype of distances.

    Nothing would be learned then, and nobody would notice.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = dtype.type(value)
    if value > 0 and not 0 < rounded < np.inf:
        raise FloatingPointError
