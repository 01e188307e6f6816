"""What happens when training fails: the old model stays, and the words name the cause."""

from contextlib import contextmanager


@contextmanager
def unchanged_on_failure(estimator):
    """Give an estimator back the attributes that it had, if anything goes wrong.

    An interrupt that comes when the new model is stored already leaves it there.
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
    # What scikit-learn stores for its callbacks is its own to take away.
    before |= {name: value for name, value in vars(estimator).items() if "_callback" in name}
    vars(estimator).clear()
    vars(estimator).update(before)


@contextmanager
def explained_divergence(estimator):
    """Turn the error of a training that diverged into one that says what to do.

    The attribute `_usual` of the estimator holds the smallest and the largest value of parameters that
    can be the cause by their size.
    """
    try:
        yield
    except FloatingPointError as error:
        raise ValueError(
            f"Training of {type(estimator).__name__} diverged: the loss, a weight or a moment of the "
            f"optimizer is not finite or very large. {_advice(estimator)}"
        ) from error


def _advice(estimator):
    for name, (smallest, largest) in estimator._usual.items():
        value = getattr(estimator, name)
        if value > largest or 0 < value < smallest:
            return f"The cause is {name}={value}: use a value between {smallest:g} and {largest:g}."
    rate = estimator.learning_rate_init
    if estimator.alpha > 1 and rate * estimator.alpha > 1:
        return (
            f"The cause is alpha={estimator.alpha}: its product with learning_rate_init={rate} must be "
            "below 1, or a step overshoots."
        )
    if callable(estimator.learning_rate):
        return f"Lower learning_rate_init (now {rate}) or the factors of learning_rate, or scale X."
    return f"Lower learning_rate_init (now {rate}), or scale X, with StandardScaler for example."
