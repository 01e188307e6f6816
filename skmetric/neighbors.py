"""Exact search for neighbours: all items sorted by distance, some queries at a time."""

from functools import cached_property

import numpy as np

QUANTUM = 2.0**-24  # of squared distances, as a fraction of the size of the data
INDEX = 2**32 - 1  # bits of a key that hold the index of the item
LAST = np.iinfo(np.int64).max
BEHIND = LAST ^ INDEX  # bits that put a key behind all others


def distance_factors(Z, Z_gallery):
    """Matrices whose product is all squared distances.

    Parameters
    ----------
    Z, Z_gallery : ndarrays of float64 of shape (n_queries, n_components), (n_items, n_components)
        Queries and items.

    Returns
    -------
    A, B : ndarrays of shape (n_queries, n_components + 2), (n_items, n_components + 2)
        ``(A @ B.T)[i, j]`` is ``|z_i - z_j|^2`` in units of the size of the data, plus `QUANTUM`.
    """
    # Nothing here rounds numbers of a few digits: ties of integers stay ties.
    centre = np.median(Z_gallery, axis=0)
    Z, Z_gallery = Z - centre, Z_gallery - centre
    largest = max(np.abs(Z).max(), np.abs(Z_gallery).max(), np.finfo(float).tiny)
    Z, Z_gallery = (np.ldexp(rows, -np.frexp(largest)[1]) for rows in (Z, Z_gallery))
    squares, gallery_squares = (np.einsum("ij,ij->i", rows, rows) for rows in (Z, Z_gallery))
    size = np.median(gallery_squares) or gallery_squares.max() or 1.0
    unit = 2.0 ** -np.frexp(size)[1]
    ones, gallery_ones = np.ones((len(Z), 1)), np.ones((len(Z_gallery), 1))
    A = np.hstack([-2 * unit * Z, unit * squares[:, np.newaxis] + QUANTUM, ones])
    return A, np.hstack([Z_gallery, gallery_ones, unit * gallery_squares[:, np.newaxis]])


def sort_keys(A, B):
    """Integers that sort like the distances, and at the same distance like the indices of the items.

    The upper half is the squared distance as a float32, whose bits sort as it does. The quantum in it
    makes it blind to what float64 loses in the subtraction, so that duplicates are ties.

    Parameters
    ----------
    A, B : ndarrays
        See `distance_factors`.

    Returns
    -------
    ndarray of int64 of shape (n_queries, n_items)
    """
    D = A @ B.T
    rounded = np.maximum(D, QUANTUM).astype(np.float32)
    keys = rounded.view(np.int32).astype(np.int64)
    keys <<= 32
    keys |= np.arange(len(B))
    return keys


class Neighbors:
    """Neighbours of some queries: which of the nearest are relevant.

    Parameters
    ----------
    keys : ndarray of shape (n_queries, n_items)
        See `sort_keys`; with the bits of `BEHIND` for an item that does not count. The nearest `depth`
        are brought to the front, in place.
    labels, item_labels : ndarrays of shape (n_queries,), (n_items,)
        Their classes.
    n_relevant : ndarray of shape (n_queries,)
        Number R of the relevant items of each query, at least 1.
    depth : int
        How many neighbours are looked at.

    Attributes
    ----------
    hits : ndarray of bool of shape (n_queries, depth)
        Whether the item at each rank is relevant.
    """

    def __init__(self, keys, labels, item_labels, n_relevant, depth):
        self.keys, self.labels, self.item_labels = keys, labels[:, np.newaxis], item_labels
        self.n_relevant = n_relevant
        # Sorting a few of many takes a partition first.
        if depth < keys.shape[1]:
            keys.partition(depth - 1, axis=1)
        keys[:, :depth].sort(axis=1)
        self.hits = self._relevant(keys[:, :depth], self.labels)

    def _relevant(self, keys, labels):
        return self.item_labels[keys & INDEX] == labels

    @cached_property
    def first_ranks(self):
        """Rank, from 1, of the nearest relevant item."""
        ranks = 1 + self.hits.argmax(axis=1)
        beyond = np.flatnonzero(~self.hits.any(axis=1))
        keys = self.keys[beyond]
        first = np.where(self._relevant(keys, self.labels[beyond]), keys, LAST).min(axis=1)
        ranks[beyond] = 1 + np.count_nonzero(keys < first[:, np.newaxis], axis=1)
        return ranks

    def hits_within_r(self):
        """`hits` among the nearest R alone."""
        return self.hits & (np.arange(self.hits.shape[1]) < self.n_relevant[:, np.newaxis])
