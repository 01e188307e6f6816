import tracemalloc
import warnings
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skmetric.distances import DISTANCES, distance_loss, squared_distances
from skmetric.losses import (
    REDUCTIONS,
    contrastive,
    given_pairs,
    given_triplets,
    normalized,
    on_sphere,
    pair_masks,
    triplet,
)
from skmetric.mining import TRIPLET_RULES
from skmetric.testing import check_gradient


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
    **{f"triplet-{mining}": partial(triplet, mining=mining) for mining in TRIPLET_RULES},
    "triplet-easy": partial(triplet, mining=easy_triplets),
}
DISTANCE_LOSSES = {
    f"{rule}-{reduction}-{distance}": partial(
        distance_loss, rule=partial(RULES[rule], reduction=reduction), distance=distance
    )
    for rule, reduction, distance in product(RULES, REDUCTIONS, DISTANCES)
}
SPHERE_LOSSES = {f"{name}-sphere": on_sphere(loss) for name, loss in DISTANCE_LOSSES.items()}
EMBEDDING_LOSSES = DISTANCE_LOSSES | SPHERE_LOSSES

DTYPES = [np.float32, np.float64]


def parametrized(name, table):
    return pytest.mark.parametrize(name, [pytest.param(value, id=key) for key, value in table.items()])


every_embedding_loss = parametrized("loss", EMBEDDING_LOSSES)
every_distance_loss = parametrized("loss", DISTANCE_LOSSES)
every_sphere_loss = parametrized("loss", SPHERE_LOSSES)
every_rule = pytest.mark.parametrize("name", RULES)
every_mining = pytest.mark.parametrize("mining", TRIPLET_RULES)
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
    pairs = [(i, j) for i, j in np.ndindex(D.shape) if i != j or reduction == "grid"]
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
    return few(given(y=label_vectors, seed=seeds, dtype=st.sampled_from(DTYPES))(test))


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
    rule = partial(RULES[name], reduction=reduction)
    assert check_gradient(rule, random_distances(len(y), 0, np.float64), y).max() < 1e-6


# --- value and C against the loops ------------------------------------------------------------------


@every_rule
@every_reduction
@on_any_labels
def test_rule_is_the_loop_over_its_terms(name, reduction, y, seed, dtype):
    D = random_distances(len(y), seed, dtype)
    value, C = RULES[name](D, y, reduction=reduction)
    expected_value, expected_C, *_ = oracle(name)(D, y, reduction=reduction)
    assert C.dtype == dtype
    assert_allclose(value, expected_value, rtol=1e-5, atol=1e-5)
    assert_allclose(C, expected_C, rtol=1e-6, atol=1e-9)


@every_mining
@every_reduction
@on_any_labels
def test_ties_have_loss_0_and_are_not_active(mining, reduction, y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    value, C = triplet(D, y, margin=2, mining=mining, reduction=reduction)
    expected_value, expected_C, *_ = triplet_oracle(D, y, 2, mining, reduction)
    assert_allclose(value, expected_value, rtol=1e-6)
    if mining != "hard":  # among equally hard ones any choice is right: see the next test but one
        assert_allclose(C, expected_C, rtol=1e-6)


@pytest.mark.parametrize("mining", ["all", "semihard"])
@on_any_labels
def test_mining_counts_triplets_exactly(mining, y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    C, n_valid = TRIPLET_RULES[mining](D, *pair_masks(y), 2)
    _, expected, n_active, expected_n_valid = triplet_oracle(D, y, 2, mining)
    assert_array_equal(C, np.rint(expected * n_active))
    assert n_valid == expected_n_valid


@on_any_labels
def test_hard_mining_pairs_a_farthest_positive_with_a_nearest_negative(y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    positive, negative = pair_masks(y)
    C, n_valid = TRIPLET_RULES["hard"](D, positive, negative, 1)
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
    margins = dict(positive_margin=1, negative_margin=3, negative_weight=0.5, reduction=reduction)
    value, C = contrastive(D, y, **margins)
    expected_value, expected_C, *_ = contrastive_oracle(D, y, **margins)
    assert_allclose(value, expected_value, rtol=1e-6)
    assert_allclose(C, expected_C, rtol=1e-6)


@every_reduction
@on_any_labels
def test_contrastive_without_negative_weight_only_pulls(reduction, y, seed, dtype):
    D = integer_distances(len(y), seed, dtype)
    value, C = contrastive(D, y, negative_weight=0, reduction=reduction)
    expected, expected_C, *_ = contrastive_oracle(D, y, negative_weight=0, reduction=reduction)
    assert_allclose(value, expected, rtol=1e-6)
    assert_allclose(C, expected_C, rtol=1e-6)


@every_reduction
@pytest.mark.parametrize("mining", [*TRIPLET_RULES, easy_triplets])
@on_any_labels
def test_counts_are_of_active_and_valid_triplets_and_add_up(mining, reduction, y, seed, dtype):
    D, counts = integer_distances(len(y), seed, dtype), np.zeros(2)
    *_, n_active, n_valid = triplet_oracle(D, y, 1, mining, reduction)
    triplet(D, y, mining=mining, reduction=reduction, counts=counts)
    assert_array_equal(counts, [n_active, n_valid])
    triplet(D, y, mining=mining, reduction=reduction, counts=counts)
    assert_array_equal(counts, [2 * n_active, 2 * n_valid])


@every_reduction
@on_any_labels
def test_counts_are_of_active_and_valid_pairs_and_add_up(reduction, y, seed, dtype):
    D, counts = integer_distances(len(y), seed, dtype), np.zeros(2)
    n_active, n_valid = contrastive_oracle(D, y, reduction="mean")[2:]
    for times in (1, 2):
        contrastive(D, y, reduction=reduction, counts=counts)
        assert_array_equal(counts, [times * n_active, times * n_valid])


@pytest.mark.parametrize("name", [name for name in RULES if name.startswith("triplet")])
@on_any_labels
def test_each_anchor_pulls_as_much_as_it_pushes(name, y, seed, dtype):
    _, C = RULES[name](random_distances(len(y), seed, dtype), y)
    assert_allclose(C.sum(axis=1), 0, atol=1e-6)


@every_mining
@pytest.mark.parametrize("size", [1, 2**12, 2**22, 2**24, 2**28])
def test_positives_pull_and_negatives_push_even_where_the_margin_is_below_rounding(mining, size):
    y = np.arange(10) % 3
    positive, negative = pair_masks(y)
    D = np.float32(size) * (1 + integer_distances(10, 0, np.float32))
    C, n_valid = TRIPLET_RULES[mining](D, positive, negative, 1.0)
    assert C[positive].min() >= 0 >= C[negative].max()
    assert 0 <= C[positive].sum() <= n_valid


def test_pair_masks_part_the_pairs_but_for_the_diagonal():
    y = np.array([0, 1, 0, 2])
    positive, negative = pair_masks(y)
    assert_array_equal(negative, y[:, None] != y)
    assert_array_equal(positive, ~negative & ~np.eye(4, dtype=bool))
    assert_array_equal(pair_masks(y, self_pairs=True)[0], ~negative)


# --- tuples that are given instead of labels --------------------------------------------------------


def codes_of_pairs(same, seed):
    """Codes of pairs whose numbers are not 0..n-1, in random order."""
    rng = np.random.default_rng(seed)
    numbers = rng.choice(1000, len(same), replace=False)
    return rng.permutation(np.repeat(2 * numbers + same, 2))


def codes_of_triplets(n, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.choice(1000, n, replace=False)
    return rng.permutation((3 * numbers[:, np.newaxis] + np.arange(3)).ravel())


def pairs_in(code):
    """Ordered pairs of rows that are given, and whether each is of the same."""
    code, n = code.tolist(), range(len(code))
    return [(i, j, code[i] % 2 == 1) for i, j in product(n, n) if i != j and code[i] // 2 == code[j] // 2]


def triplets_in(code):
    place = {c: i for i, c in enumerate(code.tolist())}
    return [(place[c], place[c + 1], place[c + 2]) for c in place if c % 3 == 0]


kinds_of_pairs = st.lists(st.integers(0, 1), min_size=1, max_size=6).map(np.array)
on_given_pairs = few(given(same=kinds_of_pairs, seed=seeds, dtype=st.sampled_from(DTYPES)))
on_given_triplets = few(given(n=st.integers(1, 5), seed=seeds, dtype=st.sampled_from(DTYPES)))


@few
@given(same=kinds_of_pairs, seed=seeds)
def test_masks_of_given_pairs_hold_these_in_both_orders(same, seed):
    code = codes_of_pairs(same, seed)
    expected = np.zeros((2, len(code), len(code)), dtype=bool)
    for i, j, alike in pairs_in(code):
        expected[0 if alike else 1, i, j] = True
    for self_pairs in (False, True):
        assert_array_equal(given_pairs(code, self_pairs), expected)
    assert expected[0].sum() == 2 * same.sum() and expected[1].sum() == 2 * (1 - same).sum()


@few
@given(n=st.integers(1, 5), seed=seeds)
def test_masks_of_given_triplets_hold_the_two_pairs_of_each_anchor(n, seed):
    code = codes_of_triplets(n, seed)
    expected = np.zeros((2, 3 * n, 3 * n), dtype=bool)
    for a, p, m in triplets_in(code):
        expected[0, a, p] = expected[1, a, m] = True
    for self_pairs in (False, True):
        assert_array_equal(given_triplets(code, self_pairs), expected)


@pytest.mark.parametrize("masks", [given_pairs, given_triplets])
def test_masks_of_tuples_are_apart_and_of_bool(masks):
    code = np.random.default_rng(0).permutation(24)
    code.flags.writeable = False
    positive, negative = masks(code)
    assert positive.dtype == negative.dtype == bool
    assert not (positive & negative).any()
    assert not np.diag(positive | negative).any()


@every_reduction
@on_given_pairs
def test_contrastive_rule_of_given_pairs_is_the_loop_over_them(reduction, same, seed, dtype):
    code = codes_of_pairs(same, seed)
    D, counts = random_distances(len(code), seed, dtype), np.zeros(2)
    margins = RULES["contrastive"].keywords
    total, n_active, expected_C = 0.0, 0, np.zeros(D.shape)
    for i, j, alike in pairs_in(code):
        term = D[i, j] - margins["positive_margin"] if alike else margins["negative_margin"] - D[i, j]
        if term > 0:
            weight = 1 if alike else margins["negative_weight"]
            total, n_active = total + weight * float(term), n_active + 1
            expected_C[i, j] = weight if alike else -weight
    divisor = {"active": n_active, "mean": len(code), "grid": len(code) ** 2}[reduction] or 1
    value, C = contrastive(D, code, **margins, reduction=reduction, counts=counts, masks=given_pairs)
    assert C.dtype == dtype
    assert_allclose(value, total / divisor, rtol=1e-5, atol=1e-5)
    assert_allclose(C, expected_C / divisor, rtol=1e-6)
    assert_array_equal(counts, [n_active, len(code)])


@every_reduction
@pytest.mark.parametrize("mining", [*TRIPLET_RULES, easy_triplets])
@on_given_triplets
def test_triplet_rule_of_given_triplets_is_the_loop_over_them(mining, reduction, n, seed, dtype):
    code = codes_of_triplets(n, seed)
    D, counts = random_distances(3 * n, seed, dtype), np.zeros(2)
    chosen = MINED[mining](D.astype(np.float64), triplets_in(code), 1.0)
    total, n_active, expected_C = 0.0, 0, np.zeros(D.shape)
    for a, p, m in chosen:
        term = float(D[a, p]) - float(D[a, m]) + 1.0
        if term > 0:
            total, n_active = total + term, n_active + 1
            expected_C[a, p], expected_C[a, m] = 1, -1
    divisor = {"active": n_active, "mean": len(chosen), "grid": len(code) ** 3}[reduction] or 1
    value, C = triplet(D, code, mining=mining, reduction=reduction, counts=counts, masks=given_triplets)
    assert C.dtype == dtype
    assert_allclose(value, total / divisor, rtol=1e-5, atol=1e-5)
    assert_allclose(C, expected_C / divisor, rtol=1e-6)
    assert_array_equal(counts, [n_active, len(chosen)])


GIVEN = {
    "contrastive": (given_pairs, np.repeat(2 * np.arange(7) + np.arange(7) % 2, 2)),
    **{name: (given_triplets, np.arange(15)) for name in RULES if name != "contrastive"},
}


@pytest.mark.parametrize("name, masks, code", [(name, *rest) for name, rest in GIVEN.items()])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("sphere", [False, True])
def test_gradient_of_given_tuples_is_that_of_central_differences(name, masks, code, distance, sphere):
    loss = partial(distance_loss, rule=partial(RULES[name], masks=masks), distance=distance)
    Z, _ = embeddings(len(code))
    assert check_gradient(on_sphere(loss) if sphere else loss, Z, code).max() < 1e-6


# --- cost -------------------------------------------------------------------------------------------


def test_all_triplets_need_no_array_larger_than_a_few_batches_squared():
    B = 512
    Z, y = embeddings(B, 64, 10, np.float32)
    loss = partial(distance_loss, rule=triplet)
    loss(Z, y)
    tracemalloc.start()
    try:
        loss(Z, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * B * B * np.dtype(np.float32).itemsize


def test_all_triplets_agree_with_the_dense_cube():
    Z, y = embeddings(64, 8, 5, np.float32)
    D, counts = squared_distances(Z), np.zeros(2)
    value, C = triplet(D, y, margin=4.0, reduction="mean", counts=counts)
    positive, negative = pair_masks(y)
    valid = positive[:, :, None] & negative[:, None, :]
    terms = np.where(valid, D[:, :, None] - D[:, None, :] + 4, 0).clip(min=0).astype(np.float64)
    active = terms > 0
    assert_allclose(value, terms.sum() / valid.sum(), rtol=1e-5)
    assert_allclose(C, (active.sum(axis=2) - active.sum(axis=1)) / valid.sum(), rtol=1e-5)
    assert_array_equal(counts, [active.sum(), valid.sum()])


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
    value, dZ = distance_loss(Z, y, rule=partial(triplet, mining=mining, reduction=reduction))
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
@every_reduction
def test_rule_leaves_its_arguments_as_they_are(name, reduction):
    _, y = embeddings()
    D = random_distances(len(y), 0, np.float64)
    D.flags.writeable = y.flags.writeable = False
    before = D.copy(), y.copy()
    RULES[name](D, y, reduction=reduction)
    assert_array_equal(D, before[0])
    assert_array_equal(y, before[1])


@every_mining
def test_mining_leaves_its_arguments_as_they_are(mining):
    _, y = embeddings()
    arguments = random_distances(len(y), 0, np.float64), *pair_masks(y)
    before = [array.copy() for array in arguments]
    TRIPLET_RULES[mining](*arguments, 1.0)
    for array, array_before in zip(arguments, before):
        assert_array_equal(array, array_before)


@pytest.mark.parametrize("option", ["mining", "reduction"])
def test_unknown_name_of_an_option_is_an_error(option):
    Z, y = embeddings()
    with pytest.raises(KeyError, match="nonsense"):
        triplet(squared_distances(Z), y, **{option: "nonsense"})
