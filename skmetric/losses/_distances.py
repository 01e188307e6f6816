"""Squared distances of all pairs of a batch, and the one chain rule that leads back from them."""

import numpy as np


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
    D = np.add.outer(squares, squares)
    # Of 2 Z and Z, not of Z with itself: for that NumPy calls another routine, which is slower here.
    D -= np.dot(2 * Z, Z.T)
    np.maximum(D, 0, out=D)
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
    dZ -= np.dot(C, Z)
    dZ -= np.dot(C.T, Z)
    return dZ


def check_representable(value, dtype):
    """Raise `FloatingPointError` if a margin or a temperature is 0 or infinite in the dtype of distances.

    Nothing would be learned then, and nobody would notice.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = dtype.type(value)
    if value > 0 and not 0 < rounded < np.inf:
        raise FloatingPointError
