"""Distances within a batch of embeddings, and the one chain rule that leads back from them.

A *rule* looks at distances and labels only: ``rule(D, y) -> (value, C)`` with ``C = dL/dD``.
`distance_loss` makes a loss on embeddings of it, so that no rule ever differentiates a distance.
"""

import numpy as np
from scipy.linalg import get_blas_funcs


def squared_distances(Z):
    """Squared Euclidean distances between all rows of a batch.

    ``D[i, j] = |z_i|^2 + |z_j|^2 - 2 z_i . z_j``, clipped at 0, the diagonal exactly 0.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components), C-contiguous float32 or float64
        The embeddings.

    Returns
    -------
    D : ndarray of shape (n, n)
        Of the dtype of `Z`; symmetric up to rounding.

    Notes
    -----
    This form costs one matrix product, and loses digits where rows nearly coincide: in float32 a
    distance below about 1e-3 of the spread of the batch is noise. `Z` is centred first, so that it
    is the spread that counts and not the distance to the origin.
    """
    Z = Z - Z.mean(axis=0)  # which changes no distance
    squares = np.einsum("ij,ij->i", Z, Z)
    D = np.add.outer(squares, squares)
    gemm = get_blas_funcs("gemm", dtype=Z.dtype)
    D = gemm(-2.0, Z.T, Z.T, beta=1.0, c=D.T, trans_a=1, overwrite_c=1).T
    np.maximum(D, 0, out=D)
    np.fill_diagonal(D, 0)
    return D


def squared_distances_chain(Z, C):
    """Carry a gradient on squared distances to the embeddings.

    ``dZ = 2 (diag(S 1) - S) Z`` with ``S = C + C.T``: the Laplacian of the graph with weights `S`.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components), C-contiguous float32 or float64
        The embeddings.
    C : ndarray of shape (n, n)
        ``C[i, j] = dL/dD[i, j]``; need not be symmetric.

    Returns
    -------
    dZ : ndarray of shape (n, n_components)
        ``dL/dZ``.
    """
    Z = Z - Z.mean(axis=0)  # which changes no row of the product, but spares it digits
    dZ = Z * (2 * (C.sum(axis=1) + C.sum(axis=0)))[:, np.newaxis]
    gemm = get_blas_funcs("gemm", dtype=Z.dtype)
    # C and its transpose in turn: a product is cheaper than the sum of the two for large batches.
    for trans in (0, 1):
        dZ = gemm(-2.0, Z.T, C.T, beta=1.0, c=dZ.T, trans_b=trans, overwrite_c=1).T
    return dZ


def squared(D, y, rule):
    """Show squared distances to a rule: ``(value, dL/dD)``."""
    return rule(D, y)


def euclidean(D, y, rule):
    """Show Euclidean distances ``d = sqrt(D)`` to a rule: ``(value, dL/dD)``.

    ``dL/dD = dL/dd / (2 d)``, and 0 where ``d = 0``: the subgradient that keeps duplicates still.
    """
    d = np.sqrt(D)
    value, C = rule(d, y)
    return value, np.divide(C, 2 * d, out=np.zeros_like(C), where=d > 0)


DISTANCES = {"sqeuclidean": squared, "euclidean": euclidean}


def distance_loss(Z, y, *, rule, distance="sqeuclidean"):
    """Loss on embeddings by a rule on their distances.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        The embeddings of a batch.
    y : ndarray of shape (n,)
        Their labels, as integer codes.
    rule : callable
        ``rule(D, y) -> (value, C)`` with ``C = dL/dD`` of shape (n, n).
    distance : {"sqeuclidean", "euclidean"}, default="sqeuclidean"
        What the rule is shown.

    Returns
    -------
    value : float
        The loss.
    dZ : ndarray of shape (n, n_components)
        Its gradient.
    """
    value, C = DISTANCES[distance](squared_distances(Z), y, rule)
    return value, squared_distances_chain(Z, C)
