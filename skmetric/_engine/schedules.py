"""Learning rates: a schedule is called with the number of an epoch and answers with its rate.

When epochs bring no progress, the training loop calls `stand_still`; then the schedule has `ended`, or it
lowers its rate and goes on.
"""

import math
from numbers import Real


class Schedule:
    """A rate that stays as it is.

    Parameters
    ----------
    rate : float
        Initial rate.

    Attributes
    ----------
    ended : bool
        Whether there is no point in more epochs.
    """

    def __init__(self, rate):
        self.rate = rate
        self.ended = False

    def __call__(self, epoch):
        return self.rate * self.factor(epoch)

    def factor(self, epoch):
        """Return the factor of the rate in an epoch, counted from 0: 1."""
        return 1.0

    def stand_still(self, validated):
        """Take note that one epoch after the other brought no progress: that is the end.

        Parameters
        ----------
        validated : bool
            Whether progress is that of a validation score, not of the training loss.
        """
        self.ended = True


class InverseTime(Schedule):
    """Factor ``1 / (1 + decay_rate * epoch)``.

    Parameters
    ----------
    rate, decay_rate : float
        Initial rate, and how fast it falls in an epoch.
    """

    def __init__(self, rate, decay_rate):
        super().__init__(rate)
        self.decay_rate = decay_rate

    def factor(self, epoch):
        """Return the factor of the rate in an epoch."""
        return 1 / (1 + self.decay_rate * epoch)


class Cosine(Schedule):
    """Factor ``(1 + cos(pi t)) / 2``, where t runs from 0 to 1 over the epochs to come.

    Parameters
    ----------
    rate : float
        Initial rate.
    epochs : range
        Numbers of the epochs to come.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    equation 5, without restarts.
    """

    def __init__(self, rate, epochs):
        super().__init__(rate)
        self.epochs = epochs

    def factor(self, epoch):
        """Return the factor of the rate in an epoch."""
        t = (epoch - self.epochs.start) / len(self.epochs)
        return (1 + math.cos(math.pi * t)) / 2

    def stand_still(self, validated):
        """End for a validation score only: the rate has yet to fall, and the loss with it."""
        self.ended = validated


class Adaptive(Schedule):
    """A constant rate that is divided by 5 whenever training stands still, and ends at 1e-6."""

    def stand_still(self, validated):
        """Lower the rate, unless it is at its end."""
        if self.rate <= 1e-6:
            self.ended = True
        else:
            self.rate /= 5


class Custom(Schedule):
    """Factor by a function of a user.

    Parameters
    ----------
    rate : float
        Initial rate.
    function : callable
        ``function(epoch) -> factor``; epochs count from 0.
    """

    def __init__(self, rate, function):
        super().__init__(rate)
        self.function = function

    def factor(self, epoch):
        """Return the factor of the rate in an epoch, if it is one."""
        factor = self.function(epoch)
        if not isinstance(factor, Real) or not 0 <= factor < math.inf:
            raise ValueError(
                "A learning_rate function must return a finite number >= 0, the factor of "
                f"learning_rate_init. For epoch {epoch} it returned {factor!r}."
            )
        return float(factor)


SCHEDULES = ("constant", "inverse_time", "cosine", "adaptive")


def make_schedule(learning_rate, rate, epochs, decay_rate):
    """Make a schedule by name or from a function.

    Parameters
    ----------
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable
        Name, or ``epoch -> factor``.
    rate : float
        Initial rate.
    epochs : range or None
        Numbers of the epochs to come. None for a stream of data, which has no end to fall towards: a
        cosine stays at its initial rate.
    decay_rate : float
        How fast the rate falls in an epoch; only used for "inverse_time".

    Returns
    -------
    Schedule
    """
    if callable(learning_rate):
        return Custom(rate, learning_rate)
    if learning_rate == "inverse_time":
        return InverseTime(rate, decay_rate)
    if learning_rate == "adaptive":
        return Adaptive(rate)
    if learning_rate == "cosine" and epochs is not None:
        return Cosine(rate, epochs)
    return Schedule(rate)
