"""Thresholds on distances, chosen from pairs of which it is known whether they are the same.

A choice has the form ``choose(same, distances, resolution, beta, min_rate) -> threshold``, with a mask
and finite distances, both of shape (n_pairs,). Pairs are accepted, that is called the same, where
``distance <= threshold``. Distances that differ by no more than the resolution are not told apart.
"""

import numpy as np

LARGEST = np.finfo(np.float64).max
MARGIN = 1.001  # above the largest distance, as a factor
LAST_PLACES = 8  # of rounding errors in a row of an embedding
WIDE = 5  # times the mean gap: of millions of distances, some hundredth parts have wider ones
# Beyond this beta the F score orders thresholds as its limit does, the recall; its square is finite.
LARGEST_BETA = 1e100


def _midway(lower, upper):
    """Thresholds that accept `lower` and not `upper`, as far as possible from both."""
    # Not the mean, whose sum may overflow.
    middle = lower + (upper - lower) / 2
    # Between neighbouring floats there is nothing, and the middle may be rounded up.
    return np.where(middle < upper, middle, lower)


def _accepted(same, distances, resolution):
    """Thresholds in ascending order, and how many pairs of each kind they accept."""
    order = np.argsort(distances)
    ascending = distances[order]
    # A distance may differ in its last bits when its rows are embedded in another batch: pairs that
    # may change places are accepted together or not at all, and thresholds keep away from both sides.
    gaps = np.diff(ascending)
    last = np.flatnonzero(np.append(gaps > WIDE * min(resolution / WIDE, gaps.mean()), True))
    lower = ascending[last]
    upper = ascending[last[:-1] + 1]
    # Above the largest distance there is no other side.
    above_all = min(MARGIN * float(lower[-1]), LARGEST)
    thresholds = np.concatenate([[-np.inf], _midway(lower[:-1], upper), [above_all]])
    n_right = same[order].cumsum()[last]
    n_wrong = (~same[order]).cumsum()[last]
    return thresholds, np.append(0, n_right), np.append(0, n_wrong)


def resolution_of(Z):
    """How much a distance between rows of `Z` may differ when these are embedded in another batch.

    Parameters
    ----------
    Z : {ndarray, sparse matrix} of shape (n_samples, n_components)
        Embeddings.

    Returns
    -------
    float
        A few units in the last place of the longest row.
    """
    return LAST_PLACES * float(np.finfo(Z.dtype).eps) * float(abs(Z).max()) * np.sqrt(Z.shape[1])


def _most_accurate(same, distances, resolution, beta, min_rate):
    """Of several thresholds, the lowest."""
    thresholds, n_right, n_wrong = _accepted(same, distances, resolution)
    return thresholds[np.argmax(n_right - n_wrong)]


def _highest_f(same, distances, resolution, beta, min_rate):
    """``(1 + beta^2) TP / (beta^2 (TP + FN) + TP + FP)``; of several thresholds, the highest."""
    thresholds, n_right, n_wrong = _accepted(same, distances, resolution)
    # Without one more of the same a higher threshold is never better, and for a large beta, where
    # FP is lost in rounding, it would look as good.
    better = np.flatnonzero(np.diff(n_right, prepend=0))[::-1]
    with np.errstate(over="ignore"):  # LARGEST_BETA as a float32, if beta is one
        weight = float(min(beta, LARGEST_BETA)) ** 2
    n_accepted = n_right[better] + n_wrong[better]
    f_score = n_right[better] / (weight * n_right[-1] + n_accepted)  # up to a constant factor
    return thresholds[better[np.argmax(f_score)]]


def _highest_tpr(same, distances, resolution, beta, min_rate):
    """Where the true negative rate allows; of several thresholds, the lowest: of the highest TNR."""
    thresholds, n_right, n_wrong = _accepted(same, distances, resolution)
    rates = (n_wrong[-1] - n_wrong) / n_wrong[-1]
    # To accept none of the same keeps many a rate, and is no answer.
    best = rates[n_right > 0].max()
    if best < min_rate:
        raise ValueError(
            "No threshold that accepts a pair of the same has a true negative rate of at least "
            f"min_rate={min_rate}: the best is {best:.4g}, since pairs of different things are nearer. "
            "Set a lower min_rate."
        )
    return thresholds[np.argmax(np.where(rates >= min_rate, n_right, -1))]


def _highest_tnr(same, distances, resolution, beta, min_rate):
    """Where the true positive rate allows; of several thresholds, the highest: of the highest TPR."""
    thresholds, n_right, n_wrong = (values[::-1] for values in _accepted(same, distances, resolution))
    allowed = n_right / n_right[0] >= min_rate
    return thresholds[np.argmin(np.where(allowed, n_wrong, len(same)))]


THRESHOLDS = {
    "accuracy": _most_accurate,
    "f_beta": _highest_f,
    "max_tpr": _highest_tpr,
    "max_tnr": _highest_tnr,
}
