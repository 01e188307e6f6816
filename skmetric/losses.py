"""Losses of embeddings: contrastive and triplet rules on distances, and the unit sphere.

A *loss* is a function ``loss(Z, y) -> (value, dZ)``; a *rule* is a function ``rule(D, y) -> (value, C)``
that `skmetric.distances.distance_loss` turns into a loss. Hyper-parameters are bound with
`functools.partial`. A batch in which nothing can be compared has value 0 and gradient 0.
"""

import numpy as np

from .mining import TRIPLET_RULES, n_chosen

REDUCTIONS = {
    "active": lambda n_active, n_valid, n_grid: n_active,
    "mean": lambda n_active, n_valid, n_grid: n_valid,
    "grid": lambda n_active, n_valid, n_grid: n_grid,
}


# --- distances --------------------------------------------------------------------------------------


def pair_masks(y, self_pairs=False):
    """Positive and negative pairs of a batch.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.
    self_pairs : bool, default=False
        Whether a sample is a positive of itself.

    Returns
    -------
    positive, negative : ndarrays of bool of shape (n, n)
        Pairs of equal and of different labels.
    """
    positive = y[:, np.newaxis] == y
    negative = ~positive
    if not self_pairs:
        np.fill_diagonal(positive, False)
    return positive, negative


def given_pairs(code, self_pairs=False):
    """Positive and negative pairs of a batch where each row belongs to one pair that is given.

    Parameters
    ----------
    code : ndarray of int of shape (n,)
        ``2 * t + s`` for the rows of pair t, with s = 1 if it is of the same thing, else 0.
    self_pairs : bool, default=False
        Not looked at: of a row and itself nothing is given.

    Returns
    -------
    positive, negative : ndarrays of bool of shape (n, n)
        Symmetric.
    """
    together = code[:, np.newaxis] >> 1 == code >> 1
    np.fill_diagonal(together, False)
    same = (code & 1).astype(bool)
    return together & same, together & ~same


def given_triplets(code, self_pairs=False):
    """Positive and negative pairs of a batch where each row belongs to one triplet that is given.

    Parameters
    ----------
    code : ndarray of int of shape (n,)
        ``3 * t + r`` for the rows of triplet t, with r = 0 for the anchor, 1 for its positive, 2 for its
        negative.
    self_pairs : bool, default=False
        Not looked at.

    Returns
    -------
    positive, negative : ndarrays of bool of shape (n, n)
        One pair each in the rows of anchors, none in the others.
    """
    together = code[:, np.newaxis] // 3 == code // 3
    role = code % 3
    together &= role[:, np.newaxis] == 0
    return together & (role == 1), together & (role == 2)


def _reduced(total, C, n_active, n_valid, n_grid, reduction, counts):
    """Divide a sum of terms and its gradient (in place) by the number that `reduction` asks for."""
    if counts is not None:
        counts += n_active, n_valid
    scale = 1 / max(REDUCTIONS[reduction](n_active, n_valid, n_grid), 1)
    C *= scale
    return float(total * scale), C


def contrastive(
    D,
    y,
    *,
    positive_margin=0.0,
    negative_margin=1.0,
    negative_weight=1.0,
    reduction="active",
    counts=None,
    masks=pair_masks,
):
    """Contrastive rule: pull positives inside one margin, push negatives outside another.

    Terms ``max(0, D - positive_margin)`` for pairs of the same class and
    ``negative_weight * max(0, negative_margin - D)`` for the others.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Squared distances.
    y : ndarray of shape (n,)
        Labels.
    positive_margin, negative_margin, negative_weight : float
        As in the formula, >= 0. Margins are in the units of `D`.
    reduction : {"active", "mean", "grid"}, default="active"
        Mean over the terms that are not zero, over all pairs of two different samples, or over the
        n x n grid.
    counts : ndarray of shape (2,), default=None
        The numbers of active and of valid pairs are added to it.
    masks : callable, default=pair_masks
        ``masks(y) -> (positive, negative)``: what labels say of pairs.

    Returns
    -------
    value : float
        The loss.
    C : ndarray of shape (n, n)
        ``dL/dD``.

    References
    ----------
    R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality reduction by learning an invariant mapping",
    CVPR 2006, equation 4 (there with Euclidean distances, squared hinges and no positive margin).
    """
    positive, negative = masks(y)
    pulled = positive & (D > positive_margin)
    pushed = negative & (D < negative_margin) & (negative_weight > 0)
    C = pulled.astype(D.dtype)
    C[pushed] = -negative_weight
    n_pulled, n_pushed = np.count_nonzero(pulled), np.count_nonzero(pushed)
    n_active, n_valid = n_pulled + n_pushed, np.count_nonzero(positive | negative)
    total = np.einsum("ij,ij->i", C, D).sum(dtype=np.float64)
    total += negative_weight * negative_margin * n_pushed - positive_margin * n_pulled
    return _reduced(total, C, n_active, n_valid, len(y) ** 2, reduction, counts)


def triplet(D, y, *, margin=1.0, mining="all", reduction="active", counts=None, masks=pair_masks):
    """Triplet rule: a positive shall be nearer than a negative by a margin.

    Terms ``max(0, D[a, p] - D[a, n] + margin)`` over the triplets that `mining` chooses.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances, squared or not.
    y : ndarray of shape (n,)
        Labels.
    margin : float
        In the units of `D`, > 0.
    mining : {"all", "semihard", "hard"} or callable, default="all"
        A key of `skmetric.mining.TRIPLET_RULES`, or a function like those:
        ``mining(D, positive, negative, margin) -> (C, n_valid)``.
    reduction : {"active", "mean", "grid"}, default="active"
        Mean over the terms that are not zero, over all valid ones, or over the n x n x n grid, in
        which a sample is a positive of itself.
    counts : ndarray of shape (2,), default=None
        The numbers of active and of valid triplets are added to it.
    masks : callable, default=pair_masks
        ``masks(y, self_pairs) -> (positive, negative)``: what labels say of pairs.

    Returns
    -------
    value : float
        The loss.
    C : ndarray of shape (n, n)
        ``dL/dD``.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: a unified embedding for face recognition and
    clustering", CVPR 2015, equation 3.
    """
    mine = mining if callable(mining) else TRIPLET_RULES[mining]
    positive, negative = masks(y, self_pairs=reduction == "grid")
    C, n_valid = mine(D, positive, negative, margin)
    n_active = n_chosen(C)
    total = np.einsum("ij,ij->i", C, D).sum(dtype=np.float64) + margin * n_active
    return _reduced(total, C, n_active, n_valid, len(y) ** 3, reduction, counts)


# --- sphere -----------------------------------------------------------------------------------------


def normalized(Z):
    """Rows of `Z` on the unit sphere; a row of zeros stays.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings.

    Returns
    -------
    U : ndarray of shape (n, n_components)
        ``Z / |Z|`` row by row.
    norms : ndarray of shape (n, 1)
        ``|Z|``, 1 for a row of zeros.
    """
    # Rows are brought to size 1 first: the square of a length may be too large or too small for a float.
    largest = np.abs(Z).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    U = Z / largest
    lengths = np.sqrt(np.einsum("ij,ij->i", U, U))[:, np.newaxis]
    lengths[lengths == 0] = 1
    U /= lengths
    return U, largest * lengths


def on_sphere(loss):
    """Make a loss look at the directions of the embeddings only.

    With ``U = Z / |Z|`` and ``dU`` the gradient of `loss` at `U`, ``dZ = (dU - (dU . U) U) / |Z|``:
    the projection on the tangent space of the sphere.

    Parameters
    ----------
    loss : callable
        ``loss(Z, y) -> (value, dZ)``.

    Returns
    -------
    loss : callable
        Of the same form.
    """

    def spherical(Z, y):
        U, norms = normalized(Z)
        value, dZ = loss(U, y)
        dZ -= np.einsum("ij,ij->i", dZ, U)[:, np.newaxis] * U
        dZ /= norms
        return value, dZ

    return spherical
