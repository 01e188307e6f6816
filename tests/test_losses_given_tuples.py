from functools import partial

import numpy as np
import pytest
from loss_tables import (
    RULES,
    embeddings,
    embeddings_of_tuples,
    every_dtype,
    every_reduction,
    masks,
    metric_loss,
)
from numpy.testing import assert_allclose, assert_array_equal
from shared import peak_of

from skmetric.losses import (
    DISTANCES,
    MINERS,
    MetricLoss,
    given_tuples,
    squared_distances,
    triplet,
)
from skmetric.testing import check_gradient

# --- tuples that are given instead of labels --------------------------------------------------------


PAIRS = partial(given_tuples, size=2)
TRIPLETS = partial(given_tuples, size=3)


@every_dtype
@pytest.mark.parametrize("size", [2, 3])
def test_given_tuples_are_compared_with_their_first_row(size, dtype):
    Z, y = embeddings_of_tuples(6, size, dtype=dtype)
    D, positive, negative, _ = given_tuples(Z, y, size=size)
    assert D.dtype == dtype and D.shape == (6, size - 1)
    for t in range(6):
        for j in range(1, size):
            i = size * t + j
            assert D[t, j - 1] == pytest.approx(np.sum((Z[size * t] - Z[i]) ** 2), rel=1e-5)
            assert (positive[t, j - 1], negative[t, j - 1]) == (y[i] == 1, y[i] == 0)


@every_reduction
@every_dtype
@pytest.mark.parametrize("seed", range(5))
def test_contrastive_loss_of_given_pairs_is_the_loop_over_them(reduction, dtype, seed):
    Z, y = embeddings_of_tuples(7, 2, seed, dtype)
    margins = RULES["contrastive"].keywords
    total, n_active = 0.0, 0
    for (first, second), alike in zip(Z.reshape(-1, 2, 3).astype(float), y[::2]):
        d2 = np.sum((first - second) ** 2)
        term = d2 - margins["positive_margin"] if alike else margins["negative_margin"] - d2
        if term > 0:
            total += term * (1 if alike else margins["negative_weight"])
            n_active += 1
    loss = metric_loss("contrastive", reduction, comparison=PAIRS)
    value, dZ = loss(Z, y)
    divisor = {"active": n_active, "mean": 7, "grid": 7}[reduction]
    assert dZ.dtype == dtype and dZ.shape == Z.shape
    assert_allclose(value, total / max(divisor, 1), rtol=1e-4, atol=1e-6)
    assert (loss.n_active, loss.n_valid) == (n_active, 7)


@every_reduction
@pytest.mark.parametrize("mining", [*MINERS, "easy"])
@every_dtype
@pytest.mark.parametrize("seed", range(5))
def test_triplet_loss_of_given_triplets_is_the_loop_over_them(reduction, mining, dtype, seed):
    Z, y = embeddings_of_tuples(6, 3, seed, dtype)
    total, n_active, n_valid = 0.0, 0, 0
    for a, p, n in Z.reshape(-1, 3, 3).astype(float):
        near, far = np.sum((a - p) ** 2), np.sum((a - n) ** 2)
        if mining != "semihard" or near < far < near + 1:
            n_valid += 1
            total += max(near - far + 1, 0)
            n_active += near - far + 1 > 0
    loss = metric_loss(f"triplet-{mining}", reduction, comparison=TRIPLETS)
    value, dZ = loss(Z, y)
    # The grid of anchors and two of what they are compared with has four places each.
    divisor = {"active": n_active, "mean": n_valid, "grid": 24}[reduction]
    assert dZ.dtype == dtype and dZ.shape == Z.shape
    assert_allclose(value, total / max(divisor, 1), rtol=1e-4, atol=1e-6)
    assert (loss.n_active, loss.n_valid) == (n_active, n_valid)


@pytest.mark.parametrize("name", RULES)
@every_reduction
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("sphere", [False, True])
def test_gradient_of_given_tuples_is_that_of_central_differences(name, reduction, distance, sphere):
    size = 2 if name == "contrastive" else 3
    loss = metric_loss(name, reduction, distance, sphere, partial(given_tuples, size=size))
    Z, y = embeddings_of_tuples(7, size)
    assert check_gradient(loss, Z, y).max() < 1e-6


@pytest.mark.parametrize("name", RULES)
def test_given_tuples_cost_what_they_are_and_no_grid(name):
    size = 2 if name == "contrastive" else 3
    loss = metric_loss(name, comparison=partial(given_tuples, size=size))
    Z, y = embeddings_of_tuples(20_000, size, dtype=np.float32)
    assert peak_of(loss, Z, y) < 20 * Z.nbytes


# --- cost -------------------------------------------------------------------------------------------


def test_all_triplets_need_no_array_larger_than_a_few_batches_squared():
    B = 512
    Z, y = embeddings(B, 64, 10, np.float32)
    assert peak_of(MetricLoss(triplet), Z, y) < 12 * B * B * np.dtype(np.float32).itemsize


def test_all_triplets_agree_with_the_dense_cube():
    Z, y = embeddings(64, 8, 5, np.float32)
    D = squared_distances(Z)
    positive, negative = masks(y)
    total, C, n_active, n_valid = triplet(D, positive, negative, margin=4.0)
    valid = positive[:, :, None] & negative[:, None, :]
    terms = np.where(valid, D[:, :, None] - D[:, None, :] + 4, 0).clip(min=0).astype(np.float64)
    active = terms > 0
    assert_allclose(total, terms.sum(), rtol=1e-5)
    assert_array_equal(C, active.sum(axis=2) - active.sum(axis=1))
    assert (n_active, n_valid) == (active.sum(), valid.sum())
