"""The contrastive rule: it pulls positive pairs together and pushes negative pairs apart."""

import numpy as np

from ._forms import Array


def contrastive(
    D: Array,
    positive: Array,
    negative: Array,
    *,
    positive_margin: float = 0.0,
    negative_margin: float = 1.0,
    negative_weight: float = 1.0,
) -> tuple[float, Array, int, int]:
    """Sum the contrastive loss over pairs.

    The terms are ``max(0, D - positive_margin)`` for positive pairs and
    ``negative_weight * max(0, negative_margin - D)`` for negative pairs.

    Parameters
    ----------
    D : ndarray of shape (n_anchors, n_compared)
        Squared distances.
    positive, negative : ndarray of shape (n_anchors, n_compared)
        Masks of the positive and of the negative pairs.
    positive_margin : float, default=0.0
        Squared distance up to which a positive pair has no loss, >= 0.
    negative_margin : float, default=1.0
        Squared distance from which on a negative pair has no loss, >= 0.
    negative_weight : float, default=1.0
        Factor of the loss of negative pairs, >= 0.

    Returns
    -------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of `total` on `D`.
    n_active : int
        Number of terms that are not zero.
    n_valid : int
        Number of pairs that are positive or negative.

    References
    ----------
    R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality reduction by learning an invariant mapping",
    CVPR 2006, equation 4 (there with Euclidean distances, squared hinges and no positive margin).

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, contrastive
    >>> Z = np.array([[0.0], [0.5], [1.0]])
    >>> D, positive, negative, chain = all_pairs(Z, np.array([0, 0, 1]))
    >>> total, C, n_active, n_valid = contrastive(D, positive, negative)
    >>> round(total, 4), n_active, n_valid  # each pair occurs twice: 0.25 + 0 + 0.75, times 2
    (2.0, 4, 6)
    """
    pulled = positive & (D > positive_margin)
    pushed = negative & (D < negative_margin) & (negative_weight > 0)
    C = pulled.astype(D.dtype)
    C[pushed] = -negative_weight
    n_pulled = int(np.count_nonzero(pulled))
    n_pushed = int(np.count_nonzero(pushed))
    total = float(np.einsum("ij,ij->i", C, D).sum(dtype=np.float64))
    total += negative_weight * negative_margin * n_pushed - positive_margin * n_pulled
    return total, C, n_pulled + n_pushed, int(np.count_nonzero(positive | negative))
