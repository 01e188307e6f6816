"""The training loop: it turns the crank, keeps the history, and knows when to stop.

It sees duck types only: a network with `gather`, `forward`, `backward`, `gradients` and `parameters`,
a loss ``loss(Z, *targets) -> (value, dZ)``, an optimizer with `step`, a schedule that is called with the
epoch and asked whether it `goes_on`, callbacks, and functions.
"""

import math
import time
import warnings

import numpy as np

EXPLODED = 1e10  # a weight of this size is not learned, whatever the units of the data


class Progress:
    """Remember the best score, and how long ago the last improvement by more than `tol` was.

    Parameters
    ----------
    tol : float
        What counts as an improvement.
    patience : int
        More epochs than that without one are too many.
    """

    def __init__(self, tol, patience):
        self.tol = tol
        self.patience = patience
        self.best = -np.inf
        self.idle = 0

    def update(self, score):
        """Take the score of an epoch (higher is better); whether it is the best so far."""
        self.idle = 0 if score > self.best + self.tol else self.idle + 1
        is_best = score > self.best
        self.best = max(score, self.best)
        return is_best

    def stalled(self):
        """Whether there was no improvement for too long; counts anew after yes."""
        if self.idle <= self.patience:
            return False
        self.idle = 0
        return True


def run_epoch(network, loss, optimizer, rate, batches, X, targets):
    """Take one step for each batch.

    Parameters
    ----------
    network, loss, optimizer : see above
    rate : float
        Learning rate.
    batches : iterable of ndarray of int
        Row numbers.
    X : array of shape (n_samples, n_features)
        Never copied whole: the network gathers a batch at a time.
    targets : tuple of ndarray of shape (n_samples,)
        What the loss compares with: labels, maybe weights.

    Returns
    -------
    loss : float
        Mean of the losses of the batches, weighted with their sizes; the L2 penalty included, as it is
        at the end of the epoch.

    Raises
    ------
    FloatingPointError
        Where the loss or a parameter is not finite any more, or a parameter has exploded.
    """
    parameters = network.parameters
    total, n_rows = 0.0, 0
    for rows in batches:
        Z = network.forward(network.gather(X, rows))
        value, dZ = loss(Z, *(target[rows] for target in targets))
        if not math.isfinite(value):
            raise FloatingPointError
        network.backward(dZ)
        optimizer.step(parameters, network.gradients(), rate)
        total += value * len(rows)
        n_rows += len(rows)
    _check_finite(parameters)
    return total / n_rows + optimizer.penalty(parameters)


def _check_finite(parameters):
    # NaN fails the comparison too. What has exploded may be finite still, in float64.
    if not all(max(W.max(), -W.min()) < EXPLODED for W in parameters):
        raise FloatingPointError


def _print_epoch(n_done, n_epochs, entry):
    line = f"Epoch {n_done}/{n_epochs}, Loss: {entry['loss']}, Learning Rate: {entry['learning_rate']}"
    if entry["validation_score"] is not None:
        line += f", Validation Score: {entry['validation_score']}"
    print(line)


def train(
    network,
    loss,
    optimizer,
    schedule,
    sampler,
    X,
    targets,
    *,
    epochs,
    progress,
    callbacks,
    watch,
    validate=None,
    report=dict,
    verbose=False,
):
    """Train a network, in place.

    Parameters
    ----------
    network, loss, optimizer, schedule, callbacks : see above
    sampler : callable
        ``sampler() -> iterable`` of the batches of one epoch.
    X, targets : see `run_epoch`
    epochs : range
        Numbers of the epochs to come, at most.
    progress : Progress
        Decides when there is none.
    watch : callable
        ``watch(entry) -> float``: the entry of an epoch in the history as a score, higher is better.
    validate : callable, default=None
        ``validate() -> float``, higher is better. With it the parameters of the best epoch are
        restored at the end.
    report : callable, default=dict
        ``report() -> dict`` of more entries for the history of the epoch that ends.
    verbose : bool, default=False
        Print a line for each epoch.

    Returns
    -------
    history : list of dict
        One entry for each completed epoch.

    Raises
    ------
    FloatingPointError
        Where the loss or a parameter is not finite any more, or a parameter has exploded.
    """
    history, best = [], []
    try:
        for epoch in epochs:
            callbacks.epoch_begins()
            began, rate = time.perf_counter(), schedule(epoch)
            with np.errstate(over="ignore", invalid="ignore"):
                value = run_epoch(network, loss, optimizer, rate, sampler(), X, targets)
            score = validate() if validate else None
            entry = {"loss": value, "learning_rate": rate, "seconds": time.perf_counter() - began}
            history.append(entry := entry | {"validation_score": score} | report())
            if verbose:
                _print_epoch(len(history), len(epochs), entry)
            if progress.update(watch(entry)) and validate:
                best = [W.copy() for W in network.parameters]
            if callbacks.epoch_ends() or (progress.stalled() and not schedule.goes_on(bool(validate))):
                break
    except KeyboardInterrupt:
        warnings.warn(f"Training interrupted by user after {len(history)} epochs.", stacklevel=2)
    for W, best_W in zip(network.parameters, best):
        W[...] = best_W
    _check_finite(network.parameters)
    return history
