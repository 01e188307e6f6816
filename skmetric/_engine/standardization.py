"""Standardisation: an affine map of the input, applied to batches and folded into the first layer."""

import numpy as np

MIXED = 10  # times the median standard deviation: one that is larger is in another unit


class Standardization:
    """The map ``x -> (x - mean) * factor`` of the features.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
        What is subtracted.
    factor : ndarray of shape (n_features,)
        What is multiplied with.
    """

    changes_rows = True

    def __init__(self, mean, factor):
        self.mean = mean
        self.factor = factor

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

    def apply(self, batch):
        """Do nothing."""

    def fold(self, W, b):
        """Return copies."""
        return W.copy(), b.copy()

    def unfold(self, W, b):
        """Return copies."""
        return W.copy(), b.copy()


AS_THEY_COME = NoStandardization()


def common_factor(deviations):
    """Return one factor for all features: 1 / root mean square of their standard deviations."""
    size = np.sqrt(np.mean(deviations**2))
    return np.full(deviations.shape, 1 / size if size > 0 else 1.0)


def feature_factors(deviations):
    """Return a factor for each feature: 1 / its standard deviation; 1 for a constant feature."""
    return 1 / np.where(deviations > 0, deviations, 1.0)


def fitting_factors(deviations):
    """Return one factor where features have a unit in common, and else a factor for each.

    Pixels, spectra and embeddings vary by factors of a few from feature to feature, and small
    variation is little information. In a table in mixed units the largest standard deviation is
    hundreds of times the median, and what is small may matter as much.
    """
    varying = deviations[deviations > 0]
    if varying.size and varying.max() > MIXED * np.median(varying):
        return feature_factors(deviations)
    return common_factor(deviations)


FACTORS = {"auto": fitting_factors, "common": common_factor, "features": feature_factors}


def standardization_of(X, kind, weights, dtype):
    """Estimate a standardisation from rows.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        Rows; overwritten.
    kind : {"auto", "common", "features"}
        Key of `FACTORS`.
    weights : ndarray of shape (n_samples,) or None
        Weights of the rows.
    dtype : dtype
        Type of the batches.

    Returns
    -------
    Standardization
        Its arrays are of `dtype`.
    """
    mean = np.average(X, axis=0, weights=weights)
    X -= mean
    # In a unit near the largest value: squares overflow or underflow in others.
    exponent = int(np.frexp(np.abs(X).max(initial=0))[1])
    X = np.ldexp(X, -exponent)
    deviations = np.sqrt(np.average(X * X, axis=0, weights=weights))
    factor = np.ldexp(FACTORS[kind](deviations), -exponent)
    return Standardization(mean.astype(dtype), factor.astype(dtype))
