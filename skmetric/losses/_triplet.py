"""The triplet rule: it makes positives nearer to their anchor than negatives, by a margin."""

from numbers import Real
from typing import Literal

import numpy as np

from ._blocks import by_blocks
from ._distances import check_representable
from ._forms import Array, Miner
from ._miners import MINERS, n_chosen_by_anchor


def triplet(
    D: Array,
    positive: Array,
    negative: Array,
    *,
    margin: float = 1.0,
    mining: Literal["all", "semihard", "hard"] | Miner = "all",
) -> tuple[float, Array, float, float]:
    """Sum the triplet loss over the triplets that a miner chooses.

    The terms are ``max(0, D[a, p] - D[a, n] + margin)`` for an anchor a, a positive p and a negative n.

    Parameters
    ----------
    D : ndarray of shape (n_anchors, n_compared)
        Euclidean distances, squared or not.
    positive, negative : ndarray of shape (n_anchors, n_compared)
        Disjoint masks; row a holds the positives and the negatives of anchor a.
    margin : float, default=1.0
        Margin in the units of `D`, > 0.
    mining : {"all", "semihard", "hard"} or callable, default="all"
        Triplets to sum over, see `MINERS`, or a function of the form of `all_triplets`:
        ``mining(D, positive, negative, margin) -> (C, n_valid)``.

    Returns
    -------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of `total` on `D`.
    n_active : float
        Number of chosen triplets.
    n_valid : float
        Number of valid triplets, as returned by the miner.

    Raises
    ------
    TypeError
        If the function `mining` does not return a tuple of a real array and a real number.
    ValueError
        If the array does not have the shape of `D`, or if a value is not finite.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: a unified embedding for face recognition and
    clustering", CVPR 2015, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, triplet
    >>> Z = np.array([[0.0], [1.0], [1.2], [3.0]])
    >>> D, positive, negative, chain = all_pairs(Z, np.array([0, 0, 1, 1]))
    >>> total, C, n_active, n_valid = triplet(D, positive, negative, margin=0.5)
    >>> round(total, 2), n_active, n_valid
    (7.52, 4.0, 8.0)
    """
    check_representable(margin, D.dtype)
    if callable(mining):
        C, n_valid = _checked(mining(D, positive, negative, margin), D)
    else:
        C, n_valid = MINERS[mining](D, positive, negative, margin)
    sums = np.empty((len(C), 2))
    by_blocks(_sum_rows, C, D, sums)
    differences, n_active = sums.sum(axis=0)
    return float(differences + margin * n_active), C, float(n_active), n_valid


def _sum_rows(C, D, sums):
    """Sums of ``C D`` and numbers of chosen triplets, for a block of anchors."""
    sums[:, 0] = np.einsum("ij,ij->i", C, D)
    sums[:, 1] = n_chosen_by_anchor(C)


def _checked(mined, D):
    """Check what the user's mining function returned, and convert `C` to the dtype of `D`."""
    if not (isinstance(mined, tuple) and len(mined) == 2):
        raise TypeError(
            "A mining function must return a tuple (C, n_valid): an array of the shape of D and a "
            f"number. Got {type(mined).__name__}."
        )
    C = np.asarray(mined[0])
    n_valid = mined[1]
    if C.dtype.kind not in "fiub" or not isinstance(n_valid, Real):
        raise TypeError(
            "A mining function must return (C, n_valid) with a real array C and a real number n_valid. "
            f"Got an array of {C.dtype} and {type(n_valid).__name__}."
        )
    if C.shape != D.shape:
        raise ValueError(f"A mining function must return C in the shape of D, {D.shape}. Got {C.shape}.")
    if not np.isfinite(C).all() or not 0 <= n_valid < np.inf:
        raise ValueError("A mining function must return finite C and n_valid >= 0.")
    return C.astype(D.dtype), float(n_valid)
