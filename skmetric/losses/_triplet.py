"""The triplet rule: a positive shall be nearer than a negative by a margin."""

from numbers import Real

import numpy as np

from ._blocks import by_blocks
from ._distances import check_representable
from ._miners import MINERS, n_chosen_by_anchor


def triplet(D, positive, negative, *, margin=1.0, mining="all"):
    """Sum the triplet loss over the triplets that a miner chooses.

    Terms ``max(0, D[a, p] - D[a, n] + margin)`` for an anchor a, a positive p and a negative n.

    Parameters
    ----------
    D : ndarray of shape (n_anchors, n_compared)
        Distances, squared or not.
    positive, negative : ndarray of shape (n_anchors, n_compared)
        Masks: row a holds the positives and the negatives of anchor a.
    margin : float, default=1.0
        Margin in the units of `D`, > 0.
    mining : {"all", "semihard", "hard"} or callable, default="all"
        Key of `MINERS`, or a function of the same form:
        ``mining(D, positive, negative, margin) -> (C, n_valid)``.

    Returns
    -------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Its gradient on `D`.
    n_active : float
        Number of chosen triplets.
    n_valid : float
        Number of triplets that could have been chosen.

    Raises
    ------
    TypeError
        If a `mining` function returns anything but a pair of a real array and a number.
    ValueError
        If the array that it returns has another shape than `D`.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: a unified embedding for face recognition and
    clustering", CVPR 2015, equation 3.
    """
    check_representable(margin, D.dtype)
    if callable(mining):
        C, n_valid = _checked(mining(D, positive, negative, margin), D)
    else:
        C, n_valid = MINERS[mining](D, positive, negative, margin)
    sums = np.empty((len(C), 2))
    by_blocks(_sum_rows, C, D, sums)
    differences, n_active = sums.sum(axis=0)
    return differences + margin * n_active, C, float(n_active), n_valid


def _sum_rows(C, D, sums):
    """Sums of ``C D`` and numbers of chosen triplets, of some anchors."""
    sums[:, 0] = np.einsum("ij,ij->i", C, D)
    sums[:, 1] = n_chosen_by_anchor(C)


def _checked(mined, D):
    """What a function of a user has mined, in the dtype of `D`; or an error that says what is wrong."""
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
