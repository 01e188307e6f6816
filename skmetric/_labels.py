"""Labels: what estimators, measures and pairs accept as the class of a row."""

import numpy as np
from sklearn.utils import column_or_1d

from ._array_api import to_numpy
from ._shown import shown

TEXT = "OUS"  # kinds of dtypes that hold strings


def check_labels(y, name="y"):
    """Labels as an array, each of them a class; -1 is a class as any other.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Integers, strings, bools, or floats that are whole numbers.
    name : str, default="y"
        What the message calls them.

    Returns
    -------
    ndarray of shape (n_samples,)
        As they came.

    Raises
    ------
    ValueError
        If a label is missing (NaN, None, NA), or if `y` is not one-dimensional or not of classes.
    """
    y = column_or_1d(to_numpy(y))
    missing = np.flatnonzero(_is_missing(y))
    if len(missing):
        raise ValueError(
            f"{name} contains NaN or None: {len(missing)} labels are missing, the first at position "
            f"{missing[0]}. Leave these rows out, or give them a class of their own."
        )
    if y.dtype.kind == "O" and len({isinstance(label, str) for label in y}) > 1:
        raise ValueError(f"{name} holds strings and other values. Convert its labels to one type.")
    if y.dtype.kind == "f" and (y != np.floor(y)).any():
        raise ValueError(
            f"Unknown label type: continuous. {name} must hold classes, such as integers, strings, bools "
            f"or whole numbers. Got the value {y[y != np.floor(y)][0].item()}."
        )
    return y


def _is_missing(y):
    if y.dtype.kind in "fcmM":
        return y != y  # NaN, and NaT of dates
    if y.dtype.kind != "O":
        return np.zeros(len(y), dtype=bool)
    # What is missing differs from itself (NaN), or has no truth to it (NA of pandas).
    return np.array([label is None or not _equals_itself(label) for label in y], dtype=bool)


def _equals_itself(label):
    try:
        return bool(label == label)
    except TypeError:
        return False


def known_classes(*labels, names):
    """The classes of several arrays of labels, sorted.

    Parameters
    ----------
    *labels : ndarrays of shape (n,)
        As `check_labels` returns them.
    names : sequence of str
        What the message calls each of them.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If some are numbers and others are strings: in one array, 1 and "1" would be the same class.
    """
    texts = [name for name, y in zip(names, labels) if _is_text(y)]
    numbers = [name for name in names if name not in texts]
    if texts and numbers:
        raise ValueError(
            f"Labels must be all numbers or all strings, but {', '.join(numbers)} holds numbers and "
            f"{', '.join(texts)} holds strings. Convert them to one type."
        )
    joined = np.concatenate(labels)
    if joined.dtype.kind == "f" and any(_is_inexact(y) for y in labels):
        raise ValueError(
            f"Labels beyond 2**53 cannot be compared across the types of {' and '.join(names)}: "
            f"{', '.join(str(y.dtype) for y in labels)}. Convert them to one integer type."
        )
    return np.unique(joined)


def positions(y, classes):
    """Return the positions of labels in `classes`, or an error that names those that are not there.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels, as `check_labels` returns them.
    classes : ndarray of shape (n_classes,)
        Sorted classes.

    Returns
    -------
    ndarray of int of shape (n_samples,)
        ``classes[positions] == y``.
    """
    unseen = np.setdiff1d(known_classes(y, classes, names=("y", "classes_")), classes)
    if len(unseen):
        shown_labels = ", ".join(shown(label) for label in unseen[:5])
        raise ValueError(f"y has labels that are not in classes_: {shown_labels}.")
    return np.searchsorted(classes, y)


def _is_inexact(y):
    """Whether integers are too large for a float."""
    return y.dtype.kind in "iu" and len(y) > 0 and max(abs(int(y.min())), int(y.max())) > 2**53


def _is_text(y):
    return y.dtype.kind in TEXT and any(isinstance(label, str) for label in y[:1])
