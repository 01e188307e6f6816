"""Any values of all parameters at once, on any data: a model that is whole, or an error that says why."""

import pickle

import numpy as np
from any_model import any_data, any_parameters, applied, fitted_or_refused, only_known_warnings, state_of
from hypothesis import given, settings
from profiles import by_profile
from shared import each
from sklearn.base import clone


@each
def test_each_parameter_has_a_strategy(Estimator):
    """A new parameter is drawn from its constraints, or there is an error until it has a strategy."""
    names = set(Estimator().get_params())
    assert set(Estimator._parameter_constraints) == names

    @settings(max_examples=10)
    @given(any_parameters(Estimator))
    def check(parameters):
        assert set(parameters) == names
        Estimator(**parameters)._validate_params()

    check()


def n_outputs_of(model, name):
    """Number of columns of what a method of a fitted model returns; None for a vector."""
    if name == "transform":
        return len(model.get_feature_names_out())
    if name == "decision_function":
        return None if len(model.classes_) == 2 else len(model.classes_)
    return len(model.classes_) if name.startswith("predict_") else None


def assert_whole(model, X, y):
    """All that the model computes of its rows is finite and has the right shape."""
    n_rows = len(y)
    with only_known_warnings():
        for name, call in applied(model, X, y).items():
            try:
                values = np.asarray(call())
            except ValueError as error:  # embeddings are finite, their distances may be too large
                assert "distance" in name and "distance is larger than the largest" in str(error)
                continue
            if name == "predict":
                assert np.isin(values, model.classes_).all()
                continue
            assert np.isfinite(values).all(), name
            if name.startswith("pairwise_distance"):
                assert values.shape == (n_rows, n_rows)
            elif name not in ("score", "pair_distance"):
                width = n_outputs_of(model, name)
                assert values.shape == ((n_rows,) if width is None else (n_rows, width))


def fit_of_any(Estimator, parameters, data):
    """Fit a model twice; return whether it was fitted, or else refused."""
    X, y = data
    model = Estimator(**parameters)
    twin = clone(model)
    if not fitted_or_refused(model, lambda model: model.fit(X, y)):
        return False
    assert_whole(model, X, y)
    assert state_of(pickle.loads(pickle.dumps(model))) == state_of(model)
    if parameters["random_state"] is not None:
        assert fitted_or_refused(twin, lambda model: model.fit(X, y))
        assert state_of(twin) == state_of(model)
    return True


@each
def test_any_parameters_give_a_whole_model_or_an_error_that_names_the_cause(Estimator, record_property):
    fitted = []

    @settings(max_examples=by_profile(25, 1000))
    @given(any_parameters(Estimator), any_data())
    def check(parameters, data):
        fitted.append(fit_of_any(Estimator, parameters, data))

    check()
    record_property(f"draws_{Estimator.__name__}", len(fitted))
    record_property(f"fitted_{Estimator.__name__}", sum(fitted))
    assert sum(fitted) > 0.05 * len(fitted)  # else it says little
