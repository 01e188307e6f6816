"""The training loop: it takes the steps, keeps the history, and knows when to stop.

It sees duck types only: a network with `gather`, `parameters` and `blocks` of them; a loss with
`parameters`, `begin_epoch`, `notes` and `level`; gradients with ``differentiate(network, loss, batch,
targets) -> value, gradients``; an optimizer with `step`, `penalty` and `is_finite`; a schedule that is
called with the epoch; batches to iterate over; callbacks; and a validation with `score`.
"""

import math
import time
import warnings

import numpy as np

from .interrupts import raise_if_interrupted

EXPLODED = 1e10  # a weight of this size is not learned, whatever the units of the data


class Progress:
    """Remember the best score, and how long ago the last improvement by more than `tol` was.

    Parameters
    ----------
    tol : float
        What counts as an improvement.
    patience : int
        Number of epochs without an improvement that are tolerated.
    best : float, default=-inf
        Score that is reached already.

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
        """Take the score of an epoch; higher is better."""
        self.idle = 0 if score > self.best + self.tol else self.idle + 1
        self.is_best = score > self.best
        self.best = max(score, self.best)

    @property
    def stands_still(self):
        """Whether there was no improvement for too long."""
        return self.idle > self.patience

    def begin_anew(self):
        """Count the epochs without an improvement from 0."""
        self.idle = 0


class Best:
    """Copies of the parameters of the best epoch.

    Parameters
    ----------
    parameters : list of ndarray
        Parameters that are trained in place.
    known : bool
        Whether the parameters at the beginning are a candidate.
    """

    def __init__(self, parameters, known):
        self.parameters = parameters
        self.copies = []
        if known:
            self.keep()

    def keep(self):
        """Copy the parameters as they are now."""
        self.copies = [W.copy() for W in self.parameters]

    def restore(self):
        """Bring the copies back, if there are any."""
        for W, copy in zip(self.parameters, self.copies):
            W[...] = copy


def run_epoch(network, loss, gradients, optimizer, rate, batches, X, targets):
    """Take one step for each batch.

    Parameters
    ----------
    network, loss, gradients, optimizer
        See the module.
    rate : float
        Learning rate.
    batches : iterable of ndarray of int
        Row numbers.
    X : array of shape (n_samples, n_features)
        Rows; never copied whole, since the network gathers a batch at a time.
    targets : tuple of ndarray of shape (n_samples,)
        What the loss compares with: labels, maybe weights.

    Returns
    -------
    float
        Mean of the losses of the batches, weighted with their sizes, plus the L2 penalty at the end of
        the epoch.

    Raises
    ------
    FloatingPointError
        If the loss, a parameter or a moment is not finite any more, or a parameter has exploded.
    KeyboardInterrupt
        If Ctrl-C was pressed, before the next step.
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
    # NaN fails the comparison too. What has exploded may be finite still, in float64.
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
        See the module.
    batches : iterable
        Each iteration gives the row numbers of the batches of one epoch.
    X, targets
        See `run_epoch`.
    epochs : range
        Numbers of the epochs to come, at most.
    progress : Progress
        Judges the epochs: by the validation score, or by the level of the loss.
    validation : object, default=None
        ``validation.score() -> float``, higher is better. With it, the parameters of the best epoch are
        restored at the end; those at the beginning are the first candidate if `progress` knows their
        score.
    verbose : bool, default=False
        Whether to print a line for each epoch.

    Returns
    -------
    list of dict
        One entry for each completed epoch.

    Raises
    ------
    FloatingPointError
        If the loss or a parameter is not finite any more, or a parameter has exploded.
    KeyboardInterrupt
        If Ctrl-C was pressed before the first epoch. Later, training ends with a warning.
    """
    raise_if_interrupted()
    history = []
    best = Best([*network.parameters, *loss.parameters], known=math.isfinite(progress.best))
    try:
        for epoch in epochs:
            callbacks.epoch_begins()
            entry = _epoch(
                network, loss, gradients, optimizer, schedule(epoch), batches, X, targets, validation
            )
            history.append(entry)
            if verbose:
                _print_epoch(history, len(epochs))
            _judge(entry, loss, progress, best, validation is not None)
            if progress.stands_still:
                schedule.stand_still(validation is not None)
                progress.begin_anew()
            if callbacks.epoch_ends() or schedule.ended:
                break
    except KeyboardInterrupt:
        warnings.warn(f"Training interrupted by user after {len(history)} epochs.", stacklevel=2)
    best.restore()
    _check_finite(best.parameters)
    return history


def _epoch(network, loss, gradients, optimizer, rate, batches, X, targets, validation):
    """Train for one epoch and validate; the entry of the history."""
    began = time.perf_counter()
    loss.begin_epoch()
    with np.errstate(over="ignore", invalid="ignore"):
        value = run_epoch(network, loss, gradients, optimizer, rate, batches, X, targets)
    score = None if validation is None else validation.score()
    seconds = time.perf_counter() - began
    entry = {"loss": value, "learning_rate": rate, "seconds": seconds, "validation_score": score}
    return entry | loss.notes()


def _judge(entry, loss, progress, best, validated):
    """Take note of how good an epoch was, and keep its parameters if it is the best validated one."""
    progress.update(entry["validation_score"] if validated else -loss.level(entry["loss"]))
    if progress.is_best and validated:
        best.keep()
