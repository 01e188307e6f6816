import warnings

import numpy as np
import pytest
from loss_tables import (
    EMBEDDING_LOSSES,
    RULES,
    embeddings,
    every_distance_loss,
    every_dtype,
    every_embedding_loss,
    every_mining,
    every_rule,
    every_sphere_loss,
    masks,
    metric_loss,
    parametrized,
    random_distances,
    random_rotation,
)
from numpy.testing import assert_allclose, assert_array_equal

from skmetric.losses import (
    MINERS,
    normalized,
    triplet,
)

# --- invariances ------------------------------------------------------------------------------------


@every_embedding_loss
def test_order_of_the_batch_does_not_matter(loss):
    Z, y = embeddings()
    order = np.random.default_rng(1).permutation(len(y))
    value, dZ = loss(Z, y)
    permuted_value, permuted_dZ = loss(Z[order], y[order])
    assert_allclose(permuted_value, value, rtol=1e-12)
    assert_allclose(permuted_dZ, dZ[order], rtol=1e-9, atol=1e-12)


@every_embedding_loss
def test_names_of_the_classes_do_not_matter(loss):
    Z, y = embeddings()
    value, dZ = loss(Z, y)
    renamed_value, renamed_dZ = loss(Z, np.array([7, -3, 40])[y])
    assert renamed_value == value
    assert_array_equal(renamed_dZ, dZ)


@every_embedding_loss
def test_rotation_keeps_the_value_and_rotates_the_gradient(loss):
    Z, y = embeddings()
    R = random_rotation(Z.shape[1])
    value, dZ = loss(Z, y)
    rotated_value, rotated_dZ = loss(Z @ R, y)
    assert_allclose(rotated_value, value, rtol=1e-10)
    assert_allclose(rotated_dZ, dZ @ R, rtol=1e-9, atol=1e-10)


@every_distance_loss
def test_translation_keeps_value_and_gradient(loss):
    Z, y = embeddings()
    value, dZ = loss(Z, y)
    moved_value, moved_dZ = loss(Z + np.array([10.0, -20.0, 30.0]), y)
    assert_allclose(moved_value, value, rtol=1e-10)
    assert_allclose(moved_dZ, dZ, rtol=1e-9, atol=1e-10)


@every_distance_loss
def test_translation_far_away_costs_float32_a_thousandth_at_most(loss):
    # At 1e3 a float32 has a grain of 6e-5: distances near 1 keep three to four digits. The chain rule
    # multiplies by Z as it is, hence the thousandth of the gradient. Reference: the same rounded
    # rows in float64.
    Z, y = embeddings(dtype=np.float32)
    Z += np.float32(1e3)
    value, dZ = loss(Z, y)
    expected_value, expected_dZ = loss(Z.astype(np.float64), y)
    assert dZ.dtype == np.float32
    assert_allclose(value, expected_value, rtol=1e-4)
    assert np.linalg.norm(dZ - expected_dZ) < 1e-3 * np.linalg.norm(expected_dZ)


@every_distance_loss
def test_gradient_moves_no_centre_of_gravity(loss):
    Z, y = embeddings()
    _, dZ = loss(Z, y)
    assert np.abs(dZ).max() > 1e-4
    assert_allclose(dZ.sum(axis=0), 0, atol=1e-12)


@every_sphere_loss
@pytest.mark.parametrize("scale", [1e-3, 2.0, 1e3])
def test_on_the_sphere_scale_does_not_matter(loss, scale):
    Z, y = embeddings()
    value, dZ = loss(Z, y)
    scaled_value, scaled_dZ = loss(scale * Z, y)
    assert_allclose(scaled_value, value, rtol=1e-10)
    assert_allclose(scale * scaled_dZ, dZ, rtol=1e-8, atol=1e-10)


@every_sphere_loss
def test_on_the_sphere_the_gradient_is_orthogonal_to_each_row(loss):
    Z, y = embeddings()
    _, dZ = loss(Z, y)
    assert np.abs(dZ).max() > 1e-4
    assert_allclose((dZ * Z).sum(axis=1), 0, atol=1e-12)


@every_dtype
def test_normalized_rows_have_length_1_and_a_zero_row_stays(dtype):
    Z, _ = embeddings(dtype=dtype)
    Z[3] = 0
    U, norms = normalized(Z)
    assert U.dtype == norms.dtype == dtype
    assert_allclose(np.linalg.norm(np.delete(U, 3, axis=0), axis=1), 1, rtol=1e-6)
    assert_array_equal(U[3], 0)
    assert norms[3] == 1
    assert_allclose(U * norms, Z, rtol=1e-6)


# --- degenerate batches -----------------------------------------------------------------------------


def degenerate_batches():
    Z, y = embeddings(8)
    duplicates = np.repeat(Z[:4], 2, axis=0)
    clusters = np.where(np.arange(8) < 4, 1.0, -1.0)[:, None] * [100.0, 0.0, 0.0]
    one_zero = Z.copy()
    one_zero[2] = 0
    return {
        "one class": (Z, np.zeros(8, int)),
        "all singletons": (Z, np.arange(8)),
        "one singleton": (Z, np.array([0, 0, 0, 0, 1, 1, 1, 2])),
        "one row": (Z[:1], np.zeros(1, int)),
        "two rows": (Z[:2], np.array([0, 1])),
        "duplicates of one class": (duplicates, np.arange(8) // 2),
        "duplicates of two classes": (duplicates, np.arange(8) % 2),
        "all rows equal": (np.tile(Z[:1], (8, 1)), np.arange(8) % 2),
        "all rows zero": (np.zeros((8, 3)), np.arange(8) % 2),
        "one row zero": (one_zero, y),
        "far apart": (clusters, np.arange(8) // 4),
    }


DEGENERATE = degenerate_batches()
# In these no triplet can be formed, or none is active.
WITHOUT_TRIPLETS = ["one class", "one row", "far apart"]


@pytest.mark.parametrize("batch", DEGENERATE)
@every_dtype
def test_degenerate_batch_is_no_error(batch, dtype):
    Z, y = DEGENERATE[batch]
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for name, loss in EMBEDDING_LOSSES.items():
            value, dZ = loss(Z.astype(dtype), y)
            assert np.isfinite(value) and value >= 0, name
            assert dZ.shape == Z.shape and dZ.dtype == dtype, name
            assert np.isfinite(dZ).all(), name


@pytest.mark.parametrize("name", [name for name in EMBEDDING_LOSSES if name.startswith("triplet")])
@pytest.mark.parametrize("batch", WITHOUT_TRIPLETS)
def test_batch_without_active_triplets_has_loss_0_and_gradient_0(name, batch):
    value, dZ = EMBEDDING_LOSSES[name](*DEGENERATE[batch])
    assert value == 0
    assert_array_equal(dZ, 0)


@pytest.mark.parametrize("name", [name for name in EMBEDDING_LOSSES if name.startswith("contrastive")])
@pytest.mark.parametrize("batch", ["one row", "far apart"])
def test_batch_without_active_pairs_has_loss_0_and_gradient_0(name, batch):
    value, dZ = EMBEDDING_LOSSES[name](*DEGENERATE[batch])
    assert value == 0
    assert_array_equal(dZ, 0)


@every_mining
@pytest.mark.parametrize("reduction", ["active", "mean"])
def test_singletons_have_no_triplets(mining, reduction):
    Z, y = DEGENERATE["all singletons"]
    value, dZ = metric_loss(f"triplet-{mining}", reduction)(Z, y)
    assert value == 0
    assert_array_equal(dZ, 0)


@every_distance_loss
def test_equal_rows_stay_together(loss):
    _, dZ = loss(*DEGENERATE["all rows zero"])
    assert_array_equal(dZ, 0)


# --- manners ----------------------------------------------------------------------------------------


@every_embedding_loss
@every_dtype
def test_gradient_on_embeddings_has_their_dtype(loss, dtype):
    Z, y = embeddings(dtype=dtype)
    value, dZ = loss(Z, y)
    assert type(value) is float
    assert dZ.dtype == dtype and dZ.shape == Z.shape


@parametrized("loss", EMBEDDING_LOSSES)
def test_loss_leaves_its_arguments_as_they_are(loss):
    Z, y = embeddings()
    before = Z.copy(), y.copy()
    loss(Z, y)
    assert_array_equal(Z, before[0])
    assert_array_equal(y, before[1])


@every_rule
def test_rule_leaves_its_arguments_as_they_are(name):
    _, y = embeddings()
    arguments = random_distances(len(y), 0, np.float64), *masks(y)
    before = [array.copy() for array in arguments]
    for array in arguments:
        array.flags.writeable = False
    RULES[name](*arguments)
    for array, array_before in zip(arguments, before):
        assert_array_equal(array, array_before)


@every_mining
def test_mining_leaves_its_arguments_as_they_are(mining):
    _, y = embeddings()
    arguments = random_distances(len(y), 0, np.float64), *masks(y)
    before = [array.copy() for array in arguments]
    MINERS[mining](*arguments, 1.0)
    for array, array_before in zip(arguments, before):
        assert_array_equal(array, array_before)


def test_unknown_mining_is_an_error():
    D = random_distances(4, 0, np.float64)
    with pytest.raises(KeyError, match="nonsense"):
        triplet(D, *masks(np.arange(4) % 2), mining="nonsense")


TUPLE = "a tuple (C, n_valid): an array of the shape of D and a number. Got {}."
REAL = "(C, n_valid) with a real array C and a real number n_valid. Got an array of {} and {}."
FINITE = "finite C and n_valid >= 0."
WRONG_MINERS = {
    "nothing": (lambda *_: None, TypeError, TUPLE.format("NoneType")),
    "an array": (lambda D, *_: D, TypeError, TUPLE.format("ndarray")),
    "a list": (lambda D, *_: [D, 1.0], TypeError, TUPLE.format("list")),
    "three": (lambda D, *_: (D, 1, 2), TypeError, TUPLE.format("tuple")),
    "complex": (lambda D, *_: (D * 1j, 1.0), TypeError, REAL.format("complex128", "float")),
    "no number": (lambda D, *_: (D, None), TypeError, REAL.format("float64", "NoneType")),
    "a count for each anchor": (
        lambda D, *_: (D, np.ones(4)),
        TypeError,
        REAL.format("float64", "ndarray"),
    ),
    "another shape": (lambda D, *_: (D[:2], 1.0), ValueError, "C in the shape of D, (4, 4). Got (2, 4)."),
    "nan": (lambda D, *_: (np.full_like(D, np.nan), 1.0), ValueError, FINITE),
    "less than nothing": (lambda D, *_: (D, -1.0), ValueError, FINITE),
    "infinitely many": (lambda D, *_: (D, np.inf), ValueError, FINITE),
}


@pytest.mark.parametrize("mining, error, message", WRONG_MINERS.values(), ids=WRONG_MINERS.keys())
def test_a_mining_function_that_returns_nonsense_is_named(mining, error, message):
    D = random_distances(4, 0, np.float64)
    with pytest.raises(error) as caught:
        triplet(D, *masks(np.arange(4) % 2), mining=mining)
    assert str(caught.value) == f"A mining function must return {message}"


@pytest.mark.parametrize("kind", [np.int32, np.uint8, bool])
def test_a_mining_function_may_count_in_any_real_type(kind):
    D = random_distances(4, 0, np.float32)
    given = masks(np.arange(4) % 2)
    _, C, _, n_valid = triplet(D, *given, mining=lambda D, *_: (D.astype(kind), 0))
    assert C.dtype == np.float32
    assert_array_equal(C, D.astype(kind))
    assert type(n_valid) is float and n_valid == 0
