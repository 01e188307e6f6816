"""Measures of an embedding as a space to search in, all from one pass over sorted neighbours.

Definitions are those of K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", ECCV
2020, section 3. Distances are Euclidean; neighbours at the same distance come in the order of
their index. A query is a row of `Z`, an item is *relevant* to it if it has its label. Queries without a
relevant item are left out.
"""

import re

import numpy as np
from sklearn import get_config
from sklearn.metrics._scorer import _BaseScorer
from sklearn.utils import check_array, check_consistent_length, column_or_1d, gen_batches

from .neighbors import BEHIND, Neighbors, distance_factors, sort_keys

BLOCK_BYTES = 2**25  # distances of some queries at a time: more than that does not stay in the cache


# --- measures: of a query, from its neighbours ------------------------------------------------------


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


# A measure, and how many of the neighbours it looks at: k, as many as are relevant (None), or the first.
MEASURES = {
    "recall_at_k": (_recall, lambda k: k),
    "precision_at_k": (_precision, lambda k: k),
    "r_precision": (_r_precision, lambda k: None),
    "mean_average_precision_at_r": (_average_precision_at_r, lambda k: None),
    "mean_reciprocal_rank": (_reciprocal_rank, lambda k: 1),
}


def _checked(Z, y, Z_gallery, y_gallery):
    """Embeddings as float64, labels as codes; the gallery is the queries where there is none."""
    if (Z_gallery is None) != (y_gallery is None):
        raise ValueError("Z_gallery and y_gallery go together: give both or neither.")
    alone = Z_gallery is None
    Z, y = check_array(Z, dtype=np.float64, input_name="Z"), column_or_1d(y)
    check_consistent_length(Z, y)
    if alone:
        Z_gallery, y_gallery = Z, y
    else:
        Z_gallery = check_array(Z_gallery, dtype=np.float64, input_name="Z_gallery")
        y_gallery = column_or_1d(y_gallery)
        check_consistent_length(Z_gallery, y_gallery)
    if Z.shape[1] != Z_gallery.shape[1]:
        raise ValueError(f"Z has {Z.shape[1]} components, but Z_gallery has {Z_gallery.shape[1]}.")
    classes, codes = np.unique(np.concatenate([y, y_gallery]), return_inverse=True)
    return Z, codes[: len(y)], Z_gallery, codes[len(y) :], classes, alone


def _measured(names, Z, y, k, Z_gallery, y_gallery):
    """Each measure of each query that has something to find, the codes of these, and the classes."""
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")
    Z, codes, Z_gallery, item_codes, classes, alone = _checked(Z, y, Z_gallery, y_gallery)
    n_relevant = np.bincount(item_codes, minlength=len(classes))[codes] - alone
    queries = np.flatnonzero(n_relevant)
    if len(queries) == 0:
        raise ValueError("Retrieval is not defined here: no query has another item of its class to find.")
    depths = [MEASURES[name][1](k) or int(n_relevant.max()) for name in names]
    depth = min(max(depths), len(Z_gallery) - alone)
    A, B = distance_factors(Z, Z_gallery)
    # A distance takes 28 bytes on its way to a key.
    budget = min(BLOCK_BYTES, get_config()["working_memory"] * 2**20)
    n_rows = max(1, int(budget // (28 * len(Z_gallery))))
    values = []
    for block in gen_batches(len(queries), n_rows):
        rows = queries[block]
        keys = sort_keys(A[rows], B)
        if alone:
            keys[np.arange(len(rows)), rows] |= BEHIND
        neighbors = Neighbors(keys, codes[rows], item_codes, n_relevant[rows], depth)
        values.append([MEASURES[name][0](neighbors, k) for name in names])
    return np.concatenate(values, axis=1), codes[queries], classes


def _mean(name, Z, y, k, Z_gallery, y_gallery):
    return float(_measured([name], Z, y, k, Z_gallery, y_gallery)[0].mean())


# --- public -----------------------------------------------------------------------------------------


def recall_at_k(Z, y, *, k=1, Z_gallery=None, y_gallery=None):
    """Fraction of queries that have a relevant item among the `k` nearest.

    Memory is bounded, by 32 MB or by scikit-learn's ``working_memory``, where that is less.

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
        Where no query has an item to find, one of `Z_gallery`, `y_gallery` is missing, shapes differ,
        or `k` is below 1.
    """
    return _mean("recall_at_k", Z, y, k, Z_gallery, y_gallery)


def precision_at_k(Z, y, *, k=1, Z_gallery=None, y_gallery=None):
    """Fraction of relevant items among the `k` nearest, the mean over the queries.

    The divisor is `k`, also where there are fewer items. Parameters, raises: as `recall_at_k`, which it
    is for ``k=1``.
    """
    return _mean("precision_at_k", Z, y, k, Z_gallery, y_gallery)


def r_precision(Z, y, *, Z_gallery=None, y_gallery=None):
    """Fraction of relevant items among the R nearest, with R the number of all relevant ones.

    The mean over the queries. 1 where all classes lie apart. Parameters, raises: as `recall_at_k`.
    """
    return _mean("r_precision", Z, y, 1, Z_gallery, y_gallery)


def mean_average_precision_at_r(Z, y, *, Z_gallery=None, y_gallery=None):
    """MAP@R: the mean over the queries of ``1 / R * sum_{i <= R} P(i) * hit(i)``.

    ``P(i)`` is the precision among the i nearest, ``hit(i)`` whether the i-th is relevant, R the number
    of relevant items. Unlike `r_precision` it asks for the order among the nearest too. Parameters,
    raises: as `recall_at_k`.
    """
    return _mean("mean_average_precision_at_r", Z, y, 1, Z_gallery, y_gallery)


def mean_reciprocal_rank(Z, y, *, Z_gallery=None, y_gallery=None):
    """Mean of 1 / the rank, from 1, of the nearest relevant item.

    Parameters, raises: as `recall_at_k`.
    """
    return _mean("mean_reciprocal_rank", Z, y, 1, Z_gallery, y_gallery)


class RetrievalReport(dict):
    """A dict that prints as a table: see `retrieval_report`."""

    def __str__(self):
        names = [name for name in self if name not in ("classes", "n_queries", "n_excluded")]
        rows = [(label, entry, entry["n_queries"]) for label, entry in self["classes"].items()]
        rows.append(("all", self, self["n_queries"]))
        width = max(len(str(label)) for label, *_ in rows)
        heads = [name.replace("mean_", "").replace("average_precision_at_r", "MAP@R") for name in names]
        lines = [" " * width + "".join(f"  {head:>15}" for head in [*heads, "queries"]), ""]
        for label, entry, n_queries in rows:
            values = "".join(f"  {entry[name]:15.3f}" for name in names)
            lines.append(f"{label!s:>{width}}{values}  {n_queries:15d}")
        lines.insert(-1, "")
        if self["n_excluded"]:
            lines += ["", f"{self['n_excluded']} queries had no relevant item and are left out."]
        return "\n".join(lines)


def retrieval_report(Z, y, *, k=1, Z_gallery=None, y_gallery=None):
    """All measures, for each class and for all queries, from one search.

    Parameters
    ----------
    Z, y, k, Z_gallery, y_gallery
        As in `recall_at_k`.

    Returns
    -------
    report : dict
        ``recall_at_1`` (with the `k` that was asked for), ``precision_at_1``, ``r_precision``,
        ``mean_average_precision_at_r`` and ``mean_reciprocal_rank``: means over the queries;
        ``n_queries``, and ``n_excluded``, the number of those that had no relevant item and do not count;
        ``classes``: a dict from label to a dict of the same means over its queries. It prints as a table.

    Raises
    ------
    ValueError
        As `recall_at_k`.

    Examples
    --------
    >>> from skmetric.metrics import retrieval_report
    >>> report = retrieval_report([[0.0], [1.0], [3.0], [7.0]], ["a", "b", "a", "b"], k=2)
    >>> report["recall_at_2"], report["n_queries"]
    (0.75, 4)
    """
    values, codes, classes = _measured(list(MEASURES), Z, y, k, Z_gallery, y_gallery)
    names = [name.replace("_k", f"_{k}") for name in MEASURES]

    def means(chosen):
        own = values[:, chosen]
        return dict(zip(names, own.mean(axis=1).tolist())) | {"n_queries": own.shape[1]}

    report = RetrievalReport(means(slice(None)))
    report["n_excluded"] = len(y) - len(codes)
    labels = classes.tolist()
    report["classes"] = {labels[code]: means(codes == code) for code in np.unique(codes)}
    return report


class RetrievalScorer(_BaseScorer):
    """A measure as ``scorer(estimator, X, y)``: see `make_retrieval_scorer`."""

    # scikit-learn's scorers are of this class, and its ScoringMonitor asks for it.
    def __init__(self, name, k):
        super().__init__(_mean, sign=1, kwargs={}, response_method="transform")
        self.name, self.k = name, k

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        return _mean(self.name, estimator.transform(X), y_true, self.k, None, None)

    def __repr__(self):
        return f"make_retrieval_scorer({self.name!r}, k={self.k})"


def make_retrieval_scorer(metric, *, k=None):
    """Scorer for `GridSearchCV`, `cross_val_score` and their like.

    Parameters
    ----------
    metric : str
        Name of a function of this module: "r_precision", "mean_average_precision_at_r",
        "mean_reciprocal_rank", "recall_at_k" or "precision_at_k"; "recall_at_5" and its like as well.
    k : int, default=None
        For "recall_at_k" and "precision_at_k"; None is 1.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y) -> float``, higher is better, for a transformer or a pipeline that ends
        in one.

    Raises
    ------
    ValueError
        For an unknown name, or two numbers for `k`.
    """
    number = re.fullmatch(r"(recall_at|precision_at)_(\d+)", metric)
    name = f"{number[1]}_k" if number else metric
    if name not in MEASURES or (number and k is not None):
        raise ValueError(
            f"metric must be one of {list(MEASURES)}, the first two with a number in place of the k "
            f"and then without k=, got {metric!r} with k={k}."
        )
    if number:
        k = int(number[2])
    return RetrievalScorer(name, 1 if k is None else k)
