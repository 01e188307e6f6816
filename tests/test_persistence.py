import io
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal, assert_equal
from shared import (
    X,
    Y,
    assert_same_model,
    each,
    fitted_attributes,
    parameters_of,
)
from sklearn.datasets import load_digits

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

DIGITS, DIGIT_LABELS = (part[:300] for part in load_digits(return_X_y=True))
DIGITS = DIGITS / 16


def passes(model, k, X=X, y=Y):
    for _ in range(k):
        model.partial_fit(X, y, classes=np.unique(Y))
    return model


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def dumped(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@each
@pytest.mark.parametrize("round_trip", [pickled, dumped])
def test_round_trip_keeps_every_bit(Estimator, round_trip, small, outputs):
    model = small(Estimator).fit(X, Y)
    other = round_trip(model)
    assert_equal(fitted_attributes(other), fitted_attributes(model))
    assert_array_equal(outputs(other, X), outputs(model, X))


@each
def test_a_round_trip_between_two_epochs_changes_nothing(Estimator, small):
    model = passes(small(Estimator, dropout=0.2), 1)
    other = pickled(model)
    assert_same_model(passes(model, 1), passes(other, 1))


@each
def test_pickle_holds_little_but_the_parameters(Estimator, small):
    model = small(Estimator, hidden_layer_sizes=(300,)).fit(DIGITS, DIGIT_LABELS)
    n_bytes = sum(W.nbytes for W in parameters_of(model))
    assert len(pickle.dumps(model)) < n_bytes + 20_000


@each
def test_pickle_does_not_grow_with_the_rows(Estimator, small):
    few, many = (
        len(pickle.dumps(small(Estimator).fit(np.tile(X, (n, 1)), np.tile(Y, n)))) for n in (1, 10)
    )
    assert many < few + 100


@each
@pytest.mark.parametrize("solver, n_more", [("adam", 2), ("sgd", 1)])
def test_optimizer_state_is_kept_only_where_training_may_go_on(Estimator, solver, n_more, small):
    plain, warm = (
        small(Estimator, hidden_layer_sizes=(300,), solver=solver, momentum=0.9, warm_start=warm_start)
        for warm_start in (False, True)
    )
    plain.fit(DIGITS, DIGIT_LABELS)
    warm.fit(DIGITS, DIGIT_LABELS)
    n_bytes = sum(W.nbytes for W in parameters_of(plain))
    without = len(pickle.dumps(plain))
    assert len(pickle.dumps(warm)) > without + 0.9 * n_more * n_bytes
    assert len(pickle.dumps(plain.partial_fit(DIGITS, DIGIT_LABELS))) > without + 0.9 * n_more * n_bytes
    assert len(pickle.dumps(plain.fit(DIGITS, DIGIT_LABELS))) < without + 1_000
