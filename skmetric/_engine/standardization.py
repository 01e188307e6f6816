"""Standardisation: an affine map of the input, applied to batches and folded into the first layer."""

import numpy as np
from scipy.sparse import issparse

MIXED = 30  # times the range of the smallest features: one that is larger is in another unit
ROUNDING = 10  # last digits of the values: a feature that varies by no more is constant
MANY = 784  # features up to which the usual learning rates are right: those of an image of MNIST
PART = 256  # rows that are looked at together


class Standardization:
    """The map ``x -> (x - mean) * factor`` of the features.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
        What is subtracted.
    factor : ndarray of shape (n_features,)
        What is multiplied with.
    shrinkage : float, default=1.0
        Part of `factor` that initial weights shall make up for, see `shrinkage_of`.
    """

    changes_rows = True

    def __init__(self, mean, factor, shrinkage=1.0):
        self.mean = mean
        self.factor = factor
        self.shrinkage = shrinkage

    def apply(self, batch):
        """Standardise rows in place."""
        batch -= self.mean
        batch *= self.factor

    def fold(self, W, b):
        """Return a layer of rows as they come that does what `W` and `b` do with standardised rows.

        ``((x - mean) * factor) W + b = x W' + b'`` with ``W' = diag(factor) W``, ``b' = b - mean W'``.
        """
        folded = self.factor[:, np.newaxis] * W
        return folded, b - self.mean @ folded

    def unfold(self, W, b):
        """Return a layer of standardised rows that does what `W` and `b` do with rows as they come."""
        return W / self.factor[:, np.newaxis], b + self.mean @ W


class NoStandardization:
    """Rows as they come."""

    changes_rows = False
    shrinkage = 1.0

    def apply(self, batch):
        """Do nothing."""

    def fold(self, W, b):
        """Return copies."""
        return W.copy(), b.copy()

    def unfold(self, W, b):
        """Return copies."""
        return W.copy(), b.copy()


AS_THEY_COME = NoStandardization()


def common_factor(deviations, ranges):
    """Return one factor for all features: 1 / root mean square of their standard deviations."""
    return np.full(deviations.shape, 1 / np.sqrt(np.mean(deviations**2)))


def feature_factors(deviations, ranges):
    """Return a factor for each feature: 1 / its standard deviation, infinite for a constant feature."""
    return 1 / deviations


def fitting_factors(deviations, ranges):
    """Return one factor where features have a unit in common, and else a factor for each.

    Pixels, spectra and embeddings take values of about the same size, and a feature that varies little
    says little. In a table in mixed units the largest range is hundreds of times that of others, and
    what is small may matter as much. Ranges tell the two apart and standard deviations do not: a pixel
    at the border is hardly ever lit, but it is then as bright as any other.
    """
    varying = ranges[ranges > 0]
    if varying.size and varying.max() > MIXED * np.quantile(varying, 0.05, method="lower"):
        return feature_factors(deviations, ranges)
    return common_factor(deviations, ranges)


FACTORS = {"auto": fitting_factors, "common": common_factor, "features": feature_factors}


def shrinkage_of(n_features):
    """Return the factor of rows with very many features: ``min(1, 784 / n_features)``.

    A step of Adam moves each weight by the learning rate, and so a hidden unit by the rate times ``sum
    |x|``, which grows with the number of features. A rate that is right for hundreds is too large for
    thousands, in descent too. Rows that are smaller, and first weights that are larger by as much, begin
    with the same outputs and take steps as for `MANY` features.
    """
    return min(1.0, MANY / n_features)


def standardization_of(X, rows, kind, weights, dtype):
    """Estimate a standardisation from some rows.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows; never copied whole.
    rows : ndarray of int of shape (n,)
        Which.
    kind : {"auto", "common", "features"}
        Key of `FACTORS`.
    weights : ndarray of shape (n,)
        Weights of these rows.
    dtype : dtype
        Type of the batches.

    Returns
    -------
    Standardization
        Its arrays are of `dtype`.
    """
    total = weights.sum()
    if total == 0:
        return AS_THEY_COME
    sums, low, high = 0.0, np.inf, -np.inf
    for part, weight in _parts(X, rows, weights):
        sums = sums + weight @ part
        low = np.minimum(low, part.min(axis=0))
        high = np.maximum(high, part.max(axis=0))
    mean = sums / total
    # In a unit near the largest value: squares overflow or underflow in others.
    exponent = int(np.frexp(np.maximum(high - mean, mean - low).max(initial=0))[1])
    squares = 0.0
    for part, weight in _parts(X, rows, weights):
        squares = squares + weight @ np.ldexp(part - mean, -exponent) ** 2
    deviations = np.sqrt(squares / total)
    size = np.ldexp(np.maximum(np.abs(low), np.abs(high)), -exponent)
    deviations[deviations <= ROUNDING * np.finfo(dtype).eps * size] = 0
    ranges = np.ldexp(high, -exponent) - np.ldexp(low, -exponent)
    with np.errstate(divide="ignore"):
        factor = np.ldexp(FACTORS[kind](deviations, ranges), -exponent)
    factor[np.isinf(factor)] = 1.0
    shrinkage = shrinkage_of(len(factor))
    return Standardization(mean.astype(dtype), (shrinkage * factor).astype(dtype), shrinkage)


def _parts(X, rows, weights):
    """Some rows at a time as float64, with their weights; those without weight are left out."""
    rows, weights = rows[weights > 0], weights[weights > 0]
    for start in range(0, len(rows), PART):
        part = slice(start, start + PART)
        some = X[rows[part]]
        dense = some.toarray() if issparse(some) else np.asarray(some)
        yield dense.astype(np.float64), weights[part]
