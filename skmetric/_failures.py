"""What happens when training fails: the old model stays, and the words name the cause."""

from contextlib import contextmanager

USUAL = (1e-8, 1e8)  # sizes of parameters that training stands, in any units


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
def explained_divergence(estimator, suspects):
    """Turn the error of a training that diverged into one that says what to do.

    Parameters
    ----------
    estimator : estimator
        Estimator that is trained.
    suspects : sequence of str
        Names of the parameters whose size may be the cause, besides `learning_rate_init`.
    """
    try:
        yield
    except FloatingPointError as error:
        name = type(estimator).__name__
        raise ValueError(
            f"Training of {name} diverged: the loss or a weight is beyond measure. "
            + _advice(estimator, suspects)
        ) from error


def _advice(estimator, suspects):
    values = {name: getattr(estimator, name) for name in suspects}
    unusual = {name: value for name, value in values.items() if not USUAL[0] <= (value or 1) <= USUAL[1]}
    extreme = [f"{name}={value}" for name, value in unusual.items()]
    if extreme:
        return f"The cause is {' and '.join(extreme)}: use a value between {USUAL[0]:g} and {USUAL[1]:g}."
    rate = estimator.learning_rate_init
    if estimator.alpha > 1 and rate * estimator.alpha > 1:
        return (
            f"The cause is alpha={estimator.alpha}: its product with learning_rate_init={rate} must be "
            "below 1, or a step overshoots."
        )
    return f"Lower learning_rate_init (now {rate}), or scale X, with StandardScaler for example."
