"""Initial weights: random, in proportion to the widths of the layers and to the distances asked for."""

import math
from itertools import pairwise

import numpy as np

GAINS = {"identity": 1.0, "logistic": 3**-0.5, "tanh": 1.0, "relu": 1.0}


PROBE = 256  # rows at which the scale of the outputs is looked at


def initial_parameters(widths, activation, rng, dtype):
    """Random weights and zero biases.

    Uniform on ``[-r, r]`` with ``r = gain * sqrt(6 / (fan_in + fan_out))``; the gain of a hidden layer is
    that of its activation, that of the last layer 1.

    Parameters
    ----------
    widths : list of int
        Of the input, the hidden layers and the output.
    activation : str
        Key of `GAINS`.
    rng : numpy.random.Generator
        Source of the weights.
    dtype : dtype
        Of the arrays.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
        Weights.
    intercepts : list of ndarray of shape (fan_out,)
        Biases.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16. The gain of `logistic` is that of `sklearn.neural_network`.
    """
    gains = [GAINS[activation]] * (len(widths) - 2) + [1.0]
    coefs = []
    for gain, (fan_in, fan_out) in zip(gains, pairwise(widths)):
        bound = gain * math.sqrt(6 / (fan_in + fan_out))
        coefs.append(rng.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype))
    return coefs, [np.zeros(width, dtype=dtype) for width in widths[1:]]


def probed(n):
    """Numbers of up to `PROBE` of `n` rows, at equal steps."""
    return np.unique(np.linspace(0, n - 1, PROBE).astype(int))


def scale_to_distance(coefs, Z, distance):
    """Scale the last layer, in place, so that outputs lie `distance` apart.

    ``W_L <- W_L * distance / sqrt(mean |z_i - z_j|^2)``, the mean over all pairs of rows of `Z`. A margin
    means something only in comparison with the distances that training begins with, and these depend on
    the units and the number of the features.

    Parameters
    ----------
    coefs : list of ndarray
        Weights, of a network whose last bias is zero.
    Z : ndarray of shape (n, n_components)
        Outputs of some rows.
    distance : float
        Root mean square that their distances shall have.

    References
    ----------
    D. Mishkin, J. Matas, "All you need is a good init", ICLR 2016, scales each layer by its outputs.
    """
    # An overflow is left to the loop of training, which knows what to say of it.
    with np.errstate(over="ignore", invalid="ignore"):
        # Of independent pairs the mean squared difference is twice the variance.
        spread = math.sqrt(2 * Z.var(axis=0, dtype=np.float64).sum())
        size = float(np.abs(Z).max())
        # Differences that are rounding errors are no spread to scale by.
        if math.sqrt(np.finfo(Z.dtype).eps) * size < spread < math.inf:
            coefs[-1] *= distance / spread
