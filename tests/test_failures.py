import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal, assert_equal
from shared import (
    X,
    Y,
    assert_same_model,
    each,
    fitted_attributes,
    over_seeds,
    parameters_of,
)
from sklearn.base import clone

EXPLODES = {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 1e308}  # with 1000 * X
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


# --- failures ---------------------------------------------------------------------------------------

FAILURES = {
    "NaN": ({}, (np.where(X > 7, np.nan, X), Y)),
    "another length of y": ({}, (X, Y[:-1])),
    "one dimension": ({}, (X[0], Y)),
    "one class": ({}, (X, np.zeros(150))),
    "one class of another width": ({}, (X[:, :2], np.zeros(150))),
    "continuous y": ({}, (X, X[:, 0] + 0.001)),
    "diverging rate": (EXPLODES, (1000 * X[:, :3], Y)),
    "late error": ({"learning_rate": lambda epoch: [1.0][epoch]}, (X[:, :3], Y)),
    "bad parameter": ({"max_iter": 0}, (X, Y)),
    "bad layer": ({"hidden_layer_sizes": (3, -1)}, (X[:, :3], Y)),
    "no rows to set aside": (
        {"early_stopping": True, "validation_fraction": 0.001},
        (X[:, :3], Y),
    ),
}


@each
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("parameters, data", FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_refit_leaves_the_model_as_it_was(
    Estimator, parameters, data, warm_start, small, outputs
):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = small(Estimator, warm_start=warm_start).fit(frame, Y)
    twin, old = copy.deepcopy(model), model.get_params()
    model.set_params(**parameters)
    with pytest.raises((ValueError, IndexError)):
        model.fit(*data)
    model.set_params(**old)
    assert_equal(fitted_attributes(model), fitted_attributes(twin))
    assert_array_equal(outputs(model, frame), outputs(twin, frame))
    # What does not show is as it was, too: both go on alike.
    assert_same_model(model.partial_fit(frame, Y), twin.partial_fit(frame, Y))


@each
def test_a_failed_first_fit_leaves_no_model(Estimator, small):
    model = small(Estimator, **EXPLODES)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit(1000 * X, Y)
    assert vars(model) == vars(clone(model))


@each
def test_a_failed_pass_leaves_the_model_as_it_was(Estimator, small):
    model = passes(small(Estimator, **(EXPLODES | {"learning_rate_init": 1e-3})), 2)
    twin = copy.deepcopy(model)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.set_params(**EXPLODES).partial_fit(1000 * X, Y)
    model.set_params(learning_rate_init=1e-3)
    assert_same_model(passes(model, 1), passes(twin, 1))


# --- interrupts -------------------------------------------------------------------------------------


def interrupted(at):
    def rate(epoch):
        if epoch == at:
            raise KeyboardInterrupt
        return 1.0

    return rate


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_keeps_the_epochs_before_it(Estimator, early_stopping, small):
    model = small(Estimator, max_iter=6, early_stopping=early_stopping, learning_rate=interrupted(3))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 3
    plain = small(Estimator, max_iter=3, early_stopping=early_stopping).fit(X, Y)
    assert_same_model(model, plain)


@each
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("fitted", [False, True])
def test_an_interrupt_in_the_first_epoch_leaves_the_model_before(
    Estimator, early_stopping, fitted, small
):
    model = small(Estimator, early_stopping=early_stopping)
    if fitted:
        model.fit(X[::2], Y[::2])
    before = vars(model) | {"learning_rate": None}
    model.set_params(learning_rate=interrupted(0))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    after = vars(model) | {"learning_rate": None}
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)


@each
def test_training_goes_on_after_an_interrupt(Estimator, small):
    model = small(Estimator, warm_start=True, learning_rate=interrupted(2))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    model.set_params(learning_rate="constant", max_iter=3).fit(X, Y)
    assert_same_model(model, small(Estimator, max_iter=5).fit(X, Y))


@each
def test_an_interrupted_pass_changes_nothing(Estimator, small):
    model = passes(small(Estimator, learning_rate=interrupted(1)), 1)
    with pytest.raises(KeyboardInterrupt):
        passes(model, 1)
    assert_same_model(model, passes(small(Estimator), 1))


# --- divergence -------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("rate", [1e2, 1e6, 1e12, 1e30, 1e300])
def test_a_rate_that_explodes_never_leaves_nan(Estimator, dtype, solver, rate, small, outputs):
    rows = (100 * X).astype(dtype)
    model = small(Estimator, solver=solver, learning_rate_init=rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            model.fit(rows, Y)
        except ValueError as error:
            assert "learning_rate_init" in str(error)
            assert fitted_attributes(model) == {}
            return
    assert_finite(model, outputs(model, rows))
    assert np.isfinite(model.loss_curve_).all()


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_a_rate_that_explodes_is_named(Estimator, dtype, hidden, small):
    model = small(Estimator, hidden_layer_sizes=hidden, **EXPLODES)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit((1000 * X).astype(dtype), Y)


@each
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@over_seeds()
def test_training_lowers_the_loss(Estimator, activation, small, outputs):
    model = small(Estimator, activation=activation, hidden_layer_sizes=(8, 8), max_iter=30).fit(X, Y)
    # The last epoch may be a little above the first one where that has learned nearly all.
    assert model.best_loss_ < model.loss_curve_[0]
    assert_finite(model, outputs(model, X))
