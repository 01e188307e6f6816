"""Callbacks of scikit-learn 1.9 and later; nothing happens on earlier versions.

``sklearn.callback`` is experimental: this is the only place that knows it.
"""

from ._snapshot import Snapshot

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Stands for scikit-learn's class of this name, which has `set_callbacks`."""

    def with_callbacks(method):
        """Leave a method as it is."""
        return method


class FitCallbacks:
    """One task for `fit`, and below it one for each epoch.

    Parameters
    ----------
    estimator : estimator
        Whose callbacks are called.
    network : Network
        Holds the parameters while they are trained.
    X : array-like of shape (n_samples, n_features)
        The rows.
    rows : ndarray of int of shape (n,)
        Numbers of those that are trained on.
    codes : ndarray of shape (n_samples,)
        Their classes, as positions in `classes_`.
    sample_weight : ndarray of shape (n_samples,), default=None
        Their weights.
    """

    def __init__(self, estimator, network, X, rows, codes, sample_weight=None):
        self.root = None
        if hasattr(estimator, "_init_callback_context"):
            self.snapshot = Snapshot(estimator, network, X, rows)
            # A callable is called only where a callback asks for the labels.
            self.data = {"estimator": estimator, "X": X, "y": lambda: estimator.classes_[codes]}
            if sample_weight is not None:
                self.data["metadata"] = {"sample_weight": sample_weight}
            self.root = estimator._init_callback_context(max_subtasks=estimator.max_iter)
            self.root.call_on_fit_task_begin(**self.data)

    def _ends(self, task):
        return task.call_on_fit_task_end(reconstruction_attributes=self.snapshot.attributes, **self.data)

    def epoch_begins(self):
        """Tell the callbacks that an epoch begins."""
        if self.root:
            self.epoch = self.root.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(**self.data)

    def epoch_ends(self):
        """Tell them that it ended; whether one of them wants training to stop."""
        return bool(self.root) and self._ends(self.epoch)

    def fit_ends(self):
        """Tell them that training is over."""
        if self.root:
            self._ends(self.root)


class NoCallbacks:
    """Callbacks where scikit-learn has none: in `partial_fit`, and for data that it cannot be shown."""

    def __init__(self, *parts):
        pass

    def epoch_begins(self):
        """Do nothing."""

    def epoch_ends(self):
        """Never stop."""
        return False

    def fit_ends(self):
        """Do nothing."""
