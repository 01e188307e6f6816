import tracemalloc
import warnings
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import example, settings
from hypothesis import given as given_examples
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skmetric.losses import (
    DISTANCES,
    MINERS,
    PAIR_REDUCTIONS,
    TRIPLET_REDUCTIONS,
    MetricLoss,
    all_pairs,
    contrastive,
    given_tuples,
    normalized,
    on_sphere,
    over_active,
    over_valid,
    squared_distances,
    triplet,
)
from skmetric.testing import check_gradient

REDUCTIONS = list(TRIPLET_REDUCTIONS)


def easy_triplets(D, positive, negative, margin):
    """A user's own mining: the nearest positive and the nearest negative of each anchor."""
    C, n_valid = np.zeros_like(D), 0.0
    for anchor in range(len(D)):
        if positive[anchor].any() and negative[anchor].any():
            n_valid += 1
            p = np.where(positive[anchor], D[anchor], np.inf).argmin()
            n = np.where(negative[anchor], D[anchor], np.inf).argmin()
            active = D[anchor, p] - D[anchor, n] + margin > 0
            C[anchor, p] += active
            C[anchor, n] -= active
    return C, n_valid


# --- the tables: a new rule or loss is one line here, and one in its oracle below -------------------

RULES = {
    "contrastive": partial(contrastive, positive_margin=0.5, negative_margin=1.5, negative_weight=0.7),
    **{f"triplet-{mining}": partial(triplet, mining=mining) for mining in MINERS},
    "triplet-easy": partial(triplet, mining=easy_triplets),
}


def reduction_of(rule, reduction):
    return (PAIR_REDUCTIONS if rule == "contrastive" else TRIPLET_REDUCTIONS)[reduction]


def compares_selves(rule, reduction):
    return reduction == "grid" and rule != "contrastive"


def metric_loss(rule, reduction="active", distance="sqeuclidean", sphere=False, comparison=None):
    """The loss as an estimator makes it."""
    if comparison is None:
        comparison = partial(all_pairs, self_pairs=compares_selves(rule, reduction))
    if sphere:
        comparison = on_sphere(comparison)
    return MetricLoss(RULES[rule], DISTANCES[distance](comparison), reduction_of(rule, reduction))


def masks(y, self_pairs=False):
    """Positive and negative pairs by the definition."""
    positive = np.array(
        [[a == b and (self_pairs or i != j) for j, b in enumerate(y)] for i, a in enumerate(y)]
    )
    return positive, np.array([[a != b for b in y] for a in y])


def on_distances(rule, D, y, reduction="active"):
    """Value, C and the two counts of a rule that is shown all pairs."""
    sums = RULES[rule](D, *masks(y, compares_selves(rule, reduction)))
    return *reduction_of(rule, reduction)(*sums), *sums[2:]


DISTANCE_LOSSES = {
    f"{rule}-{reduction}-{distance}": metric_loss(rule, reduction, distance)
    for rule, reduction, distance in product(RULES, REDUCTIONS, DISTANCES)
}
SPHERE_LOSSES = {
    f"{rule}-{reduction}-{distance}-sphere": metric_loss(rule, reduction, distance, sphere=True)
    for rule, reduction, distance in product(RULES, REDUCTIONS, DISTANCES)
}
EMBEDDING_LOSSES = DISTANCE_LOSSES | SPHERE_LOSSES

DTYPES = [np.float32, np.float64]


def parametrized(name, table):
    return pytest.mark.parametrize(name, [pytest.param(value, id=key) for key, value in table.items()])


every_embedding_loss = parametrized("loss", EMBEDDING_LOSSES)
every_distance_loss = parametrized("loss", DISTANCE_LOSSES)
every_sphere_loss = parametrized("loss", SPHERE_LOSSES)
every_rule = pytest.mark.parametrize("name", RULES)
every_mining = pytest.mark.parametrize("mining", MINERS)
every_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


# --- batches ----------------------------------------------------------------------------------------


def embeddings(n=14, n_components=3, n_classes=3, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.7, (n, n_components)).astype(dtype), rng.integers(0, n_classes, n)


def integer_distances(n, seed, dtype, top=4):
    # Small integers: many exact ties, and exact sums.
    D = np.random.default_rng(seed).integers(0, top + 1, (n, n)).astype(dtype)
    np.fill_diagonal(D, 0)
    return D


def random_distances(n, seed, dtype):
    D = np.random.default_rng(seed).uniform(0.01, 3, (n, n)).astype(dtype)
    np.fill_diagonal(D, 0)
    return D


def random_rotation(n, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


# --- oracles: the definitions of DESIGN.md, one triplet or pair after the other ---------------------


def valid_triplets(y, self_pairs):
    y, n = y.tolist(), range(len(y))
    pairs = [(a, p) for a, p in product(n, n) if y[a] == y[p] and (self_pairs or a != p)]
    return [(a, p, m) for (a, p), m in product(pairs, n) if y[m] != y[a]]


def semihard(D, triplets, margin):
    return [(a, p, n) for a, p, n in triplets if D[a, p] < D[a, n] < D[a, p] + margin]


def hard(D, triplets, margin):
    # max takes the first of equal ones.
    by_anchor = {a: [t for t in triplets if t[0] == a] for a, _, _ in triplets}
    return [max(some, key=lambda t: D[t[:2]] - D[t[0], t[2]]) for some in by_anchor.values()]


def easy(D, triplets, margin):
    by_anchor = {a: [t for t in triplets if t[0] == a] for a, _, _ in triplets}
    return [min(some, key=lambda t: (D[t[:2]], D[t[0], t[2]])) for some in by_anchor.values()]


MINED = {
    "all": lambda D, triplets, margin: triplets,
    "semihard": semihard,
    "hard": hard,
    easy_triplets: easy,
}


def triplet_oracle(D, y, margin=1.0, mining="all", reduction="active"):
    """Value, C, and the numbers of active and of valid triplets."""
    D = D.astype(np.float64)
    total, n_active, C = 0.0, 0, np.zeros_like(D)
    chosen = MINED[mining](D, valid_triplets(y, self_pairs=reduction == "grid"), margin)
    for a, p, n in chosen:
        term = D[a, p] - D[a, n] + margin
        if term > 0:
            total += term
            n_active += 1
            C[a, p] += 1
            C[a, n] -= 1
    divisor = {"active": n_active, "mean": len(chosen), "grid": len(y) ** 3}[reduction] or 1
    return total / divisor, C / divisor, n_active, len(chosen)


def contrastive_oracle(
    D, y, positive_margin=0.0, negative_margin=1.0, negative_weight=1.0, reduction="active"
):
    D = D.astype(np.float64)
    total, n_active, C = 0.0, 0, np.zeros_like(D)
    pairs = [(i, j) for i, j in np.ndindex(D.shape) if i != j]
    for i, j in pairs:
        sign, term = (1, D[i, j] - positive_margin) if y[i] == y[j] else (-1, negative_margin - D[i, j])
        weight = 1 if sign == 1 else negative_weight
        if weight * term > 0:
            total += weight * term
            n_active += 1
            C[i, j] = sign * weight
    divisor = {"active": n_active, "mean": len(pairs), "grid": len(y) ** 2}[reduction] or 1
    return total / divisor, C / divisor, n_active, len(pairs)


def oracle(name):
    function = contrastive_oracle if name == "contrastive" else triplet_oracle
    return partial(function, **RULES[name].keywords)


label_vectors = st.lists(st.integers(0, 4), min_size=2, max_size=12).map(np.array)
seeds = st.integers(0, 2**32 - 1)
few = settings(deadline=None, max_examples=15, derandomize=True)


def on_any_labels(test):
    """Random labels, and always: one class, all different, one pair, a singleton."""
    for labels in ([0, 0, 0, 0], [0, 1, 2, 3, 4], [0, 1], [3, 3, 1]):
        test = example(y=np.array(labels), seed=0, dtype=np.float32)(test)
    return few(given_examples(y=label_vectors, seed=seeds, dtype=st.sampled_from(DTYPES))(test))


# --- gradients --------------------------------------------------------------------------------------


@every_embedding_loss
@pytest.mark.parametrize("seed", [0, 1])
def test_gradient_is_that_of_central_differences(loss, seed):
    Z, y = embeddings(seed=seed)
    assert loss(Z, y)[0] > 0
    assert check_gradient(loss, Z, y).max() < 1e-6


@every_rule
@every_reduction
def test_gradient_on_distances_is_that_of_central_differences(name, reduction):
    _, y = embeddings()

    def value_and_gradient(D):
        return on_distances(name, D, y, reduction)[:2]

    assert check_gradient(value_and_gradient, random_distances(len(y), 0, np.float64)).max() < 1e-6


# --- value and C against the loops ------------------------------------------------------------------


@every_rule
@every_reduction
@on_any_labels
def test_rule_is_the_loop_over_its_terms(name, reduction, y, seed, dtype):
    D = random_distances(len(y), seed, dtype)
    value, C, *counts = on_distances(name, D, y, reduction)
    expected_value, expected_C, *expected_counts = oracle(name)(D, y, reduction=reduction)
    assert counts == expected_counts
    assert C.dtype == dtype
    assert_allclose(value, expected_value, rtol=1e-5, atol=1e-5)
    assert_allclose(C, expected_C, rtol=1e-6, atol=1e-9)


@every_mining
@every_reduction
@on_any_labels
def test_ties_have_loss_0_and_are_not_active(mining, reduction, y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    self_pairs = reduction == "grid"
    sums = triplet(D, *masks(y, self_pairs), margin=2, mining=mining)
    value, C = TRIPLET_REDUCTIONS[reduction](*sums)
    expected_value, expected_C, *_ = triplet_oracle(D, y, 2, mining, reduction)
    assert_allclose(value, expected_value, rtol=1e-6)
    if mining != "hard":  # among equally hard ones any choice is right: see the next test but one
        assert_allclose(C, expected_C, rtol=1e-6)


@pytest.mark.parametrize("mining", ["all", "semihard"])
@on_any_labels
def test_mining_counts_triplets_exactly(mining, y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    C, n_valid = MINERS[mining](D, *masks(y), 2)
    _, expected, n_active, expected_n_valid = triplet_oracle(D, y, 2, mining)
    assert_array_equal(C, np.rint(expected * n_active))
    assert n_valid == expected_n_valid


@on_any_labels
def test_hard_mining_pairs_a_farthest_positive_with_a_nearest_negative(y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    positive, negative = masks(y)
    C, n_valid = MINERS["hard"](D, positive, negative, 1)
    has_both = positive.any(axis=1) & negative.any(axis=1)
    assert n_valid == has_both.sum()
    for a in range(len(y)):
        hardest = D[a][positive[a]].max() - D[a][negative[a]].min() if has_both[a] else -np.inf
        assert sorted(C[a][C[a] != 0]) == ([-1, 1] if hardest + 1 > 0 else [])
        assert np.dot(C[a], D[a]) == (hardest if hardest + 1 > 0 else 0)


@every_reduction
@on_any_labels
def test_contrastive_ties_with_a_margin_are_not_active(reduction, y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    margins = dict(positive_margin=1, negative_margin=3, negative_weight=0.5)
    value, C = PAIR_REDUCTIONS[reduction](*contrastive(D, *masks(y), **margins))
    expected_value, expected_C, *_ = contrastive_oracle(D, y, **margins, reduction=reduction)
    assert_allclose(value, expected_value, rtol=1e-6)
    assert_allclose(C, expected_C, rtol=1e-6)


@every_reduction
@on_any_labels
def test_contrastive_without_negative_weight_only_pulls(reduction, y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    value, C = PAIR_REDUCTIONS[reduction](*contrastive(D, *masks(y), negative_weight=0))
    expected, expected_C, *_ = contrastive_oracle(D, y, negative_weight=0, reduction=reduction)
    assert_allclose(value, expected, rtol=1e-6)
    assert_allclose(C, expected_C, rtol=1e-6)


@every_rule
@every_reduction
def test_counts_of_batches_add_up_to_those_of_the_epoch(name, reduction):
    loss = metric_loss(name, reduction)
    batches = [embeddings(seed=seed) for seed in range(4)]
    expected = np.array(
        [oracle(name)(squared_distances(Z), y, reduction=reduction)[2:] for Z, y in batches]
    )
    for Z, y in batches[:2]:
        loss(Z, y)
    assert_array_equal([loss.n_active, loss.n_valid], expected[:2].sum(axis=0))
    assert loss.notes() == {"active_fraction": loss.n_active / loss.n_valid}
    loss.begin_epoch()
    assert loss.notes() == {"active_fraction": 0.0}
    for Z, y in batches[2:]:
        loss(Z, y)
    assert_array_equal([loss.n_active, loss.n_valid], expected[2:].sum(axis=0))
    assert loss.n_compared == expected[:, 1].sum()


def test_progress_of_a_mean_over_active_terms_is_judged_over_all_valid_ones():
    Z, y = embeddings()
    active = MetricLoss(triplet, reduction=over_active)
    valid = MetricLoss(triplet, reduction=over_valid)
    assert active.level(active(Z, y)[0]) == pytest.approx(valid(Z, y)[0], rel=1e-12)
    assert valid.level(0.25) == 0.25


@pytest.mark.parametrize("name", [name for name in RULES if name.startswith("triplet")])
@on_any_labels
def test_each_anchor_pulls_as_much_as_it_pushes(name, y, seed, dtype):
    _, C, *_ = on_distances(name, random_distances(len(y), seed, dtype), y)
    assert_allclose(C.sum(axis=1), 0, atol=1e-6)


@every_mining
@pytest.mark.parametrize("size", [1, 2**12, 2**22, 2**24, 2**28])
def test_positives_pull_and_negatives_push_even_where_the_margin_is_below_rounding(mining, size):
    y = np.arange(10) % 3
    positive, negative = masks(y)
    D = np.float32(size) * (1 + integer_distances(10, 0, np.float32))
    C, n_valid = MINERS[mining](D, positive, negative, 1.0)
    assert C[positive].min() >= 0 >= C[negative].max()
    assert 0 <= C[positive].sum() <= n_valid


@pytest.mark.parametrize("self_pairs", [False, True])
def test_all_pairs_are_squared_distances_and_the_masks_of_the_labels(self_pairs):
    Z, y = embeddings()
    D, positive, negative, _ = all_pairs(Z, y, self_pairs=self_pairs)
    assert_array_equal(D, squared_distances(Z))
    assert_array_equal(positive, masks(y, self_pairs)[0])
    assert_array_equal(negative, masks(y)[1])


# --- tuples that are given instead of labels --------------------------------------------------------


def given(n, size, seed=0, dtype=np.float64):
    """Embeddings of tuples, and which rows are like the first of their tuple."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(0, 0.7, (n * size, 3)).astype(dtype)
    if size == 2:
        return Z, np.repeat(rng.integers(0, 2, n), 2)
    return Z, np.tile([1, 1, 0], n)


PAIRS = partial(given_tuples, size=2)
TRIPLETS = partial(given_tuples, size=3)


@every_dtype
@pytest.mark.parametrize("size", [2, 3])
def test_given_tuples_are_compared_with_their_first_row(size, dtype):
    Z, y = given(6, size, dtype=dtype)
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
    Z, y = given(7, 2, seed, dtype)
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
    Z, y = given(6, 3, seed, dtype)
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
    Z, y = given(7, size)
    assert check_gradient(loss, Z, y).max() < 1e-6


@pytest.mark.parametrize("name", RULES)
def test_given_tuples_cost_what_they_are_and_no_grid(name):
    size = 2 if name == "contrastive" else 3
    loss = metric_loss(name, comparison=partial(given_tuples, size=size))
    Z, y = given(20_000, size, dtype=np.float32)
    assert peak_of(loss, Z, y) < 20 * Z.nbytes


# --- cost -------------------------------------------------------------------------------------------


def peak_of(loss, Z, y):
    """Bytes that a second call takes on top."""
    loss(Z, y)
    tracemalloc.start()
    try:
        loss(Z, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


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


WRONG_MINERS = {
    "nothing": (lambda *_: None, TypeError, "must return a tuple .* Got NoneType"),
    "an array": (lambda D, *_: D, TypeError, "Got ndarray"),
    "three": (lambda D, *_: (D, 1, 2), TypeError, "must return a tuple"),
    "complex": (lambda D, *_: (D * 1j, 1.0), TypeError, "array of complex128"),
    "no number": (lambda D, *_: (D, None), TypeError, "NoneType"),
    "a count for each anchor": (lambda D, *_: (D, np.ones(4)), TypeError, "ndarray"),
    "another shape": (lambda D, *_: (D[:2], 1.0), ValueError, r"\(4, 4\). Got \(2, 4\)"),
}


@pytest.mark.parametrize("mining, error, message", WRONG_MINERS.values(), ids=WRONG_MINERS.keys())
def test_a_mining_function_that_returns_nonsense_is_named(mining, error, message):
    D = random_distances(4, 0, np.float64)
    with pytest.raises(error, match=f"mining function {message}" if "must" in message else message):
        triplet(D, *masks(np.arange(4) % 2), mining=mining)
