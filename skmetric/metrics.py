"""Measures of an embedding as a space to search in."""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.utils import check_consistent_length


def _ranks_of_first_relevant(Z, y, Z_gallery, y_gallery):
    """For each query the rank, from 0, of the nearest item with its label; -1 where there is none.

    Ties are broken by index. Without a gallery the queries search each other, never themselves.
    """
    among_themselves = Z_gallery is None
    gallery_labels = y if among_themselves else y_gallery
    index = np.arange(len(gallery_labels))

    def ranks(D, start):
        rows = np.arange(len(D))
        if among_themselves:
            D[rows, start + rows] = np.inf
        relevant = y[start : start + len(D), np.newaxis] == gallery_labels
        first = np.where(relevant, D, np.inf).argmin(axis=1)
        nearest = D[rows, first][:, np.newaxis]
        before = (D < nearest) | ((D == nearest) & (index < first[:, np.newaxis]))
        found = relevant[rows, first] & np.isfinite(nearest[:, 0])
        return np.where(found, np.count_nonzero(before, axis=1), -1)

    # Squared distances have the same order.
    chunks = pairwise_distances_chunked(Z, Z_gallery, reduce_func=ranks, metric="sqeuclidean")
    return np.concatenate(list(chunks))


def recall_at_k(Z, y, *, k=1, Z_gallery=None, y_gallery=None):
    """Fraction of queries that have an item of their own class among the `k` nearest.

    Distances are Euclidean; ties are broken by index. Queries whose class has no other item are left
    out. Memory is bounded by scikit-learn's ``working_memory``.

    Parameters
    ----------
    Z : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    y : array-like of shape (n_queries,)
        Their labels.
    k : int, default=1
        Number of neighbours that are looked at.
    Z_gallery : array-like of shape (n_items, n_components), default=None
        Embeddings to search. None: the other queries (leave-one-out).
    y_gallery : array-like of shape (n_items,), default=None
        Labels of the gallery.

    Returns
    -------
    recall : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        Where no query has an item to find, one of `Z_gallery`, `y_gallery` is missing, lengths differ,
        or `k` is below 1.

    References
    ----------
    K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", ECCV 2020, section 2.
    """
    if (Z_gallery is None) != (y_gallery is None):
        raise ValueError("Z_gallery and y_gallery go together: give both or neither.")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")
    check_consistent_length(Z, y)
    check_consistent_length(Z_gallery, y_gallery)
    y_gallery = None if y_gallery is None else np.asarray(y_gallery)
    ranks = _ranks_of_first_relevant(np.asarray(Z), np.asarray(y), Z_gallery, y_gallery)
    ranks = ranks[ranks >= 0]
    if len(ranks) == 0:
        raise ValueError("recall is not defined here: no query has another item of its class to find.")
    return float(np.mean(ranks < k))
