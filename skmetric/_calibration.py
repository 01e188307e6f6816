"""Calibrations: functions from scores to probabilities.

A calibration has the signature ``calibrate(scores, same) -> function from scores to probabilities``. The
function is non-decreasing. Scores are finite; their scale does not matter.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from ._search.binary import largest_exponent

LARGEST = np.finfo(np.float64).max
TIGHT = {"ftol": 1e-14, "gtol": 1e-9}


def _scaled(scores, exponent):
    """Return ``scores / 2^exponent`` without rounding, clipped to the largest float."""
    with np.errstate(over="ignore"):
        scaled = np.ldexp(scores, -exponent)
    return np.clip(scaled, -LARGEST, LARGEST)


class Sigmoid:
    """The function ``s -> 1 / (1 + exp(-(slope * z + intercept)))`` with standardised scores z.

    Parameters
    ----------
    exponent : int
        Scores are divided by ``2^exponent`` first.
    center, scale : float
        Mean and standard deviation of the divided scores: ``z = (s / 2^exponent - center) / scale``.
    slope, intercept : float
        Platt's parameters.
    """

    def __init__(self, exponent, center, scale, slope, intercept):
        self.exponent = exponent
        self.center = center
        self.scale = scale
        self.slope = slope
        self.intercept = intercept

    def __call__(self, scores):
        with np.errstate(over="ignore"):
            standard = (_scaled(scores, self.exponent) - self.center) / self.scale
            return expit(self.slope * np.clip(standard, -LARGEST, LARGEST) + self.intercept)


class Steps:
    """The function that interpolates between the steps of an isotonic regression.

    Parameters
    ----------
    exponent : int
        Scores are divided by ``2^exponent`` first.
    scores : ndarray of shape (n,)
        Divided scores at the ends of the steps, in rising order.
    probabilities : ndarray of shape (n,)
        Probabilities of these; those of the first and of the last one hold beyond them.
    """

    def __init__(self, exponent, scores, probabilities):
        self.exponent = exponent
        self.scores = scores
        self.probabilities = probabilities

    def __call__(self, scores):
        return np.interp(_scaled(scores, self.exponent), self.scores, self.probabilities)


def _platt_loss(parameters, scores, target):
    """Return the mean cross-entropy of ``expit(slope * scores + intercept)`` and its gradient."""
    slope, intercept = parameters
    logit = slope * scores + intercept
    value = np.mean(np.logaddexp(0, logit) - target * logit)
    delta = expit(logit) - target
    return value, np.array([np.mean(delta * scores), np.mean(delta)])


def _sigmoid(scores, same):
    """Fit Platt's ``1 / (1 + exp(-(a s + b)))``; his targets keep a and b finite for separable pairs."""
    n_same = same.sum()
    n_different = len(same) - n_same
    target = np.where(same, (n_same + 1) / (n_same + 2), 1 / (n_different + 2))
    # The scores are standardised, because their squares may overflow or underflow.
    exponent = largest_exponent(scores)
    scaled = _scaled(scores, exponent)
    center = scaled.mean()
    scale = scaled.std() if np.ptp(scaled) else 1.0
    standard = (scaled - center) / scale
    # Unlike Platt's, a >= 0: probabilities never decrease, even if the scores are worse than chance.
    bounds = [(0, None), (None, None)]
    found = minimize(
        _platt_loss, [1.0, 0.0], (standard, target), "L-BFGS-B", jac=True, bounds=bounds, options=TIGHT
    )
    slope, intercept = found.x
    return Sigmoid(exponent, center, scale, slope, intercept)


def _isotonic(scores, same):
    # scikit-learn merges scores that differ by less than 1e-15, so they need a common scale.
    exponent = largest_exponent(scores)
    regression = IsotonicRegression(out_of_bounds="clip").fit(_scaled(scores, exponent), same)
    return Steps(exponent, regression.X_thresholds_, regression.y_thresholds_)


CALIBRATIONS = {"sigmoid": _sigmoid, "isotonic": _isotonic}
