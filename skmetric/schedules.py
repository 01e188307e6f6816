"""Learning rates: a schedule is called with the number of an epoch and answers with its rate."""

import math


def constant(epoch, start, stop, decay_rate):
    """Factor 1."""
    return 1.0


def inverse_time(epoch, start, stop, decay_rate):
    """Factor ``1 / (1 + decay_rate * epoch)``."""
    return 1 / (1 + decay_rate * epoch)


def cosine(epoch, start, stop, decay_rate):
    """Factor ``(1 + cos(pi t)) / 2``, where t runs from 0 at epoch `start` towards 1 at `stop`.

    Past `stop`, as `partial_fit` may come, it stays where it was in the last epoch before.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    equation 5, without restarts.
    """
    t = (min(epoch, stop - 1) - start) / (stop - start)
    return (1 + math.cos(math.pi * t)) / 2


FACTORS = {"constant": constant, "inverse_time": inverse_time, "cosine": cosine}


class Schedule:
    """Rate of an epoch: ``rate * factor(epoch)``.

    Parameters
    ----------
    rate : float
        Rate at factor 1.
    factor : callable
        ``epoch -> float``; epochs count from 0.
    """

    def __init__(self, rate, factor):
        self.rate = rate
        self.factor = factor

    def __call__(self, epoch):
        return self.rate * self.factor(epoch)

    def goes_on(self, validated):
        """Whether there is a point in more epochs when one after the other brought no progress.

        Parameters
        ----------
        validated : bool
            Whether progress is that of a validation score, not of the training loss.
        """
        return False


class Annealing(Schedule):
    """Schedule with an end of its own, which a training loss that pauses does not cut short."""

    def goes_on(self, validated):
        """Only a validation score may end it before its time: the rate has yet to fall."""
        return not validated


class Adaptive(Schedule):
    """Constant rate that is divided by 5 whenever progress stops, and ends at 1e-6."""

    def __init__(self, rate):
        super().__init__(rate, lambda epoch: 1.0)

    def goes_on(self, validated):
        """Lower the rate, unless it is at the end."""
        if self.rate <= 1e-6:
            return False
        self.rate /= 5
        return True


SCHEDULES = (*FACTORS, "adaptive")


def make_schedule(learning_rate, rate, start, stop, decay_rate):
    """Schedule by name or from a function.

    Parameters
    ----------
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable
        Name, or ``epoch -> factor``.
    rate : float
        Initial rate.
    start, stop : int
        The epochs to come: from `start` up to `stop`, not included.
    decay_rate : float
        Of `inverse_time`, per epoch.

    Returns
    -------
    schedule : Schedule
    """
    if callable(learning_rate):
        return Schedule(rate, learning_rate)
    if learning_rate == "adaptive":
        return Adaptive(rate)
    factor = FACTORS[learning_rate]
    kind = Annealing if learning_rate == "cosine" else Schedule
    return kind(rate, lambda epoch: factor(epoch, start, stop, decay_rate))
