"""Learning rate schedules: a schedule is called with the number of an epoch and returns its rate.

The training loop calls `stand_still` when the training makes no progress. The schedule then either ends
the training (`ended`) or lowers its rate.
"""

import math
from numbers import Real


class Schedule:
    """A constant learning rate.

    Parameters
    ----------
    rate : float
        Initial rate.

    Attributes
    ----------
    ended : bool
        Whether to end the training.
    """

    def __init__(self, rate):
        self.rate = rate
        self.ended = False

    def __call__(self, epoch):
        return self.rate * self.factor(epoch)

    def factor(self, epoch):
        """Return the factor of the rate in an epoch, counted from 0; here always 1."""
        return 1.0

    def stand_still(self, validated):
        """React to several epochs without progress: end the training.

        Parameters
        ----------
        validated : bool
            Whether progress is measured by a validation score instead of the training loss.
        """
        self.ended = True


class InverseTime(Schedule):
    """Factor ``1 / (1 + decay_rate * epoch)``.

    Parameters
    ----------
    rate, decay_rate : float
        Initial rate, and its decay per epoch.
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
        """End the training only for a validation score, because the loss falls later with the rate."""
        self.ended = validated


class Adaptive(Schedule):
    """A constant rate that is divided by 5 when training makes no progress, down to 1e-6."""

    def stand_still(self, validated):
        """Lower the rate, or end the training if it is 1e-6 or less."""
        if self.rate <= 1e-6:
            self.ended = True
        else:
            self.rate /= 5


class Custom(Schedule):
    """Factor given by a function.

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
        """Return the factor of the rate in an epoch, if it is valid."""
        factor = self.function(epoch)
        if not isinstance(factor, Real) or not 0 <= factor < math.inf:
            raise ValueError(
                "A learning_rate function must return a finite number >= 0, the factor of "
                f"learning_rate_init. For epoch {epoch} it returned {factor!r}."
            )
        return float(factor)


SCHEDULES = ("constant", "inverse_time", "cosine", "adaptive")


def make_schedule(learning_rate, rate, epochs, decay_rate):
    """Create a schedule from its name or from a function.

    Parameters
    ----------
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable
        Name, or ``epoch -> factor``.
    rate : float
        Initial rate.
    epochs : range or None
        Numbers of the epochs to come. None for `partial_fit`, where the number of epochs is not known:
        "cosine" then keeps the initial rate.
    decay_rate : float
        Decay of the rate per epoch. Only used for "inverse_time".

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
