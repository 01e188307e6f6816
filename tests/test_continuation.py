import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose
from shared import (
    X,
    Y,
    assert_same_model,
    each,
    over_seeds,
    parameters_of,
)
from sklearn.base import clone

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)


def passes(model, k, X=X, y=Y):
    for _ in range(k):
        model.partial_fit(X, y, classes=np.unique(Y))
    return model


def assert_finite(model, values):
    assert all(np.isfinite(W).all() for W in parameters_of(model))
    assert np.isfinite(values).all()


SOLVERS = {
    "adam": {"solver": "adam"},
    "adam, decay, dropout": {"solver": "adam", "alpha": 0.01, "dropout": 0.3},
    "momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "nesterov, dropout": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True, "dropout": 0.3},
    "plain descent": {"solver": "sgd", "momentum": 0.0},
}
each_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS.keys())
SCHEDULES = {
    "constant": {"learning_rate": "constant"},
    "inverse_time": {"learning_rate": "inverse_time", "decay_rate": 0.5},
    "callable": {"learning_rate": lambda epoch: 0.5**epoch},
}


@each
@each_solver
def test_passes_over_all_rows_are_the_epochs_of_fit(Estimator, solver, small):
    model = small(Estimator, max_iter=4, **solver)
    assert_same_model(passes(clone(model), 4), model.fit(X, Y))


@each
@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_passes_follow_the_schedule(Estimator, schedule, small):
    model = small(Estimator, max_iter=4, **schedule)
    assert_same_model(passes(clone(model), 4), model.fit(X, Y))


@each
@pytest.mark.parametrize("learning_rate", ["cosine", "adaptive"])
def test_a_pass_is_no_epoch_of_a_plan(Estimator, learning_rate, small):
    model = small(Estimator, max_iter=3, learning_rate=learning_rate).fit(X, Y)
    model = passes(model, 20)
    assert [entry["learning_rate"] for entry in model.history_[3:]] == [model.learning_rate_init] * 20


@each
@each_solver
def test_a_pass_after_a_fit_is_one_more_epoch(Estimator, solver, small):
    model = small(Estimator, warm_start=True, max_iter=3, **solver).fit(X, Y)
    assert_same_model(model.partial_fit(X, Y), small(Estimator, max_iter=4, **solver).fit(X, Y))


@each
@each_solver
def test_a_warm_start_goes_on_where_fit_ended(Estimator, solver, small):
    model = small(Estimator, warm_start=True, max_iter=2, **solver)
    assert_same_model(model.fit(X, Y).fit(X, Y), small(Estimator, max_iter=4, **solver).fit(X, Y))


@each
def test_a_pass_after_a_plain_fit_keeps_its_weights(Estimator, small):
    model = small(Estimator, learning_rate_init=1e-6, solver="sgd").fit(X, Y)
    before = copy.deepcopy(parameters_of(model))
    model.partial_fit(X, Y)
    assert model.n_iter_ == 4
    for W, old in zip(parameters_of(model), before):
        assert_allclose(W, old, atol=1e-2)


@each
def test_a_plain_fit_begins_anew(Estimator, small):
    model = passes(small(Estimator), 2)
    assert_same_model(model.fit(X, Y), small(Estimator).fit(X, Y))


@each
@over_seeds()
def test_warm_start_lowers_the_loss_and_lengthens_the_history(Estimator, small):
    model = small(Estimator, warm_start=True, solver="sgd", momentum=0.0, batch_size=150).fit(X, Y)
    loss, curve = model.loss_, list(model.loss_curve_)
    model.fit(X, Y)
    assert model.loss_ < loss
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 6
    assert model.loss_curve_[:3] == curve


@each
@pytest.mark.parametrize("hidden", [(), (9,), (8, 8)])
def test_warm_start_refuses_another_architecture(Estimator, hidden, small):
    model = small(Estimator, warm_start=True).fit(X, Y).set_params(hidden_layer_sizes=hidden)
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(X, Y)


@each
def test_warm_start_refuses_rows_of_another_width(Estimator, small):
    model = small(Estimator, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(X[:, :3], Y)


@each
def test_warm_start_may_change_the_solver(Estimator, small, outputs):
    model = small(Estimator, warm_start=True).fit(X, Y).set_params(solver="sgd", learning_rate_init=1e-4)
    model.fit(X, Y)
    assert model.n_iter_ == 6
    assert_finite(model, outputs(model, X))


@each
def test_warm_start_of_a_new_estimator_is_a_fit(Estimator, small):
    assert_same_model(small(Estimator, warm_start=True).fit(X, Y), small(Estimator).fit(X, Y))


@each
@over_seeds()
def test_passes_over_blocks_learn(Estimator, small, seed):
    order = np.random.default_rng(seed).permutation(150)
    model = small(Estimator, hidden_layer_sizes=(16,))
    for _ in range(30):
        for rows in np.array_split(order, 3):
            passes(model, 1, X[rows], Y[rows])
    assert model.score(X, Y) > 0.9
    assert model.n_iter_ == len(model.loss_curve_) == 90


@each
def test_partial_fit_refuses_another_width(Estimator, small):
    model = passes(small(Estimator), 1)
    with pytest.raises(ValueError, match="3 features"):
        model.partial_fit(X[:, :3], Y)


@each
@pytest.mark.parametrize("fitted", [False, True])
def test_partial_fit_refuses_early_stopping(Estimator, fitted, small):
    model = small(Estimator, early_stopping=True)
    if fitted:
        model.fit(X, Y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        passes(model, 1)
