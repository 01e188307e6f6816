"""Partitions of dask arrays and data frames: checked, counted and sampled where they lie."""

import copy
import math
from functools import partial

import dask
import dask.array as da
import numpy as np
from sklearn.base import clone

from ._input import MOST_ROWS, check_two_classes, check_X_y, most_sampled
from ._labels import known_classes, positions
from ._local_sgd import in_parts, stacked
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
    numbers : list of int
        Numbers of the partitions among all of `X`.
    classes : ndarray
        All classes.
    """

    def __init__(self, estimator, X, y, client, seed):
        self.client = client
        checked = [
            dask.delayed(_checked)(rows, labels, number, clone(estimator))
            for number, (rows, labels) in enumerate(zip(*_in_partitions(X, y), strict=True))
        ]
        self.numbers = range(len(checked))
        self._take(client.compute(checked))
        if not self.parts:
            raise ValueError("X has no rows: all partitions are empty.")
        names = [f"partition {number} of y" for number in self.numbers]
        self.classes = known_classes(*self.labels, names=names)
        check_two_classes(self.classes, estimator)
        estimator._check_class_sizes(self._class_sizes())
        if estimator.early_stopping:
            self._set_aside(estimator, seed)

    def _take(self, parts):
        """Keep the partitions that are not empty, and learn what they hold."""
        summaries = self.client.gather(self.client.map(_summary, parts))
        widths = {shape[1] for shape, *_ in summaries}
        if len(widths) > 1:
            raise ValueError(f"All partitions of X must have the same columns, got {sorted(widths)}.")
        kept = [k for k, (shape, *_) in enumerate(summaries) if shape[0] > 0]
        self.n_features = widths.pop()
        self.numbers = [self.numbers[k] for k in kept]
        self.parts = [parts[k] for k in kept]
        self.sizes = [summaries[k][0][0] for k in kept]
        self.labels = [summaries[k][1] for k in kept]
        self.counts = [summaries[k][2] for k in kept]

    def _class_sizes(self):
        sizes = np.zeros(len(self.classes), dtype=int)
        for labels, counts in zip(self.labels, self.counts):
            sizes[positions(labels, self.classes)] += counts
        return sizes

    def _set_aside(self, estimator, seed):
        chosen = _what_is_set_aside(estimator, self.classes, seed)
        split = partial(self.client.map, _split, self.parts, self.numbers, chosen=chosen)
        self.aside = copy.copy(self)
        self.aside._take(split(is_training=False))
        self._take(split(is_training=True))
        for parts, what in ((self.aside.parts, "rows for early stopping"), (self.parts, "other rows")):
            if not parts:
                raise ValueError(
                    f"early_stopping=True finds no {what} with "
                    f"validation_fraction={estimator.validation_fraction}. Change it, or use more rows."
                )
        estimator._check_validation_sizes(self.aside._class_sizes())

    def sample(self):
        """Return up to 10,000 rows and their labels, evenly spaced, in the memory of this process."""
        return self._spaced(most_sampled(self.n_features))

    def held_out(self, model):
        """Return up to 10,000 rows that are set aside, their labels and their weights or None."""
        rows, labels = self.aside._spaced(MOST_ROWS)
        return rows, labels, model._score_weights(rows, positions(labels, self.classes))

    def _spaced(self, n):
        bounds = np.cumsum([0, *self.sizes])
        drawn = np.linspace(0, bounds[-1] - 1, min(n, bounds[-1])).astype(int)
        chosen = [(part, rows) for part, rows in zip(self.parts, in_parts(drawn, bounds)) if len(rows)]
        some = self.client.gather(self.client.map(_some, *zip(*chosen)))
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
        library = type(y).__module__.partition(".")[0]
        raise TypeError(
            "With a data frame X, y must be a series or an array of Dask, got "
            f"{library}.{type(y).__name__}. Use a column of the same data frame, or "
            "dask.dataframe.from_pandas."
        )
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
    return X.shape, *np.unique(y, return_counts=True)


def _some(part, rows):
    X, y = part
    return X[rows], y[rows]


def _what_is_set_aside(estimator, classes, seed):
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
