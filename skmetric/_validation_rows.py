"""Rows that early stopping sets aside: they stay for the life of a model."""

import numpy as np
from sklearn.model_selection import train_test_split

from ._warn import warn


def what_is_set_aside(estimator, n_rows, rng, continued):
    """Return what the validation rows follow from, or None without early stopping.

    Parameters
    ----------
    estimator : estimator
        Estimator that is fitted; what it has set aside before is in `_rows_set_aside`.
    n_rows : int
        Number of rows.
    rng : numpy.random.Generator
        Source of the seed of a new model.
    continued : bool
        Whether a model is trained on.

    Returns
    -------
    dict or None
        Seed, number of rows, and fraction of the rows.
    """
    if not estimator.early_stopping:
        return None
    before = estimator._rows_set_aside if continued else None
    seed = before["seed"] if before else int(rng.integers(2**31))
    now = {"seed": seed, "n_rows": n_rows, "fraction": estimator.validation_fraction}
    if continued and before != now:
        warn(
            f"{type(estimator).__name__} validates on rows that it may have learned from, because the "
            "fit before set no rows aside, or others. Keep early_stopping=True, validation_fraction and "
            "the rows as they were, or begin anew with warm_start=False."
        )
    return now


def split_rows(y, set_aside):
    """Return rows to train on, and rows of each class to validate on (None if none are set aside)."""
    rows = np.arange(len(y))
    if set_aside is None:
        return rows, None
    seed = set_aside["seed"]
    fraction = set_aside["fraction"]
    try:
        return train_test_split(rows, test_size=fraction, random_state=seed, stratify=y)
    except ValueError as error:
        raise ValueError(
            "early_stopping=True sets rows of each class aside, which is not possible here with "
            f"validation_fraction={fraction}: {error}"
        ) from error
