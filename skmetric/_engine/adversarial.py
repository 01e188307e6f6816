"""Where the gradient of a step is taken: at the rows of a batch, or also at rows moved uphill."""

import numpy as np

from .batch_normalization import ArrayGradient


class AtRows:
    """Gradients at the rows as they are."""

    def differentiate(self, network, loss, batch, targets):
        """Return the loss of a batch, and gradients of the parameters of network and loss.

        Parameters
        ----------
        network : Network
            Network that is trained.
        loss : MetricLoss or LabelLoss
            Loss on its outputs.
        batch : ndarray of shape (n, n_features)
            What `gather` gave.
        targets : list of ndarray of shape (n,)
            What the loss takes after the outputs.

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
    """Mean of a gradient that is there as an array and of another one."""

    def __init__(self, first, second):
        self.first = first
        self.second = second

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``."""
        self.second.add_to(out, 0.5 * alpha, beta)
        out += 0.5 * alpha * self.first


class AtAdversarialRows(AtRows):
    """Mean of the gradients at the rows ``x`` and at ``x + size * r * dx / |dx|``.

    ``dx`` is the gradient of the loss on a row, and ``r`` the root mean square distance of the rows of a
    batch from their mean, so that `size` has no unit. All rows move at once.

    Parameters
    ----------
    size : float
        How far rows move, as a fraction of their distance from the mean.

    References
    ----------
    I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015,
    trains on the mean of both losses. T. Miyato, A. M. Dai, I. Goodfellow, "Adversarial training methods
    for semi-supervised text classification", ICLR 2017, moves by the normalised gradient.
    """

    def __init__(self, size):
        self.size = size

    def differentiate(self, network, loss, batch, targets):
        """As that of `AtRows`; the value is the mean of both losses."""
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
    """Return rows divided by their lengths; rows of zeros stay."""
    # By the largest entry first: squares of small gradients underflow.
    largest = np.abs(dX).max(axis=1, keepdims=True)
    dX = dX / np.where(largest > 0, largest, 1)
    lengths = np.sqrt(np.einsum("ij,ij->i", dX, dX))
    return dX / np.where(lengths > 0, lengths, 1)[:, np.newaxis]
