"""`batch_norm`: hidden units that are centred and scaled over the batch."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from shared import X, Y, assert_same_parameters, each, over_seeds
from sklearn.base import clone
from sklearn.datasets import load_digits

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric._engine.activations import ACTIVATIONS
from skmetric._engine.adversarial import MeanGradient
from skmetric._engine.batch_normalization import EPSILON, ArrayGradient, BatchNormalization, moments
from skmetric._engine.initialization import initial_parameters
from skmetric._engine.network import Network, outputs
from skmetric.losses import log_loss

WIDTHS = [4, 6, 5, 3]
SETTINGS = {"hidden_layer_sizes": (8, 6), "batch_norm": True, "batch_size": 50}


def a_network(activation="tanh", rows=X, **options):
    rng = np.random.default_rng(0)
    coefs, intercepts = initial_parameters(WIDTHS, activation, rng, np.float64)
    for b in intercepts:
        b[...] = rng.normal(size=b.shape)
    scales = [rng.uniform(0.5, 2, width) for width in WIDTHS[1:-1]]
    normalization = BatchNormalization(scales, 150, rows, np.arange(rows.shape[0]))
    return Network(coefs, intercepts, activation, 150, rng=rng, normalization=normalization, **options)


def by_hand(network, H):
    """The definition, over all rows of `H` as one batch."""
    value = ACTIVATIONS[network.activation][0]
    layers = list(zip(network.coefs, network.intercepts))
    for (W, b), scale in zip(layers[:-1], network.normalization.scales):
        A = H @ W
        H = scale * (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + EPSILON) + b
        value(H)
    W, b = layers[-1]
    return H @ W + b


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_forward_is_the_definition(activation):
    network = a_network(activation)
    assert_allclose(network.forward(X), by_hand(network, X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n", [2, 7, 150])
def test_gradients_are_central_differences(activation, n):
    network = a_network(activation)
    rows, labels = X[::-1][:n].copy(), Y[::-1][:n]
    rows += np.random.default_rng(1).normal(size=rows.shape)

    def loss():
        return log_loss(network.forward(rows), labels)

    _, dZ = loss()
    network.backward(dZ)
    for W, gradient in zip(network.parameters, network.gradients(), strict=True):
        g = np.zeros_like(W)
        gradient.add_to(g, 1.0, 0.0)
        g = g.copy()
        for index in list(np.ndindex(W.shape))[::3]:
            kept, values = W[index], []
            for step in (1e-6, -1e-6):
                W[index] = kept + step
                values.append(loss()[0])
            W[index] = kept
            assert g[index] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-8)


def test_a_gradient_that_is_an_array_is_added():
    out = np.array([1.0, 2.0])
    ArrayGradient(np.array([10.0, 20.0])).add_to(out, 2.0, 0.5)
    assert_array_equal(out, [20.5, 41.0])


@pytest.mark.parametrize("rows", [X, csr_array(X)])
def test_folded_it_does_for_all_rows_what_it_did_for_one_batch(rows):
    network = a_network(rows=rows)
    expected = by_hand(network, X)
    assert_allclose(outputs(network.for_inference(40), rows), expected, rtol=1e-9, atol=1e-9)
    coefs, intercepts = network.folded_parameters()
    assert_allclose(outputs(Network(coefs, intercepts, "tanh", 40), rows), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype, offset", [("f4", 1e5), ("f8", 1e9)])
def test_units_with_a_large_mean_have_a_variance(dtype, offset):
    A = (np.random.default_rng(0).normal(0, 3, (1000, 2)) + offset).astype(dtype)
    expected = A.var(axis=0, dtype=np.longdouble)
    mean, variance = moments(A.copy())
    assert_allclose(mean, A.mean(axis=0, dtype=np.longdouble), rtol=1e-12)
    assert_allclose(variance, expected, rtol=1e-6)


def test_constant_units_have_the_variance_0_whatever_their_value():
    _, variance = moments(np.full((1001, 3), [0.1, 1e30, -1e-30], dtype=np.float32))
    assert_array_equal(variance, 0)


def test_unfolded_it_changes_no_output():
    network = a_network()
    plain = Network(
        [W.copy() for W in network.coefs], [b.copy() for b in network.intercepts], "tanh", 150
    )
    network.unfold_normalization()
    assert_allclose(network.forward(X), outputs(plain, X), rtol=1e-9, atol=1e-9)


@each
def test_nothing_remains_at_inference(Estimator, small, outputs):
    model = small(Estimator, standardize="auto", **SETTINGS).fit(X, Y)
    assert [W.shape[1] for W in model.coefs_[:-1]] == [8, 6]
    H = X
    for W, b in zip(model.coefs_[:-1], model.intercepts_):
        H = np.maximum(H @ W + b, 0)
    assert_allclose(outputs(model, X), H @ model.coefs_[-1] + model.intercepts_[-1], rtol=1e-9, atol=1e-9)
    assert_allclose(outputs(model, X[:1]), outputs(model, X)[:1], rtol=1e-9)
    assert not np.allclose(
        outputs(model, X), outputs(clone(model).set_params(batch_norm=False).fit(X, Y), X)
    )


@each
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_training_goes_on_with_the_same_bits(Estimator, dropout, small):
    settings = {**SETTINGS, "dropout": dropout, "standardize": "auto"}
    once = small(Estimator, max_iter=4, **settings).fit(X, Y)
    warm = small(Estimator, max_iter=2, warm_start=True, **settings).fit(X, Y)
    warm = pickle.loads(pickle.dumps(warm)).fit(X, Y)
    assert_same_parameters(warm, once)
    passing = small(Estimator, **settings)
    for _ in range(4):
        passing.partial_fit(X, Y, classes=np.unique(Y))
    assert_same_parameters(passing, once)


@each
@pytest.mark.parametrize("before, after", [(True, True), (True, False), (False, True)])
def test_a_pass_begins_with_the_outputs_of_a_plain_fit(Estimator, before, after, small, outputs):
    model = small(Estimator, **(SETTINGS | {"batch_norm": before})).fit(X, Y)
    Z = outputs(model, X)
    model.set_params(batch_norm=after, learning_rate_init=1e-12).partial_fit(X, Y)
    assert_allclose(outputs(model, X), Z, rtol=1e-6, atol=1e-6)


@each
def test_early_stopping_judges_what_inference_gives(Estimator, small, outputs, monkeypatch):
    seen = []
    score = Estimator._validation_score

    def noting(model, Z, *targets):
        seen.append(Z.copy())
        return score(model, Z, *targets)

    monkeypatch.setattr(Estimator, "_validation_score", noting)
    model = small(Estimator, early_stopping=True, validation_fraction=0.3, **SETTINGS).fit(X, Y)
    best = seen[int(np.argmax(model.validation_scores_))]
    nearest = np.abs(best[:, np.newaxis] - outputs(model, X)).max(axis=2).min(axis=1)
    assert_allclose(nearest, 0, atol=1e-6)


@each
def test_it_needs_hidden_units_and_several_rows(Estimator, small):
    with pytest.raises(ValueError, match="batch_norm=True normalises hidden units"):
        small(Estimator, hidden_layer_sizes=(), batch_norm=True).fit(X, Y)
    with pytest.raises(ValueError, match="batch_norm=True needs at least 2 rows in a batch"):
        small(Estimator, batch_norm=True, batch_size=1).fit(X, Y)


@pytest.mark.parametrize("Estimator", [SoftmaxMLPClassifier, TripletMetricTransformer])
@over_seeds()
def test_deep_networks_learn_with_it(Estimator, seed):
    rows, labels = load_digits(return_X_y=True)
    model = Estimator(
        hidden_layer_sizes=(64,) * 4, batch_norm=True, activation="tanh", max_iter=20, random_state=seed
    )
    assert model.fit(rows[:900].astype(np.float32), labels[:900]).score(rows[900:], labels[900:]) > 0.9


@each
def test_constant_units_and_rows_train(Estimator, small, outputs):
    rows = np.column_stack([X, np.full(150, 7.0)])
    assert np.isfinite(outputs(small(Estimator, **SETTINGS).fit(rows, Y), rows)).all()


@pytest.mark.parametrize("alpha", [1.0, -0.5])
def test_gradients_forget_what_was_there_with_beta_0_even_nan(alpha):
    g = np.array([1.0, -2.0, 3.0], dtype=np.float32)
    for gradient in (ArrayGradient(g), MeanGradient(g, ArrayGradient(g))):
        out = np.full_like(g, np.nan)
        gradient.add_to(out, alpha, 0.0)
        assert_allclose(out, alpha * g)
        gradient.add_to(out, 1.0, 2.0)
        assert_allclose(out, (2 * alpha + 1) * g)
