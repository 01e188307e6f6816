"""Thresholds on distances, chosen from pairs of which it is known whether they are the same.

A choice has the form ``choose(same, distances, beta, min_rate) -> threshold``, with a mask and finite
distances, both of shape (n_pairs,). Pairs are accepted, that is called the same, where
``distance <= threshold``.
"""

import numpy as np

LARGEST = np.finfo(np.float64).max
MARGIN = 1.001  # above the largest distance, as a factor
# Beyond this beta the F score orders thresholds as its limit does, the recall; its square is finite.
LARGEST_BETA = 1e100


def _midway(lower, upper):
    """Thresholds that accept `lower` and not `upper`, as far as possible from both."""
    # Not the mean, whose sum may overflow.
    middle = lower + (upper - lower) / 2
    # Between neighbouring floats there is nothing, and the middle may be rounded up.
    return np.where(middle < upper, middle, lower)


def _accepted(same, distances):
    """Thresholds in ascending order, and how many pairs of each kind they accept."""
    values, codes = np.unique(distances, return_inverse=True)
    # A distance may differ in its last bits when its rows are embedded in another batch: thresholds
    # keep away from the distances on both sides. Above the largest one there is no other side.
    above_all = min(MARGIN * float(values[-1]), LARGEST)
    thresholds = np.concatenate([[-np.inf], _midway(values[:-1], values[1:]), [above_all]])
    # Pairs of equal distance are accepted together or not at all: one entry for each value.
    n_right = np.bincount(codes[same], minlength=len(values)).cumsum()
    n_wrong = np.bincount(codes[~same], minlength=len(values)).cumsum()
    return thresholds, np.append(0, n_right), np.append(0, n_wrong)


def _most_accurate(same, distances, beta, min_rate):
    """Of several thresholds, the lowest."""
    thresholds, n_right, n_wrong = _accepted(same, distances)
    return thresholds[np.argmax(n_right - n_wrong)]


def _highest_f(same, distances, beta, min_rate):
    """``(1 + beta^2) TP / (beta^2 (TP + FN) + TP + FP)``; of several thresholds, the highest."""
    thresholds, n_right, n_wrong = _accepted(same, distances)
    # Without one more of the same a higher threshold is never better, and for a large beta, where
    # FP is lost in rounding, it would look as good.
    better = np.flatnonzero(np.diff(n_right, prepend=0))[::-1]
    with np.errstate(over="ignore"):  # LARGEST_BETA as a float32, if beta is one
        weight = float(min(beta, LARGEST_BETA)) ** 2
    n_accepted = n_right[better] + n_wrong[better]
    f_score = n_right[better] / (weight * n_right[-1] + n_accepted)  # up to a constant factor
    return thresholds[better[np.argmax(f_score)]]


def _highest_tpr(same, distances, beta, min_rate):
    """Where the true negative rate allows; of several thresholds, the lowest: of the highest TNR."""
    thresholds, n_right, n_wrong = _accepted(same, distances)
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


def _highest_tnr(same, distances, beta, min_rate):
    """Where the true positive rate allows; of several thresholds, the highest: of the highest TPR."""
    thresholds, n_right, n_wrong = (values[::-1] for values in _accepted(same, distances))
    allowed = n_right / n_right[0] >= min_rate
    return thresholds[np.argmin(np.where(allowed, n_wrong, len(same)))]


THRESHOLDS = {
    "accuracy": _most_accurate,
    "f_beta": _highest_f,
    "max_tpr": _highest_tpr,
    "max_tnr": _highest_tnr,
}
