"""Losses of labels: cross-entropies of the softmax of logits, ``loss(Z, y, sample_weight=None)``."""

import numpy as np


def softmax(logits):
    """Compute the softmax of each row, and what is needed for its logarithm.

    Parameters
    ----------
    logits : ndarray of shape (n, m)
        Entries may be ``-inf``. The sums run along the memory: rows are added up one after the other
        in C order, columns in Fortran order, which is faster for few columns.

    Returns
    -------
    P : ndarray of shape (n, m)
        ``exp(logits) / sum exp(logits)``; zeros for a row of ``-inf``.
    top : ndarray of shape (n,)
        Largest entry of each row, or the lowest float for a row of ``-inf``.
    total : ndarray of shape (n,)
        ``sum exp(logits - top)``: at least 1, but 0 for a row of ``-inf``.
    """
    top = logits.max(axis=1, keepdims=True, initial=np.finfo(logits.dtype).min)
    P = np.exp(logits - top)
    total = P.sum(axis=1, keepdims=True)
    P /= np.maximum(total, 1)
    return P, top[:, 0], total[:, 0]


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
    dZ, top, total = softmax(np.asfortranarray(Z))
    values = np.log(total) - (Z[rows, y] - top)
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
    first = Z.argmax(axis=1)
    Z = np.asfortranarray(Z)
    P, top, total = softmax(Z)
    normaliser = np.log(total)
    shifted = Z - top[:, np.newaxis]
    others = shifted.copy(order="F")
    others[rows, first] = -np.inf
    other_P, other_top, other_total = softmax(others)
    other_normaliser = np.log(other_total) + other_top

    wrong_top = (first != y).astype(Z.dtype)
    small = P.copy()
    small[rows, first] = 0
    small[rows, y] = 0
    values = normaliser - shifted[rows, y] - np.log1p(-small).sum(axis=1)
    values += wrong_top * (normaliser - other_normaliser)

    counted = np.ones_like(P)
    counted[rows, first] = 0
    counted[rows, y] = 0
    inverse = counted / (1 - small)
    dZ = P * (1 + counted.sum(axis=1) - inverse.sum(axis=1))[:, np.newaxis] + P * inverse
    dZ += wrong_top[:, np.newaxis] * (P - other_P)
    dZ[rows, y] -= 1
    return _weighted_mean(values, dZ, sample_weight)


LABEL_LOSSES = {"log_loss": log_loss, "binary_log_loss": binary_log_loss}


class LabelLoss:
    """Loss on logits, called as ``loss(Z, y, sample_weight=None) -> (value, dZ)``.

    For the training loop it is what `MetricLoss` is, but it has nothing to count.

    Parameters
    ----------
    function : callable
        Function of the same form, a value of `LABEL_LOSSES`.
    """

    parameters = ()  # nothing of a loss is learned, see `WithSoftmaxHead`

    def __init__(self, function):
        self.function = function

    def __call__(self, Z, *targets):
        return self.function(Z, *targets)

    def gradients(self):
        """Return the gradients of `parameters`.

        Returns
        -------
        list of ndarray
            Empty, since this loss has no parameters.
        """
        return []

    def begin_epoch(self):
        """Do nothing."""

    def notes(self):
        """Return nothing for the history to note.

        Returns
        -------
        dict
            Empty.
        """
        return {}

    def level(self, value):
        """Return the loss of an epoch as it is: it falls as long as there is progress.

        Parameters
        ----------
        value : float
            Mean loss of the epoch.

        Returns
        -------
        float
            The same number.
        """
        return value
