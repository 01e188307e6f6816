"""Local SGD: copies of a model take steps on parts of the data, and their parameters are averaged.

A copy is trained by `partial_fit`. The state of its optimizer is averaged like its weights.

S. U. Stich, "Local SGD converges fast and communicates little", ICLR 2019.
"""

import time
from numbers import Number

import numpy as np
from scipy import sparse

from ._engine.training import print_epoch
from ._input import nameless
from ._snapshot import ScorerValidation
from ._training import attributes_of_history
from ._warn import warn

AVERAGED = ["coefs_", "intercepts_", "_loss_parameters", "_as_trained", "_optimizer_state"]


class Shard:
    """Rows on which one copy is trained.

    Parameters
    ----------
    parts : list of tuple
        Rows and labels of each part.
    classes : ndarray
        All classes.
    seed : list of int
        Seed of the order of the rows, and of all random numbers of the copy.
    """

    def __init__(self, parts, classes, seed):
        self.rows = [X for X, _ in parts]
        self.labels = [y for _, y in parts]
        self.bounds = np.cumsum([0, *map(len, self.labels)])
        self.classes = classes
        self.seed = seed

    def learn(self, model, rate, number, n_rows):
        """Train a copy of a model on the rows of a round.

        Parameters
        ----------
        model : estimator
            Fitted estimator.
        rate : float
            Learning rate.
        number : int
            Number of the round, from 0 on.
        n_rows : int
            Number of rows to train on.

        Returns
        -------
        dict
            What is averaged of the copy, and the entry of its history.
        """
        rows = self._drawn(number, n_rows)
        worker = nameless(model)
        worker._rng = np.random.default_rng([*self.seed, number, 1])
        # A schedule may end at 0, which `learning_rate_init` must not be.
        worker.learning_rate = lambda epoch: rate / worker.learning_rate_init
        if hasattr(worker, "input_weight"):
            # The rotation is that of the average, computed after the round.
            worker.input_weight = 0
        worker.partial_fit(_some(self.rows, rows), _some(self.labels, rows), classes=self.classes)
        return {name: getattr(worker, name) for name in AVERAGED} | {"entry": worker.history_[-1]}

    def _drawn(self, number, n_rows):
        """Return the rows of each part; a pass over all rows ends before the next one begins."""
        n = self.bounds[-1]
        start = number * n_rows
        passes = range(start // n, (start + n_rows - 1) // n + 1)
        orders = [np.random.default_rng([*self.seed, k, 0]).permutation(n) for k in passes]
        return in_parts(np.sort(np.concatenate(orders)[start % n :][:n_rows]), self.bounds)


def in_parts(rows, bounds):
    """Return the row numbers in each part, from 0 on, of sorted row numbers.

    Parameters
    ----------
    rows : ndarray of int of shape (n,)
        Row numbers.
    bounds : ndarray of int of shape (n_parts + 1,)
        First row of each part, and the number of all rows.

    Returns
    -------
    list of ndarray of int
        Row numbers in each part.
    """
    cuts = np.searchsorted(rows, bounds)
    return [rows[first:last] - bound for bound, first, last in zip(bounds, cuts[:-1], cuts[1:])]


def _some(parts, rows):
    return stacked([part[numbers] for part, numbers in zip(parts, rows)])


def stacked(parts):
    """Join rows, dense or sparse, or labels."""
    return sparse.vstack(parts, format="csr") if sparse.issparse(parts[0]) else np.concatenate(parts)


def average(results, weights):
    """Average arrays and numbers.

    Parameters
    ----------
    results : list
        Arrays, numbers, or lists and dicts of these, of the same form.
    weights : list of int
        Weights of the results; only ratios matter.

    Returns
    -------
    object
        As each of the results. What is no number is that of the first one.
    """
    first = results[0]
    if isinstance(first, dict):
        return {name: average([one[name] for one in results], weights) for name in first}
    if isinstance(first, list):
        return [average(values, weights) for values in zip(*results)]
    if isinstance(first, int) or not isinstance(first, np.ndarray | Number):
        return first
    return sum(weight / sum(weights) * value for weight, value in zip(weights, results))


def place(model, sample):
    """Compute the rotation of an embedding from a sample of the rows, after its weights have changed."""
    network = model._fitted_network(sample.shape[0])
    vars(model).update(model._fitted_beside(network, sample, np.arange(sample.shape[0])))


class LocalSGD:
    """Rounds of training and averaging.

    Parameters
    ----------
    model : estimator
        Fitted estimator; changed.
    sample : ndarray or CSR matrix of shape (n, n_features)
        Some rows of all parts.
    held_out : tuple or None, default=None
        Rows, labels, and weights or None, for early stopping.

    Raises
    ------
    ValueError
        If the rows that are held out cannot be scored.
    """

    def __init__(self, model, sample, held_out=None):
        self.estimator = model
        self.sample = sample
        self.validation = None
        if held_out is not None:
            self.validation = ScorerValidation(model._scorer(), self, *held_out)
            # What is wrong with the rows or the scorer is known before the rounds.
            self.validation.score()

    def fitted(self):
        """Return the model with the rotation of the current weights, for rows without feature names."""
        place(self.estimator, self.sample)
        return nameless(self.estimator)

    def train(self, cluster, n_rounds, verbose=False):
        """Train in place.

        Parameters
        ----------
        cluster : object
            ``cluster.learn(model, rate, number)`` returns the result of `Shard.learn` of each shard;
            ``cluster.weights`` are the weights of the shards.
        n_rounds : int
            Maximum number of rounds.
        verbose : bool, default=False
            Whether to print a line for each round.
        """
        model = self.estimator
        self.history = []
        self.best = {}
        self.schedule = model._schedule(range(n_rounds))
        self.progress = model._progress(self.validation, continued=False)
        try:
            for number in range(n_rounds):
                if self.schedule.ended:
                    break
                self._round(cluster, number)
                if verbose:
                    print_epoch(self.history, n_rounds, "Round")
        except KeyboardInterrupt:
            if not self.history:
                raise
            warn(
                f"Training interrupted by user after {len(self.history)} rounds. The model is that of "
                "the last completed round."
            )
        vars(model).update(self.best)
        place(model, self.sample)
        best_score = None if self.validation is None else self.progress.best
        vars(model).update(attributes_of_history(self.history, best_score))

    def _round(self, cluster, number):
        model = self.estimator
        began = time.perf_counter()
        rate = self.schedule(number)
        mean = average(cluster.learn(model, rate, number), cluster.weights)
        entry = mean.pop("entry")
        vars(model).update(mean)
        score = None if self.validation is None else self.validation.score()
        seconds = time.perf_counter() - began
        own = {"learning_rate": rate, "seconds": seconds, "validation_score": score}
        self.history.append(entry | own)
        self.progress.update(-self._level(entry) if score is None else score)
        if self.progress.is_best and score is not None:
            self.best = mean
        if self.progress.stands_still:
            self.schedule.stand_still(score is not None)
            self.progress.begin_anew()

    def _level(self, entry):
        """Return the number by which progress is judged, as `level` of the losses; lower is better."""
        if "head_loss" in entry:
            return entry["mean_loss"] + self.estimator.head_weight * entry["head_loss"]
        return entry.get("mean_loss", entry["loss"])
