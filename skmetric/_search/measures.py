"""Retrieval measures of each query, from one search of neighbours, and checks of their arguments."""

import numpy as np
from sklearn import get_config
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_consistent_length, gen_batches

from .._array_api import to_numpy
from .._labels import check_labels, known_classes
from .._numbers import check_numbers
from .._warn import warn
from .candidates import Search

BLOCK_BYTES = 2**25  # for the distances of a block of queries; larger blocks do not stay in the cache


# --- measures of each query, from its neighbours ----------------------------------------------------


def _recall(neighbors, k):
    return neighbors.hits[:, :k].any(axis=1)


def _precision(neighbors, k):
    return neighbors.hits[:, :k].sum(axis=1) / k


def _r_precision(neighbors, k):
    return neighbors.hits_within_r().sum(axis=1) / neighbors.n_relevant


def _average_precision_at_r(neighbors, k):
    hits = neighbors.hits_within_r()
    precision = hits.cumsum(axis=1, dtype=np.int32) / np.arange(1, hits.shape[1] + 1)
    return np.einsum("ij,ij->i", precision, hits) / neighbors.n_relevant


def _reciprocal_rank(neighbors, k):
    return 1 / neighbors.first_ranks


MEASURES = {
    "recall_at_k": _recall,
    "precision_at_k": _precision,
    "r_precision": _r_precision,
    "mean_average_precision_at_r": _average_precision_at_r,
    "mean_reciprocal_rank": _reciprocal_rank,
}
AT_K = ["recall_at_k", "precision_at_k"]
AT_R = ["r_precision", "mean_average_precision_at_r"]


def _depth(names, k, n_relevant):
    """Number of neighbours that the measures look at."""
    depth = k if set(names) & set(AT_K) else 1
    return max(depth, int(n_relevant.max())) if set(names) & set(AT_R) else depth


# --- checks -----------------------------------------------------------------------------------------


def _finite_rows(Z, name):
    return check_numbers(to_numpy(Z), dtype=np.float64, input_name=name)


def _check_embeddings(Z, Z_gallery):
    Z = _finite_rows(Z, "Z")
    if Z_gallery is None:
        return Z, Z
    Z_gallery = _finite_rows(Z_gallery, "Z_gallery")
    if Z.shape[1] != Z_gallery.shape[1]:
        raise ValueError(f"Z has {Z.shape[1]} components, but Z_gallery has {Z_gallery.shape[1]}.")
    return Z, Z_gallery


def _check_classes(y, y_gallery):
    """Sorted classes, and the labels of queries and items as positions in them."""
    y = check_labels(y, "y")
    if y_gallery is None:
        classes, codes = np.unique(y, return_inverse=True)
        return classes, codes, codes
    y_gallery = check_labels(y_gallery, "y_gallery")
    classes = known_classes(y, y_gallery, names=("y", "y_gallery"))
    return classes, np.searchsorted(classes, y), np.searchsorted(classes, y_gallery)


def _check_query_index(query_index, codes, item_codes, classes):
    """Positions of the queries among the items, -1 for queries that are not there."""
    if query_index is None:
        return np.full(len(codes), -1)
    query_index = np.asarray(query_index)
    if query_index.shape != codes.shape:
        raise ValueError(
            f"query_index must have shape ({len(codes)},), with one position for each query, got "
            f"{query_index.shape}."
        )
    if query_index.dtype.kind not in "iu":
        raise ValueError(f"query_index must hold integers, got an array of {query_index.dtype}.")
    outside = np.flatnonzero((query_index < -1) | (query_index >= len(item_codes)))
    if len(outside):
        raise ValueError(
            f"query_index must hold row numbers of Z_gallery, from 0 to {len(item_codes) - 1}, or -1 for "
            f"queries that are not in the gallery. Got {query_index[outside[0]]} for query {outside[0]}."
        )
    query_index = query_index.astype(np.intp)
    other = np.flatnonzero((query_index >= 0) & (item_codes[query_index] != codes))
    if len(other):
        query = other[0]
        item = query_index[query]
        label, item_label = classes[[codes[query], item_codes[item]]].tolist()
        raise ValueError(
            f"According to query_index, query {query} is item {item}, but their labels in y and "
            f"y_gallery differ: {label!r} and {item_label!r}."
        )
    return query_index


def _check_sample_weight(sample_weight, n_queries):
    """Weights of the queries."""
    if sample_weight is None:
        return np.ones(n_queries)
    sample_weight = to_numpy(sample_weight)
    weights = check_numbers(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weights.shape != (n_queries,):
        raise ValueError(
            f"sample_weight must have shape ({n_queries},), with one weight for each query, got "
            f"{weights.shape}."
        )
    if weights.min() < 0:
        raise ValueError(f"sample_weight must not be negative, got {weights.min().item()}.")
    if weights.max() == 0:
        raise ValueError("sample_weight must be positive for at least one query, but all weights are 0.")
    return weights


# --- queries and items ------------------------------------------------------------------------------


class Retrieval:
    """Checked arguments of the measures: queries, items and their classes.

    Parameters
    ----------
    Z, y, Z_gallery, y_gallery, query_index, sample_weight
        See `skmetric.metrics.retrieval_report`.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        All labels.
    queries : ndarray of int of shape (n_counted,)
        Queries that count: those with a relevant item and a positive weight.
    codes, weights : ndarrays of shape (n_counted,)
        Classes of these queries, as positions in `classes`, and their weights.
    n_excluded : int
        Number of queries with a positive weight that have no relevant item.
    """

    def __init__(self, Z, y, Z_gallery, y_gallery, query_index, sample_weight):
        if (Z_gallery is None) != (y_gallery is None):
            raise ValueError("Z_gallery and y_gallery must be given together, but one of them is None.")
        if Z_gallery is None and query_index is not None:
            raise ValueError(
                "query_index holds positions in Z_gallery and y_gallery, which must be given as well. "
                "Without a gallery, no query finds itself, and query_index is not needed."
            )
        self.Z, self.Z_gallery = _check_embeddings(Z, Z_gallery)
        self.classes, codes, self.item_codes = _check_classes(y, y_gallery)
        check_consistent_length(self.Z, codes)
        check_consistent_length(self.Z_gallery, self.item_codes)
        if Z_gallery is None:
            query_index = np.arange(len(codes))
        self.query_index = _check_query_index(query_index, codes, self.item_codes, self.classes)
        self._count(codes, _check_sample_weight(sample_weight, len(codes)))

    def _count(self, codes, weights):
        in_gallery = self.query_index >= 0
        n_relevant = np.bincount(self.item_codes, minlength=len(self.classes))[codes] - in_gallery
        self.queries = np.flatnonzero((n_relevant > 0) & (weights > 0))
        self.n_excluded = np.count_nonzero(weights) - len(self.queries)
        if not n_relevant.any():
            raise ValueError(
                "Retrieval measures are not defined: no query has a relevant item, that is, another item "
                "with its label."
            )
        if len(self.queries) == 0:
            raise ValueError(
                "sample_weight is 0 for all queries that have a relevant item, that is, another item "
                "with their label."
            )
        self.all_codes = codes
        self.codes = codes[self.queries]
        self.weights = weights[self.queries]
        self.n_relevant = n_relevant[self.queries]
        self.n_items = len(self.item_codes) - in_gallery[self.queries]

    def warn_if_trivial(self):
        """Warn if all items are relevant to all queries that count."""
        if (self.n_relevant == self.n_items).all():
            warn(
                "Retrieval measures do not depend on the embedding here, since all items have the label "
                "of the query. In cross-validation, use folds that contain several classes, such as "
                "StratifiedKFold(shuffle=True).",
                UndefinedMetricWarning,
            )

    def values(self, names, k):
        """Compute measures of each query that counts.

        Parameters
        ----------
        names : list of str
            Keys of `MEASURES`.
        k : int
            Number of neighbours, for the measures with a `k`.

        Returns
        -------
        values : ndarray of shape (n_measures, n_counted)
        """
        depth = min(_depth(names, k, self.n_relevant), len(self.item_codes))
        budget = min(BLOCK_BYTES, get_config()["working_memory"] * 2**20)
        search = Search(self.Z, self.Z_gallery, self.all_codes, self.item_codes, self.query_index, budget)
        values = []
        for block in gen_batches(len(self.queries), search.n_rows):
            neighbors = search.neighbors(self.queries[block], self.n_relevant[block], depth)
            values.append([MEASURES[name](neighbors, k) for name in names])
        return np.concatenate(values, axis=1)

    def by_class(self):
        """Yield each label of the queries that count, and the mask of the queries with this label."""
        labels = self.classes.tolist()
        for code in np.unique(self.codes):
            yield labels[code], self.codes == code

    def means(self, values, chosen=slice(None)):
        """Weighted means of `values` over the chosen queries, out of those that count."""
        # Sums of weights may overflow. Those of a class may be tiny beside the weights of another.
        weights = self.weights[chosen]
        return np.average(values[:, chosen], axis=1, weights=weights / weights.max()).tolist()
