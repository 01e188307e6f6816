"""`n_networks`: networks that are trained side by side."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from shared import (
    DIFFICULT,
    X,
    Y,
    assert_same_model,
    assert_same_parameters,
    each,
    each_transformer,
    over_seeds,
)
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import euclidean_distances
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric._engine.initialization import initial_parameters
from skmetric._engine.network import Network
from skmetric._engine.side_by_side import SideBySide, apart, side_by_side
from skmetric._engine.standardization import standardization_of
from skmetric.losses import LabelLoss, MetricLoss, OnEachNetwork, WithSoftmaxHead, log_loss, triplet
from skmetric.pairs import make_pairs, make_triplets
from skmetric.plotting import WeightsDisplay

OPTIONS = {
    "plain": {},
    "kept and scaled": {"standardize": "auto", "dropout": 0.2},
    "normalised and moved": {"batch_norm": True, "adversarial": 0.1},
    "inputs dropped": {"input_dropout": 0.2},
}
each_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


# --- the parts --------------------------------------------------------------------------------------


def networks(n=3, **options):
    made = []
    for seed in range(n):
        parameters = initial_parameters([4, 6, 2], "tanh", np.random.default_rng(seed), np.float64)
        made.append(Network(*parameters, "tanh", len(X), **options))
    return made


def arrays(gradients, parameters):
    found = [np.zeros_like(W) for W in parameters]
    for g, gradient in zip(found, gradients, strict=True):
        gradient.add_to(g, 1.0, 0.0)
    return found


def test_each_network_does_what_it_does_alone():
    joint, alone = SideBySide(networks()), networks()
    rows = np.arange(len(X))
    Z = joint.forward(joint.gather(X, rows))
    parts = [network.forward(network.gather(X, rows)).copy() for network in alone]
    assert_array_equal(Z, np.hstack(parts))
    dZ = np.random.default_rng(0).normal(size=Z.shape)
    joint.backward(dZ)
    for network, part in zip(alone, np.split(dZ, 3, axis=1)):
        network.backward(part)
    expected = [g for network in alone for g in arrays(network.gradients(), network.parameters)]
    for g, other in zip(arrays(joint.gradients(), joint.parameters), expected, strict=True):
        assert_array_equal(g, other)
    assert_allclose(joint.input_gradient(), sum(network.input_gradient() for network in alone))


def test_inputs_are_dropped_from_rows_that_are_whole():
    rng = np.random.default_rng(0)
    joint = SideBySide(networks(2, input_dropout=0.5, rng=rng))
    joint.forward(joint.gather(X, np.arange(len(X))))
    for network in joint.networks:
        assert_array_equal(network.batch.H[0], X * network.masks[0])
        assert 0.4 < np.mean(network.masks[0] == 0) < 0.6


def test_stacked_parameters_come_apart_again():
    standardization = standardization_of(X, np.arange(len(X)), "common", np.ones(len(X)), X.dtype)
    joint = SideBySide(networks(standardization=standardization))
    coefs, intercepts = joint.folded_parameters()
    assert [W.shape for W in coefs] == [(3, 4, 6), (3, 6, 2)]
    assert [b.shape for b in intercepts] == [(3, 6), (3, 2)]
    for network, (W, b) in zip(joint.networks, apart(coefs, intercepts), strict=True):
        alone = Network(W, b, "tanh", len(X))
        gathered = network.gather(X, np.arange(len(X)))
        assert_allclose(alone.infer(X), network.infer(np.ascontiguousarray(gathered)))
    (network,) = networks(1)
    assert side_by_side([network]) is network


def test_a_loss_for_each_network():
    y = np.arange(12) % 3
    Z = np.random.default_rng(0).normal(size=(12, 6))
    losses = [WithSoftmaxHead(MetricLoss(triplet), 0.5, 2, 3) for _ in range(3)]
    value, dZ = OnEachNetwork(losses)(Z, y)
    others = [WithSoftmaxHead(MetricLoss(triplet), 0.5, 2, 3) for _ in range(3)]
    found = [loss(part, y) for loss, part in zip(others, np.split(Z, 3, axis=1))]
    assert value == pytest.approx(np.mean([value for value, _ in found]))
    assert_array_equal(dZ, np.hstack([gradient for _, gradient in found]))
    joint = OnEachNetwork(losses)
    assert [V.shape for V in joint.parameters] == [(2, 3), (3,)] * 3
    for g, other in zip(joint.gradients(), [g for loss in others for g in loss.gradients()], strict=True):
        assert_array_equal(g, other)
    assert joint.n_compared == sum(loss.n_compared for loss in others) > 0
    assert joint.notes()["head_loss"] == pytest.approx(
        np.mean([loss.notes()["head_loss"] for loss in others])
    )
    assert joint.level(value) == pytest.approx(np.mean([loss.level(value) for loss in others]))
    joint.begin_epoch()
    assert joint.notes() == {"mean_loss": 0.0, "active_fraction": 0.0, "head_loss": 0.0}


def test_one_loss_may_count_for_all():
    loss = OnEachNetwork([LabelLoss(log_loss)] * 2)
    Z = np.random.default_rng(0).normal(size=(6, 4))
    y = np.arange(6) % 2
    assert loss(Z, y)[0] == pytest.approx((log_loss(Z[:, :2], y)[0] + log_loss(Z[:, 2:], y)[0]) / 2)
    assert loss.notes() == {}


# --- the estimators ---------------------------------------------------------------------------------


@each
@each_option
def test_networks_differ_and_the_width_stays(Estimator, options, small, outputs):
    model = small(Estimator, n_networks=3, **options).fit(X, Y)
    assert [W.shape[0] for W in model.coefs_] == [3, 3]
    assert not np.allclose(model.coefs_[0][0], model.coefs_[0][1])
    assert outputs(model, X).shape == outputs(small(Estimator).fit(X, Y), X).shape
    assert len(model.loss_curve_) == model.n_iter_ == 3
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert_same_model(clone(model).fit(X, Y), model)


@each
@each_option
def test_training_goes_on_with_the_same_bits(Estimator, options, small):
    settings = {"n_networks": 2, **options}
    once = small(Estimator, max_iter=4, **settings).fit(X, Y)
    warm = small(Estimator, max_iter=2, warm_start=True, **settings).fit(X, Y)
    assert_same_parameters(pickle.loads(pickle.dumps(warm)).fit(X, Y), once)
    passing = small(Estimator, **settings)
    for _ in range(4):
        passing.partial_fit(X, Y, classes=np.unique(Y))
    assert_same_parameters(passing, once)


@each
@pytest.mark.parametrize("standardize", [False, "features"])
def test_a_step_of_no_size_changes_nothing(Estimator, standardize, small, outputs):
    model = small(Estimator, n_networks=2, standardize=standardize).fit(X, Y)
    before = [W.copy() for W in model.coefs_]
    model.set_params(learning_rate_init=1e-13, solver="sgd", momentum=0.0).partial_fit(X, Y)
    for W, kept in zip(model.coefs_, before, strict=True):
        assert_allclose(W, kept, atol=1e-9)


@each
def test_another_number_is_refused_and_the_model_stays(Estimator, small):
    model = small(Estimator, n_networks=2).fit(X, Y)
    before = [W.copy() for W in model.coefs_]
    with pytest.raises(ValueError, match="n_networks=3, but the fitted model has 2"):
        model.set_params(n_networks=3).partial_fit(X, Y)
    for W, kept in zip(model.coefs_, before, strict=True):
        assert_array_equal(W, kept)
    with pytest.raises(ValueError, match="n_networks"):
        small(Estimator, n_networks=0).fit(X, Y)


@each
def test_sparse_rows_are_as_dense_ones(Estimator, small, outputs):
    model = small(Estimator, n_networks=2, standardize="auto").fit(X, Y)
    other = clone(model).fit(csr_array(X), Y)
    assert_allclose(outputs(other, csr_array(X)), outputs(model, X))


@each
@over_seeds()
def test_early_stopping_judges_all_networks(Estimator, small):
    model = small(Estimator, n_networks=2, early_stopping=True, max_iter=8, standardize="auto").fit(X, Y)
    assert model.best_validation_score_ == max(model.validation_scores_) > 0.6


def test_logits_are_means_of_those_of_the_networks(small):
    model = small(SoftmaxMLPClassifier, n_networks=3, standardize="auto").fit(X, Y)
    logits = [
        Network(*parameters, "relu", len(X)).infer(X)
        for parameters in apart(model.coefs_, model.intercepts_)
    ]
    assert_allclose(model.decision_function(X), np.mean(logits, axis=0), atol=1e-12)
    assert model.transform(X).shape == (len(X), 24)
    assert len(model.get_feature_names_out()) == 24
    assert_array_equal(model.predict(X), model.predict_proba(X).argmax(axis=1))


@each_transformer
@pytest.mark.parametrize("input_weight", [0.0, 1.0])
@pytest.mark.parametrize("normalize", [False, True])
def test_embeddings_are_a_rotation_of_the_union(Estimator, input_weight, normalize, small):
    model = small(Estimator, n_networks=2, input_weight=input_weight, normalize=normalize, n_components=8)
    Z = model.fit(X, Y).transform(X)
    parts = [
        Network(*parameters, "relu", len(X)).infer(X)
        for parameters in apart(model.coefs_, model.intercepts_)
    ]
    if normalize:
        parts = [F / np.linalg.norm(F, axis=1, keepdims=True) for F in parts]
    union = np.hstack(parts)
    if input_weight:
        union = np.hstack([union, X @ model.input_axes_ + model.input_offset_])
    expected = union @ model.rotation_
    if normalize:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert_allclose(Z, expected, atol=1e-10)
    if not input_weight and not normalize:
        # 8 columns are enough for what was learned: distances are those of the union.
        distances = euclidean_distances(union) / np.sqrt(2)
        assert_allclose(euclidean_distances(Z), distances, atol=0.02 * distances.max())


@each_transformer
def test_a_linear_embedding_has_a_matrix(Estimator, small):
    model = small(Estimator, n_networks=2, hidden_layer_sizes=(), input_weight=1.0).fit(X, Y)
    M = model.get_mahalanobis_matrix()
    difference = X[0] - X[70]
    expected = model.pairwise_distance(X[:1], X[70:71], squared=True)[0, 0]
    assert difference @ M @ difference == pytest.approx(expected)


def test_tuples_are_learned_from(small):
    pairs, same = make_pairs(Y, 100, 0)
    model = small(ContrastiveMetricTransformer, n_networks=2, standardize="auto")
    assert model.fit_pairs(pairs, same, X=X).coefs_[0].shape[0] == 2
    model = small(TripletMetricTransformer, n_networks="auto").fit_triplets(make_triplets(Y, 100, 0), X=X)
    assert model.coefs_[0].shape[0] == 3


def test_automatic_number(small):
    rng = np.random.default_rng(0)
    many, labels = rng.normal(size=(2001, 3)), np.arange(2001) % 3
    for n_rows, n_components, n in [(2000, 4, 3), (2001, 4, 1), (100, 3, 1), (100, 4, 3)]:
        model = small(
            TripletMetricTransformer,
            n_networks="auto",
            n_components=n_components,
            max_iter=1,
            warm_start=True,
        )
        model.fit(many[:n_rows], labels[:n_rows])
        assert np.ndim(model.coefs_[0]) == (3 if n > 1 else 2)
        # A model keeps its number, whatever comes next.
        assert (
            model.fit(many[: 2101 - n_rows], labels[: 2101 - n_rows]).coefs_[0].ndim
            == model.coefs_[0].ndim
        )
        assert model.partial_fit(many, labels).n_iter_ == 3
    wide = rng.normal(size=(20, 2001))
    for n_features, ndim in [(2000, 3), (2001, 2)]:
        model = small(TripletMetricTransformer, n_networks="auto", max_iter=1)
        assert model.fit(wide[:, :n_features], labels[:20]).coefs_[0].ndim == ndim
    assert TripletMetricTransformer().n_networks == NeighborhoodMetricTransformer().n_networks == "auto"
    assert ContrastiveMetricTransformer().n_networks == SoftmaxMLPClassifier().n_networks == 1


def test_a_network_that_collapses_beside_others_is_noticed(small):
    model = small(TripletMetricTransformer, n_networks=2).fit(X, Y)
    model.coefs_[-1][1] *= 1e-6
    with pytest.warns(UserWarning, match="The embedding collapses"):
        model._warn_if_collapsed(X)


def test_weights_of_all_networks_are_shown(small):
    display = WeightsDisplay.from_estimator(small(SoftmaxMLPClassifier, n_networks=2).fit(X, Y))
    assert display.weights.shape == (4, 16)


@over_seeds(10)
def test_networks_side_by_side_are_no_worse_than_one(seed):
    rows, labels = DIFFICULT
    scores = {}
    for n in (1, 3):
        embedding = TripletMetricTransformer(n_networks=n, random_state=seed)
        scores[n] = cross_val_score(
            make_pipeline(embedding, KNeighborsClassifier(5)), rows, labels
        ).mean()
    # Better by a point on average (of eight seeds), with a standard deviation of two.
    assert scores[3] > scores[1] - 0.06


@over_seeds()
def test_float32_stays_float32(seed):
    rows, labels = load_digits(return_X_y=True)
    model = TripletMetricTransformer(8, n_networks=2, max_iter=3, random_state=seed)
    Z = model.fit(rows.astype(np.float32), labels).transform(rows.astype(np.float32))
    assert Z.dtype == model.coefs_[0].dtype == np.float32
    assert model.score(rows, labels) > 0.95
