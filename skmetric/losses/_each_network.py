"""A loss for each of several networks, of which the outputs stand side by side."""

import numpy as np


class OnEachNetwork:
    """Losses on equal parts of the columns: each network learns as if it were alone.

    The value is the mean of the values of the losses. The gradient on the columns of a network is that of
    its own loss, and not of the mean, so that learning rates mean what they mean for one network.

    Parameters
    ----------
    losses : list of MetricLoss, LabelLoss or WithSoftmaxHead
        One for each network. They may be one object that counts for all.

    Attributes
    ----------
    n_compared : float
        Number of terms that could be, the sum over the losses.
    """

    def __init__(self, losses):
        self.losses = losses

    @property
    def parameters(self):
        """Parameters of all losses."""
        return [V for loss in self.losses for V in loss.parameters]

    @property
    def n_compared(self):
        """Number of terms that could be, since the losses were made."""
        return sum(loss.n_compared for loss in self.losses)

    def __call__(self, Z, *targets):
        parts = np.split(Z, len(self.losses), axis=1)
        found = [loss(part, *targets) for loss, part in zip(self.losses, parts)]
        values, gradients = zip(*found)
        return float(np.mean(values)), np.hstack(gradients)

    def gradients(self):
        """Return the gradients of `parameters` in the last call.

        Returns
        -------
        list of ndarray
            Gradients, in the order of `parameters`.
        """
        return [g for loss in self.losses for g in loss.gradients()]

    def begin_epoch(self):
        """Count the terms of an epoch from 0."""
        for loss in self.losses:
            loss.begin_epoch()

    def notes(self):
        """Return what the history of the epoch notes.

        Returns
        -------
        dict
            Means of the notes of the losses.
        """
        notes = [loss.notes() for loss in self.losses]
        return {name: float(np.mean([some[name] for some in notes])) for name in notes[0]}

    def level(self, value):
        """Return the loss of an epoch as a number that falls as long as there is progress.

        Parameters
        ----------
        value : float
            Mean loss of the epoch.

        Returns
        -------
        float
            Mean of the levels of the losses.
        """
        return float(np.mean([loss.level(value) for loss in self.losses]))
