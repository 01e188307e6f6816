"""The contrastive rule: positives inside one margin, negatives outside another."""

import numpy as np


def contrastive(D, positive, negative, *, positive_margin=0.0, negative_margin=1.0, negative_weight=1.0):
    """Sum the contrastive loss over pairs.

    Terms ``max(0, D - positive_margin)`` for positive pairs and
    ``negative_weight * max(0, negative_margin - D)`` for negative pairs.

    Parameters
    ----------
    D : ndarray of shape (n_anchors, n_compared)
        Squared distances.
    positive, negative : ndarray of shape (n_anchors, n_compared)
        Masks of the positive and of the negative pairs.
    positive_margin : float, default=0.0
        Squared distance within which a positive pair costs nothing.
    negative_margin : float, default=1.0
        Squared distance beyond which a negative pair costs nothing.
    negative_weight : float, default=1.0
        Weight of the negative pairs.

    Returns
    -------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Its gradient on `D`.
    n_active : int
        Number of terms that are not zero.
    n_valid : int
        Number of pairs that are positive or negative.

    References
    ----------
    R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality reduction by learning an invariant mapping",
    CVPR 2006, equation 4 (there with Euclidean distances, squared hinges and no positive margin).
    """
    pulled = positive & (D > positive_margin)
    pushed = negative & (D < negative_margin) & (negative_weight > 0)
    C = pulled.astype(D.dtype)
    C[pushed] = -negative_weight
    n_pulled = np.count_nonzero(pulled)
    n_pushed = np.count_nonzero(pushed)
    total = np.einsum("ij,ij->i", C, D).sum(dtype=np.float64)
    total += negative_weight * negative_margin * n_pushed - positive_margin * n_pulled
    return total, C, n_pulled + n_pushed, np.count_nonzero(positive | negative)
