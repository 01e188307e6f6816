"""Losses of classifiers: cross-entropies of the softmax of logits.

``loss(Z, y, sample_weight=None) -> (value, dZ)``.
"""

import numpy as np


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
