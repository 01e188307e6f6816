"""Comparisons: which distances of a batch a rule looks at, and how a gradient on them goes back.

A comparison has the form ``comparison(Z, y) -> D, positive, negative, chain``. Row a of `D` holds the
distances of anchor a to what it is compared with; `positive` and `negative` are disjoint masks of the
shape of `D`; ``chain(C) -> dZ`` carries ``C = dL/dD`` to the embeddings and may overwrite `C`.
"""

from functools import partial

import numpy as np

from ._distances import squared_distances, squared_distances_chain


def all_pairs(Z, y, *, self_pairs=False):
    """Compare every row of a batch with every other row.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings.
    y : ndarray of shape (n,)
        Classes. Rows of the same class are positives of each other, others negatives.
    self_pairs : bool, default=False
        Whether a row is a positive of itself.

    Returns
    -------
    D : ndarray of shape (n, n)
        Squared distances.
    positive, negative : ndarray of shape (n, n)
        Masks.
    chain : callable
        ``chain(C) -> dZ``.
    """
    positive = y[:, np.newaxis] == y
    negative = ~positive
    if not self_pairs:
        np.fill_diagonal(positive, False)
    return squared_distances(Z), positive, negative, partial(squared_distances_chain, Z)


def given_tuples(Z, y, *, size):
    """Compare the first row of each tuple with the others of its tuple.

    Parameters
    ----------
    Z : ndarray of shape (t * size, n_components)
        Embeddings, tuple by tuple.
    y : ndarray of shape (t * size,)
        1 for a row that is like the first one of its tuple, 0 for a row that is not. The entries of
        the first rows are not used.
    size : int
        Number of rows in a tuple: 2 for pairs, 3 for triplets.

    Returns
    -------
    D : ndarray of shape (t, size - 1)
        Squared distances.
    positive, negative : ndarray of shape (t, size - 1)
        Masks.
    chain : callable
        ``chain(C) -> dZ``.
    """
    tuples = Z.reshape(-1, size, Z.shape[1])
    differences = tuples[:, :1] - tuples[:, 1:]
    D = np.einsum("tjk,tjk->tj", differences, differences)
    positive = y.reshape(-1, size)[:, 1:].astype(bool)
    return D, positive, ~positive, partial(_given_tuples_chain, differences)


def _given_tuples_chain(differences, C):
    """``dZ``: 2 C times the difference for the first row of a tuple, minus that for the other one."""
    pulls = 2 * C[..., np.newaxis] * differences
    dZ = np.concatenate([pulls.sum(axis=1, keepdims=True), -pulls], axis=1)
    return dZ.reshape(-1, differences.shape[2])


def sqeuclidean(comparison):
    """Leave the squared distances of a comparison as they are."""
    return comparison


def euclidean(comparison):
    """Show Euclidean distances to a rule instead of squared ones.

    ``d = sqrt(D)``, and ``dL/dD = dL/dd / (2 d)``, which is set to 0 where ``d = 0``: the subgradient
    that keeps duplicates still.

    Parameters
    ----------
    comparison : callable
        Comparison that gives squared distances.

    Returns
    -------
    callable
        The same comparison with Euclidean distances.
    """
    return partial(_euclidean, comparison)


def _euclidean(comparison, Z, y):
    D, positive, negative, chain = comparison(Z, y)
    d = np.sqrt(D)
    return d, positive, negative, partial(_euclidean_chain, d, chain)


def _euclidean_chain(d, chain, C):
    return chain(np.divide(C, 2 * d, out=np.zeros_like(C), where=d > 0))


DISTANCES = {"sqeuclidean": sqeuclidean, "euclidean": euclidean}
