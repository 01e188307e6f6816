import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmetric._engine.activations import ACTIVATIONS

TEXTBOOK = {
    "identity": lambda a: a,
    "logistic": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": lambda a: (np.exp(2 * a) - 1) / (np.exp(2 * a) + 1),
    "relu": lambda a: np.where(a > 0, a, 0.0),
}
LIMITS = {  # at minus and plus 1e4
    "identity": (-1e4, 1e4),
    "logistic": (0, 1),
    "tanh": (-1, 1),
    "relu": (0, 1e4),
}

every_activation = pytest.mark.parametrize("name", ACTIVATIONS)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def pre_activations(dtype=np.float64):
    A = np.random.default_rng(0).normal(0, 2, (7, 5)).astype(dtype)
    assert np.abs(A).min() > 1e-3  # no kink within the differences
    return A


def applied(name, A):
    H = A.copy()
    ACTIVATIONS[name][0](H)
    return H


def chained(name, H, delta):
    delta = delta.copy()
    ACTIVATIONS[name][1](H, delta)
    return delta


def test_every_activation_is_in_the_textbook():
    assert TEXTBOOK.keys() == ACTIVATIONS.keys() == LIMITS.keys()


@every_activation
@every_dtype
def test_value_is_the_textbook_formula(name, dtype):
    A = pre_activations(dtype)
    assert_allclose(applied(name, A), TEXTBOOK[name](A.astype(np.float64)), rtol=1e-5, atol=1e-6)


@every_activation
def test_value_is_exact_in_float64(name):
    A = pre_activations()
    assert_allclose(applied(name, A), TEXTBOOK[name](A), rtol=1e-13)


@every_activation
@every_dtype
def test_value_and_chain_work_in_place_and_return_nothing(name, dtype):
    value, chain = ACTIVATIONS[name]
    A, delta = pre_activations(dtype), np.ones((7, 5), dtype)
    buffers = A[:4], delta[:4]  # views, as the network has them
    expected_H = applied(name, buffers[0])
    expected_delta = chained(name, expected_H, buffers[1])
    below = A[4:].copy()
    assert value(buffers[0]) is None
    assert chain(*buffers) is None
    assert_array_equal(A[:4], expected_H)
    assert_array_equal(delta[:4], expected_delta)
    assert_array_equal(A[4:], below)
    assert_array_equal(delta[4:], 1)


@every_activation
def test_chain_is_the_derivative_by_central_differences(name):
    A, step = pre_activations(), 1e-6
    delta = np.random.default_rng(1).normal(size=A.shape)
    derivative = (applied(name, A + step) - applied(name, A - step)) / (2 * step)
    assert_allclose(chained(name, applied(name, A), delta), delta * derivative, rtol=1e-6, atol=1e-9)


@every_activation
def test_chain_is_linear_in_the_gradient(name):
    H, delta = applied(name, pre_activations()), np.random.default_rng(1).normal(size=(7, 5))
    assert_allclose(chained(name, H, -3 * delta), -3 * chained(name, H, delta), rtol=1e-14)


@every_activation
def test_chain_leaves_the_output_as_it_is(name):
    H = applied(name, pre_activations())
    before = H.copy()
    H.flags.writeable = False
    chained(name, H, np.ones_like(H))
    assert_array_equal(H, before)


@every_activation
@every_dtype
def test_chain_keeps_the_dtype(name, dtype):
    H = applied(name, pre_activations(dtype))
    assert H.dtype == dtype
    assert chained(name, H, np.ones_like(H)).dtype == dtype


@every_activation
@every_dtype
def test_extreme_values_neither_overflow_nor_warn(name, dtype):
    A = np.array([[-1e4, 1e4]], dtype=dtype)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        H = applied(name, A)
        delta = chained(name, H, np.ones_like(H))
    assert_allclose(H[0], LIMITS[name], atol=1e-30)
    assert np.isfinite(delta).all() and (delta >= 0).all()


@every_activation
def test_activation_never_decreases(name):
    H = applied(name, np.linspace(-8, 8, 200)[np.newaxis])
    assert (np.diff(H) >= 0).all()


def test_relu_has_derivative_0_at_0():
    assert_array_equal(chained("relu", applied("relu", np.zeros((1, 3))), np.ones((1, 3))), 0)
