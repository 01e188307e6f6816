"""Activation functions of hidden layers: value and derivative, both in place.

Each entry of `ACTIVATIONS` is a pair of functions. ``value(A)`` overwrites the pre-activations `A`
with ``H = f(A)``; ``chain(H, delta)`` overwrites the gradient `delta` on `H` with the gradient on `A`.
The derivative is a function of the output `H`, so that `A` need not be stored.
"""

import numpy as np


def identity(A):
    """f(a) = a."""


def identity_chain(H, delta):
    """f'(a) = 1."""


def logistic(A):
    """f(a) = 1 / (1 + exp(-a))."""
    # NumPy's vectorised exp is twice as fast as `scipy.special.expit`. Where it overflows, the
    # reciprocal is 0, which is the correct result.
    np.negative(A, out=A)
    with np.errstate(over="ignore"):
        np.exp(A, out=A)
    A += 1
    np.reciprocal(A, out=A)


def logistic_chain(H, delta):
    """f'(a) = h (1 - h)."""
    delta *= H
    delta *= 1 - H


def tanh(A):
    """f(a) = tanh(a)."""
    np.tanh(A, out=A)


def tanh_chain(H, delta):
    """f'(a) = 1 - h^2."""
    delta *= 1 - H * H


def relu(A):
    """f(a) = max(0, a)."""
    np.maximum(A, 0, out=A)


def relu_chain(H, delta):
    """f'(a) = 1 where h > 0, else 0."""
    delta *= H > 0


ACTIVATIONS = {
    "identity": (identity, identity_chain),
    "logistic": (logistic, logistic_chain),
    "tanh": (tanh, tanh_chain),
    "relu": (relu, relu_chain),
}
