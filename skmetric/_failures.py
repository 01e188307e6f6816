"""Failed training: the old model is restored, and the error names the likely cause."""

from contextlib import contextmanager
from numbers import Real

import numpy as np


@contextmanager
def unchanged_on_failure(estimator):
    """Restore the attributes of an estimator if an error is raised.

    A KeyboardInterrupt that arrives after the new model is stored keeps the new model.
    """
    before = vars(estimator).copy()
    try:
        yield
    except BaseException as error:
        is_trained = vars(estimator).get("coefs_") is not before.get("coefs_")
        if not (is_trained and isinstance(error, KeyboardInterrupt)):
            _give_back(estimator, before)
        raise


def _give_back(estimator, before):
    # scikit-learn removes the attributes of its callbacks itself.
    before |= {name: value for name, value in vars(estimator).items() if "_callback" in name}
    vars(estimator).clear()
    vars(estimator).update(before)


@contextmanager
def explained_divergence(estimator):
    """Turn a FloatingPointError into a ValueError that says how to avoid the divergence.

    Overflows do not warn: training checks its results, and raises a FloatingPointError.

    The attribute `_usual` of the estimator holds the range of usual values of parameters whose size can
    make the training diverge.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            yield
    except FloatingPointError as error:
        raise ValueError(
            f"Training of {type(estimator).__name__} diverged: the loss, a weight or a moment of the "
            f"optimizer is not finite or very large. {_advice(estimator)}"
        ) from error


def _advice(estimator):
    for name, (smallest, largest) in estimator._usual.items():
        value = getattr(estimator, name)
        if isinstance(value, Real) and (value > largest or 0 < value < smallest):
            return f"The cause is {name}={value}: use a value between {smallest:g} and {largest:g}."
    rate = estimator.learning_rate_init
    if estimator.alpha > 1 and rate * estimator.alpha > 1:
        return (
            f"The cause is alpha={estimator.alpha}: its product with learning_rate_init={rate} must be "
            "below 1."
        )
    if callable(estimator.learning_rate):
        return f"Lower learning_rate_init (now {rate}) or the factors of learning_rate, or scale X."
    return f"Lower learning_rate_init (now {rate}), or scale X, with StandardScaler for example."
