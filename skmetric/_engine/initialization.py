"""Initial weights: random, scaled to the widths of the layers and to the distances of the outputs."""

import math
from itertools import pairwise

import numpy as np

GAINS = {"identity": 1.0, "logistic": 3**-0.5, "tanh": 1.0, "relu": 1.0}


def initial_parameters(widths, activation, rng, dtype):
    """Draw random weights, and make biases of zeros.

    The weights are uniform on ``[-r, r]`` with ``r = gain * sqrt(6 / (fan_in + fan_out))``. The gain of a
    hidden layer depends on its activation; the gain of the last layer is 1.

    Parameters
    ----------
    widths : list of int
        Widths of the input, the hidden layers and the output.
    activation : str
        Key of `GAINS`.
    rng : numpy.random.Generator
        Random number generator.
    dtype : dtype
        Dtype of the arrays.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
        Weights.
    intercepts : list of ndarray of shape (fan_out,)
        Biases.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16. The gain of "logistic" is that of `sklearn.neural_network`.
    """
    gains = [GAINS[activation]] * (len(widths) - 2) + [1.0]
    coefs = []
    for gain, (fan_in, fan_out) in zip(gains, pairwise(widths)):
        bound = gain * math.sqrt(6 / (fan_in + fan_out))
        coefs.append(rng.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype))
    return coefs, [np.zeros(width, dtype=dtype) for width in widths[1:]]


def scale_to_distance(coefs, Z, distance):
    """Scale the last layer, in place, so that the distance between outputs is `distance`.

    ``W_L <- W_L * distance / sqrt(mean |z_i - z_j|^2)``, with the mean over all pairs of rows of `Z`.
    Without this, the initial distances would depend on the units and the number of the features, and the
    effect of a margin would too.

    Parameters
    ----------
    coefs : list of ndarray
        Weights of a network whose last bias is zero.
    Z : ndarray of shape (n, n_components)
        Outputs of some rows.
    distance : float
        Root mean square of the distances after scaling.

    References
    ----------
    D. Mishkin, J. Matas, "All you need is a good init", ICLR 2016, scales each layer by its outputs.
    """
    # The training loop reports an overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        # The mean squared difference of independent pairs is twice the variance.
        spread = math.sqrt(2 * Z.var(axis=0, dtype=np.float64).sum())
        size = float(np.abs(Z).max())
        # Do not scale by rounding errors.
        if math.sqrt(np.finfo(Z.dtype).eps) * size < spread < math.inf:
            coefs[-1] *= distance / spread
