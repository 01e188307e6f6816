"""Callbacks while an embedding learns from pairs or triplets."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from recorders import Failing, Recorder, epochs, needs_callbacks
from shared import X
from sklearn.metrics import roc_auc_score
from tuple_kinds import Pairs, assert_same_training, each, learn

pytestmark = [needs_callbacks, pytest.mark.filterwarnings("ignore:The embedding collapses")]


class Witness(Recorder):
    """Keeps what it is shown at the end of each task."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.shown.append((X, y, metadata, fitted_estimator))


@each
def test_one_task_for_the_fit_and_one_for_each_epoch(kind, make):
    recorder = Recorder()
    learn(kind, make(kind, max_iter=4).set_callbacks(recorder))
    assert recorder.notes == ["setup", "fit begins", *epochs(4), "fit ends", "teardown"]


@each
def test_a_pass_calls_no_callbacks(kind, make):
    recorder = Recorder()
    learn(kind, make(kind).set_callbacks(recorder), incremental=True)
    assert recorder.notes == []


@each
def test_a_callback_may_stop_the_training(kind, make):
    model = learn(kind, make(kind, max_iter=5).set_callbacks(Recorder(2)))
    assert_same_training(model, learn(kind, make(kind, max_iter=2)))


@each
@pytest.mark.parametrize("by_number", [False, True])
def test_callbacks_are_shown_the_tuples_as_given(kind, by_number, make):
    witness = Witness()
    tuples, rows = (kind.tuples, X) if by_number else (X[kind.tuples], None)
    model = learn(kind, make(kind).set_callbacks(witness), tuples, rows)
    assert len(witness.shown) == 4
    for shown, y, metadata, fitted in witness.shown:
        assert shown is tuples
        assert_array_equal(y, kind.options.get("y", np.ones(len(tuples))))
        assert metadata == ({"X": X} if by_number else None)
        assert fitted.transform(X).shape == (150, 4)
    assert [fitted.n_iter_ for *_, fitted in witness.shown] == [1, 2, 3, 3]
    assert_array_equal(witness.shown[-1][-1].transform(X), model.transform(X))


@each
def test_callbacks_are_torn_down_when_one_fails(kind, make):
    failing = Failing()
    model = make(kind).set_callbacks(failing)
    with pytest.raises(RuntimeError, match="of the callback"):
        learn(kind, model)
    assert failing.notes[-1] == "teardown"
    assert not hasattr(model, "coefs_")


@each
def test_a_progress_bar_shows_the_fit(kind, make, capsys, monkeypatch):
    from sklearn.callback import ProgressBar

    monkeypatch.setenv("COLUMNS", "250")
    learn(kind, make(kind).set_callbacks(ProgressBar()))
    shown = capsys.readouterr().out
    assert f"{kind.Estimator.__name__} - fit" in shown
    assert "100%" in shown


@each
@pytest.mark.parametrize("by_number", [False, True])
def test_a_scoring_monitor_follows_a_score_of_tuples(kind, by_number, make):
    from sklearn.callback import ScoringMonitor

    def score(model, tuples, y, X=None):
        if kind is Pairs:
            return {"score": roc_auc_score(y, model.pair_score(tuples, X=X))}
        rows = tuples if X is None else X[tuples]
        nearer = model.pair_distance(rows[:, :2]) < model.pair_distance(rows[:, ::2])
        return {"score": nearer.mean()}

    monitor = ScoringMonitor(scoring=score)
    tuples, rows = (kind.tuples, X) if by_number else (X[kind.tuples], None)
    model = learn(kind, make(kind).set_callbacks(monitor), tuples, rows)
    log = monitor.get_logs().data
    scores = [row["score"] for row in log if row["task_name"] == "epoch"]
    assert len(scores) == 3
    assert scores[-1] == score(model, tuples, kind.options.get("y"), rows)["score"]
    assert len(set(scores)) > 1
