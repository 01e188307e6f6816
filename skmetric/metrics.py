"""Retrieval measures: how often nearest neighbours in an embedding have the label of the query.

Each row of `Z` is a query. It searches the items, which are the other rows of `Z` or the rows of a
gallery. An item is *relevant* to a query if both have the same label. Queries without a relevant item do
not count. Items are ordered by Euclidean distance, compared without rounding errors for float64 values;
of items at the same distance, the one with the lower index comes first.

The definitions are those of K. Musgrave, S. Belongie and S.-N. Lim, "A metric learning reality check",
ECCV 2020, section 3.
"""

import re
from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from sklearn.metrics._scorer import _BaseScorer

from ._numbers import check_count
from ._search.measures import AT_K, MEASURES, Retrieval
from ._shown import shown

__all__ = [
    "RetrievalReport",
    "make_retrieval_scorer",
    "mean_average_precision_at_r",
    "mean_reciprocal_rank",
    "precision_at_k",
    "r_precision",
    "recall_at_k",
    "retrieval_report",
]

HEADS = {"mean_average_precision_at_r": "MAP@R", "mean_reciprocal_rank": "reciprocal_rank"}


def _mean(name, k, Z, y, Z_gallery=None, y_gallery=None, query_index=None, sample_weight=None):
    k = check_count(k, "k")
    retrieval = Retrieval(Z, y, Z_gallery, y_gallery, query_index, sample_weight)
    retrieval.warn_if_trivial()
    return retrieval.means(retrieval.values([name], k))[0]


# --- measures ---------------------------------------------------------------------------------------


def recall_at_k(
    Z: ArrayLike,
    y: ArrayLike,
    *,
    k: int = 1,
    Z_gallery: ArrayLike | None = None,
    y_gallery: ArrayLike | None = None,
    query_index: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the fraction of queries with a relevant item among the `k` nearest.

    For one query, the value is 1 if at least one of the `k` nearest items is relevant, and 0 otherwise.
    The measure is the weighted mean over the queries.

    Parameters
    ----------
    Z : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    y : array-like of shape (n_queries,)
        Labels of the queries: integers, strings or bools. A label of -1 is a class like any other.
    k : int, default=1
        Number of nearest items to look at, at least 1.
    Z_gallery : array-like of shape (n_items, n_components), default=None
        Embeddings of the items to search. If None, each query searches the other queries
        (leave-one-out).
    y_gallery : array-like of shape (n_items,), default=None
        Labels of the items. Required if `Z_gallery` is given.
    query_index : array-like of int of shape (n_queries,), default=None
        Position of each query in the gallery, or -1 for a query that is not in the gallery. A query does
        not search the item at its own position. If None, no query is in the gallery. It must be None if
        `Z_gallery` is None.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean, >= 0. Queries of weight 0 do not count, but other queries can
        find them. Without a gallery, a weight of 2 differs from giving a row twice, since the two rows
        would find each other. If None, all queries have the same weight.

    Returns
    -------
    float
        Recall at `k`, from 0 to 1; higher is better.

    Raises
    ------
    TypeError
        If `k` is not an integer.
    ValueError
        If no query has a relevant item, a label is missing, labels are partly numbers and partly strings,
        shapes do not match, `k` is less than 1, `query_index` is not a position in the gallery, or
        `sample_weight` is negative, not finite or 0 for all queries that count.

    Warns
    -----
    UndefinedMetricWarning
        If all items are relevant to all queries that count. Then the measure does not depend on the
        embedding.

    See Also
    --------
    precision_at_k : Fraction of relevant items among the `k` nearest.
    retrieval_report : All measures from one search.

    References
    ----------
    .. [1] K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", European Conference on
           Computer Vision (ECCV), 2020, section 3. https://arxiv.org/abs/2003.08505

    Examples
    --------
    >>> from skmetric.metrics import recall_at_k
    >>> Z = [[0.0], [1.0], [3.0], [7.0], [8.0], [9.0]]
    >>> y = ["a", "a", "b", "a", "b", "b"]
    >>> round(recall_at_k(Z, y, k=2), 3)
    0.667
    """
    return _mean("recall_at_k", k, Z, y, Z_gallery, y_gallery, query_index, sample_weight)


def precision_at_k(
    Z: ArrayLike,
    y: ArrayLike,
    *,
    k: int = 1,
    Z_gallery: ArrayLike | None = None,
    y_gallery: ArrayLike | None = None,
    query_index: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the fraction of relevant items among the `k` nearest.

    For one query, the value is ``n_hits / k``, where ``n_hits`` is the number of relevant items among the
    `k` nearest. The divisor is `k` even if there are fewer items. The measure is the weighted mean over
    the queries. For ``k=1`` it is equal to `recall_at_k`.

    Parameters
    ----------
    Z : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    y : array-like of shape (n_queries,)
        Labels of the queries: integers, strings or bools. A label of -1 is a class like any other.
    k : int, default=1
        Number of nearest items to look at, at least 1.
    Z_gallery : array-like of shape (n_items, n_components), default=None
        Embeddings of the items to search. If None, each query searches the other queries
        (leave-one-out).
    y_gallery : array-like of shape (n_items,), default=None
        Labels of the items. Required if `Z_gallery` is given.
    query_index : array-like of int of shape (n_queries,), default=None
        Position of each query in the gallery, or -1 for a query that is not in the gallery. A query does
        not search the item at its own position. If None, no query is in the gallery. It must be None if
        `Z_gallery` is None.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean, >= 0. Queries of weight 0 do not count, but other queries can
        find them. Without a gallery, a weight of 2 differs from giving a row twice, since the two rows
        would find each other. If None, all queries have the same weight.

    Returns
    -------
    float
        Precision at `k`, from 0 to 1; higher is better.

    Raises
    ------
    TypeError
        If `k` is not an integer.
    ValueError
        If no query has a relevant item, a label is missing, labels are partly numbers and partly strings,
        shapes do not match, `k` is less than 1, `query_index` is not a position in the gallery, or
        `sample_weight` is negative, not finite or 0 for all queries that count.

    Warns
    -----
    UndefinedMetricWarning
        If all items are relevant to all queries that count. Then the measure does not depend on the
        embedding.

    See Also
    --------
    recall_at_k : Fraction of queries with a relevant item among the `k` nearest.
    r_precision : The same measure with the number of relevant items as `k`.

    References
    ----------
    .. [1] K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", European Conference on
           Computer Vision (ECCV), 2020, section 3. https://arxiv.org/abs/2003.08505

    Examples
    --------
    >>> from skmetric.metrics import precision_at_k
    >>> Z = [[0.0], [1.0], [3.0], [7.0], [8.0], [9.0]]
    >>> y = ["a", "a", "b", "a", "b", "b"]
    >>> round(precision_at_k(Z, y, k=2), 3)
    0.333
    """
    return _mean("precision_at_k", k, Z, y, Z_gallery, y_gallery, query_index, sample_weight)


def r_precision(
    Z: ArrayLike,
    y: ArrayLike,
    *,
    Z_gallery: ArrayLike | None = None,
    y_gallery: ArrayLike | None = None,
    query_index: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the fraction of relevant items among the R nearest.

    For one query, R is the number of relevant items, and the value is ``n_hits / R``, where ``n_hits`` is
    the number of relevant items among the R nearest. The measure is the weighted mean over the queries.
    It is 1 if every query is nearer to all relevant items than to any other item.

    Parameters
    ----------
    Z : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    y : array-like of shape (n_queries,)
        Labels of the queries: integers, strings or bools. A label of -1 is a class like any other.
    Z_gallery : array-like of shape (n_items, n_components), default=None
        Embeddings of the items to search. If None, each query searches the other queries
        (leave-one-out).
    y_gallery : array-like of shape (n_items,), default=None
        Labels of the items. Required if `Z_gallery` is given.
    query_index : array-like of int of shape (n_queries,), default=None
        Position of each query in the gallery, or -1 for a query that is not in the gallery. A query does
        not search the item at its own position. If None, no query is in the gallery. It must be None if
        `Z_gallery` is None.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean, >= 0. Queries of weight 0 do not count, but other queries can
        find them. Without a gallery, a weight of 2 differs from giving a row twice, since the two rows
        would find each other. If None, all queries have the same weight.

    Returns
    -------
    float
        R-precision, from 0 to 1; higher is better.

    Raises
    ------
    ValueError
        If no query has a relevant item, a label is missing, labels are partly numbers and partly strings,
        shapes do not match, `query_index` is not a position in the gallery, or
        `sample_weight` is negative, not finite or 0 for all queries that count.

    Warns
    -----
    UndefinedMetricWarning
        If all items are relevant to all queries that count. Then the measure does not depend on the
        embedding.

    See Also
    --------
    mean_average_precision_at_r : Measure that depends on the order of the R nearest items as well.
    precision_at_k : The same measure with a given number of items.

    References
    ----------
    .. [1] K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", European Conference on
           Computer Vision (ECCV), 2020, section 3. https://arxiv.org/abs/2003.08505

    Examples
    --------
    >>> from skmetric.metrics import r_precision
    >>> Z = [[0.0], [1.0], [3.0], [7.0], [8.0], [9.0]]
    >>> y = ["a", "a", "b", "a", "b", "b"]
    >>> round(r_precision(Z, y), 3)
    0.333
    """
    return _mean("r_precision", 1, Z, y, Z_gallery, y_gallery, query_index, sample_weight)


def mean_average_precision_at_r(
    Z: ArrayLike,
    y: ArrayLike,
    *,
    Z_gallery: ArrayLike | None = None,
    y_gallery: ArrayLike | None = None,
    query_index: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean average precision among the R nearest items (MAP@R).

    For one query, R is the number of relevant items, and the value is::

        1 / R * sum(precision(i) * hit(i) for i in 1, ..., R)

    Here ``precision(i)`` is the fraction of relevant items among the i nearest, and ``hit(i)`` is 1 if
    the i-th nearest item is relevant and 0 otherwise. The measure is the weighted mean over the queries.
    In contrast to `r_precision`, it is higher if the relevant items come first.

    Parameters
    ----------
    Z : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    y : array-like of shape (n_queries,)
        Labels of the queries: integers, strings or bools. A label of -1 is a class like any other.
    Z_gallery : array-like of shape (n_items, n_components), default=None
        Embeddings of the items to search. If None, each query searches the other queries
        (leave-one-out).
    y_gallery : array-like of shape (n_items,), default=None
        Labels of the items. Required if `Z_gallery` is given.
    query_index : array-like of int of shape (n_queries,), default=None
        Position of each query in the gallery, or -1 for a query that is not in the gallery. A query does
        not search the item at its own position. If None, no query is in the gallery. It must be None if
        `Z_gallery` is None.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean, >= 0. Queries of weight 0 do not count, but other queries can
        find them. Without a gallery, a weight of 2 differs from giving a row twice, since the two rows
        would find each other. If None, all queries have the same weight.

    Returns
    -------
    float
        MAP@R, from 0 to 1; higher is better.

    Raises
    ------
    ValueError
        If no query has a relevant item, a label is missing, labels are partly numbers and partly strings,
        shapes do not match, `query_index` is not a position in the gallery, or
        `sample_weight` is negative, not finite or 0 for all queries that count.

    Warns
    -----
    UndefinedMetricWarning
        If all items are relevant to all queries that count. Then the measure does not depend on the
        embedding.

    See Also
    --------
    r_precision : Measure that does not depend on the order of the R nearest items.
    mean_reciprocal_rank : Measure that depends on the nearest relevant item only.

    References
    ----------
    .. [1] K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", European Conference on
           Computer Vision (ECCV), 2020, section 3. https://arxiv.org/abs/2003.08505

    Examples
    --------
    >>> from skmetric.metrics import mean_average_precision_at_r
    >>> Z = [[0.0], [1.0], [3.0], [7.0], [8.0], [9.0]]
    >>> y = ["a", "a", "b", "a", "b", "b"]
    >>> round(mean_average_precision_at_r(Z, y), 3)
    0.292
    """
    return _mean("mean_average_precision_at_r", 1, Z, y, Z_gallery, y_gallery, query_index, sample_weight)


def mean_reciprocal_rank(
    Z: ArrayLike,
    y: ArrayLike,
    *,
    Z_gallery: ArrayLike | None = None,
    y_gallery: ArrayLike | None = None,
    query_index: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean of 1 / rank of the nearest relevant item.

    The nearest item has rank 1. The measure is the weighted mean over the queries.

    Parameters
    ----------
    Z : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    y : array-like of shape (n_queries,)
        Labels of the queries: integers, strings or bools. A label of -1 is a class like any other.
    Z_gallery : array-like of shape (n_items, n_components), default=None
        Embeddings of the items to search. If None, each query searches the other queries
        (leave-one-out).
    y_gallery : array-like of shape (n_items,), default=None
        Labels of the items. Required if `Z_gallery` is given.
    query_index : array-like of int of shape (n_queries,), default=None
        Position of each query in the gallery, or -1 for a query that is not in the gallery. A query does
        not search the item at its own position. If None, no query is in the gallery. It must be None if
        `Z_gallery` is None.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean, >= 0. Queries of weight 0 do not count, but other queries can
        find them. Without a gallery, a weight of 2 differs from giving a row twice, since the two rows
        would find each other. If None, all queries have the same weight.

    Returns
    -------
    float
        Mean reciprocal rank, from 0 to 1; higher is better.

    Raises
    ------
    ValueError
        If no query has a relevant item, a label is missing, labels are partly numbers and partly strings,
        shapes do not match, `query_index` is not a position in the gallery, or
        `sample_weight` is negative, not finite or 0 for all queries that count.

    Warns
    -----
    UndefinedMetricWarning
        If all items are relevant to all queries that count. Then the measure does not depend on the
        embedding.

    See Also
    --------
    recall_at_k : Fraction of queries for which this rank is at most `k`.
    mean_average_precision_at_r : Measure that depends on all relevant items.

    Examples
    --------
    >>> from skmetric.metrics import mean_reciprocal_rank
    >>> Z = [[0.0], [1.0], [3.0], [7.0], [8.0], [9.0]]
    >>> y = ["a", "a", "b", "a", "b", "b"]
    >>> round(mean_reciprocal_rank(Z, y), 3)
    0.667
    """
    return _mean("mean_reciprocal_rank", 1, Z, y, Z_gallery, y_gallery, query_index, sample_weight)


# --- report -----------------------------------------------------------------------------------------


class RetrievalReport(dict[str, Any]):
    """Dictionary of retrieval measures that is printed as a table.

    `retrieval_report` returns such a dictionary and documents its keys.

    See Also
    --------
    retrieval_report : Compute the measures.

    Examples
    --------
    >>> from skmetric.metrics import retrieval_report
    >>> report = retrieval_report([[0.0], [1.0], [3.0], [7.0]], ["a", "a", "b", "b"])
    >>> report["r_precision"], report["classes"]["b"]["r_precision"]
    (0.75, 0.5)
    >>> for line in str(report).splitlines():
    ...     print(line[:54])  # the first columns
             recall_at_1   precision_at_1      r_precision
    <BLANKLINE>
      a            1.000            1.000            1.000
      b            0.500            0.500            0.500
    <BLANKLINE>
    all            0.750            0.750            0.750
    """

    def __str__(self) -> str:
        names = [name for name in self if name not in ("classes", "n_queries", "n_excluded")]
        rows = [*self["classes"].items(), ("all", self)]
        width = max(len(str(label)) for label, _ in rows)
        heads = [*(HEADS.get(name, name) for name in names), "queries"]
        lines = [" " * width + "".join(f"  {head:>15}" for head in heads), ""]
        for label, entry in rows:
            values = "".join(f"  {entry[name]:15.3f}" for name in names)
            lines.append(f"{label!s:>{width}}{values}  {entry['n_queries']:15d}")
        lines.insert(-1, "")
        if self["n_excluded"]:
            lines += ["", f"Queries without a relevant item, not counted: {self['n_excluded']}"]
        return "\n".join(lines)


def retrieval_report(
    Z: ArrayLike,
    y: ArrayLike,
    *,
    k: int = 1,
    Z_gallery: ArrayLike | None = None,
    y_gallery: ArrayLike | None = None,
    query_index: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> RetrievalReport:
    """Compute all retrieval measures, for each class and for all queries.

    One search computes `recall_at_k`, `precision_at_k`, `r_precision`, `mean_average_precision_at_r` and
    `mean_reciprocal_rank`. See these functions for the formulas.

    Parameters
    ----------
    Z : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    y : array-like of shape (n_queries,)
        Labels of the queries: integers, strings or bools. A label of -1 is a class like any other.
    k : int, default=1
        Number of nearest items to look at, at least 1. Only used by `recall_at_k` and `precision_at_k`.
    Z_gallery : array-like of shape (n_items, n_components), default=None
        Embeddings of the items to search. If None, each query searches the other queries
        (leave-one-out).
    y_gallery : array-like of shape (n_items,), default=None
        Labels of the items. Required if `Z_gallery` is given.
    query_index : array-like of int of shape (n_queries,), default=None
        Position of each query in the gallery, or -1 for a query that is not in the gallery. A query does
        not search the item at its own position. If None, no query is in the gallery. It must be None if
        `Z_gallery` is None.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean, >= 0. Queries of weight 0 do not count, but other queries can
        find them. Without a gallery, a weight of 2 differs from giving a row twice, since the two rows
        would find each other. If None, all queries have the same weight.

    Returns
    -------
    RetrievalReport
        A dictionary that is printed as a table. Its keys are

        - ``"recall_at_1"`` and ``"precision_at_1"``, with the given `k` in place of 1, ``"r_precision"``,
          ``"mean_average_precision_at_r"`` and ``"mean_reciprocal_rank"``: weighted means over the
          queries, floats from 0 to 1;
        - ``"n_queries"``: number of queries that count;
        - ``"n_excluded"``: number of queries that do not count because they have no relevant item.
          Queries of weight 0 are in neither number;
        - ``"classes"``: dictionary that maps each label to a dictionary of the same means and
          ``"n_queries"``, for the queries with this label.

    Raises
    ------
    TypeError
        If `k` is not an integer.
    ValueError
        If no query has a relevant item, a label is missing, labels are partly numbers and partly strings,
        shapes do not match, `k` is less than 1, `query_index` is not a position in the gallery, or
        `sample_weight` is negative, not finite or 0 for all queries that count.

    Warns
    -----
    UndefinedMetricWarning
        If all items are relevant to all queries that count. Then the measure does not depend on the
        embedding.

    See Also
    --------
    recall_at_k : Fraction of queries with a relevant item among the `k` nearest.
    precision_at_k : Fraction of relevant items among the `k` nearest.
    r_precision : Fraction of relevant items among the R nearest.
    mean_average_precision_at_r : The same, higher if the relevant items come first.
    mean_reciprocal_rank : Mean of 1 / rank of the nearest relevant item.
    make_retrieval_scorer : One of the measures as a scorer.

    References
    ----------
    .. [1] K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", European Conference on
           Computer Vision (ECCV), 2020, section 3. https://arxiv.org/abs/2003.08505

    Examples
    --------
    >>> from skmetric.metrics import retrieval_report
    >>> Z = [[0.0], [1.0], [3.0], [7.0], [8.0], [9.0]]
    >>> report = retrieval_report(Z, ["a", "a", "b", "a", "b", "b"], k=2)
    >>> round(report["recall_at_2"], 3), report["n_queries"]
    (0.667, 6)
    >>> report["classes"]["b"]["precision_at_2"]
    0.3333333333333333
    """
    k = check_count(k, "k")
    retrieval = Retrieval(Z, y, Z_gallery, y_gallery, query_index, sample_weight)
    retrieval.warn_if_trivial()
    values = retrieval.values(list(MEASURES), k)
    report = RetrievalReport(_entry(retrieval, values, k, slice(None)))
    report["n_excluded"] = retrieval.n_excluded
    report["classes"] = {
        label: _entry(retrieval, values, k, chosen) for label, chosen in retrieval.by_class()
    }
    return report


def _entry(retrieval, values, k, chosen):
    names = [name.replace("_k", f"_{k}") for name in MEASURES]
    means = retrieval.means(values, chosen)
    return dict(zip(names, means)) | {"n_queries": len(retrieval.codes[chosen])}


# --- scorers ----------------------------------------------------------------------------------------


class _Measure:
    """Mean of a measure, ``measure(y_true, Z, sample_weight=None)``."""

    def __init__(self, name, k):
        self.name = name
        self.k = k

    def __call__(self, y_true, y_pred, sample_weight=None):
        return _mean(self.name, self.k, y_pred, y_true, sample_weight=sample_weight)


class _RetrievalScorer(_BaseScorer):
    """Scorer of a measure, ``scorer(estimator, X, y, sample_weight=None)``."""

    # The base class is that of scikit-learn's scorers. ScoringMonitor requires it, and metadata routing
    # finds sample_weight in the signature of the measure.
    def __init__(self, name, k):
        super().__init__(_Measure(name, k), sign=1, kwargs={}, response_method="transform")

    def __call__(self, estimator, X, y_true, sample_weight=None):
        return self._score(None, estimator, X, y_true, sample_weight=sample_weight)

    def _score(self, method_caller, estimator, X, y_true, sample_weight=None):
        return self._score_func(y_true, estimator.transform(X), sample_weight=sample_weight)

    def __repr__(self):
        return f"make_retrieval_scorer({self._score_func.name!r}, k={self._score_func.k})"


def make_retrieval_scorer(metric: str, *, k: int | None = None) -> Callable[..., float]:
    """Make a scorer of a retrieval measure, for `GridSearchCV`, `cross_validate` and similar tools.

    The scorer embeds the rows that it is given with the method ``transform`` of the estimator. Each of
    these rows then searches the other rows (leave-one-out).

    Parameters
    ----------
    metric : str
        Name of the measure: "recall_at_k", "precision_at_k", "r_precision", "mean_average_precision_at_r"
        or "mean_reciprocal_rank". In the first two, the name may contain the value of `k`: "recall_at_5"
        is "recall_at_k" with ``k=5``.
    k : int, default=None
        Number of nearest items to look at, at least 1. None means 1. Only used if `metric` is
        "recall_at_k" or "precision_at_k".

    Returns
    -------
    callable
        ``scorer(estimator, X, y, sample_weight=None)`` returns the measure as a float; higher is better.
        The estimator is a transformer or a pipeline that ends in one. With metadata routing enabled, call
        ``scorer.set_score_request(sample_weight=True)`` to pass `sample_weight`.

    Raises
    ------
    TypeError
        If `metric` is not a string, or `k` is not an integer.
    ValueError
        If `metric` is not one of the names, if `k` is less than 1, or if `k` is given although the
        measure does not use it or its name contains it.

    See Also
    --------
    retrieval_report : All measures of an embedding.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import StratifiedKFold, cross_val_score
    >>> from skmetric.metrics import make_retrieval_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> scorer = make_retrieval_scorer("mean_average_precision_at_r")
    >>> folds = StratifiedKFold(3, shuffle=True, random_state=0)
    >>> cross_val_score(PCA(2), X, y, scoring=scorer, cv=folds).round(2)
    array([0.76, 0.76, 0.79])
    """
    if not isinstance(metric, str):
        raise TypeError(f"metric must be a string, the name of a measure, got {shown(metric)}.")
    number = re.fullmatch("(recall_at|precision_at)_([0-9]+)", metric)
    name = f"{number[1]}_k" if number else metric
    if name not in MEASURES:
        raise ValueError(
            f"metric must be one of {list(MEASURES)}, or one of the first two with a number in place of "
            f"k, as in 'recall_at_5', got {metric!r}."
        )
    if k is not None and number:
        raise ValueError(
            f"metric={metric!r} contains the value of k, so that k={shown(k)} must not be set."
        )
    if k is not None and name not in AT_K:
        raise ValueError(
            f"k is only used if metric is one of {AT_K}, got k={shown(k)} with metric={metric!r}."
        )
    if number:
        k = int(number[2])
    return _RetrievalScorer(name, check_count(1 if k is None else k, "k"))
