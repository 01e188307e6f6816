"""Partitions of dask arrays and data frames: checked, counted and sampled where they lie."""

import math

import dask
import dask.array as da
import numpy as np
from sklearn.base import clone

from ._input import MOST_ROWS, check_X_y, most_sampled
from ._local_sgd import stacked
from ._validation_rows import split_classes


class Partitions:
    """Checked partitions in the memory of the workers.

    Parameters
    ----------
    estimator, X, y, client
        As in `fit`.
    seed : int
        Seed of the rows that are set aside for early stopping.

    Attributes
    ----------
    parts : list of Future
        Training rows and labels of each partition that is not empty.
    sizes : list of int
        Numbers of their rows.
    labels : list of ndarray
        Their classes.
    classes : ndarray
        All classes.
    """

    def __init__(self, estimator, X, y, client, seed):
        self.client = client
        checked = [
            dask.delayed(_checked)(rows, labels, number, clone(estimator))
            for number, (rows, labels) in enumerate(zip(*_in_partitions(X, y), strict=True))
        ]
        self.parts = client.compute(checked)
        self._summarise()
        self.classes = np.unique(np.concatenate(self.labels))
        self.aside = []
        if estimator.early_stopping:
            chosen = _set_aside(estimator, self.classes, seed)
            numbers = range(len(self.parts))
            self.aside = client.map(_split, self.parts, numbers, chosen=chosen, is_training=False)
            self.parts = client.map(_split, self.parts, numbers, chosen=chosen, is_training=True)
            self._summarise()

    def _summarise(self):
        shapes, labels = zip(*self.client.gather(self.client.map(_summary, self.parts)))
        widths = {shape[1] for shape in shapes}
        if len(widths) > 1:
            raise ValueError(f"All partitions of X must have the same columns, got {sorted(widths)}.")
        is_empty = [shape[0] == 0 for shape in shapes]
        if all(is_empty):
            raise ValueError("X has no rows: all partitions are empty.")
        kept = [k for k, empty in enumerate(is_empty) if not empty]
        self.parts = [self.parts[k] for k in kept]
        self.sizes = [shapes[k][0] for k in kept]
        self.labels = [labels[k] for k in kept]
        self.n_features = widths.pop()

    def sample(self):
        """Return up to 10,000 rows and their labels, evenly spaced, in the memory of this process."""
        return self._gathered(self.parts, most_sampled(self.n_features) / sum(self.sizes))

    def held_out(self):
        """Return up to 10,000 rows that are set aside, and their labels."""
        if not self.aside:
            return ()
        n = sum(shape[0] for shape, _ in self.client.gather(self.client.map(_summary, self.aside)))
        return self._gathered(self.aside, MOST_ROWS / max(n, 1))

    def _gathered(self, parts, fraction):
        some = self.client.gather(self.client.map(_some, parts, fraction=min(1.0, fraction)))
        rows, labels = zip(*some)
        return stacked(rows), np.concatenate(labels)


def _in_partitions(X, y):
    """Return the partitions of rows and of labels, as delayed objects."""
    if not dask.is_dask_collection(X):
        raise TypeError(
            f"X must be an array or a data frame of Dask, got {type(X).__name__}. Rows in the memory of "
            "this process do not need a cluster: call the method fit."
        )
    if isinstance(X, da.Array):
        X = X.rechunk({1: -1})
        if not dask.is_dask_collection(y):
            y = da.from_array(np.asarray(y), chunks=len(y))
        if isinstance(y, da.Array) and not (math.isnan(sum(X.shape)) or math.isnan(sum(y.shape))):
            if X.shape[0] != y.shape[0]:
                raise ValueError(f"X has {X.shape[0]} rows, but y has {y.shape[0]} labels.")
            y = y.rechunk({0: X.chunks[0]})
    if not dask.is_dask_collection(y):
        raise TypeError(f"y must be a series or an array of Dask, got {type(y).__name__}.")
    rows, labels = (np.ravel(value.to_delayed()).tolist() for value in (X, y))
    if len(rows) != len(labels):
        raise ValueError(
            f"X has {len(rows)} partitions, but y has {len(labels)}. Give both the same partitions."
        )
    return rows, labels


def _checked(X, y, number, estimator):
    """Return rows and labels of a partition as arrays."""
    y = np.asarray(y)
    if len(y) == X.shape[0] == 0:
        return np.empty(X.shape), y
    try:
        return check_X_y(estimator, X, y, reset=True)
    except ValueError as error:
        raise ValueError(f"Partition {number}: {error}") from error


def _summary(part):
    X, y = part
    return X.shape, np.unique(y)


def _some(part, fraction):
    X, y = part
    rows = np.linspace(0, len(y) - 1, round(fraction * len(y))).astype(int)
    return X[rows], y[rows]


def _set_aside(estimator, classes, seed):
    """Return what is set aside for early stopping: a seed and a fraction of the rows, or classes."""
    if getattr(estimator, "validation", "rows") == "classes":
        return classes[split_classes(classes, seed, estimator.validation_fraction)[1]]
    return seed, estimator.validation_fraction


def _split(part, number, chosen, is_training):
    """Return the rows of a partition that are trained on, or those that are set aside."""
    X, y = part
    if isinstance(chosen, tuple):
        seed, fraction = chosen
        is_aside = np.random.default_rng([seed, number]).random(len(y)) < fraction
    else:
        is_aside = np.isin(y, chosen)
    rows = np.flatnonzero(is_aside != is_training)
    return X[rows], y[rows]
