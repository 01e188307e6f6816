"""A linear classifier on top of the embedding, which helps to learn it."""

import numpy as np

from ._softmax import log_loss


class WithSoftmaxHead:
    """A loss on embeddings plus the cross-entropy of a linear softmax classifier on them.

    ``L(Z) + weight * log_loss(Z V + c)``. The gradients are those of `loss` plus ``weight * G V'`` on
    the embeddings, ``weight * Z' G`` on V and ``weight * sum G`` on c, where G is the gradient of
    `log_loss` on the logits. V and c are learned along with the network and are not needed afterwards.

    Parameters
    ----------
    loss : MetricLoss
        Loss that the head is added to.
    weight : float
        Factor of the cross-entropy.
    n_components : int
        Number of columns of the embeddings.
    n_classes : int
        Number of classes; labels are 0 to `n_classes` - 1.
    dtype : dtype, default=float64
        Type of the embeddings.

    Attributes
    ----------
    parameters : list of ndarray
        V of shape (n_components, n_classes) and c of shape (n_classes,), which begin as zeros.
    n_compared : float
        That of `loss`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import MetricLoss, WithSoftmaxHead, triplet
    >>> loss = WithSoftmaxHead(MetricLoss(triplet), 1.0, n_components=1, n_classes=2)
    >>> value, dZ = loss(np.array([[0.0], [0.5], [3.0]]), np.array([0, 0, 1]))
    >>> round(value, 4)
    0.6931
    """

    def __init__(self, loss, weight, n_components, n_classes, dtype=np.float64):
        self.loss = loss
        self.weight = weight
        self.parameters = [np.zeros((n_components, n_classes), dtype), np.zeros(n_classes, dtype)]
        self._gradients = []
        self.begin_epoch()

    @property
    def n_compared(self):
        """Number of terms of `loss` that could be, since it was made."""
        return self.loss.n_compared

    def __call__(self, Z, y):
        V, c = self.parameters
        value, dZ = self.loss(Z, y)
        head_value, G = log_loss(Z @ V + c, y)
        G *= self.weight
        self._gradients = [Z.T @ G, G.sum(axis=0)]
        self._head_values.append(head_value)
        return value + self.weight * head_value, dZ + G @ V.T

    def gradients(self):
        """Return the gradients of `parameters` in the last call.

        Returns
        -------
        list of ndarray
            Gradients, in the order of `parameters`.
        """
        return self._gradients

    def begin_epoch(self):
        """Count the terms of an epoch from 0."""
        self.loss.begin_epoch()
        self._head_values = []

    def notes(self):
        """Return what the history of the epoch notes.

        Returns
        -------
        dict
            The notes of `loss`, and ``head_loss``, the mean cross-entropy of the batches.
        """
        return self.loss.notes() | {"head_loss": float(np.mean(self._head_values or [0.0]))}

    def level(self, value):
        """Return the loss of an epoch as a number that falls as long as there is progress.

        Parameters
        ----------
        value : float
            Mean loss of the epoch.

        Returns
        -------
        float
            The level of `loss`, plus the part of the head.
        """
        head = self.weight * self.notes()["head_loss"]
        return self.loss.level(value - head) + head
