"""Losses of a classifier: cross-entropies of the softmax, ``loss(Z, y, sample_weight=None)``."""

from collections.abc import Callable

import numpy as np

from ._finite import finite
from ._forms import Array


def softmax(logits):
    """Compute the softmax of each row, and the two terms of the logarithm of its denominator.

    Parameters
    ----------
    logits : ndarray of shape (n, m)
        Entries may be ``-inf``. For few columns, Fortran order is faster: the sum over the columns then
        adds whole columns.

    Returns
    -------
    P : ndarray of shape (n, m)
        ``exp(logits) / sum exp(logits)``, or 0 where this is near or below the smallest normal number.
        Zeros for a row of ``-inf``.
    top : ndarray of shape (n,)
        Largest entry of each row, or the lowest float for a row of ``-inf``.
    total : ndarray of shape (n,)
        ``sum exp(logits - top)``, at least 1, or 0 for a row of ``-inf``.
    """
    top = logits.max(axis=1, keepdims=True, initial=np.finfo(logits.dtype).min)
    with np.errstate(over="ignore"):  # a difference of -inf is right: its exponential is 0
        P = logits - top
    # A processor takes about a hundred times as long for numbers below the smallest normal one.
    limits = np.finfo(P.dtype)
    P[P < np.log(limits.smallest_normal / limits.eps)] = -np.inf
    np.exp(P, out=P)
    total = P.sum(axis=1, keepdims=True)
    P /= np.maximum(total, 1)
    return P, top[:, 0], total[:, 0]


def _weighted_mean(values, dZ, sample_weight):
    """Weighted mean of the losses of the rows, and its gradient, computed in place in `dZ`."""
    with np.errstate(over="ignore", invalid="ignore"):  # `finite` reports it
        if sample_weight is not None:
            values = values * sample_weight
            dZ *= sample_weight[:, np.newaxis]
        dZ /= len(dZ)
        return finite(float(values.sum(dtype=np.float64)) / len(dZ), dZ)


def log_loss(Z: Array, y: Array, sample_weight: Array | None = None) -> tuple[float, Array]:
    """Compute the cross-entropy of the softmax: the mean of ``log sum_k exp(z_k) - z_y``.

    Parameters
    ----------
    Z : ndarray of shape (n, n_classes)
        Logits.
    y : ndarray of shape (n,)
        Classes as integers from 0 to `n_classes` - 1.
    sample_weight : ndarray of shape (n,), default=None
        Factor of the loss of each row. The sum is divided by n, not by the sum of the weights. If None,
        all factors are 1.

    Returns
    -------
    value : float
        The loss.
    dZ : ndarray of shape (n, n_classes)
        Gradient of `value` on `Z`: ``(softmax(Z) - onehot(y)) / n``, times the weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import log_loss
    >>> value, dZ = log_loss(np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([0, 1]))
    >>> round(value, 3), dZ.round(3).tolist()
    (0.41, [[-0.25, 0.25], [0.06, -0.06]])
    """
    rows = np.arange(len(Z))
    dZ, top, total = softmax(np.asfortranarray(Z))
    with np.errstate(over="ignore"):
        values = np.log(total) - (Z[rows, y] - top)
    dZ[rows, y] -= 1
    return _weighted_mean(values, dZ, sample_weight)


def binary_log_loss(Z: Array, y: Array, sample_weight: Array | None = None) -> tuple[float, Array]:
    """Compute the binary cross-entropy of the softmax, summed over the classes.

    It is the mean of ``-log p_y - sum_{k != y} log(1 - p_k)`` with ``p = softmax(z)``.

    Parameters
    ----------
    Z : ndarray of shape (n, n_classes)
        Logits.
    y : ndarray of shape (n,)
        Classes as integers from 0 to `n_classes` - 1.
    sample_weight : ndarray of shape (n,), default=None
        Factor of the loss of each row. The sum is divided by n, not by the sum of the weights. If None,
        all factors are 1.

    Returns
    -------
    value : float
        The loss.
    dZ : ndarray of shape (n, n_classes)
        Gradient of `value` on `Z`.

    Notes
    -----
    ``-log(1 - p_k)`` is ``log sum_j exp(z_j) - log sum_{j != k} exp(z_j)``. Its gradient is ``p - p'``,
    where ``p'`` is the softmax without class k: ``p'_j = p_j / (1 - p_k)``. The difference ``1 - p_k``
    can only be inaccurate for the largest logit, whose ``p_k`` may be close to 1. For this class, the
    sums are computed without its term instead of subtracting it.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import binary_log_loss
    >>> value, dZ = binary_log_loss(np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([0, 1]))
    >>> round(value, 3), dZ.round(3).tolist()
    (0.82, [[-0.5, 0.5], [0.119, -0.119]])
    """
    rows = np.arange(len(Z))
    first = Z.argmax(axis=1)
    Z = np.asfortranarray(Z)
    P, top, total = softmax(Z)
    normaliser = np.log(total)
    others = Z.copy(order="F")
    others[rows, first] = -np.inf
    other_P, other_top, other_total = softmax(others)

    wrong_top = first != y
    small = P.copy()
    small[rows, first] = 0
    small[rows, y] = 0
    with np.errstate(over="ignore"):
        values = normaliser - (Z[rows, y] - top) - np.log1p(-small).sum(axis=1)
        values += np.where(wrong_top, top - other_top + normaliser - np.log(other_total), 0)

    counted = np.ones_like(P)
    counted[rows, first] = 0
    counted[rows, y] = 0
    inverse = counted / (1 - small)
    dZ = P * (1 + counted.sum(axis=1) - inverse.sum(axis=1))[:, np.newaxis] + P * inverse
    dZ += wrong_top[:, np.newaxis] * (P - other_P)
    dZ[rows, y] -= 1
    return _weighted_mean(values, dZ, sample_weight)


#: Losses of a classifier by the value of its parameter `loss`.
#:
#: - ``"log_loss"``: cross-entropy of the softmax, see `log_loss`.
#: - ``"binary_log_loss"``: binary cross-entropies summed over the classes, see `binary_log_loss`.
LABEL_LOSSES: dict[str, Callable[..., tuple[float, Array]]] = {
    "log_loss": log_loss,
    "binary_log_loss": binary_log_loss,
}


class LabelLoss:
    """Loss on logits, called as ``loss(Z, y, sample_weight=None) -> (value, dZ)``.

    It gives a function the interface of `MetricLoss`, which the training loop expects.

    Parameters
    ----------
    function : callable
        ``function(Z, y, sample_weight=None) -> (value, dZ)``, such as `log_loss` or `binary_log_loss`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import LabelLoss, log_loss
    >>> loss = LabelLoss(log_loss)
    >>> value, dZ = loss(np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([0, 1]))
    >>> round(value, 3)
    0.41
    """

    parameters: tuple[Array, ...] = ()  # only `WithSoftmaxHead` has parameters to learn

    def __init__(self, function: Callable[..., tuple[float, Array]]) -> None:
        self.function = function

    def __call__(self, Z: Array, *targets: Array) -> tuple[float, Array]:
        return self.function(Z, *targets)

    def gradients(self) -> list[Array]:
        """Return the gradients on `parameters`.

        Returns
        -------
        list of ndarray
            Empty, since this loss has no parameters.
        """
        return []

    def begin_epoch(self) -> None:
        """Start a new epoch. This loss has no counts to set to 0."""

    def notes(self) -> dict[str, float]:
        """Return the entries of this loss for the history of the epoch.

        Returns
        -------
        dict
            Empty, since this loss has no entries.
        """
        return {}

    def level(self, value: float) -> float:
        """Return the number by which training judges its progress in an epoch; lower is better.

        Parameters
        ----------
        value : float
            Mean loss of the epoch.

        Returns
        -------
        float
            `value` itself.
        """
        return value
