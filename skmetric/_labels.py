"""Validation of class labels, for estimators, metrics and pairs."""

import numpy as np
from sklearn.utils import column_or_1d

from ._array_api import to_numpy
from ._shown import shown

TEXT = "OUS"  # kinds of dtypes that hold strings


def check_labels(y, name="y"):
    """Return labels as an array, if they are valid classes; -1 is an ordinary label.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Integers, strings, bools, or floats that are whole numbers.
    name : str, default="y"
        Name of the labels in the error message.

    Returns
    -------
    ndarray of shape (n_samples,)
        The same labels.

    Raises
    ------
    ValueError
        If a label is missing (NaN, None, NA), if `y` is not one-dimensional, or if it is continuous.
    """
    y = column(to_numpy(y), name)
    missing = said_missing(y, name)
    if missing:
        raise ValueError(f"{missing} Remove these rows, or give them a class of their own.")
    if y.dtype.kind == "O" and len({isinstance(label, str) for label in y}) > 1:
        raise ValueError(f"{name} holds strings and other values. Convert its labels to one type.")
    if y.dtype.kind == "f" and not _is_whole(y).all():
        raise ValueError(
            f"Unknown label type: continuous. {name} must hold classes, such as integers, strings, bools "
            f"or whole numbers. Got the value {y[~_is_whole(y)][0].item()}."
        )
    return y


def said_missing(y, name):
    """Say how many labels are missing and where the first is; return an empty string if none is."""
    missing = np.flatnonzero(_is_missing(y))
    if len(missing) == 0:
        return ""
    return (
        f"{name} contains NaN or None: {len(missing)} labels are missing, the first at position "
        f"{missing[0]}."
    )


def column(y, name):
    """Return an array of one dimension, of which a column vector is made with a warning."""
    try:
        return column_or_1d(y)
    except ValueError as error:
        shape = np.shape(y)
        if len(shape) == 1:
            raise
        hint = " If its columns are indicators of classes, use argmax(axis=1)." if len(shape) == 2 else ""
        raise ValueError(f"{name} should be a 1d array, got an array of shape {shape}.{hint}") from error


def _is_whole(y):
    return np.isfinite(y) & (y == np.floor(y))


def _is_missing(y):
    if y.dtype.kind in "fcmM":
        return y != y  # NaN, and NaT of dates
    if y.dtype.kind != "O":
        return np.zeros(len(y), dtype=bool)
    # A missing value differs from itself (NaN), or its comparison has no truth value (NA of pandas).
    return np.array([label is None or not _equals_itself(label) for label in y], dtype=bool)


def _equals_itself(label):
    try:
        return bool(label == label)
    except TypeError:
        return False


def known_classes(*labels, names):
    """Return the sorted classes of several arrays of labels.

    Parameters
    ----------
    *labels : ndarrays of shape (n,)
        Labels, as `check_labels` returns them.
    names : sequence of str
        Names of the arrays in the error message.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If some arrays hold numbers and others strings, because 1 and "1" would become the same class.
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
    """Return the positions of labels in `classes`; raise ValueError for labels that are not in it.

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
    """Return whether integers are too large for an exact float."""
    return y.dtype.kind in "iu" and len(y) > 0 and max(abs(int(y.min())), int(y.max())) > 2**53


def _is_text(y):
    return y.dtype.kind in TEXT and any(isinstance(label, str) for label in y[:1])
