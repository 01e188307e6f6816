import re
import warnings
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from shared import X, Y, assert_same_parameters, over_seeds
from shared import each_transformer as each
from sklearn.datasets import load_digits

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    TripletMetricTransformer,
)
from skmetric.losses import MINERS

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

# By what each knows how far apart classes shall be.
SCALES = {
    TripletMetricTransformer: "margin",
    ContrastiveMetricTransformer: "negative_margin",
    NeighborhoodMetricTransformer: "temperature",
}


@pytest.fixture
def triplet(small):
    return lambda **parameters: small(TripletMetricTransformer, **parameters)


@pytest.fixture
def contrastive(small):
    return lambda **parameters: small(ContrastiveMetricTransformer, **parameters)


def distances(Z, others):
    return np.linalg.norm(Z[:, np.newaxis] - others, axis=2)


# --- losses -------------------------------------------------------------------------------------------

REST = {"normalize": [False, True], "batch_sampler": ["auto", "shuffle", "balanced"]}
OF_TRIPLETS = {
    "mining": list(MINERS),
    "reduction": ["active", "mean", "grid"],
    "distance": ["sqeuclidean", "euclidean"],
    **REST,
}
OF_PAIRS = {
    "reduction": ["active", "mean", "grid"],
    "negative_weight": [0.5, 1],
    "positive_margin": [0, 0.1],
    **REST,
}


def combinations(table):
    return [dict(zip(table, values)) for values in product(*table.values())]


def name_of(settings):
    return "-".join(map(str, settings.values()))


@pytest.mark.parametrize("settings", combinations(OF_TRIPLETS), ids=name_of)
def test_every_triplet_loss_trains(settings, triplet):
    model = triplet(max_iter=2, **settings).fit(X, Y)
    assert np.isfinite(model.transform(X)).all()
    assert np.isfinite(model.loss_curve_).all()
    assert all(0 <= entry["active_fraction"] <= 1 for entry in model.history_)
    assert model.loss_ >= 0


@pytest.mark.parametrize("settings", combinations(OF_PAIRS), ids=name_of)
def test_every_contrastive_loss_trains(settings, contrastive):
    model = contrastive(max_iter=2, **settings).fit(X, Y)
    assert np.isfinite(model.transform(X)).all()
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_ >= 0


STILL = {"learning_rate": lambda epoch: 0.0, "solver": "sgd", "max_iter": 1, "batch_size": 150}


@pytest.mark.parametrize("distance, power", [("sqeuclidean", 2), ("euclidean", 1)])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("reduction", ["active", "mean", "grid"])
def test_the_triplet_loss_is_that_of_all_triplets(distance, power, normalize, reduction, triplet):
    model = triplet(
        distance=distance,
        normalize=normalize,
        reduction=reduction,
        margin=0.7,
        batch_sampler="shuffle",
        **STILL,
    ).fit(X, Y)
    Z = model.transform(X)
    D = distances(Z, Z) ** power
    same = Y[:, np.newaxis] == Y
    positive = same if reduction == "grid" else same & ~np.eye(150, dtype=bool)
    terms = np.maximum(D[:, :, np.newaxis] - D[:, np.newaxis] + 0.7, 0)
    terms *= positive[:, :, np.newaxis] & ~same[:, np.newaxis]
    n_valid = 150 * 49 * 100
    n_terms = {"active": np.count_nonzero(terms > 1e-12), "mean": n_valid, "grid": 150**3}[reduction]
    assert model.loss_ == pytest.approx(terms.sum() / n_terms, rel=1e-6)
    if reduction != "grid":
        share = np.count_nonzero(terms > 1e-12) / n_valid
        assert model.history_[0]["active_fraction"] == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("reduction", ["active", "mean", "grid"])
def test_the_contrastive_loss_is_that_of_all_pairs(normalize, reduction, contrastive):
    model = contrastive(
        positive_margin=0.1,
        negative_margin=2.0,
        negative_weight=0.5,
        normalize=normalize,
        reduction=reduction,
        batch_sampler="shuffle",
        **STILL,
    ).fit(X, Y)
    Z = model.transform(X)
    D = distances(Z, Z) ** 2
    same = Y[:, np.newaxis] == Y
    terms = np.where(same, np.maximum(D - 0.1, 0), 0.5 * np.maximum(2 - D, 0))
    np.fill_diagonal(terms, 0)
    n_active = np.count_nonzero(terms > 1e-12)
    n_terms = {"active": n_active, "mean": 150 * 149, "grid": 150**2}[reduction]
    assert model.loss_ == pytest.approx(terms.sum() / n_terms, rel=1e-6)


@pytest.mark.parametrize("name", MINERS)
def test_mining_may_be_a_rule_of_the_package(name, triplet):
    named, called = (triplet(mining=mining).fit(X, Y) for mining in (name, MINERS[name]))
    assert_same_parameters(named, called)


def all_of_them(D, positive, negative, margin):
    """All violated triplets, listed one by one."""
    active = D[:, :, np.newaxis] + margin > D[:, np.newaxis]
    active &= positive[:, :, np.newaxis] & negative[:, np.newaxis]
    C = active.sum(axis=2, dtype=D.dtype) - active.sum(axis=1, dtype=D.dtype)
    return C, float((positive.sum(axis=1) * negative.sum(axis=1)).sum())


def test_mining_may_be_a_function(triplet):
    named, called = (triplet(mining=mining, batch_size=20).fit(X, Y) for mining in ("all", all_of_them))
    for W, V in zip(named.coefs_, called.coefs_):
        assert_allclose(W, V, rtol=1e-9)


def nothing(D, positive, negative, margin):
    return np.zeros_like(D), 0.0


def test_mining_may_find_nothing(triplet):
    model = triplet(mining=nothing, solver="sgd")
    with pytest.warns(UserWarning, match="Nothing was learned"):
        model.fit(X, Y)
    assert model.loss_curve_ == [0.0] * 3
    assert [entry["active_fraction"] for entry in model.history_] == [0.0] * 3


def test_an_interrupt_within_an_epoch_leaves_the_model_of_the_last_one(triplet):
    calls = []

    def tired(D, positive, negative, margin):
        calls.append(len(D))
        if len(calls) == 8:
            raise KeyboardInterrupt
        return MINERS["all"](D, positive, negative, margin)

    model = triplet(mining=tired, batch_sampler="shuffle")
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert calls == [32, 32, 32, 32, 22, 32, 32, 32]
    assert_same_parameters(model, triplet(batch_sampler="shuffle", max_iter=1).fit(X, Y))


@each
def test_the_rate_may_be_a_function(Estimator, small):
    model = small(Estimator, learning_rate=lambda epoch: 1.0).fit(X, Y)
    assert_same_parameters(model, small(Estimator, learning_rate="constant").fit(X, Y))


@each
@over_seeds()
def test_fewer_terms_are_active_as_training_goes_on(Estimator, small):
    model = small(Estimator, max_iter=30, batch_size=50).fit(X, Y)
    shares = [entry["active_fraction"] for entry in model.history_]
    most = 0.9 if Estimator is TripletMetricTransformer else 1.0
    assert 0 < np.mean(shares[-5:]) < most * shares[0] <= 1


@over_seeds()
def test_the_margin_is_asked_for(triplet):
    narrow, wide = (triplet(margin=margin, max_iter=40).fit(X, Y) for margin in (0.1, 10.0))
    assert wide.pairwise_distance(X).mean() > 2 * narrow.pairwise_distance(X).mean()


@pytest.mark.parametrize("batch_sampler", ["auto", "shuffle", "balanced"])
@over_seeds()
def test_the_batch_sampler_decides_what_a_batch_holds(batch_sampler, triplet, seed):
    shares = []

    def watching(D, positive, negative, margin):
        shares.append(positive.any(axis=1).mean())
        return MINERS["all"](D, positive, negative, margin)

    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(60), 4)
    triplet(mining=watching, batch_sampler=batch_sampler, max_iter=1).fit(
        rng.normal(size=(240, 4)), labels
    )
    # The share of rows that find a positive in their batch of 32.
    assert (np.mean(shares) > 0.95) == (batch_sampler != "shuffle")


@each
@pytest.mark.parametrize("batch_sampler", ["auto", "balanced"])
@over_seeds()
def test_many_classes_can_be_learned(Estimator, batch_sampler, small, seed):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(60, 10))
    labels = np.repeat(np.arange(60), 4)
    rows = centres[labels] + 0.2 * rng.normal(size=(240, 10))
    model = small(Estimator, batch_sampler=batch_sampler, max_iter=10).fit(rows, labels)
    assert model.loss_ < model.loss_curve_[0]
    if Estimator is TripletMetricTransformer:
        assert model.history_[0]["active_fraction"] > 0


# --- collapse -----------------------------------------------------------------------------------------


@over_seeds()
def test_pulling_alone_collapses_and_says_so(contrastive):
    pull_only = contrastive(negative_weight=0, positive_margin=0, max_iter=100)
    with pytest.warns(UserWarning, match="collapse") as caught:
        pull_only.fit(X, Y)
    message = str(caught[0].message)
    assert all(re.search(word, message) for word in ("margin", "mining", "learning_rate_init"))
    assert pull_only.pairwise_distance(X).mean() < 0.1


@over_seeds()
def test_a_collapse_of_triplets_is_said_too(triplet, seed):
    with pytest.warns(UserWarning, match="collapse"):
        model = triplet(mining="hard", distance="sqeuclidean", learning_rate_init=0.05, max_iter=30)
        model.fit(X, np.random.default_rng(seed).integers(0, 2, 150))
    assert model.pairwise_distance(X).mean() < 0.2


SORTED = {
    "iris": (X, Y),
    "digits": tuple(part[:300] for part in load_digits(return_X_y=True)),
    "two classes, one after the other": (
        np.vstack([np.random.default_rng(0).normal(size=(256, 5)), 6 + np.zeros((255, 5))]),
        np.repeat([0, 1], [256, 255]),
    ),
}


@each
@pytest.mark.parametrize("rows, labels", SORTED.values(), ids=SORTED.keys())
@over_seeds()
def test_a_healthy_fit_does_not_warn(Estimator, rows, labels, small):
    model = small(Estimator, hidden_layer_sizes=(64,), max_iter=60, **{SCALES[Estimator]: 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(rows / rows.max(), labels)
    assert model.score(rows / rows.max(), labels) > 0.9


@each
def test_batches_that_teach_nothing_are_warned_of(Estimator, small):
    with pytest.warns(UserWarning, match="batch_sampler"):
        small(Estimator, batch_sampler="shuffle", batch_size=1).fit(X, Y)
