"""Exact search for nearest neighbours: sorts all items by distance, for a block of queries at a time.

A matrix product gives an approximate distance of each query and item, from which an integer key is made.
The keys sort almost like exact distances. `Search` knows a bound of the error. Items that are closer
together than this bound are sorted by exact distances, if some of them are relevant and others are not.
"""

import numpy as np

from .._lazy import lazy
from .distance_keys import BEHIND, INDEX, DistanceKeys
from .exact_order import BYTES, ExactOrder, in_mixed_group

LAST = np.iinfo(np.int64).max
PART = 16  # 1/16 of the budget is for sorting by exact distances
DISTANCE_BYTES = 28  # for each distance: a float64, a float32 and two keys


class Search:
    """Search for the items that are nearest to queries.

    Parameters
    ----------
    Z, Z_gallery : ndarrays of float64 of shape (n_queries, n_components), (n_items, n_components)
        Queries and items.
    labels, item_labels : ndarrays of int of shape (n_queries,), (n_items,)
        Classes of the queries and of the items, integers >= 0.
    query_index : ndarray of int of shape (n_queries,)
        Item that is the query itself, which the query does not find; -1 if there is none.
    budget : float
        Largest number of bytes for the distances of a block of queries.

    Attributes
    ----------
    n_rows : int
        Number of queries in a block.
    """

    def __init__(self, Z, Z_gallery, labels, item_labels, query_index, budget):
        self.n_rows = min(len(Z), max(1, int(budget // (DISTANCE_BYTES * len(Z_gallery)))))
        # Sorting by exact distances needs memory in addition. It is faster if this fits into the cache.
        self.budget = budget / PART
        self.exact = ExactOrder(Z, Z_gallery, self.budget)
        self.distances = DistanceKeys(self.exact.scaled, self.exact.scaled_gallery, self.n_rows)
        self.labels = labels
        self.query_index = query_index
        # The last label is that of an excluded item, the query itself.
        self.item_labels = np.append(item_labels, -1)

    def neighbors(self, rows, n_relevant, depth):
        """Return the `Neighbors` of a block of queries."""
        keys = self.distances.keys(rows)
        own = np.flatnonzero(self.query_index[rows] >= 0)
        keys[own, self.query_index[rows[own]]] = BEHIND | (len(self.item_labels) - 1)
        return Neighbors(self, keys, rows, n_relevant, depth)

    def relevant(self, keys, rows):
        """Mask of the keys whose items have the class of the query."""
        return self.item_labels[keys & INDEX] == self.labels[rows, np.newaxis]

    def hits(self, keys, rows, depth):
        """Whether the item at each rank is relevant.

        Parameters
        ----------
        keys : ndarray of int64 of shape (n_rows, n_items)
            Keys of the items. The nearest `depth` are moved to the front, in place.
        rows : ndarray of int of shape (n_rows,)
            Row numbers of the queries.
        depth : int
            Number of neighbours to look at.

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
        """`hits` of all items whose keys are at most the limit of their row."""
        depth = np.count_nonzero(keys <= limits[:, np.newaxis], axis=1).max()
        to_front(keys, depth)
        return self._settled(keys[:, :depth], rows, np.ones(len(rows), dtype=bool))

    def _settled(self, keys, rows, wanted):
        """Whether the items are relevant. For the wanted rows, the order is exact."""
        hits = self.relevant(keys, rows)
        close = self.distances.are_close(keys, rows)
        # The order only matters between a relevant and an irrelevant item.
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
    """Sort the `depth` smallest keys of each row to its front, followed by the next one, in place."""
    if depth < keys.shape[1]:
        keys.partition(depth, axis=1)
    keys[:, :depth].sort(axis=1)


class Neighbors:
    """Neighbours of a block of queries: which of the nearest items are relevant.

    Parameters
    ----------
    search : Search
        Search that computed the keys.
    keys : ndarray of int64 of shape (n_rows, n_items)
        Keys of the items. They are sorted in place.
    rows : ndarray of int of shape (n_rows,)
        Row numbers of the queries.
    n_relevant : ndarray of shape (n_rows,)
        Number R of the relevant items of each query, at least 1.
    depth : int
        Number of neighbours to look at.

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

    @lazy
    def first_ranks(self):
        """Rank of the nearest relevant item, from 1 on."""
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
        """`hits` among the R nearest items; False beyond them."""
        return self.hits & (np.arange(self.hits.shape[1]) < self.n_relevant[:, np.newaxis])
