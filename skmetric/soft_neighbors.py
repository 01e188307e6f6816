"""Rules on soft neighbours: each row chooses another one, the nearer the likelier."""

import numpy as np

from .losses import pair_masks


def _softmax(logits):
    """Softmax of each row and its ``log sum exp``; zeros and ``-inf`` for a row of ``-inf``."""
    top = logits.max(axis=1, keepdims=True)
    top[~np.isfinite(top)] = 0
    P = np.exp(logits - top)
    total = P.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_total = np.log(total) + top
    total[total == 0] = 1
    P /= total
    return P, log_total[:, 0]


def own_class(logits, positive):
    """Of the positives the choice has the right of way: some one shall be near.

    Parameters
    ----------
    logits : ndarray of shape (n, n)
        ``-D / temperature``, ``-inf`` on the diagonal.
    positive : ndarray of bool of shape (n, n)
        Pairs of the same class.

    Returns
    -------
    target : ndarray of shape (n, n)
        What the choice shall be like: as it is, among the positives alone.
    value : ndarray of shape (n,)
        ``log sum_j exp(logit_ij)`` over the positives.
    """
    return _softmax(np.where(positive, logits, -np.inf))


def every_positive(logits, positive):
    """All positives shall be near.

    Parameters
    ----------
    logits, positive
        As in `own_class`.

    Returns
    -------
    target : ndarray of shape (n, n)
        1 / number of positives for each of them.
    value : ndarray of shape (n,)
        Mean logit of the positives.
    """
    target = positive / np.maximum(positive.sum(axis=1, keepdims=True), 1)
    target = target.astype(logits.dtype)
    return target, np.einsum("ij,ij->i", target, np.where(positive, logits, 0))


NEIGHBOR_TARGETS = {"neighborhood_components": own_class, "supervised_contrastive": every_positive}


def soft_neighbors(
    D, y, *, loss="neighborhood_components", temperature=1.0, counts=None, masks=pair_masks
):
    """Rule of soft neighbours: cross-entropy of a choice of neighbours and what it should be.

    With ``p_ij = exp(-D_ij / T) / sum_{k != i} exp(-D_ik / T)``: "neighborhood_components" is the mean of
    ``-log sum_j p_ij`` over the positives j of i, "supervised_contrastive" the mean of ``-log p_ij``,
    both over the i that have positives and negatives.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Squared distances.
    y : ndarray of shape (n,)
        Labels.
    loss : {"neighborhood_components", "supervised_contrastive"}, default="neighborhood_components"
        Key of `NEIGHBOR_TARGETS`.
    temperature : float, default=1.0
        T, in the units of `D`, > 0.
    counts : ndarray of shape (2,), default=None
        The number of rows that choose a wrong class with more than probability 1/2, and of all that have
        positives and negatives, are added to it.
    masks : callable, default=pair_masks
        ``masks(y) -> (positive, negative)``: what labels say of pairs.

    Returns
    -------
    value : float
        The loss.
    C : ndarray of shape (n, n)
        ``dL/dD``: ``(target - p) / T / number of rows that count``.

    References
    ----------
    See `NeighborhoodMetricTransformer`.
    """
    positive, negative = masks(y)
    valid = positive.any(axis=1) & negative.any(axis=1)
    logits = np.where(positive | negative, D / -D.dtype.type(temperature), -np.inf)
    P, log_total = _softmax(logits)
    target, wanted = NEIGHBOR_TARGETS[loss](logits, positive)
    C = target - P
    C[~valid] = 0
    n_valid = np.count_nonzero(valid)
    if counts is not None:
        counts += np.count_nonzero(np.einsum("ij,ij->i", P, negative)[valid] > 0.5), n_valid
    C /= temperature * max(n_valid, 1)
    total = (log_total[valid] - wanted[valid]).sum(dtype=np.float64)
    return float(total / max(n_valid, 1)), C
