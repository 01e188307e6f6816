"""The training loop: it takes the steps, records the history and decides when to stop.

It imports none of its parts and uses these attributes of them: `gather` and `blocks` of a network;
`parameters`, `begin_epoch`, `notes` and `level` of a loss; ``differentiate(network, loss, batch,
targets) -> value, gradients`` of gradients; `step`, `flush`, `penalty` and `is_finite` of an optimizer;
``schedule(epoch)``, `stand_still` and `ended` of a schedule; iteration over batches; `epoch_begins` and
`epoch_ends` of callbacks; `score` of a validation; and those of `TrainingState`.
"""

import math
import time
import warnings

import numpy as np

from .._steps import forks_wait, turns
from .interrupts import raise_if_interrupted

FLUSHED = 32  # steps from one `flush` to the next
EXPLODED = 1e10  # a weight of this size is a sign of divergence, in any unit of the data


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
    values, sizes = [], []
    for number, rows in enumerate(batches):
        raise_if_interrupted()
        some = [target[rows] for target in targets]
        batch = network.gather(X, rows)
        with turns, forks_wait:
            value, found = gradients.differentiate(network, loss, batch, some)
            if not math.isfinite(value):
                raise FloatingPointError
            optimizer.step(parameters, found, rate)
            if number % FLUSHED == 0:
                optimizer.flush()
        values.append(value)
        sizes.append(len(rows))
    _check_finite(parameters)
    if not optimizer.is_finite():
        raise FloatingPointError
    # The sum of the losses may be larger than the largest float, their mean is not.
    value = float(np.dot(values, np.divide(sizes, sum(sizes)))) + optimizer.penalty(parameters)
    if not math.isfinite(value):
        raise FloatingPointError
    return value


def _check_finite(parameters):
    # NaN fails the comparison too. In float64, very large parameters may still be finite.
    if not all(max(W.max(), -W.min()) < EXPLODED for W in parameters):
        raise FloatingPointError


def print_epoch(history, n_epochs, name="Epoch"):
    """Print a line for the last of `n_epochs` epochs or rounds."""
    entry = history[-1]
    line = f"{name} {len(history)}/{n_epochs}, Loss: {entry['loss']:.5g}"
    line += f", Learning Rate: {entry['learning_rate']:.5g}"
    if "active_fraction" in entry:
        line += f", Active: {entry['active_fraction']:.1%}"
    if entry["validation_score"] is not None:
        line += f", Validation Score: {entry['validation_score']:.5g}"
    seconds = math.fsum(epoch["seconds"] for epoch in history) / len(history)
    print(f"{line}, Time Left: {seconds * (n_epochs - len(history)):.0f} s")


def train(state, gradients, batches, X, targets, *, epochs, callbacks, validation=None, verbose=False):
    """Train a network, in place.

    Parameters
    ----------
    state : TrainingState
        Network, loss, optimizer, schedule, progress and history. Training goes on after the epochs in its
        history; completed epochs are added to it.
    gradients, callbacks
        See the docstring of the module.
    batches : iterable
        Each iteration yields the row numbers of the batches of one epoch.
    X, targets
        See `run_epoch`.
    epochs : range
        Numbers of the epochs, unless training stops early.
    validation : object, default=None
        ``validation.score() -> float``, higher is better. If given, the parameters of the best epoch are
        restored at the end. The initial parameters are a candidate if their score is known.
    verbose : bool, default=False
        Whether to print a line for each epoch.

    Raises
    ------
    FloatingPointError
        If the loss or a parameter is not finite, or if a parameter is very large.
    KeyboardInterrupt
        If Ctrl-C was pressed before the end of the first epoch. Later, training ends with a warning, and
        the state is that of the last completed epoch.
    """
    raise_if_interrupted()
    schedule = state.schedule
    state.keep()
    try:
        for epoch in epochs[len(state.history) :]:
            if schedule.ended:
                break
            callbacks.epoch_begins()
            entry = _epoch(state, gradients, schedule(epoch), batches, X, targets, validation)
            state.history.append(entry)
            if verbose:
                print_epoch(state.history, len(epochs))
            _judge(entry, state, validation is not None)
            if state.progress.stands_still:
                schedule.stand_still(validation is not None)
                state.progress.begin_anew()
            state.keep()
            if callbacks.epoch_ends():
                break
    except KeyboardInterrupt:
        state.return_to_kept()
        if not state.history:
            raise
        warnings.warn(
            f"Training interrupted by user after {len(state.history)} epochs. The model is that of the "
            "last completed epoch.",
            stacklevel=2,
        )
    state.best.restore()
    _check_finite(state.best.parameters)


def _epoch(state, gradients, rate, batches, X, targets, validation):
    """Train for one epoch, validate, and return the entry of the history."""
    began = time.perf_counter()
    loss = state.loss
    loss.begin_epoch()
    with np.errstate(over="ignore", invalid="ignore"):
        value = run_epoch(state.network, loss, gradients, state.optimizer, rate, batches, X, targets)
    score = None if validation is None else validation.score()
    seconds = time.perf_counter() - began
    entry = {"loss": value, "learning_rate": rate, "seconds": seconds, "validation_score": score}
    return entry | loss.notes()


def _judge(entry, state, validated):
    """Record the score of an epoch, and keep its parameters if it has the best validation score."""
    state.progress.update(entry["validation_score"] if validated else -state.loss.level(entry["loss"]))
    if state.progress.is_best and validated:
        state.best.keep()
