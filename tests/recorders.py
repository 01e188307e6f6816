"""Callbacks for tests."""

import pytest

from skmetric import TripletMetricTransformer

needs_callbacks = pytest.mark.skipif(
    not hasattr(TripletMetricTransformer, "set_callbacks"),
    reason="scikit-learn before 1.9 has no callbacks",
)


class Recorder:
    """Notes every call; asks to stop after `n_epochs`."""

    def __init__(self, n_epochs=None):
        self.n_epochs = n_epochs
        self.notes = []

    def setup(self, estimator, context):
        self.notes.append("setup")

    def teardown(self, estimator, context):
        self.notes.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.notes.append(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context):
        self.notes.append(f"{context.task_name} ends")
        return self.notes.count("epoch ends") == self.n_epochs


class Failing(Recorder):
    """Fails when the first epoch ends."""

    def on_fit_task_end(self, estimator, context):
        super().on_fit_task_end(estimator, context)
        raise RuntimeError("of the callback")


def epochs(n):
    return ["epoch begins", "epoch ends"] * n
