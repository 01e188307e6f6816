import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits

from skmetric import ContrastiveMetricTransformer, SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric._engine.initialization import GAINS, initial_parameters, scale_to_distance


@pytest.mark.parametrize("activation", GAINS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_initial_weights_are_uniform_and_biases_zero(activation, dtype):
    widths = [300, 200, 100]
    coefs, intercepts = initial_parameters(widths, activation, np.random.default_rng(0), dtype)
    assert [W.shape for W in coefs] == [(300, 200), (200, 100)]
    assert [b.shape for b in intercepts] == [(200,), (100,)]
    for W in coefs:
        bound = np.abs(W).max()
        assert W.dtype == dtype and W.flags.c_contiguous
        assert abs(W.mean()) < 0.02 * bound
        assert W.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)
    for b in intercepts:
        assert b.dtype == dtype
        assert_array_equal(b, 0)


@pytest.mark.parametrize("activation", GAINS)
def test_initial_weights_reach_the_bound_of_glorot_times_the_gain(activation):
    rng = np.random.default_rng(0)
    (hidden, output), _ = initial_parameters([300, 200, 100], activation, rng, np.float64)
    assert np.abs(hidden).max() == pytest.approx(GAINS[activation] * np.sqrt(6 / 500), rel=1e-3)
    assert np.abs(output).max() == pytest.approx(np.sqrt(6 / 300), rel=1e-3)


def test_same_generator_same_parameters():
    first, again, other = (
        np.concatenate([W.ravel() for W in initial_parameters([5, 4, 3], "tanh", rng, np.float32)[0]])
        for rng in map(np.random.default_rng, (0, 0, 1))
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


# --- scale ------------------------------------------------------------------------------------------


def mean_squared_distance(Z):
    """Over all ordered pairs, those of a row with itself included."""
    return 2 * (pdist(Z) ** 2).sum() / len(Z) ** 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("distance", [1e-3, 1.0, 50.0])
def test_outputs_lie_at_the_asked_distance(dtype, distance):
    rng = np.random.default_rng(0)
    X = (1 + rng.normal(size=(40, 5))).astype(dtype)
    first, last = rng.normal(size=(5, 4)).astype(dtype), rng.normal(size=(4, 3)).astype(dtype)
    before = first.copy()
    scale_to_distance([first, last], np.tanh(X @ first) @ last, distance)
    Z = np.tanh(X @ first) @ last
    assert mean_squared_distance(Z) == pytest.approx(distance**2, rel=1e-3)
    assert last.dtype == dtype
    assert_array_equal(first, before)


@pytest.mark.parametrize(
    "Z", [np.full((150, 2), 0.1), np.zeros((1, 2)), np.diag([1e200, -1e200]), np.array([[np.inf], [1]])]
)
def test_outputs_without_a_measurable_spread_leave_the_weights(Z):
    W = np.ones((3, 2))
    scale_to_distance([W], Z, 1.0)
    assert_array_equal(W, 1)


@pytest.fixture
def barely_trained():
    """Embeds the digits, in other units, after one epoch with hardly any steps."""

    def embed(estimator, units=1.0):
        X, y = load_digits(return_X_y=True)
        estimator.set_params(max_iter=1, learning_rate_init=1e-12, random_state=0)
        if "input_weight" in estimator.get_params():
            estimator.set_params(input_weight=0)
        return estimator.fit(units * X, y).transform(units * X)

    return embed


@pytest.mark.parametrize(
    "estimator, distance",
    [
        (TripletMetricTransformer(margin=4.0), 6),
        (TripletMetricTransformer(margin=4.0, distance="euclidean"), 12),
        (TripletMetricTransformer(hidden_layer_sizes=(), margin=4.0, early_stopping=True), 6),
        (ContrastiveMetricTransformer(negative_margin=9.0), 3),
        (ContrastiveMetricTransformer(hidden_layer_sizes=(20, 10), negative_margin=9.0), 3),
    ],
)
@pytest.mark.parametrize("units", [1e-3, 1.0, 255.0])
def test_training_begins_at_the_distance_that_the_loss_asks_for(
    estimator, distance, units, barely_trained
):
    Z = barely_trained(estimator, units)
    assert np.sqrt(mean_squared_distance(Z)) == pytest.approx(distance, rel=0.1)


@pytest.mark.filterwarnings("ignore:The embedding collapses")
@pytest.mark.parametrize(
    "estimator",
    [
        ContrastiveMetricTransformer(negative_weight=0, standardize=False),
        SoftmaxMLPClassifier(standardize=False),
    ],
)
def test_where_the_loss_asks_for_no_distance_the_units_count(estimator, barely_trained):
    Z, twice = (barely_trained(estimator, units) for units in (1.0, 2.0))
    assert mean_squared_distance(twice) == pytest.approx(4 * mean_squared_distance(Z), rel=1e-3)


@pytest.mark.filterwarnings("ignore:The embedding collapses", "ignore:Nothing was learned")
@pytest.mark.parametrize("value", [0.1, 1.0, 1e3])
def test_constant_features_make_no_weight_explode(value):
    X, y = np.full((40, 3), value), np.arange(40) % 2
    X[0] += 1e-9
    for Estimator in (TripletMetricTransformer, ContrastiveMetricTransformer):
        model = Estimator(max_iter=1, learning_rate_init=1e-12, standardize=False, random_state=0)
        model.fit(X, y)
        assert max(np.abs(W).max() for W in model.coefs_) < 10


@pytest.mark.parametrize("as_given", [np.asarray, csr_array])
def test_only_the_first_call_sets_the_scale(as_given):
    X, y = load_digits(return_X_y=True)
    rows = as_given(X)
    model = TripletMetricTransformer(learning_rate_init=1e-12, random_state=0).partial_fit(rows, y)
    before = [W.copy() for W in model.coefs_]
    model.partial_fit(100 * rows, y)
    model.set_params(warm_start=True, max_iter=1).fit(100 * rows, y)
    for W, expected in zip(model.coefs_, before):
        assert_allclose(W, expected, rtol=1e-3, atol=1e-6)


def test_on_the_sphere_the_scale_is_left_alone():
    X, y = load_digits(return_X_y=True)
    settings = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0, "normalize": True}
    first, other = (TripletMetricTransformer(margin=m, **settings).fit(X, y).coefs_[-1] for m in (0.1, 3))
    assert_allclose(first, other, rtol=1e-4, atol=1e-8)
