"""The rule of soft neighbours: each row picks another row as its neighbour, nearer rows more likely."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from ._distances import check_representable
from ._forms import Array
from ._softmax import softmax


def own_class(logits: Array, positive: Array) -> tuple[Array, Array]:
    """Compute the target of the loss "neighborhood_components": any neighbour of the same class.

    Parameters
    ----------
    logits : ndarray of shape (n, n)
        ``-D / temperature``, ``-inf`` for pairs that are neither positive nor negative.
    positive : ndarray of shape (n, n)
        Mask of the pairs of the same class.

    Returns
    -------
    target : ndarray of shape (n, n)
        Target distribution of the neighbours of each row: the softmax of `logits` over the positives.
    value : ndarray of shape (n,)
        ``log sum_j exp(logit_ij)`` over the positives.
    """
    target, top, total = softmax(np.where(positive, logits, -np.inf))
    with np.errstate(divide="ignore"):
        return target, np.log(total) + top


def every_positive(logits: Array, positive: Array) -> tuple[Array, Array]:
    """Compute the target of the loss "supervised_contrastive": all positives with equal probability.

    Parameters
    ----------
    logits : ndarray of shape (n, n)
        ``-D / temperature``, ``-inf`` for pairs that are neither positive nor negative.
    positive : ndarray of shape (n, n)
        Mask of the pairs of the same class.

    Returns
    -------
    target : ndarray of shape (n, n)
        Target distribution of the neighbours of each row: 1 / number of positives for each positive.
    value : ndarray of shape (n,)
        Mean logit of the positives.
    """
    target = positive / np.maximum(positive.sum(axis=1, keepdims=True), 1)
    target = target.astype(logits.dtype)
    return target, np.einsum("ij,ij->i", target, np.where(positive, logits, 0))


#: Targets of `soft_neighbors` by the value of its parameter `loss`. A value is a function
#: ``target(logits, positive) -> target, value``: the distribution that the neighbours of each row should
#: have, and the part of the loss that depends on it.
#:
#: - ``"neighborhood_components"``: one neighbour of the same class, no matter which.
#: - ``"supervised_contrastive"``: all rows of the same class with equal probability.
NEIGHBOR_TARGETS: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "neighborhood_components": own_class,
    "supervised_contrastive": every_positive,
}


def soft_neighbors(
    D: Array,
    positive: Array,
    negative: Array,
    *,
    loss: Literal["neighborhood_components", "supervised_contrastive"] = "neighborhood_components",
    temperature: float = 1.0,
) -> tuple[float, Array, int, int]:
    """Sum the cross-entropy of soft neighbours over the anchors.

    Row i picks row j as its neighbour with the probability
    ``p_ij = exp(-D_ij / T) / sum_{k != i} exp(-D_ik / T)``. The term of an anchor i that has positives
    and negatives is

    - ``-log sum_j p_ij``, with the sum over the positives j, for "neighborhood_components";
    - the mean of ``-log p_ij`` over the positives j, for "supervised_contrastive".

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Squared distances.
    positive, negative : ndarray of shape (n, n)
        Masks of the positive and of the negative pairs.
    loss : {"neighborhood_components", "supervised_contrastive"}, default="neighborhood_components"
        Loss of an anchor, see above.
    temperature : float, default=1.0
        Temperature T in the units of `D`, > 0. The lower it is, the more the nearest rows count.

    Returns
    -------
    total : float
        Sum of the terms.
    C : ndarray of shape (n, n)
        Gradient of `total` on `D`, ``(target - p) / T``.
    n_active : int
        Number of these anchors that pick a row of another class with a probability above 1/2.
    n_valid : int
        Number of anchors that have positives and negatives.

    References
    ----------
    J. Goldberger, S. Roweis, G. Hinton, R. Salakhutdinov, "Neighbourhood components analysis", NIPS
    2004, equation 8. P. Khosla et al., "Supervised contrastive learning", NeurIPS 2020, equation 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, soft_neighbors
    >>> Z = np.array([[0.0], [1.0], [-1.0]])
    >>> D, positive, negative, chain = all_pairs(Z, np.array([0, 0, 1]))
    >>> total, C, n_active, n_valid = soft_neighbors(D, positive, negative)
    >>> round(total, 3), n_valid  # -log 1/2 for anchor 0, -log 0.953 for anchor 1, none for anchor 2
    (0.742, 2)
    """
    check_representable(temperature, D.dtype)
    valid = positive.any(axis=1) & negative.any(axis=1)
    # Distances that are too large for the temperature overflow to -inf. The training loop notices this.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        logits = np.where(positive | negative, D / -D.dtype.type(temperature), -np.inf)
        P, top, total = softmax(logits)
        target, wanted = NEIGHBOR_TARGETS[loss](logits, positive)
        C = target - P
        C[~valid] = 0
        C /= temperature
        cost = float((np.log(total) + top - wanted)[valid].sum(dtype=np.float64))
    n_active = np.count_nonzero(np.einsum("ij,ij->i", P, negative)[valid] > 0.5)
    return cost, C, int(n_active), int(np.count_nonzero(valid))
