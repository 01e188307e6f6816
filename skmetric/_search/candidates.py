"""Exact search for neighbours: all items sorted by distance, some queries at a time.

A matrix product and one integer for each pair of a query and an item give nearly the right order.
`Search` knows how far the product can be wrong, and has the items that are closer than that put in the
order of exact arithmetic, where it makes a difference: between relevant and irrelevant items.
"""

from functools import cached_property

import numpy as np

from .distance_keys import BEHIND, INDEX, DistanceKeys
from .exact_order import BYTES, ExactOrder, in_mixed_group

LAST = np.iinfo(np.int64).max
PART = 16  # of the budget, for what is looked at again
DISTANCE_BYTES = 28  # of a distance: float64, float32, and two keys


class Search:
    """Search of the items that are nearest to queries.

    Parameters
    ----------
    Z, Z_gallery : ndarrays of float64 of shape (n_queries, n_components), (n_items, n_components)
        Queries and items.
    labels, item_labels : ndarrays of int of shape (n_queries,), (n_items,)
        Their classes, 0 or above.
    query_index : ndarray of int of shape (n_queries,)
        Item that each query is and that it does not find; -1 for none.
    budget : float
        Bytes that the distances of some queries may take at a time.

    Attributes
    ----------
    n_rows : int
        How many queries can be searched at a time.
    """

    def __init__(self, Z, Z_gallery, labels, item_labels, query_index, budget):
        self.n_rows = min(len(Z), max(1, int(budget // (DISTANCE_BYTES * len(Z_gallery)))))
        # What is looked at again comes on top of the distances. It is faster where it stays in the cache.
        self.budget = budget / PART
        self.exact = ExactOrder(Z, Z_gallery, self.budget)
        self.distances = DistanceKeys(self.exact.scaled, self.exact.scaled_gallery, self.n_rows)
        self.labels = labels
        self.query_index = query_index
        # One more: where the key of an item that does not count points to.
        self.item_labels = np.append(item_labels, -1)

    def neighbors(self, rows, n_relevant, depth):
        """Return the `Neighbors` of some queries."""
        keys = self.distances.keys(rows)
        own = np.flatnonzero(self.query_index[rows] >= 0)
        keys[own, self.query_index[rows[own]]] = BEHIND | (len(self.item_labels) - 1)
        return Neighbors(self, keys, rows, n_relevant, depth)

    def relevant(self, keys, rows):
        """Whether the items of keys have the class of the query."""
        return self.item_labels[keys & INDEX] == self.labels[rows, np.newaxis]

    def hits(self, keys, rows, depth):
        """Whether the item at each rank is relevant.

        Parameters
        ----------
        keys : ndarray of int64 of shape (n_rows, n_items)
            Keys of the items. The nearest `depth` are brought to the front, in place.
        rows : ndarray of int of shape (n_rows,)
            The queries.
        depth : int
            How many neighbours are looked at.

        Returns
        -------
        hits : ndarray of bool of shape (n_rows, depth)
        """
        to_front(keys, depth)
        beyond = np.zeros(len(keys), dtype=bool)
        if depth < keys.shape[1]:
            beyond = self.distances.are_close(keys[:, depth - 1 : depth + 1], rows)[:, 0]
        hits = self._settled(keys[:, :depth], rows, ~beyond)
        if beyond.any():
            limits = self.distances.limits(keys[beyond, depth - 1], rows[beyond])
            hits[beyond] = self.hits_up_to(limits, keys[beyond], rows[beyond])[:, :depth]
        return hits

    def hits_up_to(self, limits, keys, rows):
        """`hits` as deep as keys are within the limits, one for each row."""
        depth = np.count_nonzero(keys <= limits[:, np.newaxis], axis=1).max()
        to_front(keys, depth)
        return self._settled(keys[:, :depth], rows, np.ones(len(rows), dtype=bool))

    def _settled(self, keys, rows, wanted):
        """Whether the items are relevant, in the exact order for the wanted rows."""
        hits = self.relevant(keys, rows)
        close = self.distances.are_close(keys, rows)
        # Only there does the order make a difference.
        switches = close & (hits[:, 1:] != hits[:, :-1])
        chosen = np.flatnonzero(switches.any(axis=1) & wanted)
        n_rows = max(1, int(self.budget // (BYTES * keys.shape[1])))
        for start in range(0, len(chosen), n_rows):
            batch = chosen[start : start + n_rows]
            hits[batch] = self._reordered(hits[batch], keys[batch], rows[batch], close[batch])
        return hits

    def _reordered(self, hits, keys, rows, close):
        begins = np.ones(hits.shape, dtype=bool)
        begins[:, 1:] = ~close
        group = begins.cumsum() - 1
        flat = hits.ravel()
        places = np.flatnonzero(in_mixed_group(group, flat))
        items = keys.ravel()[places] & INDEX
        queries = rows[places // hits.shape[1]]
        order = self.exact.order(group[places], queries, items, flat[places])
        flat[places] = flat[places[order]]
        return flat.reshape(hits.shape)


def to_front(keys, depth):
    """Sort the `depth` smallest of each row to its front, with the next one behind. In place."""
    if depth < keys.shape[1]:
        keys.partition(depth, axis=1)
    keys[:, :depth].sort(axis=1)


class Neighbors:
    """Neighbours of some queries: which of the nearest are relevant.

    Parameters
    ----------
    search : Search
        What the keys are of.
    keys : ndarray of int64 of shape (n_rows, n_items)
        Keys of the items. They are sorted in place.
    rows : ndarray of int of shape (n_rows,)
        The queries.
    n_relevant : ndarray of shape (n_rows,)
        Number R of the relevant items of each query, at least 1.
    depth : int
        How many neighbours are looked at.

    Attributes
    ----------
    hits : ndarray of bool of shape (n_rows, depth)
        Whether the item at each rank is relevant.
    """

    def __init__(self, search, keys, rows, n_relevant, depth):
        self.search = search
        self.keys = keys
        self.rows = rows
        self.n_relevant = n_relevant
        self.hits = search.hits(keys, rows, depth)

    @cached_property
    def first_ranks(self):
        """Rank, from 1, of the nearest relevant item."""
        ranks = 1 + self.hits.argmax(axis=1)
        beyond = np.flatnonzero(~self.hits.any(axis=1))
        if len(beyond):
            keys = self.keys[beyond]
            rows = self.rows[beyond]
            first = np.where(self.search.relevant(keys, rows), keys, LAST).min(axis=1)
            limits = self.search.distances.limits(first, rows)
            ranks[beyond] = 1 + self.search.hits_up_to(limits, keys, rows).argmax(axis=1)
        return ranks

    def hits_within_r(self):
        """`hits` among the nearest R alone."""
        return self.hits & (np.arange(self.hits.shape[1]) < self.n_relevant[:, np.newaxis])
