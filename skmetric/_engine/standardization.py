"""Standardisation: an affine map of the input, applied to each batch and folded into the first layer."""

import numpy as np
from scipy.sparse import issparse

from .._steps import forks_wait
from .sparse_rows import SparseRows

MIXED = 30  # ratio of a large range to a small one from which features have different units
ROUNDING = 10  # a feature is constant if it varies by no more than this many rounding errors
MANY = 784  # number of features (of an MNIST image) up to which the usual learning rates are suitable
ROOM = 2**10  # factors are below the largest float, so that weights times a factor do not overflow
PART = 256  # rows to process at a time


class Standardization:
    """The map ``x -> (x - mean) * factor`` of the features.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
        Mean of the features.
    factor : ndarray of shape (n_features,)
        Factor of the centred features.
    shrinkage : float, default=1.0
        Part of `factor` that larger initial weights compensate, see `shrinkage_of`.
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

    def sparse(self, S):
        """Return standardised sparse rows; the values of `S` are changed in place."""
        S.data *= self.factor[S.indices]
        return SparseRows(S, self.mean * self.factor)

    def fold(self, W, b):
        """Return weights and bias for unscaled rows, from those for standardised rows.

        ``((x - mean) * factor) W + b = x W' + b'`` with ``W' = diag(factor) W``, ``b' = b - mean W'``.
        """
        folded = self.factor[:, np.newaxis] * W
        return folded, b - self.mean @ folded

    def unfold(self, W, b):
        """Return weights and bias for standardised rows, from those for unscaled rows."""
        return W / self.factor[:, np.newaxis], b + self.mean @ W


class NoStandardization:
    """No standardisation."""

    changes_rows = False
    shrinkage = 1.0

    def apply(self, batch):
        """Do nothing."""

    def sparse(self, S):
        """Return sparse rows as they are."""
        return SparseRows(S, None)

    def fold(self, W, b):
        """Return copies."""
        return W.copy(), b.copy()

    def unfold(self, W, b):
        """Return copies."""
        return W.copy(), b.copy()


AS_THEY_COME = NoStandardization()


def common_factor(deviations, ranges):
    """Compute one factor for all features: 1 / root mean square of their standard deviations."""
    return np.full(deviations.shape, 1 / np.sqrt(np.mean(deviations**2)))


def feature_factors(deviations, ranges):
    """Compute a factor for each feature: 1 / its standard deviation, infinite for a constant feature."""
    return 1 / deviations


def fitting_factors(deviations, ranges):
    """Compute one factor if the features have a common unit, else a factor for each feature.

    The values of pixels, spectra and embeddings have a common unit, and a feature with a small variance
    carries little information. In a table with mixed units, the largest range is hundreds of times larger
    than others, and features with a small range may be as important. Ranges distinguish the two cases,
    standard deviations do not: a pixel at the border is rarely lit, but then as bright as any other.
    """
    varying = ranges[ranges > 0]
    if varying.size and varying.max() > MIXED * np.quantile(varying, 0.05, method="lower"):
        return feature_factors(deviations, ranges)
    return common_factor(deviations, ranges)


FACTORS = {"auto": fitting_factors, "common": common_factor, "features": feature_factors}


def shrinkage_of(n_features):
    """Return the factor of rows with very many features: ``min(1, 784 / n_features)``.

    A step of Adam changes each weight by about the learning rate, and therefore a hidden unit by the rate
    times ``sum |x|``, which grows with the number of features. A rate that suits hundreds of features is
    too large for thousands; the same holds for gradient descent. If rows are smaller and the initial
    weights of the first layer are larger by the same factor, the initial outputs do not change, and the
    steps are as for `MANY` features.
    """
    return min(1.0, MANY / n_features)


def standardization_of(X, rows, kind, weights, dtype):
    """Estimate a standardisation from rows.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows; never copied as a whole.
    rows : ndarray of int of shape (n,)
        Row numbers to use.
    kind : {"auto", "common", "features"}
        Key of `FACTORS`.
    weights : ndarray of shape (n,)
        Weights of these rows.
    dtype : dtype
        Dtype of the batches.

    Returns
    -------
    Standardization
        Standardisation with arrays of `dtype`.
    """
    total = weights.sum()
    if total == 0:
        return AS_THEY_COME
    sums, low, high = 0.0, np.inf, -np.inf
    for part, weight in _parts(X, rows, weights):
        sums = sums + _weighted_sum(weight, part)
        low = np.minimum(low, part.min(axis=0))
        high = np.maximum(high, part.max(axis=0))
    mean = sums / total
    # Scaled by the largest value, so that squares neither overflow nor underflow.
    exponent = int(np.frexp(np.maximum(high - mean, mean - low).max(initial=0))[1])
    squares = 0.0
    for part, weight in _parts(X, rows, weights):
        squares = squares + _weighted_sum(weight, np.ldexp(part - mean, -exponent) ** 2)
    deviations = np.sqrt(squares / total)
    size = np.ldexp(np.maximum(np.abs(low), np.abs(high)), -exponent)
    deviations[deviations <= ROUNDING * np.finfo(dtype).eps * size] = 0
    ranges = np.ldexp(high, -exponent) - np.ldexp(low, -exponent)
    with np.errstate(divide="ignore", over="ignore"):
        factor = FACTORS[kind](deviations, ranges)
        is_constant = np.isinf(factor)
        # Features below about 1e-35 in float32 (1e-305 in float64) stay smaller than others.
        factor = np.minimum(np.ldexp(factor, -exponent), np.finfo(dtype).max / ROOM)
    factor[is_constant] = 1.0
    shrinkage = shrinkage_of(len(factor))
    return Standardization(mean.astype(dtype), (shrinkage * factor).astype(dtype), shrinkage)


@forks_wait
def _weighted_sum(weight, part):
    return weight @ part


def _parts(X, rows, weights):
    """Yield some rows at a time as float64, with their weights; rows of weight 0 are left out."""
    rows, weights = rows[weights > 0], weights[weights > 0]
    for start in range(0, len(rows), PART):
        part = slice(start, start + PART)
        some = X[rows[part]]
        dense = some.toarray() if issparse(some) else np.asarray(some)
        yield dense.astype(np.float64), weights[part]
