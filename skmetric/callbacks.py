"""Callbacks for `set_callbacks` of the estimators. They need scikit-learn 1.9 or later."""

import errno
import os
import stat
from numbers import Integral
from typing import Any

import sklearn

import skmetric

from ._callbacks import CallbackSupportMixin
from ._checkpoint_file import can_be_stored, read_checkpoint, write_checkpoint
from ._files import remove_incomplete
from ._warn import warn

__all__ = ["Checkpoint", "load_checkpoint"]

PREVIOUS = ".previous"  # added to the name of an unfinished training that is not continued


class Checkpoint:
    """Callback that writes the training to a file after each epoch, so that `fit` can go on later.

    If the process is killed, or the machine stops, `load_checkpoint` reads the file, and `fit` with the
    same data goes on after the last epoch in it. The result has the same bits as a training that was not
    interrupted.

    Parameters
    ----------
    path : str or path-like
        File to write. A name that ends in ".npz" says best what it is.
    every : int, default=1
        Number of epochs from one write to the next. The last epoch of `max_iter` is always written.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9, which has no callbacks.
    TypeError
        If `path` is no path.
    ValueError
        If `every` is not an integer > 0.

    See Also
    --------
    load_checkpoint : Read the file.

    Notes
    -----
    The file holds the parameters and the weights, the state of the optimizer and of the random number
    generator, the position in the schedule, the history and the seed of the validation rows. It is an
    .npz archive without pickle, and it holds no training rows: a checksum of the labels and of some rows
    tells whether `fit` goes on with the same data.

    A new file is written beside the old one and then replaces it, so that there is always a whole file.
    If it cannot be written, because the disk is full for example, training goes on with a warning, and
    the last file stays. An unfinished training that is already in `path` and that is not continued is
    kept under the name ``path + ".previous"``.

    Set the callback on the estimator itself, also within a pipeline. Pipelines with `memory` and searches
    train clones. A clone of a model from a checkpoint starts anew. A search trains many models, which
    would write to the same file, and raises an error.

    Examples
    --------
    The same lines begin a training and continue it:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import TripletMetricTransformer
    >>> from skmetric.callbacks import Checkpoint, load_checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> path = Path(tempfile.mkdtemp()) / "iris.npz"
    >>> if path.exists():
    ...     model = load_checkpoint(path)
    ... else:
    ...     model = TripletMetricTransformer(2, max_iter=5, random_state=0)
    >>> model = model.set_callbacks(Checkpoint(path)).fit(X, y)
    >>> load_checkpoint(path).n_iter_
    5
    """

    def __init__(self, path: str | os.PathLike[str], *, every: int = 1) -> None:
        if not hasattr(CallbackSupportMixin, "set_callbacks"):
            raise ImportError(
                "Checkpoint needs scikit-learn 1.9 or later, which has callbacks. This is scikit-learn "
                f"{sklearn.__version__}. Install a newer one with: pip install -U scikit-learn"
            )
        if not isinstance(every, Integral) or isinstance(every, bool) or every < 1:
            raise ValueError(f"every must be an integer > 0, the number of epochs, got {every!r}.")
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path must be a str or a path-like object, got {path!r}.")
        self.path = os.fspath(path)
        self.every = int(every)

    def setup(self, estimator: Any, context: Any) -> None:
        """Prepare the file, before the training.

        Parameters
        ----------
        estimator : estimator
            Estimator that is fitted.
        context : sklearn.callback.CallbackContext
            Its task.

        Raises
        ------
        TypeError
            If the estimator is not one of skmetric.
        ValueError
            If the estimator is trained by a search, or if the file exists and is no checkpoint.
        """
        if getattr(estimator, "_training", None) is None:
            raise TypeError(
                f"Checkpoint(path={self.path!r}) was set on a {type(estimator).__name__}. Call "
                "set_callbacks on the estimator of skmetric itself, for example on this step of the "
                "pipeline."
            )
        if _has_siblings(context):
            raise ValueError(
                f"Checkpoint(path={self.path!r}) was set on an estimator in a search, which would write "
                "many models to one file. Set it on an estimator that is fitted alone."
            )
        # The working directory may change while the training runs.
        self._file = os.path.realpath(self.path)
        self._has_failed = False
        remove_incomplete(self._file)
        if os.path.isfile(self._file):
            self._keep_unfinished(estimator._training)

    def _keep_unfinished(self, training):
        """Rename the file if it holds an unfinished training that `fit` does not continue."""
        try:
            unfinished = read_checkpoint(self._file)["attributes"]["_unfinished"]
        except ValueError as error:
            raise ValueError(
                f"Checkpoint(path={self.path!r}) would replace another file. Use another path, or remove "
                f"the file. {error}"
            ) from error
        if unfinished["is_finished"] or unfinished["name"] == training.name:
            return
        previous = self._file + PREVIOUS
        os.replace(self._file, previous)
        n_epochs = len(unfinished["state"]["history"])
        warn(
            f"Checkpoint(path={self.path!r}): the file holds an unfinished training of {n_epochs} epochs "
            f"that fit does not continue. It was renamed to {previous!r}. To continue it, call fit of "
            "the model that load_checkpoint returns."
        )

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing.

        Parameters
        ----------
        estimator : estimator
            Not used.
        context : sklearn.callback.CallbackContext
            Not used.
        """

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Write the file after an epoch, if it is due.

        Parameters
        ----------
        estimator : estimator
            Estimator that is fitted.
        context : sklearn.callback.CallbackContext
            The task that has ended.
        """
        training = estimator._training
        if context.task_name == "epoch" and (training.is_finished or training.n_epochs % self.every == 0):
            self._write(training.checkpoint())

    def _write(self, model):
        try:
            _check_writable(self._file)
            write_checkpoint(self._file, _content(model))
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                warn(
                    f"Checkpoint(path={self.path!r}) could not be written after epoch {model.n_iter_}: "
                    f"{error}. Training goes on, and each later write is tried; an earlier file stays as "
                    "it is. Free some space, or use a path that can be written."
                )

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing.

        Parameters
        ----------
        estimator : estimator
            Not used.
        context : sklearn.callback.CallbackContext
            Not used.
        """


def _has_siblings(context):
    """Whether the task is one of several that may run at the same time, as in a search."""
    while context.parent is not None:
        context = context.parent
        if not context.sequential_subtasks:
            return True
    return False


def _check_writable(path):
    """Raise PermissionError for a read-only file, which a rename would replace."""
    if os.path.isfile(path) and not os.stat(path).st_mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, "The file is read-only", path)


def _content(model):
    """Return what the file holds of a model."""
    parameters = model.get_params(deep=False)
    stored = {name: value for name, value in parameters.items() if can_be_stored(value)}
    # scikit-learn's objects for callbacks and for metadata routing belong to the process.
    attributes = {
        name: value
        for name, value in vars(model).items()
        if name not in {*parameters, "_training", "_metadata_request"} and "callback" not in name
    }
    return {
        "estimator": type(model).__name__,
        "parameters": stored,
        "not_stored": sorted(parameters.keys() - stored.keys()),
        "attributes": attributes,
    }


def load_checkpoint(path: str | os.PathLike[str], **parameters: Any) -> Any:
    """Read the file of a `Checkpoint`.

    Parameters
    ----------
    path : str or path-like
        The file.
    **parameters : dict
        Parameters to set. Those whose values are functions or random number generators are not in the
        file and are required here.

    Returns
    -------
    estimator
        Estimator with the weights of the last epoch in the file, which embeds or predicts. Its method
        `fit`, called with the data of the training (`fit_pairs` or `fit_triplets`, if these began it),
        trains the remaining epochs, with any value of `warm_start`. If the training was complete, `fit`
        returns at once, with the weights of the best epoch if ``early_stopping=True``. Set `max_iter` to
        train longer.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the file is no checkpoint, is damaged, or was written by a newer version, or if a parameter is
        missing.

    See Also
    --------
    Checkpoint : Write the file. It is not set on the result, as no other callbacks are.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import SoftmaxMLPClassifier
    >>> from skmetric.callbacks import Checkpoint, load_checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> path = Path(tempfile.mkdtemp()) / "iris.npz"
    >>> short = SoftmaxMLPClassifier(learning_rate="constant", max_iter=5, random_state=0)
    >>> short = short.set_callbacks(Checkpoint(path)).fit(X, y)
    >>> longer = load_checkpoint(path, max_iter=8).fit(X, y)
    >>> longer.n_iter_
    8
    """
    content = read_checkpoint(path)
    missing = [name for name in content["not_stored"] if name not in parameters]
    if missing:
        arguments = ", ".join(f"{name}=..." for name in missing)
        raise ValueError(
            f"{os.fspath(path)!r} cannot hold the values of {', '.join(missing)}, which are functions or "
            f"random number generators. Pass them again: load_checkpoint(path, {arguments})."
        )
    Estimator = getattr(skmetric, content["estimator"])
    model = Estimator(**content["parameters"] | parameters)
    vars(model).update(content["attributes"])
    return model
