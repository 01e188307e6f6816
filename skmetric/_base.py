"""From hyper-parameters to parts: what the three estimators share."""

import copy
import math
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from operator import itemgetter

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ._callbacks import NO_CALLBACKS, CallbackSupportMixin, FitCallbacks
from ._input import working_dtype
from ._threads import one_blas_thread
from .activations import ACTIVATIONS
from .initialization import initial_parameters, probed, scale_to_distance
from .network import Network, outputs
from .optimizers import OPTIMIZERS
from .schedules import SCHEDULES, make_schedule
from .training import Progress, train

CHUNK = 1024  # rows that go through the network at a time when nothing is learned


def store_parameters(estimator, arguments):
    """Store the arguments of ``__init__`` under their own names, as they came."""
    for name in estimator._get_param_names():
        setattr(estimator, name, arguments[name])


@contextmanager
def unchanged_on_failure(estimator):
    """Give an estimator back the attributes that it had, should anything go wrong."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        # What scikit-learn stores for its callbacks is its own to take away.
        before |= {name: value for name, value in vars(estimator).items() if "_callback" in name}
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


@contextmanager
def explained_divergence(estimator):
    """Turn the error of a training that diverged into one that says what to do."""
    try:
        yield
    except FloatingPointError as error:
        raise ValueError(
            f"Training of {type(estimator).__name__} diverged: the loss or a weight is beyond measure. "
            f"Lower learning_rate_init (now {estimator.learning_rate_init}), or scale X, with "
            "StandardScaler for example."
        ) from error


def minus_loss(entry):
    """Judge an epoch by its training loss."""
    return -entry["loss"]


@dataclass
class Task:
    """What is to be learned: the parts of the training that the estimators differ in.

    Parameters
    ----------
    loss : callable
        ``loss(Z, *targets) -> (value, dZ)``.
    score : callable
        ``score(Z, *targets) -> float``, for early stopping.
    n_outputs : int
        Width of `Z`.
    sampler : callable
        ``sampler(rows, y, batch_size, rng)``, see `skmetric.sampling`.
    watch, report : callable
        See `train`; with early stopping the validation score is watched.
    distance : float
        What the initial outputs are scaled to, see `scale_to_distance`; infinite for no scaling.
    callbacks : callable
        Makes the callbacks of a `fit`, see `FitCallbacks`.
    """

    loss: Callable
    score: Callable
    n_outputs: int
    sampler: Callable
    watch: Callable = minus_loss
    report: Callable = dict
    distance: float = math.inf
    callbacks: Callable = FitCallbacks


class NetworkEstimator(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin, BaseEstimator
):
    """Hyper-parameters of the training, and the training. The estimators say what is learned."""

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions(set(OPTIMIZERS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES)), callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "decay_rate": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # --- output -------------------------------------------------------------------------------------

    def _outputs(self, X, n_layers=None, rows=None):
        """Logits, embeddings, or the first `n_layers` layers without an activation on the last."""
        coefs, intercepts = self.coefs_[:n_layers], self.intercepts_[:n_layers]
        chunk = min(CHUNK, X.shape[0])
        return outputs(Network(coefs, intercepts, self.activation, chunk), X, chunk, rows)

    # --- training -----------------------------------------------------------------------------------

    def _train(self, X, targets, task, incremental):
        """Build the parts, train, and store the result.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
        targets : tuple of ndarray of shape (n_samples,)
            What the loss takes after `Z`; the first are the codes of the classes.
        task : Task
            What is to be learned.
        incremental : bool
            Whether this is `partial_fit`: one epoch more, without early stopping.
        """
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True.")
        continued = hasattr(self, "coefs_") and (incremental or self.warm_start)
        before = self.history_ if continued else []
        epochs = range(len(before), len(before) + (1 if incremental else self.max_iter))
        rng = self._generator(continued)
        rows, validation_rows = self._split(targets[0], rng)
        with one_blas_thread(), explained_divergence(self):
            network = self._network(X, task, rows, rng, continued)
            optimizer = self._optimizer(network, continued)
            callbacks = NO_CALLBACKS if incremental else task.callbacks(self, network, X, *targets)
            history = train(
                network,
                task.loss,
                optimizer,
                self._schedule(range(self.max_iter) if incremental else epochs),
                self._sampler(task, rows, targets[0], network.batch_size, rng),
                X,
                targets,
                epochs=epochs,
                progress=Progress(self.tol, self.n_iter_no_change),
                callbacks=callbacks,
                watch=itemgetter("validation_score") if self.early_stopping else task.watch,
                validate=self._validator(network, task, X, targets, validation_rows),
                report=task.report,
                verbose=self.verbose,
            )
        self._store(network, before + history)
        self._rng = rng
        if incremental or self.warm_start:
            self._optimizer_state = optimizer.state
        callbacks.fit_ends()
        return self

    def _generator(self, continued):
        if continued:
            return copy.deepcopy(self._rng)
        seed = check_random_state(self.random_state).randint(2**31, size=4)
        return np.random.default_rng(seed)

    def _network(self, X, task, rows, rng, continued):
        widths = self._widths(task.n_outputs)
        if continued:
            parameters = self._copied_parameters(widths)
        else:
            parameters = initial_parameters(widths, self.activation, rng, working_dtype(X.dtype))
        # Small data needs small batches: an epoch of one step teaches little.
        wanted = min(256, max(32, len(rows) // 8)) if self.batch_size == "auto" else self.batch_size
        size = min(wanted, len(rows))
        network = Network(*parameters, self.activation, size, self.dropout, self.input_dropout, rng)
        if not continued and task.distance < math.inf:
            Z = outputs(network, X, size, rows[probed(len(rows))])
            scale_to_distance(network.coefs, Z, task.distance)
        return network

    def _sampler(self, task, rows, y, batch_size, rng):
        return partial(task.sampler, rows, y[rows], batch_size, rng if self.shuffle else None)

    def _widths(self, n_outputs):
        hidden = np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=object)).ravel()
        if not all(isinstance(width, Integral) and width > 0 for width in hidden):
            raise ValueError(
                "hidden_layer_sizes must be integers > 0, one for each hidden layer, "
                f"got {self.hidden_layer_sizes!r}."
            )
        return [self.n_features_in_, *map(int, hidden), n_outputs]

    def _copied_parameters(self, widths):
        """Copies of the fitted parameters, so that a failure leaves those alone."""
        fitted = [self.coefs_[0].shape[0], *(W.shape[1] for W in self.coefs_)]
        if fitted != widths:
            raise ValueError(
                f"The fitted network has layers of {fitted} units, but the data and the parameters "
                f"ask for {widths}. Call fit with warm_start=False to begin anew."
            )
        return [W.copy() for W in self.coefs_], [b.copy() for b in self.intercepts_]

    def _split(self, y, rng):
        """Rows to train on and rows to validate on (None without early stopping)."""
        rows = np.arange(len(y))
        if not self.early_stopping:
            return rows, None
        seed = int(rng.integers(2**31))
        try:
            return train_test_split(
                rows, test_size=self.validation_fraction, random_state=seed, stratify=y
            )
        except ValueError as error:
            raise ValueError(
                "early_stopping=True sets rows of each class aside, which is not possible here with "
                f"validation_fraction={self.validation_fraction}: {error}"
            ) from error

    def _optimizer(self, network, continued):
        decays = [self.alpha] * len(network.coefs) + [0.0] * len(network.intercepts)
        make = OPTIMIZERS[self.solver]
        optimizer = make(network.parameters, decays, self.momentum, self.nesterovs_momentum)
        state = getattr(self, "_optimizer_state", {}) if continued else {}
        # Another solver than before begins with a state of its own.
        if state.keys() == optimizer.state.keys():
            optimizer.state = copy.deepcopy(state)
        return optimizer

    def _schedule(self, epochs):
        return make_schedule(
            self.learning_rate, self.learning_rate_init, epochs.start, epochs.stop, self.decay_rate
        )

    def _validator(self, network, task, X, targets, rows):
        """``validate() -> float`` on the rows set aside; None where there are none."""
        if rows is None:
            return None
        chunk = min(CHUNK, len(rows))
        # Without dropout, and with buffers of its own; the parameters are the same arrays.
        trained = Network(network.coefs, network.intercepts, self.activation, chunk)
        targets = [target[rows] for target in targets]
        return lambda: task.score(outputs(trained, X, chunk, rows), *targets)

    def _store(self, network, history):
        vars(self).pop("_optimizer_state", None)
        self.coefs_ = network.coefs
        self.intercepts_ = network.intercepts
        self.history_ = history
        self.n_iter_ = len(history)
        self.loss_curve_ = [entry["loss"] for entry in history]
        self.loss_ = self.loss_curve_[-1] if history else math.nan
        scores = [entry["validation_score"] for entry in history]
        validated = [score for score in scores if score is not None]
        self.validation_scores_ = scores if self.early_stopping else None
        self.best_validation_score_ = max(validated, default=math.nan) if self.early_stopping else None
        self.best_loss_ = None if self.early_stopping else min(self.loss_curve_, default=math.nan)
