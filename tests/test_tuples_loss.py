import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from shared import X
from tuple_kinds import PAIRS, PLAIN, SAME, STILL, TRIPLETS, Pairs, Triplets, each, learn

from skmetric.losses import MINERS

pytestmark = pytest.mark.filterwarnings("ignore:The embedding collapses")


# --- what is learned: the loss by a loop, over the given tuples and no others --------------------------


MARGINS = {"positive_margin": 0.5, "negative_margin": 12.0, "negative_weight": 3.0}


def pair_step(W, pairs, same, reduction):
    """Loss of a batch of pairs and its gradient on the matrix of a linear embedding."""
    total, gradient, n_active = 0.0, np.zeros_like(W), 0
    for (i, j), alike in zip(pairs, same):
        x = X[i] - X[j]
        d2 = np.sum((x @ W) ** 2)
        weight, sign = (1.0, 1.0) if alike else (MARGINS["negative_weight"], -1.0)
        term = d2 - MARGINS["positive_margin"] if alike else MARGINS["negative_margin"] - d2
        if term > 0:
            total += weight * term
            gradient += weight * sign * 2 * np.outer(x, x @ W)
            n_active += 1
    divisor = {"active": n_active, "mean": len(pairs), "grid": len(pairs)}[reduction]
    return total / max(divisor, 1), gradient / max(divisor, 1), n_active


def triplet_step(W, triplets, reduction, distance, margin=0.8):
    """Loss of a batch of triplets and its gradient on the matrix of a linear embedding."""

    def compared(i, j):
        x = X[i] - X[j]
        d2 = np.sum((x @ W) ** 2)
        if distance == "sqeuclidean":
            return d2, 2 * np.outer(x, x @ W)
        return np.sqrt(d2), np.outer(x, x @ W) / np.sqrt(d2) if d2 > 0 else np.zeros_like(W)

    total, gradient, n_active = 0.0, np.zeros_like(W), 0
    for anchor, positive, negative in triplets:
        (near, pull), (far, push) = compared(anchor, positive), compared(anchor, negative)
        if near - far + margin > 0:
            total += near - far + margin
            gradient += pull - push
            n_active += 1
    # The grid of an anchor and two of the two rows that it is compared with.
    divisor = {"active": n_active, "mean": len(triplets), "grid": 4 * len(triplets)}[reduction]
    return total / max(divisor, 1), gradient / max(divisor, 1), n_active


def descended(model, step, n_tuples, per_batch, n_epochs):
    """Weights, losses and shares of active terms of plain descent by hand, from where `model` begins."""
    W, curve, shares = model.coefs_[0].copy(), [], []
    for _ in range(n_epochs):
        values, n_active = [], 0
        for start in range(0, n_tuples, per_batch):
            some = slice(start, min(start + per_batch, n_tuples))
            value, gradient, active = step(W, some)
            W -= PLAIN["learning_rate_init"] * gradient
            values += [value] * (some.stop - some.start)
            n_active += active
        curve.append(np.mean(values))
        shares.append(n_active / n_tuples)
    return W, curve, shares


def assert_descended(model, W, curve, shares):
    assert_allclose(model.coefs_[0], W, rtol=1e-9, atol=1e-12)
    assert_allclose(model.intercepts_[0], 0, atol=1e-12)
    assert_allclose(model.loss_curve_, curve, rtol=1e-9)
    assert_allclose([entry["active_fraction"] for entry in model.history_], shares)


REDUCTIONS = pytest.mark.parametrize("reduction", ["active", "mean", "grid"])


@REDUCTIONS
@pytest.mark.parametrize("per_batch, batch_size", [(120, 10_000), (120, 240), (30, 61), (3, 7), (1, 2)])
def test_steps_of_pairs_are_those_of_a_loop_over_the_given_pairs(reduction, per_batch, batch_size, make):
    settings = {"hidden_layer_sizes": (), "reduction": reduction, "shuffle": False, **MARGINS}
    still = learn(Pairs, make(Pairs, **settings | STILL))
    model = learn(Pairs, make(Pairs, **settings, **PLAIN, max_iter=2, batch_size=batch_size))

    def step(W, some):
        return pair_step(W, PAIRS[some], SAME[some], reduction)

    assert_descended(model, *descended(still, step, 120, per_batch, 2))
    assert 0 < model.history_[0]["active_fraction"] < 1


@REDUCTIONS
@pytest.mark.parametrize("distance", ["sqeuclidean", "euclidean"])
@pytest.mark.parametrize("per_batch, batch_size", [(80, 10_000), (80, 240), (20, 61), (3, 11), (1, 3)])
def test_steps_of_triplets_are_those_of_a_loop_over_the_given_triplets(
    reduction, distance, per_batch, batch_size, make
):
    settings = {"hidden_layer_sizes": (), "reduction": reduction, "shuffle": False}
    settings |= {"distance": distance, "margin": 0.8}
    still = learn(Triplets, make(Triplets, **settings | STILL))
    model = learn(Triplets, make(Triplets, **settings, **PLAIN, max_iter=2, batch_size=batch_size))

    def step(W, some):
        return triplet_step(W, TRIPLETS[some], reduction, distance)

    assert_descended(model, *descended(still, step, 80, per_batch, 2))
    assert 0 < model.history_[0]["active_fraction"] < 1


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_the_loss_of_pairs_is_that_of_the_embeddings(normalize, hidden, make):
    margins = {"positive_margin": 0.1, "negative_margin": 2.0, "negative_weight": 3.0}
    settings = {"normalize": normalize, "hidden_layer_sizes": hidden, "batch_size": 240}
    model = learn(Pairs, make(Pairs, **settings, **margins, **STILL))
    Z = model.transform(X)
    terms = []
    for (i, j), same in zip(PAIRS, SAME):
        d2 = np.sum((Z[i] - Z[j]) ** 2)
        terms.append(max(0, d2 - 0.1) if same else 3 * max(0, 2 - d2))
    assert model.loss_ == pytest.approx(np.mean(terms), rel=1e-9)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_the_loss_of_triplets_is_that_of_the_embeddings(normalize, hidden, make):
    settings = {"normalize": normalize, "hidden_layer_sizes": hidden, "batch_size": 240}
    model = learn(Triplets, make(Triplets, margin=0.7, **settings, **STILL))
    Z = model.transform(X)
    terms = [
        max(0, np.sum((Z[a] - Z[p]) ** 2) - np.sum((Z[a] - Z[n]) ** 2) + 0.7) for a, p, n in TRIPLETS
    ]
    assert model.loss_ == pytest.approx(np.mean(terms), rel=1e-9)


@pytest.mark.parametrize("mining", MINERS)
def test_mining_chooses_among_the_given_triplets(mining, make):
    model = learn(Triplets, make(Triplets, mining=mining, batch_size=240, reduction="active", **STILL))
    Z = model.transform(X)
    gaps = [np.sum((Z[a] - Z[n]) ** 2) - np.sum((Z[a] - Z[p]) ** 2) for a, p, n in TRIPLETS]
    chosen = [1 - gap for gap in gaps if gap < 1 and (mining != "semihard" or gap > 0)]
    assert model.loss_ == pytest.approx(np.mean(chosen), rel=1e-9)


def test_mining_of_ones_own_sees_one_triplet_an_anchor(make):
    seen = []

    def watching(D, positive, negative, margin):
        seen.append((positive.sum(axis=1), negative.sum(axis=1)))
        return MINERS["all"](D, positive, negative, margin)

    learn(Triplets, make(Triplets, mining=watching, max_iter=1, batch_size=64))
    assert [len(positive) for positive, _ in seen] == [21] * 3 + [17]
    for positive, negative in seen:
        assert_array_equal(positive, 1)
        assert_array_equal(negative, 1)


@each
def test_each_epoch_deals_the_tuples_out_anew(kind, make):
    shuffled, in_order = (learn(kind, make(kind, shuffle=shuffle)) for shuffle in (True, False))
    assert not np.array_equal(shuffled.coefs_[0], in_order.coefs_[0])
    # Dealt out whole: the loss of an epoch that changes nothing is the same in any order.
    of_all = [
        learn(
            kind, make(kind, shuffle=shuffle, reduction="mean", batch_size=4 * kind.size, **STILL)
        ).loss_
        for shuffle in (True, False)
    ]
    assert of_all[0] == pytest.approx(of_all[1], rel=1e-12)


def test_labels_that_lie_are_believed(make):
    model = learn(Pairs, make(Pairs, max_iter=60), y=1 - SAME)
    d = model.pair_distance(X[PAIRS])
    assert d[SAME == 1].mean() > d[SAME == 0].mean()
