"""Criteria that choose a threshold on distances from labelled pairs.

A criterion has the form ``choose(same, distances, resolution, beta, min_rate) -> threshold``, with a mask
of the same pairs and finite distances, both of shape (n_pairs,). A pair is accepted, that is predicted to
be the same, if ``distance <= threshold``. Distances that differ by at most `resolution` are treated as
equal.
"""

import numpy as np

LARGEST = np.finfo(np.float64).max
MARGIN = 1.001  # the largest threshold, as a multiple of the largest distance
LAST_PLACES = 8  # bound of the rounding errors of an embedding, in units of eps
WIDE = 5  # a gap of 5 times the mean gap is wide: among millions of distances, about 1 % are wider
# A larger beta orders thresholds as beta = infinity does, by recall. Its square is finite.
LARGEST_BETA = 1e100


def _midway(lower, upper):
    """Thresholds that accept `lower` and not `upper`, as far as possible from both."""
    # (lower + upper) / 2 may overflow.
    middle = lower + (upper - lower) / 2
    # The middle of adjacent floats may be rounded up to the upper one.
    return np.where(middle < upper, middle, lower)


def _accepted(same, distances, resolution):
    """Thresholds in ascending order, and the numbers of same and of different pairs that they accept."""
    order = np.argsort(distances)
    ascending = distances[order]
    # A distance may differ in its last bits if its rows are embedded in another batch. Therefore pairs
    # whose distances are that close are accepted together, and thresholds lie midway in the other gaps.
    gaps = np.diff(ascending)
    last = np.flatnonzero(np.append(gaps > WIDE * min(resolution / WIDE, gaps.mean()), True))
    lower = ascending[last]
    upper = ascending[last[:-1] + 1]
    # There is no gap above the largest distance.
    above_all = min(MARGIN * float(lower[-1]), LARGEST)
    thresholds = np.concatenate([[-np.inf], _midway(lower[:-1], upper), [above_all]])
    n_right = same[order].cumsum()[last]
    n_wrong = (~same[order]).cumsum()[last]
    return thresholds, np.append(0, n_right), np.append(0, n_wrong)


def resolution_of(Z):
    """Bound the change of a distance between rows of `Z` if these are embedded in another batch.

    Parameters
    ----------
    Z : {ndarray, sparse matrix} of shape (n_samples, n_components)
        Embeddings.

    Returns
    -------
    float
        A few units in the last place of the largest possible norm of a row.
    """
    return LAST_PLACES * float(np.finfo(Z.dtype).eps) * float(abs(Z).max()) * np.sqrt(Z.shape[1])


def _most_accurate(same, distances, resolution, beta, min_rate):
    """Threshold of the highest accuracy; the lowest one if there are several."""
    thresholds, n_right, n_wrong = _accepted(same, distances, resolution)
    return thresholds[np.argmax(n_right - n_wrong)]


def _highest_f(same, distances, resolution, beta, min_rate):
    """Threshold of the highest F score; the highest one if there are several.

    The score is ``(1 + beta^2) TP / (beta^2 (TP + FN) + TP + FP)``.
    """
    thresholds, n_right, n_wrong = _accepted(same, distances, resolution)
    # Only thresholds that accept one more same pair can be better than a lower one. The others are left
    # out, since their score may be rounded to the same value if beta is large.
    better = np.flatnonzero(np.diff(n_right, prepend=0))[::-1]
    with np.errstate(over="ignore"):  # LARGEST_BETA as a float32, if beta is one
        weight = float(min(beta, LARGEST_BETA)) ** 2
    n_accepted = n_right[better] + n_wrong[better]
    f_score = n_right[better] / (weight * n_right[-1] + n_accepted)  # up to a constant factor
    return thresholds[better[np.argmax(f_score)]]


def _highest_tpr(same, distances, resolution, beta, min_rate):
    """Threshold of the highest true positive rate with a true negative rate of at least `min_rate`.

    If there are several, it is the lowest one, which has the highest true negative rate.
    """
    thresholds, n_right, n_wrong = _accepted(same, distances, resolution)
    rates = (n_wrong[-1] - n_wrong) / n_wrong[-1]
    # A threshold that accepts no same pair is useless, even if it reaches the rate.
    best = rates[n_right > 0].max()
    if best < min_rate:
        raise ValueError(
            "No threshold that accepts a same pair has a true negative rate of at least "
            f"min_rate={min_rate}: the best is {best:.4g}, since different pairs are at least as near as "
            "the nearest same pair. Set a lower min_rate."
        )
    return thresholds[np.argmax(np.where(rates >= min_rate, n_right, -1))]


def _highest_tnr(same, distances, resolution, beta, min_rate):
    """Threshold of the highest true negative rate with a true positive rate of at least `min_rate`.

    If there are several, it is the highest one, which has the highest true positive rate.
    """
    thresholds, n_right, n_wrong = (values[::-1] for values in _accepted(same, distances, resolution))
    allowed = n_right / n_right[0] >= min_rate
    return thresholds[np.argmin(np.where(allowed, n_wrong, len(same)))]


THRESHOLDS = {
    "accuracy": _most_accurate,
    "f_beta": _highest_f,
    "max_tpr": _highest_tpr,
    "max_tnr": _highest_tnr,
}
