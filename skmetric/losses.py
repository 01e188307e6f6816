"""Losses: softmax on logits, contrastive and triplet rules on distances, and the unit sphere.

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


# --- logits -----------------------------------------------------------------------------------------


def _softmax(Z):
    """Softmax of each row, the row less its largest entry, and ``log sum exp`` of that."""
    # In this order NumPy adds up whole columns, instead of one short row after the other.
    Z = np.asfortranarray(Z)
    shifted = Z - Z.max(axis=1, keepdims=True)
    P = np.exp(shifted)
    total = P.sum(axis=1, keepdims=True)
    P /= total
    return P, shifted, np.log(total[:, 0])


def _weighted_mean(values, dZ, sample_weight):
    """Mean over the batch of per-sample losses, and of their gradients (in place)."""
    if sample_weight is not None:
        values = values * sample_weight
        dZ *= sample_weight[:, np.newaxis]
    dZ /= len(dZ)
    return float(values.sum(dtype=np.float64)) / len(dZ), dZ


def log_loss(Z, y, sample_weight=None):
    """Cross-entropy of the softmax: mean of ``log sum_k exp(z_k) - z_y``.

    Parameters
    ----------
    Z : ndarray of shape (n, n_classes)
        Logits.
    y : ndarray of shape (n,)
        Integer codes of the classes.
    sample_weight : ndarray of shape (n,), default=None
        Factors of the terms. The sum is divided by `n`, not by the sum of the weights.

    Returns
    -------
    value : float
        The loss.
    dZ : ndarray of shape (n, n_classes)
        ``(softmax(Z) - onehot(y)) / n``, times the weights.
    """
    rows = np.arange(len(Z))
    dZ, shifted, normaliser = _softmax(Z)
    values = normaliser - shifted[rows, y]
    dZ[rows, y] -= 1
    return _weighted_mean(values, dZ, sample_weight)


def binary_log_loss(Z, y, sample_weight=None):
    """Binary cross-entropy of the softmax, summed over the classes.

    Mean of ``-log p_y - sum_{k != y} log(1 - p_k)`` with ``p = softmax(z)``.

    Parameters
    ----------
    Z : ndarray of shape (n, n_classes)
        Logits.
    y : ndarray of shape (n,)
        Integer codes of the classes.
    sample_weight : ndarray of shape (n,), default=None
        Factors of the terms. The sum is divided by `n`, not by the sum of the weights.

    Returns
    -------
    value : float
        The loss.
    dZ : ndarray of shape (n, n_classes)
        Its gradient.

    Notes
    -----
    ``-log(1 - p_k)`` is ``log sum_j exp(z_j) - log sum_{j != k} exp(z_j)``, with gradient ``p - p'``
    where ``p'`` is the softmax without class k: ``p'_j = p_j / (1 - p_k)``. At most one ``p_k`` is so
    near 1 that ``1 - p_k`` loses its digits: that of the largest logit, which is therefore left out
    of the sums before they are taken, not subtracted from them.
    """
    rows = np.arange(len(Z))
    top = Z.argmax(axis=1)
    P, shifted, normaliser = _softmax(Z)
    others = shifted.copy()
    others[rows, top] = -np.inf
    other_P, _, other_normaliser = _softmax(others)
    other_normaliser += others.max(axis=1)

    wrong_top = (top != y).astype(Z.dtype)
    small = P.copy()
    small[rows, top] = 0
    small[rows, y] = 0
    values = normaliser - shifted[rows, y] - np.log1p(-small).sum(axis=1)
    values += wrong_top * (normaliser - other_normaliser)

    counted = np.ones_like(P)
    counted[rows, top] = 0
    counted[rows, y] = 0
    inverse = counted / (1 - small)
    dZ = P * (1 + counted.sum(axis=1) - inverse.sum(axis=1))[:, np.newaxis] + P * inverse
    dZ += wrong_top[:, np.newaxis] * (P - other_P)
    dZ[rows, y] -= 1
    return _weighted_mean(values, dZ, sample_weight)


LOGIT_LOSSES = {"log_loss": log_loss, "binary_log_loss": binary_log_loss}


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


def _reduced(total, C, counts, reduction):
    """Divide a sum of terms and its gradient (in place) by the number that `reduction` asks for."""
    scale = 1 / max(REDUCTIONS[reduction](*counts), 1)
    C *= scale
    return float(total * scale), C


def contrastive(D, y, *, positive_margin=0.0, negative_margin=1.0, negative_weight=1.0, reduction="mean"):
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
    reduction : {"active", "mean", "grid"}, default="mean"
        Mean over the terms that are not zero, over all pairs of two different samples, or over the
        n x n grid.

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
    positive, negative = pair_masks(y)
    pulled = positive & (D > positive_margin)
    pushed = negative & (D < negative_margin) & (negative_weight > 0)
    C = pulled.astype(D.dtype)
    C[pushed] = -negative_weight
    n_pulled, n_pushed = np.count_nonzero(pulled), np.count_nonzero(pushed)
    total = np.einsum("ij,ij->i", C, D).sum(dtype=np.float64)
    total += negative_weight * negative_margin * n_pushed - positive_margin * n_pulled
    counts = n_pulled + n_pushed, len(y) * (len(y) - 1), len(y) ** 2
    return _reduced(total, C, counts, reduction)


def triplet(D, y, *, margin=1.0, mining="all", reduction="active", counts=None):
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
    positive, negative = pair_masks(y, self_pairs=reduction == "grid")
    C, n_valid = mine(D, positive, negative, margin)
    n_active = n_chosen(C)
    if counts is not None:
        counts += n_active, n_valid
    total = np.einsum("ij,ij->i", C, D).sum(dtype=np.float64) + margin * n_active
    return _reduced(total, C, (n_active, n_valid, len(y) ** 3), reduction)


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
