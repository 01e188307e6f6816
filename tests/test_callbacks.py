import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from recorders import Failing, Recorder, epochs, needs_callbacks
from shared import ESTIMATORS, X, Y, each
from sklearn.base import clone
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import (
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.metrics import make_retrieval_scorer, mean_average_precision_at_r

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:
    ProgressBar = ScoringMonitor = None

ROOT = Path(__file__).parents[1]
NAMED = np.array(["setosa", "versicolor", "virginica"])[Y]


class Witness(Recorder):
    """Keeps what it is shown at the end of each task."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.shown.append((X, y, fitted_estimator))


class Pickles(Witness):
    """Keeps the sizes of pickles of the estimators that it is shown."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.shown.append(len(pickle.dumps(fitted_estimator.set_callbacks())))


class Impatient(Recorder):
    """Wants to stop after every epoch."""

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch"


def scored(model, rows, labels):
    """As a function, since ``scoring=None`` fails in scikit-learn 1.9.1 with all estimators."""
    return {"score": model.score(rows, labels)}


@pytest.fixture
def wide(monkeypatch):
    """A terminal in which names are not cut off."""
    monkeypatch.setenv("COLUMNS", "250")


# --- on the estimator -------------------------------------------------------------------------------


@each
@needs_callbacks
def test_one_task_for_fit_and_one_for_each_epoch(Estimator, small):
    recorder = Recorder()
    small(Estimator, max_iter=4).set_callbacks(recorder).fit(X, Y)
    assert recorder.notes == ["setup", "fit begins", *epochs(4), "fit ends", "teardown"]


@each
@needs_callbacks
def test_fewer_tasks_where_training_ends_early(Estimator, small):
    recorder = Recorder()
    model = small(Estimator, max_iter=50, tol=1e9, n_iter_no_change=1).set_callbacks(recorder).fit(X, Y)
    assert model.n_iter_ < 50
    assert recorder.notes == ["setup", "fit begins", *epochs(model.n_iter_), "fit ends", "teardown"]


@each
@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_callbacks_change_no_bit(Estimator, early_stopping, small):
    plain = small(Estimator, dropout=0.2, early_stopping=early_stopping)
    watched = clone(plain).set_callbacks(Witness(), ScoringMonitor(scoring=scored))
    for W, V in zip(plain.fit(X, Y).coefs_, watched.fit(X, Y).coefs_):
        assert_array_equal(W, V)
    assert plain.loss_curve_ == watched.loss_curve_


@each
@needs_callbacks
@pytest.mark.parametrize("n_epochs", [1, 2])
def test_a_callback_may_stop_training_after_an_epoch(Estimator, n_epochs, small):
    recorder = Recorder(n_epochs)
    model = small(Estimator, max_iter=5).set_callbacks(recorder).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == n_epochs
    assert recorder.notes == ["setup", "fit begins", *epochs(n_epochs), "fit ends", "teardown"]
    plain = small(Estimator, max_iter=n_epochs).fit(X, Y)
    assert_array_equal(model.coefs_[0], plain.coefs_[0])


@each
@needs_callbacks
def test_one_of_several_callbacks_is_enough_to_stop(Estimator, small):
    recorder = Recorder()
    model = small(Estimator, max_iter=5).set_callbacks(Recorder(2), recorder).fit(X, Y)
    assert model.n_iter_ == 2
    assert recorder.notes.count("epoch ends") == 2


@each
@needs_callbacks
def test_callbacks_are_shown_the_rows_the_labels_and_a_fitted_estimator(Estimator, small, outputs):
    witness = Witness()
    model = small(Estimator).set_callbacks(witness).fit(X, NAMED)
    assert len(witness.shown) == 4
    for rows, labels, fitted in witness.shown:
        assert_array_equal(rows, X)
        assert_array_equal(labels, NAMED)
        assert outputs(fitted, X).shape[0] == fitted.transform(X).shape[0] == 150
        assert 0 <= fitted.score(X, NAMED) <= 1
        if Estimator is SoftmaxMLPClassifier:
            assert set(fitted.predict(X)) <= set(NAMED)
    assert_array_equal(outputs(witness.shown[-1][2], X), outputs(model, X))


@each
@needs_callbacks
def test_the_estimator_shown_is_that_of_its_epoch(Estimator, small, outputs):
    witness = Witness()
    small(Estimator, max_iter=3).set_callbacks(witness).fit(X, Y)
    for n_epochs, (_, _, fitted) in enumerate(witness.shown[:3], 1):
        plain = small(Estimator, max_iter=n_epochs).fit(X, Y)
        assert_array_equal(outputs(fitted, X), outputs(plain, X))


@each
@needs_callbacks
def test_after_early_stopping_the_best_estimator_is_shown(Estimator, small, outputs):
    witness = Witness()
    noisy = np.random.default_rng(0).permutation(Y)
    model = small(Estimator, early_stopping=True, max_iter=10).set_callbacks(witness).fit(X, noisy)
    assert np.argmax(model.validation_scores_) < 9, "the test needs a best epoch before the last"
    assert_array_equal(outputs(witness.shown[-1][2], X), outputs(model, X))


@each
@needs_callbacks
def test_callbacks_are_called_again_in_a_refit(Estimator, small):
    recorder = Recorder()
    model = small(Estimator, warm_start=True, max_iter=2).set_callbacks(recorder)
    assert model.fit(X, Y).fit(X, Y).n_iter_ == 4
    assert recorder.notes == ["setup", "fit begins", *epochs(2), "fit ends", "teardown"] * 2


@each
@needs_callbacks
def test_partial_fit_calls_no_callbacks(Estimator, small):
    recorder = Recorder()
    small(Estimator).set_callbacks(recorder).partial_fit(X, Y, classes=np.unique(Y))
    assert recorder.notes == []


# --- failures ---------------------------------------------------------------------------------------


def assert_nothing_is_left(model, recorder):
    assert [name for name in vars(model) if "callback" in name] == ["_skl_callbacks"]
    assert model._skl_callbacks == [recorder]


@each
@needs_callbacks
@pytest.mark.parametrize("fitted", [False, True])
def test_callbacks_are_torn_down_when_training_diverges(Estimator, fitted, small):
    recorder = Recorder()
    model = small(Estimator, solver="sgd").set_callbacks(recorder)
    if fitted:
        model.fit(X, Y)
    recorder.notes.clear()
    model.set_params(learning_rate_init=1e308)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit(1000 * X, Y)
    assert recorder.notes[:3] == ["setup", "fit begins", "epoch begins"]
    assert recorder.notes.count("teardown") == 1
    assert recorder.notes[-1] == "teardown"
    assert_nothing_is_left(model, recorder)
    assert hasattr(model, "coefs_") == fitted


@each
@needs_callbacks
def test_callbacks_are_not_set_up_for_wrong_data(Estimator, small):
    recorder = Recorder()
    model = small(Estimator).set_callbacks(recorder)
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X, Y[:-1])
    assert recorder.notes.count("setup") == recorder.notes.count("teardown")
    assert_nothing_is_left(model, recorder)


@each
@needs_callbacks
def test_a_callback_that_fails_leaves_the_model_as_it_was(Estimator, small, outputs):
    model = small(Estimator).fit(X, Y)
    before = outputs(model, X)
    failing = Failing()
    with pytest.raises(RuntimeError, match="of the callback"):
        model.set_callbacks(failing).fit(X[:100], Y[:100])
    assert failing.notes[-1] == "teardown"
    assert_array_equal(outputs(model, X), before)
    assert_nothing_is_left(model, failing)


@each
@needs_callbacks
def test_an_interrupt_ends_the_task_of_fit(Estimator, small):
    def rate(epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return 1.0

    recorder = Recorder()
    with pytest.warns(UserWarning, match="interrupted"):
        small(Estimator, learning_rate=rate).set_callbacks(recorder).fit(X, Y)
    assert recorder.notes[-2:] == ["fit ends", "teardown"]


@each
@needs_callbacks
def test_nothing_is_left_after_fit(Estimator, small):
    recorder = Recorder()
    model = small(Estimator).set_callbacks(recorder).fit(X, Y)
    assert_nothing_is_left(model, recorder)
    model.set_callbacks()
    assert vars(model).keys() == vars(small(Estimator).fit(X, Y)).keys()


@each
@needs_callbacks
def test_a_model_pickles_while_callbacks_are_set(Estimator, small, outputs):
    model = small(Estimator).set_callbacks(Recorder()).fit(X, Y)
    other = pickle.loads(pickle.dumps(model))
    assert_array_equal(outputs(other, X), outputs(model, X))
    assert other.fit(X, Y).n_iter_ == 3


@each
@needs_callbacks
def test_a_pickle_of_a_watched_model_does_not_hold_the_rows(Estimator, small):
    def size(n):
        recorder = Recorder()
        model = small(Estimator).set_callbacks(recorder).fit(np.tile(X, (n, 1)), np.tile(Y, n))
        return len(pickle.dumps(model))

    assert size(10) < size(1) + 100


@each
@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_estimator_that_is_shown_holds_no_rows(Estimator, early_stopping, small):
    def size(n):
        witness = Pickles()
        model = small(Estimator, early_stopping=early_stopping).set_callbacks(witness)
        model.fit(np.tile(X, (n, 1)), np.tile(Y, n))
        return max(witness.shown)

    assert size(10) < size(1) + 200


# --- scikit-learn's callbacks -----------------------------------------------------------------------


@each
@needs_callbacks
def test_a_progress_bar_shows_the_fit(Estimator, small, capsys, wide):
    small(Estimator).set_callbacks(ProgressBar()).fit(X, Y)
    shown = capsys.readouterr().out
    assert f"{Estimator.__name__} - fit" in shown
    assert "100%" in shown


@each
@needs_callbacks
def test_a_scoring_monitor_has_a_score_for_each_epoch(Estimator, small):
    monitor = ScoringMonitor(scoring=scored)
    model = small(Estimator).set_callbacks(monitor).fit(X, NAMED)
    log = monitor.get_logs().data
    scores = [row["score"] for row in log if row["task_name"] == "epoch"]
    plain = [small(Estimator, max_iter=n).fit(X, NAMED).score(X, NAMED) for n in (1, 2, 3)]
    assert scores == plain
    (last,) = [row["score"] for row in log if row["task_name"] == "fit"]
    assert last == model.score(X, NAMED)


@needs_callbacks
def test_a_scoring_monitor_takes_a_retrieval_scorer(small):
    monitor = ScoringMonitor(scoring=make_retrieval_scorer("mean_average_precision_at_r"))
    model = small(TripletMetricTransformer).set_callbacks(monitor).fit(X, NAMED)
    (last,) = [row["score"] for row in monitor.get_logs().data if row["task_name"] == "fit"]
    assert last == mean_average_precision_at_r(model.transform(X), NAMED)


@needs_callbacks
def test_a_scoring_monitor_may_name_a_metric(small):
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    model = small(SoftmaxMLPClassifier).set_callbacks(monitor).fit(X, Y)
    last = monitor.get_logs().data[-1]
    assert last["accuracy"] == accuracy_score(Y, model.predict(X))
    assert last["neg_log_loss"] < 0


@needs_callbacks
def test_a_scoring_monitor_is_given_the_weights(small):
    weights = np.where(Y == 0, 0.0, 1.0)
    weights[:2] = 1
    seen = []

    def score(y_true, y_pred, sample_weight=None):
        seen.append(sample_weight)
        return 1.0

    model = small(SoftmaxMLPClassifier).set_callbacks(ScoringMonitor(scoring=make_scorer(score)))
    model.fit(X, Y, sample_weight=weights)
    assert len(seen) == 4
    assert all(weight is not None for weight in seen)


def with_neighbours(model):
    last = [] if isinstance(model, SoftmaxMLPClassifier) else [KNeighborsClassifier()]
    return make_pipeline(StandardScaler(), model, *last)


@each
@needs_callbacks
@pytest.mark.filterwarnings("ignore:The estimator KNeighborsClassifier does not support callbacks")
def test_a_progress_bar_around_a_pipeline_shows_the_estimator(Estimator, small, capsys, wide):
    with_neighbours(small(Estimator)).set_callbacks(ProgressBar()).fit(X, Y)
    shown = capsys.readouterr().out
    assert "Pipeline - fit" in shown
    assert Estimator.__name__ in shown


@each
@needs_callbacks
def test_a_progress_bar_around_a_search_shows_the_estimator(Estimator, small, capsys, wide):
    search = GridSearchCV(small(Estimator), {"alpha": [0.0, 0.1]}, cv=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    shown = capsys.readouterr().out
    assert "GridSearchCV - fit" in shown
    assert Estimator.__name__ in shown


@each
@needs_callbacks
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_scoring_monitor_inside_a_search_follows_every_fit(Estimator, n_jobs, small):
    monitor = ScoringMonitor(scoring=scored)
    watched = small(Estimator).set_callbacks(monitor)
    GridSearchCV(watched, {"alpha": [0.0, 0.1]}, cv=2, n_jobs=n_jobs).fit(X, Y)
    (log,) = monitor.get_logs("all")
    epochs_seen = [row for row in log.data if row["task_name"] == "epoch"]
    assert len(epochs_seen) == 3 * (2 * 2 + 1)


@each
@needs_callbacks
def test_a_scoring_monitor_inside_a_pipeline_follows_its_step(Estimator, small):
    monitor = ScoringMonitor(scoring=scored)
    with_neighbours(small(Estimator).set_callbacks(monitor)).fit(X, Y)
    assert sum(row["task_name"] == "epoch" for row in monitor.get_logs().data) == 3


@each
@needs_callbacks
def test_a_search_stops_each_fit_where_a_callback_says_so(Estimator, small):
    watched = small(Estimator).set_callbacks(Impatient())
    stopped = GridSearchCV(watched, {"alpha": [0.0, 0.1]}, cv=2).fit(X, Y)
    short = GridSearchCV(small(Estimator, max_iter=1), {"alpha": [0.0, 0.1]}, cv=2).fit(X, Y)
    assert stopped.best_estimator_.n_iter_ == 1
    assert_array_equal(stopped.cv_results_["mean_test_score"], short.cv_results_["mean_test_score"])


# --- without callbacks ------------------------------------------------------------------------------

WITHOUT = """
import sys
import sklearn.decomposition, sklearn.model_selection, sklearn.pipeline, sklearn.metrics
sys.modules["sklearn.callback"] = None
import numpy as np, skmetric
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
for name in skmetric.__all__:
    model = getattr(skmetric, name)(hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X, y)
    print(hasattr(model, "set_callbacks"), model.loss_)
"""


def test_training_is_the_same_where_scikit_learn_has_no_callbacks():
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WITHOUT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    names = sorted(ESTIMATORS, key=lambda Estimator: Estimator.__name__)
    models = [
        Estimator(hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X, Y) for Estimator in names
    ]
    assert done.stdout.splitlines() == [f"False {model.loss_}" for model in models]
