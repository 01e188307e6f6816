"""The rule of soft neighbours: each row chooses another one, the nearer the likelier."""

import numpy as np

from ._distances import check_representable
from ._softmax import softmax


def own_class(logits, positive):
    """Ask for one neighbour of the own class, whichever it is.

    Parameters
    ----------
    logits : ndarray of shape (n, n)
        ``-D / temperature``, ``-inf`` for pairs that do not count.
    positive : ndarray of shape (n, n)
        Mask of the pairs of the same class.

    Returns
    -------
    target : ndarray of shape (n, n)
        What the choice shall be like: the choice as it is, among the positives alone.
    value : ndarray of shape (n,)
        ``log sum_j exp(logit_ij)`` over the positives.
    """
    target, top, total = softmax(np.where(positive, logits, -np.inf))
    with np.errstate(divide="ignore"):
        return target, np.log(total) + top


def every_positive(logits, positive):
    """Ask for all neighbours of the own class, each as likely as the others.

    Parameters
    ----------
    logits : ndarray of shape (n, n)
        ``-D / temperature``, ``-inf`` for pairs that do not count.
    positive : ndarray of shape (n, n)
        Mask of the pairs of the same class.

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


def soft_neighbors(D, positive, negative, *, loss="neighborhood_components", temperature=1.0):
    """Sum the cross-entropy of a choice of neighbours and what it should be, over the anchors.

    With ``p_ij = exp(-D_ij / T) / sum_{k != i} exp(-D_ik / T)``: "neighborhood_components" sums
    ``-log sum_j p_ij`` over the positives j of i, "supervised_contrastive" the mean of ``-log p_ij``,
    both over the anchors i that have positives and negatives.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Squared distances.
    positive, negative : ndarray of shape (n, n)
        Masks of the positive and of the negative pairs.
    loss : {"neighborhood_components", "supervised_contrastive"}, default="neighborhood_components"
        Key of `NEIGHBOR_TARGETS`.
    temperature : float, default=1.0
        T in the units of `D`, > 0.

    Returns
    -------
    total : float
        Sum of the terms.
    C : ndarray of shape (n, n)
        Its gradient on `D`, ``(target - p) / T``.
    n_active : int
        Number of anchors that choose a wrong class with more than probability 1/2.
    n_valid : int
        Number of anchors that have positives and negatives.

    References
    ----------
    J. Goldberger, S. Roweis, G. Hinton, R. Salakhutdinov, "Neighbourhood components analysis", NIPS
    2004, equation 8. P. Khosla et al., "Supervised contrastive learning", NeurIPS 2020, equation 2.
    """
    check_representable(temperature, D.dtype)
    valid = positive.any(axis=1) & negative.any(axis=1)
    # What is too far for the temperature overflows to -inf, which the loop of training notices.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        logits = np.where(positive | negative, D / -D.dtype.type(temperature), -np.inf)
        P, top, total = softmax(logits)
        target, wanted = NEIGHBOR_TARGETS[loss](logits, positive)
        C = target - P
        C[~valid] = 0
        C /= temperature
        cost = (np.log(total) + top - wanted)[valid].sum(dtype=np.float64)
    n_active = np.count_nonzero(np.einsum("ij,ij->i", P, negative)[valid] > 0.5)
    return cost, C, n_active, np.count_nonzero(valid)
