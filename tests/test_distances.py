import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from skmetric.losses import DISTANCES, MetricLoss, all_pairs, squared_distances, squared_distances_chain
from skmetric.testing import check_gradient

EXPONENTS = {"sqeuclidean": 1.0, "euclidean": 0.5}  # the rule is shown D ** exponent
SHAPES = [(1, 1), (2, 1), (3, 2), (17, 5), (64, 64), (101, 7)]

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_distance = pytest.mark.parametrize("distance", DISTANCES)


def embeddings(shape=(17, 5), dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def gradient_on_distances(n, dtype=np.float64, seed=1):
    # Neither symmetric nor with a zero diagonal.
    return np.random.default_rng(seed).normal(size=(n, n)).astype(dtype)


def weighted_sum(D, positive, negative, weights):
    """The simplest rule: its C is known."""
    return float(np.sum(weights * D)), weights.astype(D.dtype), 1, 1


def weighted_loss(weights, distance):
    return MetricLoss(partial(weighted_sum, weights=weights), DISTANCES[distance](all_pairs))


def chain_loop(Z, C):
    dZ = np.zeros(Z.shape)
    for i, j in np.ndindex(C.shape):
        dZ[i] += 2 * C[i, j] * (Z[i] - Z[j])
        dZ[j] += 2 * C[i, j] * (Z[j] - Z[i])
    return dZ


# --- squared distances ------------------------------------------------------------------------------


@every_shape
@every_dtype
def test_squared_distances_are_those_of_scipy(shape, dtype):
    Z = embeddings(shape, dtype)
    D = squared_distances(Z)
    tolerance = 50 * np.finfo(dtype).eps
    assert D.dtype == dtype
    assert_allclose(D, cdist(Z, Z, "sqeuclidean"), rtol=tolerance, atol=tolerance * shape[1])


@every_shape
@every_dtype
def test_squared_distances_are_symmetric_up_to_rounding(shape, dtype):
    D = squared_distances(embeddings(shape, dtype))
    assert_allclose(D, D.T, rtol=0, atol=16 * np.finfo(dtype).eps * max(D.max(), 1))


@every_shape
@every_dtype
@pytest.mark.parametrize("offset", [0, 1e3])
def test_squared_distances_are_never_negative_and_zero_on_the_diagonal(shape, dtype, offset):
    # Each row twice: rounding alone would make some of these distances negative.
    D = squared_distances(np.tile(embeddings(shape, dtype) + dtype(offset), (2, 1)))
    assert_array_equal(np.diag(D), 0)
    assert D.min() >= 0


@every_dtype
def test_roots_fulfil_the_triangle_inequality(dtype):
    d = np.sqrt(squared_distances(embeddings((30, 3), dtype)))
    detour = (d[:, :, None] + d[None, :, :]).min(axis=1)
    assert (d <= detour + 10 * np.sqrt(np.finfo(dtype).eps)).all()


@pytest.mark.parametrize("offset", [0, 1e3])
def test_float32_resolves_a_thousandth_of_the_spread(offset):
    # The promise of the docstring. At the offset the rows themselves are rounded: so both start there.
    Z = embeddings((40, 8), np.float32)
    Z[20:] = Z[:20] + 1e-3 * embeddings((20, 8), np.float32, seed=1)
    Z += np.float32(offset)
    spread = Z.std(axis=0, dtype=np.float64).max()
    d = np.sqrt(squared_distances(Z))
    assert_allclose(d, cdist(Z.astype(np.float64), Z), atol=2e-3 * spread, rtol=1e-4)


@every_dtype
def test_equal_rows_have_distance_zero_up_to_rounding(dtype):
    Z = np.repeat(embeddings((10, 4), dtype), 2, axis=0)
    D = squared_distances(Z)
    assert D[np.arange(0, 20, 2), np.arange(1, 20, 2)].max() <= 50 * np.finfo(dtype).eps


@every_dtype
def test_translation_keeps_squared_distances(dtype):
    # Quarters and an integer offset: the moved rows are exact in both dtypes.
    Z = np.random.default_rng(0).integers(-8, 8, (16, 4)).astype(dtype) / 4
    assert_allclose(squared_distances(Z + dtype(1024)), squared_distances(Z), atol=1e-3, rtol=1e-4)


@every_dtype
def test_rows_far_from_the_origin_keep_their_digits(dtype):
    Z = embeddings((16, 4), dtype) + dtype(1e3)
    expected = cdist(Z.astype(np.float64), Z.astype(np.float64), "sqeuclidean")
    assert_allclose(squared_distances(Z), expected, rtol=2e-3, atol=2e-3)


def test_squared_distances_leave_the_embeddings_as_they_are():
    Z = embeddings()
    before = Z.copy()
    Z.flags.writeable = False
    squared_distances(Z)
    assert_array_equal(Z, before)


# --- the chain rule ---------------------------------------------------------------------------------


@every_shape
@every_dtype
def test_chain_is_the_double_loop_for_any_matrix(shape, dtype):
    Z, C = embeddings(shape, dtype), gradient_on_distances(shape[0], dtype)
    dZ = squared_distances_chain(Z, C)
    tolerance = 50 * np.finfo(dtype).eps * shape[0]
    assert dZ.dtype == dtype and dZ.shape == shape
    assert_allclose(dZ, chain_loop(Z.astype(np.float64), C), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("C_dtype", [np.float32, np.float64, int])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
@every_dtype
def test_no_layout_and_no_dtype_of_a_rule_loses_the_gradient(dtype, layout, C_dtype):
    Z, C = embeddings(dtype=dtype), (10 * gradient_on_distances(17)).astype(C_dtype)
    expected = chain_loop(Z.astype(float), C.astype(float))
    assert_allclose(squared_distances_chain(layout(Z), layout(C)), expected, rtol=1e-4, atol=1e-3)
    assert_allclose(squared_distances(layout(Z)), cdist(Z, Z, "sqeuclidean"), rtol=1e-4, atol=1e-4)


def test_chain_of_the_transpose_is_the_same():
    Z, C = embeddings(), gradient_on_distances(17)
    assert_allclose(squared_distances_chain(Z, C.T), squared_distances_chain(Z, C), rtol=1e-12)


def test_chain_ignores_the_diagonal():
    Z, C = embeddings(), gradient_on_distances(17)
    assert_allclose(
        squared_distances_chain(Z, C + 5 * np.eye(17)),
        squared_distances_chain(Z, C),
        rtol=1e-9,
        atol=1e-12,
    )


def test_chain_of_zeros_is_exactly_zero():
    assert_array_equal(squared_distances_chain(embeddings(), np.zeros((17, 17))), 0)


def test_chain_leaves_its_arguments_as_they_are():
    Z, C = embeddings(), gradient_on_distances(17)
    before = Z.copy(), C.copy()
    Z.flags.writeable = C.flags.writeable = False
    squared_distances_chain(Z, C)
    assert_array_equal(Z, before[0])
    assert_array_equal(C, before[1])


# --- what a rule is shown ---------------------------------------------------------------------------


def test_every_distance_has_its_exponent():
    assert EXPONENTS.keys() == DISTANCES.keys()


@every_distance
def test_rule_is_shown_the_distance_of_that_name_and_the_masks_of_the_labels(distance):
    Z, y, shown = embeddings(), np.arange(17) % 4, []

    def rule(D, positive, negative):
        shown.extend([D, positive, negative])
        return 0.0, np.zeros_like(D), 0, 0

    MetricLoss(rule, DISTANCES[distance](all_pairs))(Z, y)
    D, positive, negative = shown
    assert_allclose(D, cdist(Z, Z) ** (2 * EXPONENTS[distance]), rtol=1e-10, atol=1e-12)
    assert_array_equal(negative, y[:, np.newaxis] != y)
    assert_array_equal(positive, ~negative & ~np.eye(17, dtype=bool))


@every_distance
def test_gradient_of_a_distance_is_that_of_central_differences(distance):
    loss = weighted_loss(gradient_on_distances(17), distance)
    assert check_gradient(loss, embeddings(), np.arange(17)).max() < 1e-6


@every_distance
@every_dtype
def test_gradient_of_a_distance_has_the_dtype_of_the_embeddings(distance, dtype):
    _, dZ = weighted_loss(gradient_on_distances(17), distance)(embeddings(dtype=dtype), np.arange(17))
    assert dZ.dtype == dtype


def test_subgradient_of_the_euclidean_distance_is_0_where_the_distance_is_0():
    D = np.array([[0.0, 0.0, 4.0], [0.0, 0.0, 9.0], [4.0, 9.0, 0.0]])

    def given(Z, y):
        return D, None, None, lambda C: C

    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        d, _, _, chain = DISTANCES["euclidean"](given)(None, None)
        C = chain(np.ones((3, 3)))
    assert_array_equal(d, [[0, 0, 2], [0, 0, 3], [2, 3, 0]])
    assert_allclose(C, [[0, 0, 1 / 4], [0, 0, 1 / 6], [1 / 4, 1 / 6, 0]], rtol=1e-15)


@every_distance
def test_rows_of_zeros_do_not_move(distance):
    value, dZ = weighted_loss(np.ones((4, 4)), distance)(np.zeros((4, 3)), np.arange(4))
    assert value == 0
    assert_array_equal(dZ, 0)
