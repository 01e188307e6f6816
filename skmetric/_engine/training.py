"""The training loop: it takes the steps, records the history and decides when to stop.

It imports none of its parts and uses these attributes of them: `gather`, `parameters` and `blocks` of a
network; `parameters`, `begin_epoch`, `notes` and `level` of a loss; ``differentiate(network, loss, batch,
targets) -> value, gradients`` of gradients; `step`, `penalty` and `is_finite` of an optimizer;
``schedule(epoch)``, `stand_still` and `ended` of a schedule; iteration over batches; `epoch_begins` and
`epoch_ends` of callbacks; and `score` of a validation.
"""

import math
import time
import warnings

import numpy as np

from .interrupts import raise_if_interrupted

EXPLODED = 1e10  # a weight of this size is a sign of divergence, in any unit of the data


class Progress:
    """Track the best score, and the number of epochs since the last improvement.

    Parameters
    ----------
    tol : float
        Minimum improvement.
    patience : int
        Maximum number of consecutive epochs without an improvement.
    best : float, default=-inf
        Best score of earlier epochs.

    Attributes
    ----------
    is_best : bool
        Whether the last score was the best so far.
    """

    def __init__(self, tol, patience, best=-math.inf):
        self.tol = tol
        self.patience = patience
        self.best = best
        self.is_best = False
        self.idle = 0

    def update(self, score):
        """Record the score of an epoch; higher is better."""
        self.idle = 0 if score > self.best + self.tol else self.idle + 1
        self.is_best = score > self.best
        self.best = max(score, self.best)

    @property
    def stands_still(self):
        """Whether there was no improvement for more than `patience` epochs."""
        return self.idle > self.patience

    def begin_anew(self):
        """Reset the number of epochs without an improvement."""
        self.idle = 0


class Best:
    """Copies of the parameters of the best epoch.

    Parameters
    ----------
    parameters : list of ndarray
        Parameters that are trained in place.
    known : bool
        Whether the initial parameters are a candidate for the best.
    """

    def __init__(self, parameters, known):
        self.parameters = parameters
        self.copies = []
        if known:
            self.keep()

    def keep(self):
        """Copy the current parameters."""
        self.copies = [W.copy() for W in self.parameters]

    def restore(self):
        """Restore the copied parameters, if there are any."""
        for W, copy in zip(self.parameters, self.copies):
            W[...] = copy


def run_epoch(network, loss, gradients, optimizer, rate, batches, X, targets):
    """Take one step for each batch.

    Parameters
    ----------
    network, loss, gradients, optimizer
        See the docstring of the module.
    rate : float
        Learning rate.
    batches : iterable of ndarray of int
        Row numbers.
    X : array of shape (n_samples, n_features)
        Rows; never copied as a whole, since the network gathers one batch at a time.
    targets : tuple of ndarray of shape (n_samples,)
        Labels, and weights if there are any.

    Returns
    -------
    float
        Mean loss of the batches, weighted by their sizes, plus the L2 penalty at the end of the epoch.

    Raises
    ------
    FloatingPointError
        If the loss, a parameter or a moment is not finite, or if a parameter is very large.
    KeyboardInterrupt
        If Ctrl-C was pressed. It is raised before the next step.
    """
    parameters = [*network.blocks, *loss.parameters]
    total = 0.0
    n_rows = 0
    for rows in batches:
        raise_if_interrupted()
        some = [target[rows] for target in targets]
        value, found = gradients.differentiate(network, loss, network.gather(X, rows), some)
        if not math.isfinite(value):
            raise FloatingPointError
        optimizer.step(parameters, found, rate)
        total += value * len(rows)
        n_rows += len(rows)
    _check_finite(parameters)
    if not optimizer.is_finite():
        raise FloatingPointError
    return total / n_rows + optimizer.penalty(parameters)


def _check_finite(parameters):
    # NaN fails the comparison too. In float64, very large parameters may still be finite.
    if not all(max(W.max(), -W.min()) < EXPLODED for W in parameters):
        raise FloatingPointError


def _print_epoch(history, n_epochs):
    entry = history[-1]
    line = f"Epoch {len(history)}/{n_epochs}, Loss: {entry['loss']:.5g}"
    line += f", Learning Rate: {entry['learning_rate']:.5g}"
    if "active_fraction" in entry:
        line += f", Active: {entry['active_fraction']:.1%}"
    if entry["validation_score"] is not None:
        line += f", Validation Score: {entry['validation_score']:.5g}"
    seconds = math.fsum(epoch["seconds"] for epoch in history) / len(history)
    print(f"{line}, Time Left: {seconds * (n_epochs - len(history)):.0f} s")


def train(
    network,
    loss,
    gradients,
    optimizer,
    schedule,
    batches,
    X,
    targets,
    *,
    epochs,
    progress,
    callbacks,
    validation=None,
    verbose=False,
):
    """Train a network, in place.

    Parameters
    ----------
    network, loss, gradients, optimizer, schedule, callbacks
        See the docstring of the module.
    batches : iterable
        Each iteration yields the row numbers of the batches of one epoch.
    X, targets
        See `run_epoch`.
    epochs : range
        Numbers of the epochs, unless training stops early.
    progress : Progress
        Tracks the validation score, or else the level of the loss.
    validation : object, default=None
        ``validation.score() -> float``, higher is better. If given, the parameters of the best epoch are
        restored at the end. The initial parameters are a candidate if `progress` knows their score.
    verbose : bool, default=False
        Whether to print a line for each epoch.

    Returns
    -------
    list of dict
        One dict for each completed epoch.

    Raises
    ------
    FloatingPointError
        If the loss or a parameter is not finite, or if a parameter is very large.
    KeyboardInterrupt
        If Ctrl-C was pressed before the first epoch. In later epochs, training ends with a warning.
    """
    raise_if_interrupted()
    history = []
    best = Best([*network.parameters, *loss.parameters], known=math.isfinite(progress.best))
    complete = Best([*network.parameters, *loss.parameters], known=False)
    try:
        for epoch in epochs:
            callbacks.epoch_begins()
            entry = _epoch(
                network, loss, gradients, optimizer, schedule(epoch), batches, X, targets, validation
            )
            history.append(entry)
            complete.keep()
            if verbose:
                _print_epoch(history, len(epochs))
            _judge(entry, loss, progress, best, validation is not None)
            if progress.stands_still:
                schedule.stand_still(validation is not None)
                progress.begin_anew()
            if callbacks.epoch_ends() or schedule.ended:
                break
    except KeyboardInterrupt:
        if not history:
            raise
        complete.restore()
        warnings.warn(f"Training interrupted by user after {len(history)} epochs.", stacklevel=2)
    best.restore()
    _check_finite(best.parameters)
    return history


def _epoch(network, loss, gradients, optimizer, rate, batches, X, targets, validation):
    """Train for one epoch, validate, and return the entry of the history."""
    began = time.perf_counter()
    loss.begin_epoch()
    with np.errstate(over="ignore", invalid="ignore"):
        value = run_epoch(network, loss, gradients, optimizer, rate, batches, X, targets)
    score = None if validation is None else validation.score()
    seconds = time.perf_counter() - began
    entry = {"loss": value, "learning_rate": rate, "seconds": seconds, "validation_score": score}
    return entry | loss.notes()


def _judge(entry, loss, progress, best, validated):
    """Record the score of an epoch, and keep its parameters if it has the best validation score."""
    progress.update(entry["validation_score"] if validated else -loss.level(entry["loss"]))
    if progress.is_best and validated:
        best.keep()
