"""Validation rows of early stopping, which stay the same when training continues."""

import numpy as np
from sklearn.model_selection import train_test_split

from ._warn import warn


def what_is_set_aside(estimator, n_rows, rng, continued):
    """Return the settings that determine the validation rows, or None without early stopping.

    Parameters
    ----------
    estimator : estimator
        Estimator to fit. Its attribute `_rows_set_aside` holds the settings of the previous fit.
    n_rows : int
        Number of rows.
    rng : numpy.random.Generator
        Random number generator for the seed of a new model.
    continued : bool
        Whether training continues from a fitted model.

    Returns
    -------
    dict or None
        Seed, number of rows, fraction of the rows or classes, and whether whole classes are set aside.
    """
    if not estimator.early_stopping:
        return None
    before = estimator._rows_set_aside if continued else None
    seed = before["seed"] if before else int(rng.integers(2**31))
    now = {
        "seed": seed,
        "n_rows": n_rows,
        "fraction": estimator.validation_fraction,
        "whole_classes": getattr(estimator, "validation", "rows") == "classes",
    }
    if continued and before != now:
        warn(
            f"{type(estimator).__name__} validates on rows that it may have learned from, because the "
            "previous fit set no rows or other rows aside. Do not change early_stopping, "
            "validation_fraction and the rows, or fit a new model with warm_start=False."
        )
    return now


def split_rows(y, set_aside):
    """Return the numbers of the training rows and of the validation rows (or None)."""
    rows = np.arange(len(y))
    if set_aside is None:
        return rows, None
    if set_aside["whole_classes"]:
        return split_classes(y, set_aside["seed"], set_aside["fraction"])
    return _split_rows_of_classes(y, set_aside["seed"], set_aside["fraction"])


def split_classes(y, seed, fraction):
    """Set whole classes aside: at least two, such that at least two are left."""
    classes = np.unique(y)
    n_aside = max(2, round(fraction * len(classes)))
    if len(classes) - n_aside < 2:
        raise ValueError(
            f"validation='classes' sets {n_aside} of {len(classes)} classes aside with "
            f"validation_fraction={fraction}, but training needs two others. Use validation='rows'."
        )
    aside = np.random.default_rng(seed).permutation(classes)[:n_aside]
    is_aside = np.isin(y, aside)
    return np.flatnonzero(~is_aside), np.flatnonzero(is_aside)


def _split_rows_of_classes(y, seed, fraction):
    """Set rows of each class aside."""
    rows = np.arange(len(y))
    try:
        training, aside = train_test_split(rows, test_size=fraction, random_state=seed, stratify=y)
    except ValueError as error:
        raise ValueError(
            "early_stopping=True sets rows of each class aside, which is not possible with "
            f"validation_fraction={fraction}: {error}"
        ) from error
    # In order, each block of a file is read once.
    return training, np.sort(aside)
