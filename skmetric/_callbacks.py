"""Callbacks of scikit-learn 1.9 and later. Earlier versions have no callbacks.

``sklearn.callback`` is experimental. Only this module imports it.
"""

from contextlib import contextmanager

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


@contextmanager
def under_way(estimator, training):
    """Let callbacks find the training in the estimator.

    Parameters
    ----------
    estimator : estimator
        Estimator that is trained.
    training : Training
        Its training.
    """
    estimator._training = training
    try:
        yield
    finally:
        vars(estimator).pop("_training", None)


class FitCallbacks:
    """One task for `fit`, with a subtask for each epoch.

    Parameters
    ----------
    estimator : estimator
        Estimator whose callbacks are called.
    training : Training
        Gives the fitted attributes of each epoch.
    shown : dict or None
        What the callbacks are shown of the data: `X`, `y` and `metadata`. None calls no callbacks.
    epochs : range
        Numbers of the epochs.
    """

    def __init__(self, estimator, training, shown, epochs):
        self.root = None
        if shown is not None and hasattr(estimator, "_init_callback_context"):
            self.training = training
            self.data = {"estimator": estimator, **shown}
            n_epochs = len(epochs[len(training.state.history) :])
            self.root = estimator._init_callback_context(max_subtasks=n_epochs)
            self.root.call_on_fit_task_begin(**self.data)

    def _ends(self, task):
        return task.call_on_fit_task_end(reconstruction_attributes=self.training.attributes, **self.data)

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
