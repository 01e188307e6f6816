"""`adversarial`: steps that are also taken at rows that are moved uphill."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from shared import DIFFICULT, X, Y, assert_same_model, assert_same_parameters, each

from skmetric import SoftmaxMLPClassifier
from skmetric._engine.adversarial import AtAdversarialRows, AtRows, directions
from skmetric._engine.batch_normalization import BatchNormalization
from skmetric._engine.initialization import initial_parameters
from skmetric._engine.network import Network
from skmetric.losses import LabelLoss, MetricLoss, WithSoftmaxHead, log_loss, triplet

WIDTHS = [4, 6, 3]
HEADED = WithSoftmaxHead(MetricLoss(triplet), 0.5, 3, 3)
LOSSES = {"log_loss": LabelLoss(log_loss), "triplet": MetricLoss(triplet), "with head": HEADED}


def a_network(input_dropout=0.0, batch_norm=False):
    rng = np.random.default_rng(0)
    parameters = initial_parameters(WIDTHS, "tanh", rng, np.float64)
    options = {"input_dropout": input_dropout, "rng": rng}
    if batch_norm:
        options["normalization"] = BatchNormalization([np.ones(6)], 150, X, np.arange(150))
    return Network(*parameters, "tanh", 150, **options)


def arrays(network, loss, gradients):
    found = [np.zeros_like(W) for W in [*network.parameters, *loss.parameters]]
    for g, gradient in zip(found, gradients, strict=True):
        gradient.add_to(g, 1.0, 0.0)
    return found


def at(rows, network, loss):
    """Value, gradients of the parameters and gradient on the rows."""
    batch = network.gather(rows, np.arange(len(rows)))
    value, gradients = AtRows().differentiate(network, loss, batch, [Y])
    return value, arrays(network, loss, gradients), network.input_gradient()


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_gradient_on_the_rows_is_a_central_difference(loss, batch_norm):
    network = a_network(batch_norm=batch_norm)
    rows = X + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    _, _, dX = at(rows, network, loss)
    for index in [(0, 0), (70, 2), (149, 3)]:
        values = []
        for step in (1e-6, -1e-6):
            moved = rows.copy()
            moved[index] += step
            values.append(at(moved, network, loss)[0])
        assert dX[index] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_step_is_the_mean_of_both_gradients(loss, batch_norm):
    network = a_network(batch_norm=batch_norm)
    value, clean, dX = at(X, network, loss)
    lengths = np.linalg.norm(dX, axis=1, keepdims=True)
    direction = np.divide(dX, lengths, out=np.zeros_like(dX), where=lengths > 0)
    size = 0.1 * np.sqrt(((X - X.mean(axis=0)) ** 2).sum(axis=1).mean())
    moved_value, moved, _ = at(X + size * direction, network, loss)
    assert moved_value > value
    batch = network.gather(X, np.arange(150))
    both_value, both = AtAdversarialRows(0.1).differentiate(network, loss, batch, [Y])
    assert both_value == pytest.approx((value + moved_value) / 2)
    for g, first, second in zip(arrays(network, loss, both), clean, moved):
        assert_allclose(g, (first + second) / 2, rtol=1e-9, atol=1e-12)


def test_dropped_features_have_no_gradient():
    network = a_network(input_dropout=0.5)
    _, _, dX = at(X, network, LOSSES["log_loss"])
    assert_array_equal(dX[network.masks[0] == 0], 0)
    assert (dX[network.masks[0] > 0] != 0).all()


def test_directions_have_length_1_whatever_the_size_of_the_gradient():
    dX = np.array([[3.0, 4.0], [0.0, 0.0], [1e-30, 0.0]], dtype=np.float32)
    assert_allclose(directions(dX), [[0.6, 0.8], [0, 0], [1, 0]], rtol=1e-6)


@each
def test_zero_moves_nothing_and_more_changes_the_model(Estimator, small):
    plain = small(Estimator).fit(X, Y)
    assert_same_model(small(Estimator, adversarial=0).fit(X, Y), plain)
    moved = small(Estimator, adversarial=0.1).fit(X, Y)
    assert not np.array_equal(moved.coefs_[0], plain.coefs_[0])


@each
@pytest.mark.parametrize("form", [np.asfortranarray, csr_array])
def test_rows_of_all_forms_train_alike_and_stay(Estimator, form, small):
    rows = form(X)
    model = small(Estimator, adversarial=0.1, standardize="auto").fit(rows, Y)
    assert_same_parameters(model, small(Estimator, adversarial=0.1, standardize="auto").fit(form(X), Y))
    assert_array_equal(rows.toarray() if rows is not X and hasattr(rows, "toarray") else rows, X)


@each
def test_it_goes_on_with_the_same_bits(Estimator, small):
    settings = {"adversarial": 0.1, "input_dropout": 0.2, "standardize": "auto"}
    warm = small(Estimator, max_iter=2, warm_start=True, **settings).fit(X, Y).fit(X, Y)
    assert_same_parameters(warm, small(Estimator, max_iter=4, **settings).fit(X, Y))


def test_a_model_resists_rows_that_are_moved_uphill():
    """That is what it learns; how much it helps the test error is for the benchmarks."""
    rows, labels = DIFFICULT
    scores = []
    for adversarial in (0.0, 0.2):
        model = SoftmaxMLPClassifier(adversarial=adversarial, standardize=False, random_state=0)
        model.fit(rows, labels)
        network = Network(model.coefs_, model.intercepts_, "relu", len(rows))
        _, dZ = log_loss(network.forward(rows), labels)
        network.backward(dZ)
        length = 0.2 * np.sqrt(rows.var(axis=0).sum())
        scores.append(model.score(rows + length * directions(network.input_gradient()), labels))
    assert scores[1] > scores[0] + 0.1


@each
@pytest.mark.parametrize("adversarial", [-0.1, "much", None])
def test_a_wrong_size_is_named(Estimator, adversarial, small):
    with pytest.raises(ValueError, match="'adversarial' parameter"):
        small(Estimator, adversarial=adversarial).fit(X, Y)
