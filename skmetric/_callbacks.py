"""Callbacks of scikit-learn 1.9 and later. Earlier versions have no callbacks.

``sklearn.callback`` is experimental. Only this module imports it.
"""

from ._snapshot import Snapshot
from ._typing import Method

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Replacement for scikit-learn's class of this name, which has `set_callbacks`."""

    def _with_callbacks(method):
        return method


def with_callbacks(method: Method) -> Method:
    """Let `fit` call the callbacks of the estimator."""
    return _with_callbacks(method)


class FitCallbacks:
    """One task for `fit`, with a subtask for each epoch.

    Parameters
    ----------
    estimator : estimator
        Estimator whose callbacks are called.
    network : Network
        Network that is trained.
    X : array-like of shape (n_samples, n_features)
        All rows.
    rows : ndarray of int of shape (n,)
        Numbers of the training rows.
    codes : ndarray of shape (n_samples,)
        Classes of all rows, as positions in `classes_`.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of all rows.
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
        """Tell the callbacks that an epoch has ended; return whether one of them stops the training."""
        return bool(self.root) and self._ends(self.epoch)

    def fit_ends(self):
        """Tell the callbacks that training has ended."""
        if self.root:
            self._ends(self.root)


class NoCallbacks:
    """No callbacks, for `partial_fit` and for training from pairs or triplets."""

    def __init__(self, *parts):
        pass

    def epoch_begins(self):
        """Do nothing."""

    def epoch_ends(self):
        """Return False: training continues."""
        return False

    def fit_ends(self):
        """Do nothing."""
