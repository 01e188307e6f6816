"""What the measures of retrieval are, by loops and in exact arithmetic."""

from fractions import Fraction

import numpy as np

from skmetric.metrics import (
    mean_average_precision_at_r,
    mean_reciprocal_rank,
    precision_at_k,
    r_precision,
    recall_at_k,
    retrieval_report,
)

WITH_K = {"recall_at_k": recall_at_k, "precision_at_k": precision_at_k}
WITHOUT_K = {
    "r_precision": r_precision,
    "mean_average_precision_at_r": mean_average_precision_at_r,
    "mean_reciprocal_rank": mean_reciprocal_rank,
}


def hits_by_loops(Z, y, Z_gallery=None, y_gallery=None, query_index=None):
    """For each query, whether its items are relevant, from the nearest to the farthest."""
    if Z_gallery is None:
        Z_gallery, y_gallery, query_index = Z, y, range(len(Z))
    if query_index is None:
        query_index = [-1] * len(Z)
    queries, items = (
        [[Fraction(float(value)) for value in row] for row in rows] for rows in (Z, Z_gallery)
    )
    for query, label, own in zip(queries, y, query_index):
        distances = [sum((a - b) ** 2 for a, b in zip(query, item)) for item in items]
        order = sorted((distance, j) for j, distance in enumerate(distances) if j != own)
        yield [y_gallery[j] == label for _, j in order]


def measures_of(hits, k):
    """All measures of one query; None if it has nothing to find."""
    n_relevant = sum(hits)
    if n_relevant == 0:
        return None
    precisions = [sum(hits[:rank]) / rank for rank in range(1, n_relevant + 1) if hits[rank - 1]]
    return {
        "recall_at_k": any(hits[:k]),
        "precision_at_k": sum(hits[:k]) / k,
        "r_precision": sum(hits[:n_relevant]) / n_relevant,
        "mean_average_precision_at_r": sum(precisions) / n_relevant,
        "mean_reciprocal_rank": 1 / (1 + hits.index(True)),
    }


def means_by_loops(Z, y, k, sample_weight=None, **gallery):
    """Weighted means of all measures; None if there is no query that counts."""
    weights = np.ones(len(Z)) if sample_weight is None else sample_weight
    measured = [measures_of(hits, k) for hits in hits_by_loops(Z, y, **gallery)]
    counted = [(entry, weight) for entry, weight in zip(measured, weights) if entry and weight > 0]
    if not counted:
        return None
    total = sum(weight for _, weight in counted)
    return {
        name: sum(weight * entry[name] for entry, weight in counted) / total for name in counted[0][0]
    } | {"n_queries": len(counted)}


def means_of_functions(Z, y, k, **options):
    """The same from the package, each function alone."""
    of_k = {name: function(Z, y, k=k, **options) for name, function in WITH_K.items()}
    return of_k | {name: function(Z, y, **options) for name, function in WITHOUT_K.items()}


def means_of_report(Z, y, k, **options):
    """The same from a report."""
    report = retrieval_report(Z, y, k=k, **options)
    renamed = {f"recall_at_{k}": "recall_at_k", f"precision_at_{k}": "precision_at_k"}
    return {renamed.get(name, name): value for name, value in report.items()}
