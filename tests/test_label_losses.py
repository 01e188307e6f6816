import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, logsumexp, softmax, xlog1py, xlogy

from skmetric.losses import LABEL_LOSSES, binary_log_loss, log_loss
from skmetric.losses._softmax import softmax as own_softmax
from skmetric.testing import check_gradient

SAMPLE_WEIGHT = np.linspace(0.2, 2.5, 12)
every_logit_loss = pytest.mark.parametrize("loss", LABEL_LOSSES.values(), ids=LABEL_LOSSES)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def logits(n=12, n_classes=5, size=1.0, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return (size * rng.normal(size=(n, n_classes))).astype(dtype), rng.integers(0, n_classes, n)


def binary_oracle(Z, y):
    # -log(1 - p_k) = logsumexp of all logits - logsumexp of all but the k-th.
    total = 0.0
    for row, label in zip(Z.astype(np.float64), y):
        total += logsumexp(row) - row[label]
        for k in range(len(row)):
            if k != label:
                total += logsumexp(row) - logsumexp(np.delete(row, k))
    return total / len(y)


def log_oracle(Z, y):
    return -log_softmax(Z.astype(np.float64), axis=1)[np.arange(len(y)), y].mean()


LOGIT_ORACLES = {"log_loss": log_oracle, "binary_log_loss": binary_oracle}


@every_logit_loss
@pytest.mark.parametrize("size", [1, 30, 300])
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("sample_weight", [None, SAMPLE_WEIGHT], ids=["unweighted", "weighted"])
def test_gradient_on_logits_is_that_of_central_differences(loss, size, n_classes, sample_weight):
    Z, y = logits(n_classes=n_classes, size=size)
    assert check_gradient(partial(loss, sample_weight=sample_weight), Z, y).max() < 1e-6


@every_logit_loss
@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_is_right_where_logits_tie(loss, n_classes):
    Z, y = np.zeros((6, n_classes)), np.arange(6) % n_classes
    assert check_gradient(loss, Z, y).max() < 1e-6


@every_logit_loss
def test_shift_of_a_row_of_logits_does_not_matter(loss):
    Z, y = logits()
    shift = np.random.default_rng(1).normal(0, 100, (len(y), 1))
    value, dZ = loss(Z, y)
    shifted_value, shifted_dZ = loss(Z + shift, y)
    assert_allclose(shifted_value, value, rtol=1e-10)
    assert_allclose(shifted_dZ, dZ, atol=1e-12)


@every_logit_loss
@pytest.mark.parametrize("size", [1, 30, 300])
def test_gradient_on_a_row_of_logits_sums_to_zero(loss, size):
    Z, y = logits(size=size)
    _, dZ = loss(Z, y)
    assert np.abs(dZ).max() > 1e-4
    assert_allclose(dZ.sum(axis=1), 0, atol=1e-13)


@every_logit_loss
def test_order_of_rows_and_classes_does_not_matter(loss):
    Z, y = logits()
    rng = np.random.default_rng(1)
    rows, classes = rng.permutation(len(Z)), rng.permutation(Z.shape[1])
    value, dZ = loss(Z, y)
    permuted_value, permuted_dZ = loss(Z[rows][:, classes], np.argsort(classes)[y[rows]])
    assert_allclose(permuted_value, value, rtol=1e-12)
    assert_allclose(permuted_dZ, dZ[rows][:, classes], atol=1e-13)


@pytest.mark.parametrize("size", [0.1, 1, 5])
def test_log_loss_is_minus_log_softmax_of_the_label(size):
    Z, y = logits(size=size)
    assert_allclose(log_loss(Z, y)[0], log_oracle(Z, y), rtol=1e-12)
    assert_allclose(log_loss(Z, y)[1], (softmax(Z, axis=1) - np.eye(5)[y]) / len(y), atol=1e-15)


@pytest.mark.parametrize("size", [0.1, 1, 5])
def test_binary_log_loss_is_the_cross_entropy_summed_over_classes(size):
    Z, y = logits(size=size)
    target, P = np.eye(5)[y], softmax(Z, axis=1)
    expected = -(xlogy(target, P) + xlog1py(1 - target, -P)).sum(axis=1).mean()
    assert_allclose(binary_log_loss(Z, y)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("name", LABEL_LOSSES)
@pytest.mark.parametrize("size", [0, 1, 30, 300, 1e4])
@pytest.mark.parametrize("n_classes", [2, 5])
@every_dtype
def test_value_is_right_however_large_the_logits(name, size, n_classes, dtype):
    Z, y = logits(size=size, n_classes=n_classes, dtype=dtype)
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    assert_allclose(LABEL_LOSSES[name](Z, y)[0], LOGIT_ORACLES[name](Z, y), rtol=rtol, atol=rtol)


@every_logit_loss
@every_dtype
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_saturated_logits_give_finite_value_and_gradient(loss, dtype, right):
    y = np.arange(6) % 3
    Z = (1e4 * np.eye(3)[y if right else (y + 1) % 3]).astype(dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        value, dZ = loss(Z, y)
    assert dZ.dtype == dtype and np.isfinite(dZ).all()
    assert value == 0 if right else 1e4 <= value <= 2.1e4


@every_logit_loss
@every_dtype
def test_right_logits_that_are_as_far_apart_as_floats_can_be_have_loss_0(loss, dtype):
    largest = np.finfo(dtype).max
    Z = np.array([[largest, -largest, -largest]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, dZ = loss(Z, np.array([0]))
    assert value == 0
    assert_array_equal(dZ, 0)


@every_logit_loss
@pytest.mark.parametrize("size", [1, 30, 300, 1e4])
def test_float32_gradient_is_the_float64_gradient_rounded(loss, size):
    Z, y = logits(size=size, dtype=np.float32)
    _, dZ = loss(Z, y)
    assert dZ.dtype == np.float32
    assert_allclose(dZ, loss(Z.astype(np.float64), y)[1], atol=1e-6)


@pytest.mark.parametrize("size", [1, 30, 300])
def test_for_two_classes_the_binary_loss_is_twice_the_log_loss(size):
    Z, y = logits(size=size, n_classes=2)
    (value, dZ), (binary_value, binary_dZ) = log_loss(Z, y), binary_log_loss(Z, y)
    assert_allclose(binary_value, 2 * value, rtol=1e-12)
    assert_allclose(binary_dZ, 2 * dZ, atol=1e-13)


@every_logit_loss
def test_weight_2_is_the_row_twice_but_for_the_division_by_n(loss):
    Z, y = logits()
    n = len(y)
    weight = np.ones(n)
    weight[4] = 2
    value, dZ = loss(Z, y, weight)
    twice_value, twice_dZ = loss(np.vstack([Z, Z[4:5]]), np.append(y, y[4]))
    assert_allclose(n * value, (n + 1) * twice_value, rtol=1e-12)
    twice_dZ[4] += twice_dZ[-1]
    assert_allclose(n * dZ, (n + 1) * twice_dZ[:-1], atol=1e-12)


@every_logit_loss
def test_weight_0_takes_the_row_out_of_the_sum(loss):
    Z, y = logits()
    weight = np.ones(len(y))
    weight[4] = 0
    value, dZ = loss(Z, y, weight)
    rest_value, rest_dZ = loss(np.delete(Z, 4, axis=0), np.delete(y, 4))
    assert_allclose(len(y) * value, (len(y) - 1) * rest_value, rtol=1e-12)
    assert_array_equal(dZ[4], 0)
    assert_allclose(len(y) * np.delete(dZ, 4, axis=0), (len(y) - 1) * rest_dZ, atol=1e-12)


@every_logit_loss
def test_unit_weights_are_no_weights(loss):
    Z, y = logits()
    weighted_value, weighted_dZ = loss(Z, y, np.ones(len(y)))
    value, dZ = loss(Z, y)
    assert weighted_value == value
    assert_array_equal(weighted_dZ, dZ)


@every_logit_loss
@every_dtype
@pytest.mark.parametrize("weight_dtype", [None, np.float32, np.float64, np.int64])
def test_gradient_on_logits_has_their_dtype(loss, dtype, weight_dtype):
    Z, y = logits(dtype=dtype)
    weight = None if weight_dtype is None else np.arange(len(y)).astype(weight_dtype)
    value, dZ = loss(Z, y, weight)
    assert type(value) is float
    assert dZ.dtype == dtype and dZ.shape == Z.shape


@every_logit_loss
def test_logit_loss_leaves_the_weights_as_they_are(loss):
    Z, y = logits()
    weight = SAMPLE_WEIGHT.copy()
    loss(Z, y, weight)
    assert_array_equal(weight, SAMPLE_WEIGHT)


@every_logit_loss
def test_logit_loss_leaves_its_arguments_as_they_are(loss):
    Z, y = logits()
    before = Z.copy(), y.copy()
    loss(Z, y)
    assert_array_equal(Z, before[0])
    assert_array_equal(y, before[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_are_0_where_a_processor_would_be_slow(dtype):
    logits = np.linspace(-800, 0, 30_001, dtype=dtype).reshape(1, -1)
    P, _, total = own_softmax(logits)
    assert_allclose(total, np.exp(logits.astype(np.float64)).sum(), rtol=1e-5)
    assert_allclose(P, softmax(logits.astype(np.float64), axis=1), rtol=1e-4, atol=1e-30)
    assert not ((P > 0) & (P < np.finfo(dtype).smallest_normal)).any()
    assert P[0, -1] > 0
