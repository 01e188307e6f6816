"""One loss for each of several networks that are trained together."""

from collections.abc import Sequence

import numpy as np

from ._finite import mean
from ._forms import Array
from ._metric_loss import MetricLoss
from ._softmax import LabelLoss
from ._softmax_head import WithSoftmaxHead


class OnEachNetwork:
    """Losses of several networks, whose outputs are the columns of one matrix, side by side.

    The columns are split into equal parts, one for each network. The value is the mean of the losses. The
    gradient on the columns of a network is the gradient of its own loss, not of the mean: each network
    learns as if it were trained alone, with the same learning rate.

    Parameters
    ----------
    losses : list of MetricLoss, LabelLoss or WithSoftmaxHead
        One loss for each network. The same object may occur several times.

    Attributes
    ----------
    n_compared : float
        Number of valid terms since the losses were made, summed over the losses.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import MetricLoss, OnEachNetwork, contrastive
    >>> loss = OnEachNetwork([MetricLoss(contrastive), MetricLoss(contrastive)])
    >>> Z = np.array([[0.0, 0.0], [0.5, 1.0]])  # one column for each network
    >>> value, dZ = loss(Z, np.array([0, 0]))
    >>> value, dZ.tolist()
    (0.625, [[-1.0, -2.0], [1.0, 2.0]])
    """

    def __init__(self, losses: Sequence[MetricLoss | LabelLoss | WithSoftmaxHead]) -> None:
        self.losses = losses

    @property
    def parameters(self) -> list[Array]:
        """Parameters of all losses."""
        return [V for loss in self.losses for V in loss.parameters]

    @property
    def n_compared(self) -> float:
        """Number of valid terms since the losses were made."""
        return sum(loss.n_compared for loss in self.losses)

    def __call__(self, Z: Array, *targets: Array) -> tuple[float, Array]:
        parts = np.split(Z, len(self.losses), axis=1)
        found = [loss(part, *targets) for loss, part in zip(self.losses, parts)]
        values, gradients = zip(*found)
        return mean(values), np.hstack(gradients)

    def gradients(self) -> list[Array]:
        """Return the gradients on `parameters`, from the last call of the loss.

        Returns
        -------
        list of ndarray
            Gradients, in the order of `parameters`.
        """
        return [g for loss in self.losses for g in loss.gradients()]

    def begin_epoch(self) -> None:
        """Start a new epoch: set the counts of the losses to 0."""
        for loss in self.losses:
            loss.begin_epoch()

    def notes(self) -> dict[str, float]:
        """Return the entries of this loss for the history of the epoch.

        Returns
        -------
        dict
            Mean of each entry over the losses.
        """
        notes = [loss.notes() for loss in self.losses]
        return {name: mean([some[name] for some in notes]) for name in notes[0]}

    def level(self, value: float) -> float:
        """Return the number by which training judges its progress in an epoch; lower is better.

        Parameters
        ----------
        value : float
            Mean loss of the epoch.

        Returns
        -------
        float
            Mean of the levels of the losses.
        """
        return mean([loss.level(value) for loss in self.losses])
