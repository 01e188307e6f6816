import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from shared import (
    X,
    Y,
    assert_same_model,
    assert_same_parameters,
    each,
    fitted_attributes,
)
from sklearn.base import clone

from skmetric import (
    SoftmaxMLPClassifier,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)


# --- labels -----------------------------------------------------------------------------------------

LABELS = {
    "strings": np.array(["lily", "aster", "rose"]),
    "objects": np.array(["lily", "aster", "rose"], dtype=object),
    "gaps": np.array([40, -7, 1000]),
    "uint8": np.array([200, 3, 77], dtype=np.uint8),
    "floats": np.array([2.0, -1.0, 5.0]),
}
each_labels = pytest.mark.parametrize("names", LABELS.values(), ids=LABELS.keys())
FORMS = {"array": np.asarray, "list": list, "series": pd.Series}


@each
@each_labels
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_classes_are_the_sorted_labels(Estimator, names, form, small):
    model = small(Estimator).fit(X, form(names[Y]))
    assert_array_equal(model.classes_, np.sort(names))
    codes = np.searchsorted(model.classes_, names[Y])
    assert model.score(X, form(names[Y])) == small(Estimator).fit(X, codes).score(X, codes)


@each
def test_only_the_order_of_the_labels_matters(Estimator, small):
    named = small(Estimator).fit(X, np.array(["a", "b", "c"])[Y])
    assert_same_model(named, small(Estimator).fit(X, Y))


@each
def test_labels_may_be_bool(Estimator, small):
    model = small(Estimator).fit(X, Y == 1)
    assert_array_equal(model.classes_, [False, True])
    codes = (Y == 1).astype(int)
    assert model.score(X, Y == 1) == small(Estimator).fit(X, codes).score(X, codes)


@each
def test_labels_may_be_categories(Estimator, small):
    y = pd.Series(pd.Categorical.from_codes(Y, ["p", "q", "r"]))
    assert_array_equal(small(Estimator).fit(X, y).classes_, ["p", "q", "r"])


# --- attributes -------------------------------------------------------------------------------------

ALWAYS = {"loss", "learning_rate", "seconds", "validation_score"}


@each
def test_shapes_of_the_parameters(Estimator, small):
    model = small(Estimator, hidden_layer_sizes=(7, 5)).fit(X, Y)
    n_outputs = 3 if Estimator is SoftmaxMLPClassifier else 4
    assert [W.shape for W in model.coefs_] == [(4, 7), (7, 5), (5, n_outputs)]
    assert [b.shape for b in model.intercepts_] == [(7,), (5,), (n_outputs,)]
    assert model.n_features_in_ == 4


@each
@pytest.mark.parametrize("hidden", [6, (6,), [6], np.array([6]), np.int64(6)], ids=repr)
def test_hidden_layers_may_be_given_as_a_number_or_a_sequence(Estimator, hidden, small):
    assert small(Estimator, hidden_layer_sizes=hidden).fit(X, Y).coefs_[0].shape == (4, 6)


@each
def test_history_has_an_entry_for_each_epoch(Estimator, small):
    model = small(Estimator, max_iter=5).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 5
    assert [entry["loss"] for entry in model.history_] == model.loss_curve_
    assert all(ALWAYS <= entry.keys() for entry in model.history_)
    assert all(entry["seconds"] > 0 for entry in model.history_)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)


@each
def test_history_has_the_rates(Estimator, small):
    model = small(Estimator, learning_rate=lambda epoch: 1 / (1 + epoch), learning_rate_init=0.5)
    rates = [entry["learning_rate"] for entry in model.set_params(solver="adam").fit(X, Y).history_]
    assert_allclose(rates, [0.5, 0.25, 0.5 / 3])


@each
@pytest.mark.parametrize("schedule", ["constant", "inverse_time", "cosine", "adaptive"])
def test_the_rate_never_rises(Estimator, schedule, small):
    model = small(Estimator, learning_rate=schedule, decay_rate=0.5, max_iter=6).fit(X, Y)
    rates = [entry["learning_rate"] for entry in model.history_]
    assert rates == sorted(rates, reverse=True)
    assert (rates[-1] < rates[0]) == (schedule in ("inverse_time", "cosine"))


@each
def test_the_adaptive_rate_falls_when_progress_stops(Estimator, small):
    model = small(Estimator, learning_rate="adaptive", tol=1e9, n_iter_no_change=1, max_iter=6).fit(X, Y)
    rates = [entry["learning_rate"] for entry in model.history_]
    assert rates == sorted(rates, reverse=True)
    assert_allclose(rates[-1], 0.01 / 5 ** (len(set(rates)) - 1))
    assert len(set(rates)) > 1


@each
def test_training_ends_when_the_loss_stands_still(Estimator, small):
    model = small(Estimator, max_iter=50, tol=1e9, n_iter_no_change=2).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) < 50


@each
def test_no_validation_without_early_stopping(Estimator, small):
    model = small(Estimator).fit(X, Y)
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None
    assert [entry["validation_score"] for entry in model.history_] == [None] * 3


@each
def test_validation_with_early_stopping(Estimator, small):
    model = small(Estimator, early_stopping=True, validation_fraction=0.2).fit(X, Y)
    assert len(model.validation_scores_) == model.n_iter_ == 3
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert [entry["validation_score"] for entry in model.history_] == model.validation_scores_
    assert all(0 <= score <= 1 for score in model.validation_scores_)


@each
def test_early_stopping_restores_the_best_epoch(Estimator, small):
    noisy = np.random.default_rng(0).permutation(Y)
    model = small(Estimator, early_stopping=True, max_iter=8, dropout=0.1, random_state=1).fit(X, noisy)
    n_best = int(np.argmax(model.validation_scores_)) + 1
    assert n_best < model.n_iter_, "the test needs a best epoch before the last"
    assert_same_parameters(model, clone(model).set_params(max_iter=n_best).fit(X, noisy))


@each
def test_early_stopping_stops_early(Estimator, small):
    model = small(Estimator, early_stopping=True, max_iter=50, n_iter_no_change=2, tol=1.0).fit(X, Y)
    assert model.n_iter_ == len(model.validation_scores_) < 10


@each
def test_a_refit_forgets_the_validation(Estimator, small):
    model = small(Estimator, early_stopping=True).fit(X, Y).set_params(early_stopping=False).fit(X, Y)
    plain = small(Estimator).fit(X, Y)
    assert fitted_attributes(model).keys() == fitted_attributes(plain).keys()
    assert model.validation_scores_ is None
