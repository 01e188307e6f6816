import copy
import math
import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from shared import over_seeds
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import NeighborhoodMetricTransformer
from skmetric.losses import NEIGHBOR_TARGETS

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses",  # of what is not trained
    "ignore:.*partial_fit got rows of one class only",
)

X, Y = load_iris(return_X_y=True)
DIGITS, DIGIT_LABELS = (part[:600] for part in load_digits(return_X_y=True))
DIGITS = DIGITS / 16

every_loss = pytest.mark.parametrize("loss", NEIGHBOR_TARGETS)
STILL = {"learning_rate": lambda epoch: 0.0, "solver": "sgd", "max_iter": 1}
MIXED = KFold(3, shuffle=True, random_state=0)


@pytest.fixture
def soft(small):
    return lambda **parameters: small(NeighborhoodMetricTransformer, **parameters)


def squared_distances(Z):
    return ((Z[:, np.newaxis] - Z) ** 2).sum(axis=2)


def assert_same_parameters(model, other):
    for W, V in zip([*model.coefs_, *model.intercepts_], [*other.coefs_, *other.intercepts_]):
        assert_array_equal(W, V)


# --- what is learned ----------------------------------------------------------------------------------


@every_loss
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_the_loss_is_that_of_a_loop_over_the_rows(loss, normalize, temperature, soft):
    model = soft(loss=loss, normalize=normalize, temperature=temperature, batch_size=150, **STILL)
    D = squared_distances(model.fit(X, Y).transform(X))
    terms, n_wrong = [], 0
    for i in range(150):
        weights = np.exp(-(D[i] - np.delete(D[i], i).min()) / temperature)
        weights[i] = 0
        p = weights / weights.sum()
        same = (Y == Y[i]) & (np.arange(150) != i)
        one = loss == "neighborhood_components"
        terms.append(-math.log(p[same].sum()) if one else -np.log(p[same]).mean())
        n_wrong += p[same].sum() < 0.5
    assert model.loss_ == pytest.approx(np.mean(terms), rel=1e-6)
    assert model.history_[0]["active_fraction"] == n_wrong / 150


@every_loss
@over_seeds()
def test_training_makes_neighbours_alike(loss, soft):
    train, test, train_labels, test_labels = train_test_split(
        DIGITS, DIGIT_LABELS, stratify=DIGIT_LABELS, random_state=0
    )
    settings = {"loss": loss, "n_components": 2, "hidden_layer_sizes": ()}
    untrained, model = (
        soft(**settings, **more).fit(train, train_labels) for more in (STILL, {"max_iter": 40})
    )
    assert model.score(test, test_labels) > untrained.score(test, test_labels) + 0.2
    assert model.loss_ < 0.6 * model.loss_curve_[0]


@every_loss
@over_seeds()
def test_training_helps_on_iris(loss, soft):
    train, test, train_labels, test_labels = train_test_split(X, Y, stratify=Y, random_state=0)
    model = soft(loss=loss, n_components=2, max_iter=40).fit(train, train_labels)
    untrained = clone(model).set_params(**STILL).fit(train, train_labels)
    assert model.score(test, test_labels) > max(0.9, untrained.score(test, test_labels) - 0.01)


@every_loss
@over_seeds()
def test_neighbours_in_a_pipeline(loss, soft):
    train, test, train_labels, test_labels = train_test_split(X, Y, stratify=Y, random_state=0)
    pipeline = make_pipeline(StandardScaler(), soft(loss=loss, max_iter=30), KNeighborsClassifier(3))
    assert pipeline.fit(train, train_labels).score(test, test_labels) > 0.8


def test_the_losses_learn_different_embeddings(soft):
    one, every = (soft(loss=loss).fit(X, Y) for loss in NEIGHBOR_TARGETS)
    assert not np.allclose(one.coefs_[0], every.coefs_[0])


@over_seeds()
def test_one_neighbour_is_enough_or_all_shall_be_near(soft, seed):
    # A class of two far groups may stay in two groups only where one neighbour is enough.
    rng = np.random.default_rng(seed)
    place = np.array([[-4.0, 0.0], [4.0, 0.0], [0.0, 0.0]])[np.arange(120) % 3]
    rows, labels = place + 0.2 * rng.normal(size=(120, 2)), (np.arange(120) % 3 == 2).astype(int)

    def gap(loss):
        model = soft(loss=loss, hidden_layer_sizes=(32,), max_iter=40, batch_size=120).fit(rows, labels)
        Z = model.transform(rows)
        between = np.linalg.norm(Z[::3].mean(axis=0) - Z[1::3].mean(axis=0))
        return between / np.linalg.norm(Z[::3].mean(axis=0) - Z[2::3].mean(axis=0))

    one, every = (gap(loss) for loss in NEIGHBOR_TARGETS)
    assert every < 0.5 * one


# --- temperature --------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_distances_begin_at_three_roots_of_the_temperature(factor, soft):
    for temperature in (0.01, 1.0, 100.0):
        model = soft(temperature=temperature, **STILL).fit(factor * X, Y)
        D = squared_distances(model.transform(factor * X))
        assert math.sqrt(D.mean()) == pytest.approx(3 * math.sqrt(temperature), rel=1e-6)


def test_on_the_sphere_the_temperature_scales_nothing(soft):
    one, two = (soft(normalize=True, temperature=t, **STILL).fit(X, Y) for t in (0.1, 10.0))
    assert_same_parameters(one, two)


@every_loss
def test_a_temperature_is_a_choice_of_units(loss, soft):
    # In the last layer, which is scaled with it, sgd goes by steps that grow as the temperature.
    one, four = (
        soft(
            loss=loss,
            temperature=temperature,
            hidden_layer_sizes=(),
            solver="sgd",
            momentum=0.0,
            learning_rate_init=0.01 * temperature,
        ).fit(X, Y)
        for temperature in (1.0, 4.0)
    )
    assert_allclose(four.loss_curve_, one.loss_curve_, rtol=1e-9)
    assert_allclose(four.transform(X), 2 * one.transform(X), rtol=1e-7, atol=1e-9)


@every_loss
@pytest.mark.parametrize("temperature", [1e-4, 1.0, 1e4])
def test_any_temperature_trains(loss, temperature, soft):
    model = soft(loss=loss, temperature=temperature, max_iter=10).fit(X.astype(np.float32), Y)
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.transform(X)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_far_apart_train(dtype, soft):
    # Of the initial distances only the mean is known: these reach from 0 to far beyond exp.
    rows = np.vstack([X, 1e4 + X[:30]]).astype(dtype)
    model = soft(normalize=False, learning_rate_init=1e-4).fit(rows, np.r_[Y, Y[:30]])
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.transform(rows)).all()


@over_seeds()
def test_grid_search_over_the_temperature(soft):
    grid = {"temperature": [1e-3, 1.0, 1e3]}
    search = GridSearchCV(soft(), grid, cv=MIXED).fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert search.best_estimator_.temperature == grid["temperature"][scores.argmax()]
    assert search.best_score_ > 0.7


@over_seeds()
def test_grid_search_over_the_loss(soft):
    search = GridSearchCV(soft(), {"loss": list(NEIGHBOR_TARGETS)}, cv=MIXED).fit(X, Y)
    assert search.cv_results_["mean_test_score"].min() > 0.6


# --- wrong values -------------------------------------------------------------------------------------

WRONG = [
    ("temperature", 0),
    ("temperature", -1.0),
    ("temperature", np.nan),
    ("temperature", None),
    ("temperature", "1"),
    ("loss", "nca"),
    ("loss", "log_loss"),
    ("loss", None),
    ("loss", np.mean),
]


@pytest.mark.parametrize("name, value", WRONG)
def test_a_wrong_value_is_refused_by_its_name(name, value, soft):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of NeighborhoodMetricTransformer"):
        soft(**{name: value}).fit(X, Y)
    with pytest.raises(ValueError, match=f"The '{name}' parameter of NeighborhoodMetricTransformer"):
        soft(**{name: value}).partial_fit(X, Y)


@pytest.mark.parametrize("name", ["reduction", "margin", "mining", "distance"])
def test_parameters_of_other_embeddings_are_not_known(name):
    assert name not in NeighborhoodMetricTransformer().get_params()
    with pytest.raises(TypeError, match=name):
        NeighborhoodMetricTransformer(**{name: 1})


def test_one_class_is_refused(soft):
    with pytest.raises(ValueError, match="at least 2 classes"):
        soft().fit(X, np.zeros(150))


def test_classes_of_one_row_each_are_refused(soft):
    with pytest.raises(ValueError, match="one sample only"):
        soft().fit(X[:5], np.arange(5))


def test_a_class_of_one_row_is_no_error(soft):
    y = Y.copy()
    y[0] = 9
    assert np.isfinite(soft().fit(X, y).transform(X)).all()


# --- what is kept -------------------------------------------------------------------------------------


@every_loss
@over_seeds()
def test_history_has_the_share_of_rows_that_choose_wrongly(loss, soft):
    model = soft(loss=loss, max_iter=20).fit(X, Y)
    shares = [entry["active_fraction"] for entry in model.history_]
    assert len(shares) == model.n_iter_ == 20
    # Of 150 rows, one or two choose wrongly by chance.
    assert 0 <= np.mean(shares[-5:]) < max(shares[:2]) <= 1


@every_loss
def test_a_pickle_keeps_every_bit(loss, soft):
    model = soft(loss=loss, temperature=0.5, warm_start=True).fit(X, Y)
    other = pickle.loads(pickle.dumps(model))
    assert other.get_params() == model.get_params()
    assert_array_equal(other.transform(X), model.transform(X))
    assert_same_parameters(other.fit(X, Y), model.fit(X, Y))


@every_loss
def test_passes_are_the_epochs_of_fit(loss, soft):
    model, passing = soft(loss=loss, dropout=0.2).fit(X, Y), soft(loss=loss, dropout=0.2)
    for _ in range(3):
        passing.partial_fit(X, Y)
    assert_same_parameters(passing, model)
    assert passing.loss_curve_ == model.loss_curve_


def test_a_pass_over_one_class_teaches_nothing(soft):
    model = soft(solver="sgd", momentum=0.0).fit(X, Y)
    before = copy.deepcopy(model)
    model.partial_fit(X[:50], Y[:50])
    assert model.loss_ == 0
    assert model.history_[-1]["active_fraction"] == 0
    assert_same_parameters(model, before)


def test_a_failed_refit_leaves_the_model_as_it_was(soft):
    model = soft().fit(X, Y)
    before = model.transform(X)
    with pytest.raises(ValueError):
        model.fit(X, np.zeros(150))
    assert_array_equal(model.transform(X), before)
    assert_array_equal(model.classes_, [0, 1, 2])


def test_early_stopping_restores_the_best_epoch(soft):
    model = soft(early_stopping=True, max_iter=15).fit(X, Y)
    n_best = int(np.argmax(model.validation_scores_)) + 1
    assert_same_parameters(model, clone(model).set_params(max_iter=n_best).fit(X, Y))


@every_loss
def test_a_linear_embedding_has_a_mahalanobis_matrix(loss, soft):
    model = soft(loss=loss, hidden_layer_sizes=()).fit(X, Y)
    M, difference = model.get_mahalanobis_matrix(), X[0] - X[80]
    assert model.get_metric()(X[0], X[80]) == pytest.approx(math.sqrt(difference @ M @ difference))


@every_loss
@over_seeds()
def test_a_healthy_fit_does_not_warn(loss, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NeighborhoodMetricTransformer(2, loss=loss, max_iter=20, random_state=seed).fit(X, Y)


@over_seeds()
def test_distances_on_the_sphere_are_not_asked_for_more_than_it_has(seed):
    # Without a warning, although no distance on the sphere is a tenth of the one that is asked for.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = {"temperature": 1000.0, "normalize": True, "input_weight": 0, "random_state": seed}
        NeighborhoodMetricTransformer(2, (8,), **settings).fit(X, Y)
