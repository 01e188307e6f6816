import math
import warnings
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from profiles import by_profile
from scipy.special import softmax

from skmetric.losses import (
    DISTANCES,
    NEIGHBOR_TARGETS,
    MetricLoss,
    all_pairs,
    over_anchors,
    soft_neighbors,
    squared_distances,
)
from skmetric.losses._soft_neighbors import every_positive, own_class
from skmetric.testing import check_gradient

LOSSES = list(NEIGHBOR_TARGETS)
DTYPES = [np.float32, np.float64]
every_loss = pytest.mark.parametrize("loss", LOSSES)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_temperature = pytest.mark.parametrize("temperature", [1.0, 0.2, 7.0])


def embeddings(n=15, n_classes=4, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.8, (n, 3)).astype(dtype), rng.integers(0, n_classes, n)


def masks(y):
    """Positive and negative pairs by the definition."""
    negative = np.array([[a != b for b in y] for a in y])
    return ~negative & ~np.eye(len(y), dtype=bool), negative


def neighbor_loss(loss=LOSSES[0], temperature=1.0, distance="sqeuclidean"):
    """The loss on embeddings as the estimator makes it."""
    rule = partial(soft_neighbors, loss=loss, temperature=temperature)
    return MetricLoss(rule, DISTANCES[distance](all_pairs), over_anchors)


def mean_over_anchors(D, y, **options):
    """Value and C of the rule, shown all pairs."""
    return over_anchors(*soft_neighbors(D, *masks(y), **options))


def random_distances(n, seed=0, dtype=np.float64):
    D = np.random.default_rng(seed).uniform(0.01, 5, (n, n)).astype(dtype)
    np.fill_diagonal(D, 0)
    return D


# --- oracle: the formulas of the docstring, one row after the other -----------------------------------


def row_loss(choice, positives, loss):
    if loss == "neighborhood_components":
        return -math.log(sum(choice[j] for j in positives))
    return sum(-math.log(choice[j]) for j in positives) / len(positives)


def row_target(choice, positives, j, loss):
    if j not in positives:
        return 0.0
    if loss == "neighborhood_components":
        return choice[j] / sum(choice[k] for k in positives)
    return 1 / len(positives)


def by_labels(y):
    """Positives and negatives of each row."""
    rows = range(len(y))
    return [
        ([j for j in rows if j != i and y[j] == y[i]], [j for j in rows if y[j] != y[i]]) for i in rows
    ]


def oracle(D, compared, loss, temperature):
    """Value, C, and the numbers of rows that choose wrongly and that count."""
    D, C = D.astype(np.float64), np.zeros(D.shape)
    total, n_wrong, counted = 0.0, 0, [i for i, both in enumerate(compared) if all(both)]
    for i in counted:
        positives, negatives = compared[i]
        weight = {j: math.exp(-D[i, j] / temperature) for j in positives + negatives}
        choice = {j: weight[j] / sum(weight.values()) for j in weight}
        total += row_loss(choice, positives, loss)
        n_wrong += sum(choice[j] for j in negatives) > 0.5
        for j in choice:
            C[i, j] = (row_target(choice, positives, j, loss) - choice[j]) / temperature
    n = max(len(counted), 1)
    return total / n, C / n, n_wrong, len(counted)


def on_any_labels(test):
    """Random labels, and always: one class, all different, one pair, a singleton, one row."""
    for labels in ([0, 0, 0, 0], [0, 1, 2, 3, 4], [0, 1], [3, 3, 1], [2]):
        test = example(y=np.array(labels), seed=0, dtype=np.float32)(test)
    vectors = st.lists(st.integers(0, 4), min_size=1, max_size=12).map(np.array)
    some = given(y=vectors, seed=st.integers(0, 999), dtype=st.sampled_from(DTYPES))
    return settings(max_examples=by_profile(30, 500))(some(test))


# --- value and C against the loops --------------------------------------------------------------------


@every_loss
@every_temperature
@on_any_labels
def test_rule_is_the_loop_over_its_rows(loss, temperature, y, seed, dtype):
    D = random_distances(len(y), seed, dtype)
    value, C = mean_over_anchors(D, y, loss=loss, temperature=temperature)
    expected_value, expected_C, *_ = oracle(D, by_labels(y), loss, temperature)
    assert C.dtype == dtype
    assert_allclose(value, expected_value, rtol=1e-5, atol=1e-6)
    assert_allclose(C, expected_C, rtol=1e-4, atol=1e-6)


@every_loss
@every_temperature
@every_dtype
def test_given_triplets_are_a_choice_of_two(loss, temperature, dtype):
    D = random_distances(9, dtype=dtype)[:, :2] + dtype(0.1)
    positive = np.tile([True, False], (9, 1))
    value, C = over_anchors(*soft_neighbors(D, positive, ~positive, loss=loss, temperature=temperature))
    p = 1 / (1 + np.exp((D[:, 0] - D[:, 1]).astype(float) / temperature))
    assert value == pytest.approx(-np.log(p).mean(), rel=1e-5)
    assert_allclose(C, np.column_stack([1 - p, p - 1]) / temperature / 9, rtol=1e-4, atol=1e-6)


@every_loss
def test_given_pairs_leave_no_choice(loss):
    # An anchor of a pair has a positive or a negative, never both.
    positive = np.array([[True], [False], [True]])
    total, C, n_active, n_valid = soft_neighbors(np.ones((3, 1)), positive, ~positive, loss=loss)
    assert (total, n_active, n_valid) == (0, 0, 0)
    assert_array_equal(C, 0)


@every_loss
@every_temperature
@on_any_labels
def test_counts_are_of_wrong_choices_and_of_rows_that_count(loss, temperature, y, seed, dtype):
    D = random_distances(len(y), seed, dtype)
    *_, n_active, n_valid = soft_neighbors(D, *masks(y), loss=loss, temperature=temperature)
    assert (n_active, n_valid) == oracle(D, by_labels(y), loss, temperature)[2:]


@every_loss
@on_any_labels
def test_each_row_pulls_as_much_as_it_pushes(loss, y, seed, dtype):
    _, C = mean_over_anchors(random_distances(len(y), seed, dtype), y, loss=loss)
    assert_allclose(C.sum(axis=1), 0, atol=1e-6)
    positive, negative = masks(y)
    assert_array_equal(C[~(positive | negative)], 0)
    assert (C[negative] <= 0).all()


# --- the objective of the paper -----------------------------------------------------------------------


def nca_probabilities(Z, y):
    """The p_i that scikit-learn's NeighborhoodComponentsAnalysis sums, in its own words."""
    D = ((Z[:, np.newaxis] - Z) ** 2).sum(axis=2)
    np.fill_diagonal(D, np.inf)
    P = softmax(-D, axis=1)
    return (P * (y[:, np.newaxis] == y)).sum(axis=1)


def test_the_loss_of_neighbourhood_components_is_the_mean_of_minus_log_p():
    Z, y = embeddings()
    value, _ = mean_over_anchors(squared_distances(Z), y)
    assert np.unique(y, return_counts=True)[1].min() > 1, "the test needs positives for each row"
    assert value == pytest.approx(-np.log(nca_probabilities(Z, y)).mean(), rel=1e-10)


def test_the_loss_of_a_row_is_minus_the_logarithm_of_its_p():
    Z, y = embeddings()

    D = squared_distances(Z)
    only = np.arange(15)[:, np.newaxis]
    losses = [soft_neighbors(D, *(mask & (only == i) for mask in masks(y)))[0] for i in range(15)]
    assert_allclose(np.exp(-np.array(losses)), nca_probabilities(Z, y), rtol=1e-9)


def test_both_losses_are_one_where_each_row_has_one_positive():
    y = np.arange(12) // 2
    D = random_distances(12)
    first, second = (mean_over_anchors(D, y, loss=loss) for loss in LOSSES)
    assert first[0] == pytest.approx(second[0], rel=1e-12)
    assert_allclose(first[1], second[1], atol=1e-15)


@on_any_labels
def test_all_positives_near_costs_no_less_than_one_of_them(y, seed, dtype):
    # Jensen: the mean of -log p_ij is at least -log of the mean, and that -log of the sum.
    D = random_distances(len(y), seed, dtype)
    one, every = (mean_over_anchors(D, y, loss=loss)[0] for loss in LOSSES)
    assert every >= one - 1e-6


# --- gradients ----------------------------------------------------------------------------------------


@every_loss
@every_temperature
def test_gradient_on_distances_is_that_of_central_differences(loss, temperature):
    y = embeddings()[1]
    rule = partial(mean_over_anchors, y=y, loss=loss, temperature=temperature)
    D = random_distances(len(y))
    assert rule(D)[0] > 0
    assert check_gradient(rule, D).max() < 1e-6


@every_loss
@every_temperature
@pytest.mark.parametrize("distance", ["sqeuclidean", "euclidean"])
def test_gradient_on_embeddings_is_that_of_central_differences(loss, temperature, distance):
    Z, y = embeddings()
    assert check_gradient(neighbor_loss(loss, temperature, distance), Z, y).max() < 1e-6


# --- invariances --------------------------------------------------------------------------------------


@every_loss
def test_order_of_the_batch_does_not_matter(loss):
    D, y = random_distances(15), embeddings()[1]
    order = np.random.default_rng(1).permutation(15)
    value, C = mean_over_anchors(D, y, loss=loss)
    permuted_value, permuted_C = mean_over_anchors(D[np.ix_(order, order)], y[order], loss=loss)
    assert permuted_value == pytest.approx(value, rel=1e-12)
    assert_allclose(permuted_C, C[np.ix_(order, order)], atol=1e-14)


@every_loss
def test_names_of_the_classes_do_not_matter(loss):
    D, y = random_distances(15), embeddings()[1]
    value, C = mean_over_anchors(D, y, loss=loss)
    other_value, other_C = mean_over_anchors(D, 100 - 7 * y, loss=loss)
    assert value == other_value
    assert_array_equal(C, other_C)


@every_loss
def test_temperature_is_a_unit_of_distance(loss):
    D, y = random_distances(15), embeddings()[1]
    value, C = mean_over_anchors(D, y, loss=loss)
    scaled_value, scaled_C = mean_over_anchors(8 * D, y, loss=loss, temperature=8.0)
    assert scaled_value == pytest.approx(value, rel=1e-12)
    assert_allclose(8 * scaled_C, C, atol=1e-14)


@every_loss
def test_a_distance_more_to_all_others_changes_no_choice(loss):
    D, y = random_distances(15), embeddings()[1]
    shift = np.random.default_rng(1).uniform(0, 3, (15, 1))
    value, C = mean_over_anchors(D, y, loss=loss)
    shifted_value, shifted_C = mean_over_anchors(D + shift, y, loss=loss)
    assert shifted_value == pytest.approx(value, rel=1e-12)
    assert_allclose(shifted_C, C, atol=1e-14)


# --- degenerate batches -------------------------------------------------------------------------------

NOTHING_TO_COMPARE = {
    "one row": [0],
    "two of a class": [1, 1],
    "two of two classes": [0, 1],
    "one class": [3] * 6,
    "all different": list(range(6)),
}


@every_loss
@every_dtype
@pytest.mark.parametrize("y", NOTHING_TO_COMPARE.values(), ids=NOTHING_TO_COMPARE.keys())
def test_batch_without_a_row_that_counts_has_value_0_and_c_0(loss, dtype, y):
    D = random_distances(len(y), dtype=dtype)
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        total, C, n_active, n_valid = soft_neighbors(D, *masks(y), loss=loss)
        value, C = over_anchors(total, C, n_active, n_valid)
    assert type(value) is float and value == 0
    assert_array_equal(C, np.zeros((len(y), len(y)), dtype))
    assert (n_active, n_valid) == (0, 0)


@pytest.mark.parametrize("n_valid, divisor", [(0, 1), (1, 1), (2, 2)])
def test_a_mean_over_anchors_divides_by_their_number(n_valid, divisor):
    value, C = over_anchors(6.0, np.array([[3.0, -3.0]]), 1, n_valid)
    assert value == 6 / divisor
    assert_array_equal(C, np.array([[3.0, -3.0]]) / divisor)


def test_an_undecided_anchor_is_not_active():
    *_, n_active, n_valid = soft_neighbors(np.ones((3, 3)), *masks([0, 0, 1]))
    assert (n_active, n_valid) == (0, 2)


@every_loss
def test_distances_too_large_for_the_temperature_show_in_the_value_alone(loss):
    y = np.arange(6) % 2
    with np.errstate(all="raise", under="ignore"):
        total, *_ = soft_neighbors(1e300 * random_distances(6), *masks(y), loss=loss, temperature=1e-30)
    assert not np.isfinite(total)


@every_loss
@every_dtype
def test_among_duplicates_the_choice_is_even(loss, dtype):
    y = np.arange(9) % 3
    value, C = mean_over_anchors(np.zeros((9, 9), dtype), y, loss=loss)
    p = 2 / 8 if loss == "neighborhood_components" else 1 / 8
    assert value == pytest.approx(-math.log(p), rel=1e-6)
    same = (y[:, np.newaxis] == y) & ~np.eye(9, dtype=bool)
    expected = np.where(same, 1 / 2 - 1 / 8, -1 / 8) / 9
    np.fill_diagonal(expected, 0)
    assert_allclose(C, expected, rtol=1e-5)


@every_loss
@every_dtype
def test_duplicates_do_not_move(loss, dtype):
    Z = np.ones((9, 2), dtype)
    _, dZ = neighbor_loss(loss)(Z, np.arange(9) % 3)
    assert_array_equal(dZ, 0)


FAR = [(p, n) for p, n in product([1e-30, 1.0, 1e3, 1e6, 1e30], repeat=2)]


@every_loss
@every_dtype
@pytest.mark.parametrize("near, far", FAR)
@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1e3])
def test_where_exp_underflows_all_is_finite(loss, dtype, near, far, temperature):
    y = np.arange(8) % 2
    D = np.where(y[:, np.newaxis] == y, near, far).astype(dtype)
    np.fill_diagonal(D, 0)
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        value, C = mean_over_anchors(D, y, loss=loss, temperature=temperature)
    assert np.isfinite(C).all()
    # Of far positives beside near negatives the loss is the difference, but for log(7) = 1.95 at most.
    rounding = 1e-6 * near / temperature
    assert value == pytest.approx(max((near - far) / temperature, 0), abs=2 + rounding)


@every_loss
@every_dtype
def test_far_positives_go_on_pulling(loss, dtype):
    Z, y = np.array([[0.0], [1e4], [1.0], [1e4 + 1]], dtype), np.array([0, 0, 1, 1])
    _, dZ = neighbor_loss(loss)(Z, y)
    # Each of a class goes towards the other.
    assert (np.sign(dZ[:, 0]) == [-1, 1, -1, 1]).all()


@every_dtype
@pytest.mark.parametrize("target", [own_class, every_positive])
def test_targets_of_a_row_without_positives_are_0(dtype, target):
    logits = np.full((2, 2), -np.inf, dtype)
    logits[0, 1] = logits[1, 0] = -1
    T, _ = target(logits, np.array([[False, True], [False, False]]))
    assert T.dtype == dtype
    assert_array_equal(T, [[0, 1], [0, 0]])


# --- manners ------------------------------------------------------------------------------------------


@every_loss
@every_dtype
@pytest.mark.parametrize("temperature", [2, 2.0, np.float64(2), np.float32(2)], ids=repr)
def test_c_has_the_dtype_of_the_distances(loss, dtype, temperature):
    Z, y = embeddings(dtype=dtype)
    value, C = mean_over_anchors(squared_distances(Z), y, loss=loss, temperature=temperature)
    assert type(value) is float
    assert C.dtype == dtype and C.shape == (15, 15)


@every_loss
def test_float32_agrees_with_float64(loss):
    y = embeddings()[1]
    single, double = (mean_over_anchors(random_distances(15).astype(d), y, loss=loss) for d in DTYPES)
    assert single[0] == pytest.approx(double[0], rel=1e-5)
    assert_allclose(single[1], double[1], atol=1e-6)


@every_loss
def test_rule_leaves_its_arguments_as_they_are(loss):
    arguments = random_distances(15), *masks(embeddings()[1])
    before = [array.copy() for array in arguments]
    for array in arguments:
        array.flags.writeable = False
    soft_neighbors(*arguments, loss=loss)
    for array, array_before in zip(arguments, before):
        assert_array_equal(array, array_before)


@pytest.mark.parametrize("target", NEIGHBOR_TARGETS.values(), ids=NEIGHBOR_TARGETS.keys())
def test_targets_leave_their_arguments_as_they_are(target):
    y = embeddings()[1]
    positive, negative = masks(y)
    logits = np.where(positive | negative, -random_distances(15), -np.inf)
    logits.flags.writeable = positive.flags.writeable = False
    T, _ = target(logits, positive)
    assert not np.shares_memory(T, logits)


def test_unknown_loss_is_an_error():
    with pytest.raises(KeyError, match="nonsense"):
        mean_over_anchors(random_distances(4), np.array([0, 0, 1, 1]), loss="nonsense")
