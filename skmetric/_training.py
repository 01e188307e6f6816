"""The training of an estimator: what is stored when it ends, and how it goes on from a checkpoint."""

import copy
import math
import uuid
import zlib

import numpy as np

from ._input import dense, probed


class Training:
    """A training of an estimator, and the attributes that follow from its state.

    Parameters
    ----------
    snapshot : Snapshot
        Gives the current weights.
    state : TrainingState
        Everything that changes from epoch to epoch.
    past : list of dict
        History of earlier trainings that this one continues.
    set_aside : dict or None
        Settings of the validation rows, see `what_is_set_aside`.
    targets : tuple of ndarray of shape (n_samples,)
        Arguments of the loss after the embeddings.

    Attributes
    ----------
    name : str
        Random name, which stays when the training goes on in another process.
    """

    def __init__(self, snapshot, state, past, set_aside, targets):
        self.snapshot = snapshot
        self.state = state
        self.past = past
        self.set_aside = set_aside
        self.targets = targets
        unfinished = snapshot.estimator._unfinished
        self.name = uuid.uuid4().hex if unfinished is None else unfinished["name"]

    @property
    def n_epochs(self):
        """Number of completed epochs of this training."""
        return len(self.state.history)

    @property
    def is_finished(self):
        """Whether no epoch is left."""
        return self.state.schedule.ended or self.n_epochs >= self.snapshot.estimator.max_iter

    def attributes(self):
        """Return the fitted attributes of the estimator, as if the training ended now."""
        history = [*self.past, *self.state.history]
        of_history = attributes_of_history(history, self._best_score())
        for_more_epochs = {
            "_rng": self.state.rng,
            "_rows_set_aside": self.set_aside,
            "_optimizer_state": {},
            "_loss_parameters": [],
            "_as_trained": [],
        }
        return self.snapshot.attributes() | of_history | for_more_epochs

    def _best_score(self):
        if not self.snapshot.estimator.early_stopping:
            return None
        best = self.state.progress.best
        return best if math.isfinite(best) else math.nan

    def continuation(self):
        """Return the attributes from which a later call of `fit` or `partial_fit` goes on."""
        network = self.state.network
        estimator = self.snapshot.estimator
        is_folded = estimator._standardization.changes_rows or estimator.batch_norm
        return {
            "_optimizer_state": self.state.optimizer.state,
            "_loss_parameters": list(self.state.loss.parameters),
            # The parameters before folding: unfolding would change their last bits.
            "_as_trained": network.parameters if is_folded else [],
        }

    def checkpoint(self):
        """Return a copy of the estimator in which `fit` goes on with this training.

        Its arrays are those of the training, which change with the next step.
        """
        estimator = self.snapshot.estimator
        unfinished = {
            "name": self.name,
            "is_finished": self.is_finished,
            "state": self.state.values(),
            "before": {name: getattr(estimator, name, None) for name in self.snapshot.beside()},
            "data": fingerprint(self.snapshot.X, self.targets),
        }
        model = copy.copy(estimator)
        vars(model).update(self.attributes() | self.continuation() | {"_unfinished": unfinished})
        return model


def attributes_of_history(history, best_score):
    """Return the fitted attributes that tell of the epochs.

    Parameters
    ----------
    history : list of dict
        An entry for each epoch.
    best_score : float or None
        Best validation score; None if the best epoch is that of the lowest loss.

    Returns
    -------
    dict
        Values of the attributes by name.
    """
    losses = [entry["loss"] for entry in history]
    scores = [entry["validation_score"] for entry in history]
    is_validated = best_score is not None
    return {
        "history_": history,
        "n_iter_": len(history),
        "loss_curve_": losses,
        "loss_": losses[-1] if losses else math.nan,
        "best_loss_": None if is_validated else min(losses, default=math.nan),
        "validation_scores_": scores if is_validated else None,
        "best_validation_score_": best_score,
    }


def fingerprint(X, targets):
    """Compute a number from the targets and some rows, by which other data are recognised."""
    value = zlib.crc32(f"{X.dtype} {X.shape}".encode())
    for array in [dense(X[probed(X)]), *targets]:
        value = zlib.crc32(np.ascontiguousarray(array), value)
    return value


def history_before(estimator, X, targets):
    """Return the history of the trainings before the one to continue.

    Raises
    ------
    ValueError
        If an unfinished training was begun with other data.
    """
    unfinished = estimator._unfinished
    if unfinished is None:
        return estimator.history_
    if unfinished["data"] != fingerprint(X, targets):
        raise ValueError(
            f"This {type(estimator).__name__} comes from a checkpoint, and fit continues its training, "
            "but the rows, labels or weights are not those that the training began with. Pass the same "
            "data, or call fit of a clone to train a new model."
        )
    return estimator.history_[: -len(unfinished["state"]["history"])]


def resume(estimator, state):
    """Return to the state of an unfinished training, if there is one."""
    unfinished = estimator._unfinished
    if unfinished is not None:
        vars(estimator).update(unfinished["before"])
        state.restore(unfinished["state"])
