"""A linear classifier on the embedding, as an additional loss during training."""

import numpy as np
from numpy.typing import DTypeLike

from ._finite import mean
from ._forms import Array
from ._metric_loss import MetricLoss
from ._softmax import log_loss


class WithSoftmaxHead:
    """A loss on embeddings plus the cross-entropy of a linear softmax classifier (head) on them.

    The value is ``L(Z) + weight * log_loss(Z V + c)``. With G the gradient of `log_loss` on the logits,
    the gradient on the embeddings is ``dL/dZ + weight * G V'``. The gradients on V and c are
    ``weight * Z' G`` and ``weight * sum G``. V and c are learned together with the network and are not
    used after training.

    Parameters
    ----------
    loss : MetricLoss
        Loss on embeddings, the L of the formula.
    weight : float
        Factor of the cross-entropy.
    n_components : int
        Number of columns of the embeddings.
    n_classes : int
        Number of classes. Labels are integers from 0 to `n_classes` - 1.
    dtype : dtype, default=float64
        Type of the embeddings.

    Attributes
    ----------
    parameters : list of ndarray
        V of shape (n_components, n_classes) and c of shape (n_classes,), initially zeros.
    n_compared : float
        Number of valid terms of `loss` since it was made.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import MetricLoss, WithSoftmaxHead, triplet
    >>> loss = WithSoftmaxHead(MetricLoss(triplet), 1.0, n_components=1, n_classes=2)
    >>> value, dZ = loss(np.array([[0.0], [0.5], [3.0]]), np.array([0, 0, 1]))
    >>> round(value, 4)
    0.6931
    """

    parameters: list[Array]

    def __init__(
        self,
        loss: MetricLoss,
        weight: float,
        n_components: int,
        n_classes: int,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.loss = loss
        self.weight = weight
        self.parameters = [np.zeros((n_components, n_classes), dtype), np.zeros(n_classes, dtype)]
        self._gradients = []
        self.begin_epoch()

    @property
    def n_compared(self) -> float:
        """Number of valid terms of `loss` since it was made."""
        return self.loss.n_compared

    def __call__(self, Z: Array, y: Array) -> tuple[float, Array]:
        V, c = self.parameters
        value, dZ = self.loss(Z, y)
        head_value, G = log_loss(Z @ V + c, y)
        G *= self.weight
        self._gradients = [Z.T @ G, G.sum(axis=0)]
        self._head_values.append(head_value)
        return value + self.weight * head_value, dZ + G @ V.T

    def gradients(self) -> list[Array]:
        """Return the gradients on `parameters`, from the last call of the loss.

        Returns
        -------
        list of ndarray
            Gradients, in the order of `parameters`.

        Examples
        --------
        >>> import numpy as np
        >>> from skmetric.losses import MetricLoss, WithSoftmaxHead, triplet
        >>> loss = WithSoftmaxHead(MetricLoss(triplet), 1.0, n_components=1, n_classes=2)
        >>> value, dZ = loss(np.array([[0.0], [3.0]]), np.array([0, 1]))
        >>> [gradient.tolist() for gradient in loss.gradients()]
        [[[0.75, -0.75]], [0.0, 0.0]]
        """
        return self._gradients

    def begin_epoch(self) -> None:
        """Start a new epoch: set the counts of `loss` to 0 and forget the cross-entropies."""
        self.loss.begin_epoch()
        self._head_values = []

    def notes(self) -> dict[str, float]:
        """Return the entries of this loss for the history of the epoch.

        Returns
        -------
        dict
            Entries of `loss`, and ``"head_loss"``, the mean cross-entropy of the batches of the epoch.
        """
        return self.loss.notes() | {"head_loss": mean(self._head_values or [0.0])}

    def level(self, value: float) -> float:
        """Return the number by which training judges its progress in an epoch; lower is better.

        Parameters
        ----------
        value : float
            Mean loss of the epoch, including the cross-entropy.

        Returns
        -------
        float
            Level of `loss`, plus `weight` times the mean cross-entropy of the epoch.
        """
        head = self.weight * self.notes()["head_loss"]
        return self.loss.level(value - head) + head
