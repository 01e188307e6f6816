import numpy as np
import pytest
from loss_tables import (
    RULES,
    contrastive_oracle,
    embeddings,
    every_embedding_loss,
    every_mining,
    every_reduction,
    every_rule,
    integer_distances,
    masks,
    metric_loss,
    on_any_labels,
    on_distances,
    oracle,
    random_distances,
    triplet_oracle,
)
from numpy.testing import assert_allclose, assert_array_equal

from skmetric.losses import (
    MINERS,
    PAIR_REDUCTIONS,
    TRIPLET_REDUCTIONS,
    MetricLoss,
    OnEachNetwork,
    WithSoftmaxHead,
    all_pairs,
    contrastive,
    over_active,
    over_valid,
    squared_distances,
    triplet,
)
from skmetric.testing import check_gradient

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
    assert loss.notes()["active_fraction"] == loss.n_active / loss.n_valid
    loss.begin_epoch()
    assert loss.notes() == {"mean_loss": 0.0, "active_fraction": 0.0}
    for Z, y in batches[2:]:
        loss(Z, y)
    assert_array_equal([loss.n_active, loss.n_valid], expected[2:].sum(axis=0))
    assert loss.n_compared == expected[:, 1].sum()


@every_rule
@every_reduction
def test_an_epoch_notes_the_mean_over_all_terms_whatever_the_reduction(name, reduction):
    loss = metric_loss(name, reduction)
    reference = MetricLoss(loss.rule, loss.comparison, over_valid)
    total = 0.0
    for seed in range(3):
        Z, y = embeddings(seed=seed)
        loss(Z, y)
        counted = reference.n_valid
        value, _ = reference(Z, y)
        total += value * (reference.n_valid - counted)
    assert loss.notes()["mean_loss"] == pytest.approx(total / reference.n_valid)
    assert loss.notes()["mean_loss"] > 0


def test_the_mean_of_the_largest_terms_is_finite():
    loss = MetricLoss(contrastive)
    both = OnEachNetwork([MetricLoss(contrastive), MetricLoss(contrastive)])
    head = WithSoftmaxHead(MetricLoss(contrastive), 0.0, n_components=1, n_classes=1, dtype=np.float64)
    Z, y = np.array([[0.0], [8e153]]), np.array([0, 0])
    for _ in range(3):
        value, _ = loss(Z, y)
        each, _ = both(np.hstack([Z, Z]), y)
        head(Z, y)
    assert value == each == 8e153**2
    for notes in (loss.notes(), both.notes(), head.notes()):
        assert notes["mean_loss"] == pytest.approx(value)
    assert both.level(1e308) == 1e308


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
