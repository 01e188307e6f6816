"""The state of a training: everything that changes from epoch to epoch."""

import copy
import math


class Progress:
    """Track the best score, and the number of epochs since the last improvement.

    Parameters
    ----------
    tol : float
        Minimum improvement.
    patience : int
        Maximum number of consecutive epochs without an improvement.
    best : float, default=-inf
        Best score of earlier epochs.

    Attributes
    ----------
    is_best : bool
        Whether the last score was the best so far.
    """

    def __init__(self, tol, patience, best=-math.inf):
        self.tol = tol
        self.patience = patience
        self.best = best
        self.is_best = False
        self.idle = 0

    def update(self, score):
        """Record the score of an epoch; higher is better."""
        self.idle = 0 if score > self.best + self.tol else self.idle + 1
        self.is_best = score > self.best
        self.best = max(score, self.best)

    @property
    def stands_still(self):
        """Whether there was no improvement for more than `patience` epochs."""
        return self.idle > self.patience

    def begin_anew(self):
        """Reset the number of epochs without an improvement."""
        self.idle = 0


class Best:
    """Copies of the parameters of the best epoch.

    Parameters
    ----------
    parameters : list of ndarray
        Parameters that are trained in place.
    known : bool
        Whether the initial parameters are a candidate for the best.
    """

    def __init__(self, parameters, known):
        self.parameters = parameters
        self.copies = []
        if known:
            self.keep()

    def keep(self):
        """Copy the current parameters."""
        self.copies = [W.copy() for W in self.parameters]

    def restore(self):
        """Restore the copied parameters, if there are any."""
        for W, best in zip(self.parameters, self.copies):
            W[...] = best


class TrainingState:
    """What is trained, and everything that a training needs in order to go on.

    Parameters
    ----------
    network, loss, optimizer, schedule
        See the docstring of `training`.
    progress : Progress
        Tracks the validation score, or else the level of the loss.
    rng : numpy.random.Generator
        Random number generator of the batches and of dropout.

    Attributes
    ----------
    history : list of dict
        One dict for each completed epoch.
    best : Best
        The parameters of the best epoch. Only used for a validation.
    """

    def __init__(self, network, loss, optimizer, schedule, progress, rng):
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.progress = progress
        self.rng = rng
        self.history = []
        self.best = Best(self.parameters, known=math.isfinite(progress.best))

    @property
    def parameters(self):
        """Parameters of the network and of the loss."""
        return [*self.network.parameters, *self.loss.parameters]

    def values(self):
        """Return the current values, not as copies."""
        return {
            "parameters": self.parameters,
            "optimizer": self.optimizer.state,
            "generator": self.rng.bit_generator.state,
            "schedule": {"rate": self.schedule.rate, "ended": self.schedule.ended},
            "progress": {"best": self.progress.best, "idle": self.progress.idle},
            "best": self.best.copies,
            "history": self.history,
        }

    def restore(self, values):
        """Set everything to the values, which are not changed later."""
        for W, value in zip(self.parameters, values["parameters"]):
            W[...] = value
        self.optimizer.state = copy.deepcopy(values["optimizer"])
        self.rng.bit_generator.state = values["generator"]
        vars(self.schedule).update(values["schedule"])
        vars(self.progress).update(values["progress"])
        self.best.copies = values["best"]
        self.history[:] = values["history"]

    def keep(self):
        """Keep a copy of the current values, to which an interrupted epoch returns."""
        copies = {
            "parameters": [W.copy() for W in self.parameters],
            "optimizer": copy.deepcopy(self.optimizer.state),
            "history": list(self.history),
        }
        self.kept = self.values() | copies

    def return_to_kept(self):
        """Return to the values of the last `keep`."""
        self.restore(self.kept)
