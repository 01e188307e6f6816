"""Gradients of a training step: at the rows of a batch, or also at adversarial rows."""

import numpy as np

from .batch_normalization import ArrayGradient


class AtRows:
    """Gradients at the rows of a batch."""

    def differentiate(self, network, loss, batch, targets):
        """Compute the loss of a batch and the gradients of the parameters of network and loss.

        Parameters
        ----------
        network : Network
            Network that is trained.
        loss : MetricLoss or LabelLoss
            Loss of its outputs.
        batch : ndarray of shape (n, n_features)
            Result of `Network.gather`.
        targets : list of ndarray of shape (n,)
            Arguments of the loss after the outputs.

        Returns
        -------
        value : float
            The loss.
        gradients : list
            Objects with ``add_to(out, alpha, beta)``.
        """
        value, dZ = loss(network.forward(batch), *targets)
        network.backward(dZ)
        return value, [*network.gradients(), *map(ArrayGradient, loss.gradients())]


class MeanGradient:
    """Mean of a gradient that is an array and of another gradient."""

    def __init__(self, first, second):
        self.first = first
        self.second = second

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``."""
        self.second.add_to(out, 0.5 * alpha, beta)
        out += 0.5 * alpha * self.first


class AtAdversarialRows(AtRows):
    """Mean of the gradients at the rows ``x`` and at ``x + size * r * dx / |dx|``.

    ``dx`` is the gradient of the loss with respect to a row, and ``r`` the root mean square distance of
    the rows of the batch from their mean, so that `size` has no unit. All rows are moved together.

    Parameters
    ----------
    size : float
        Distance by which rows are moved, as a fraction of r.

    References
    ----------
    I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015,
    trains on the mean of both losses. T. Miyato, A. M. Dai, I. Goodfellow, "Adversarial training methods
    for semi-supervised text classification", ICLR 2017, moves by the normalised gradient.
    """

    def __init__(self, size):
        self.size = size

    def differentiate(self, network, loss, batch, targets):
        """Compute the mean of both losses and of both gradients, see `AtRows.differentiate`."""
        rows = batch.copy()
        value, gradients = super().differentiate(network, loss, batch, targets)
        first = [np.zeros_like(W) for W in [*network.blocks, *loss.parameters]]
        for gradient, g in zip(gradients, first):
            gradient.add_to(g, 1.0, 0.0)
        length = self.size * np.sqrt(rows.var(axis=0).sum())
        batch[...] = rows + length * directions(network.input_gradient())
        moved_value, gradients = super().differentiate(network, loss, batch, targets)
        return (value + moved_value) / 2, [MeanGradient(*both) for both in zip(first, gradients)]


def directions(dX):
    """Divide rows by their lengths; rows of zeros are returned unchanged."""
    # Scaled by the largest entry first, because squares of small gradients underflow.
    largest = np.abs(dX).max(axis=1, keepdims=True)
    dX = dX / np.where(largest > 0, largest, 1)
    lengths = np.sqrt(np.einsum("ij,ij->i", dX, dX))
    return dX / np.where(lengths > 0, lengths, 1)[:, np.newaxis]
