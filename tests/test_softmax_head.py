"""`head_weight`: a linear classifier on the embedding, which helps to learn it."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from shared import X, Y, assert_same_model, assert_same_parameters, each_transformer, over_seeds
from sklearn.datasets import load_digits

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.losses import MetricLoss, WithSoftmaxHead, log_loss, over_active, triplet
from skmetric.pairs import make_pairs, make_triplets
from skmetric.testing import check_gradient

RNG = np.random.default_rng(0)
Z, LABELS = RNG.normal(size=(12, 3)), np.arange(12) % 4


def headed(weight=0.7, loss=None):
    loss = WithSoftmaxHead(loss or MetricLoss(triplet), weight, 3, 4)
    rng = np.random.default_rng(1)
    for V in loss.parameters:
        V[...] = rng.normal(size=V.shape)
    return loss


def test_it_is_the_loss_plus_the_weighted_cross_entropy():
    loss = headed()
    V, c = loss.parameters
    value, dZ = loss(Z, LABELS)
    plain_value, plain_dZ = MetricLoss(triplet)(Z, LABELS)
    head_value, G = log_loss(Z @ V + c, LABELS)
    assert value == pytest.approx(plain_value + 0.7 * head_value)
    assert_allclose(dZ, plain_dZ + 0.7 * G @ V.T)


def test_the_gradient_on_the_embedding_is_a_central_difference():
    check_gradient(headed(), Z, LABELS)


def test_the_gradients_of_the_head_are_central_differences():
    loss = headed()
    loss(Z, LABELS)
    for V, g in zip(loss.parameters, [g.copy() for g in loss.gradients()], strict=True):
        for index in np.ndindex(V.shape):
            kept, values = V[index], []
            for step in (1e-6, -1e-6):
                V[index] = kept + step
                values.append(loss(Z, LABELS)[0])
            V[index] = kept
            assert g[index] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-9)


def test_notes_and_level_know_both_parts():
    loss = headed(loss=MetricLoss(triplet, reduction=over_active))
    value, _ = loss(Z, LABELS)
    notes = loss.notes()
    metric = value - 0.7 * notes["head_loss"]
    assert 0 < notes["active_fraction"] < 1
    assert loss.level(value) == pytest.approx(metric * notes["active_fraction"] + value - metric)
    assert loss.n_compared == loss.loss.n_compared > 0
    loss.begin_epoch()
    assert loss.notes() == {"mean_loss": 0.0, "active_fraction": 0.0, "head_loss": 0.0}


@each_transformer
def test_zero_is_no_head_and_more_changes_the_model(Estimator, small):
    plain = small(Estimator).fit(X, Y)
    assert_same_model(small(Estimator, head_weight=0).fit(X, Y), plain)
    model = small(Estimator, head_weight=1.0).fit(X, Y)
    assert not np.array_equal(model.coefs_[0], plain.coefs_[0])
    assert [W.shape for W in model.coefs_] == [W.shape for W in plain.coefs_]
    assert "head_loss" in model.history_[0] and "head_loss" not in plain.history_[0]


@each_transformer
@over_seeds()
def test_the_head_learns(Estimator, small):
    model = small(Estimator, head_weight=1.0, max_iter=30).fit(X, Y)
    losses = [entry["head_loss"] for entry in model.history_]
    assert losses[0] <= np.log(3) + 0.1
    assert losses[-1] < 0.5 * losses[0]


@each_transformer
def test_it_goes_on_with_the_same_bits(Estimator, small):
    settings = {"head_weight": 0.5, "batch_norm": True, "standardize": "auto"}
    once = small(Estimator, max_iter=4, **settings).fit(X, Y)
    warm = small(Estimator, max_iter=2, warm_start=True, **settings).fit(X, Y)
    assert_same_parameters(pickle.loads(pickle.dumps(warm)).fit(X, Y), once)
    passing = small(Estimator, **settings)
    for _ in range(4):
        passing.partial_fit(X, Y)
    assert_same_parameters(passing, once)


@each_transformer
def test_later_classes_must_be_named_at_first(Estimator, small):
    first = Y < 2
    model = small(Estimator, head_weight=0.5).partial_fit(X[first], Y[first])
    before = [W.copy() for W in model.coefs_]
    with pytest.raises(ValueError, match="knows 2 classes, but now there are 3"):
        model.partial_fit(X, Y)
    for W, kept in zip(model.coefs_, before):
        assert_array_equal(W, kept)
    model = small(Estimator, head_weight=0.5).partial_fit(X[first], Y[first], classes=[0, 1, 2])
    assert model.partial_fit(X, Y).n_iter_ == 2


@each_transformer
def test_a_head_may_come_and_go(Estimator, small):
    model = small(Estimator, warm_start=True).fit(X, Y)
    assert model.set_params(head_weight=1.0).fit(X, Y).n_iter_ == 6
    assert model.set_params(head_weight=0.0).fit(X, Y).n_iter_ == 9


def test_tuples_have_no_classes(small):
    pairs, same = make_pairs(Y, 50, 0)
    with pytest.raises(ValueError, match="trains a classifier on the embedding"):
        small(ContrastiveMetricTransformer, head_weight=0.5).fit_pairs(pairs, same, X=X)
    with pytest.raises(ValueError, match="trains a classifier on the embedding"):
        small(TripletMetricTransformer, head_weight=0.5).fit_triplets(make_triplets(Y, 50, 0), X=X)


def test_a_head_of_float32_has_gradients_of_float32():
    head = WithSoftmaxHead(MetricLoss(triplet), 1.0, 3, 4, np.float32)
    assert [V.dtype for V in head.parameters] == [np.float32, np.float32]
    assert head(Z.astype(np.float32), LABELS)[1].dtype == np.float32


@over_seeds()
def test_float32_stays_float32(seed):
    rows, labels = load_digits(return_X_y=True)
    model = TripletMetricTransformer(8, head_weight=1.0, max_iter=3, random_state=seed)
    assert model.fit(rows.astype(np.float32), labels).coefs_[0].dtype == np.float32
    assert model.score(rows, labels) > 0.95
