"""From hyper-parameters to parts: what the four estimators share."""

import copy
import math
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ._building import continued_network, new_network, take_over
from ._callbacks import CallbackSupportMixin, FitCallbacks, NoCallbacks
from ._documentation import PAGE_IN_PACKAGE
from ._engine.activations import ACTIVATIONS
from ._engine.adversarial import AtAdversarialRows, AtRows
from ._engine.interrupts import deferred_interrupts
from ._engine.network import CHUNK, Network, outputs
from ._engine.optimizers import OPTIMIZERS
from ._engine.sampling import Batches
from ._engine.schedules import SCHEDULES, make_schedule
from ._engine.side_by_side import apart, side_by_side
from ._engine.standardization import FACTORS
from ._engine.training import Progress, train
from ._engine.validation import Validation
from ._failures import explained_divergence
from ._input import check_outputs
from ._team import team, team_of_caller
from ._validation_rows import split_rows, what_is_set_aside
from .losses import OnEachNetwork


def store_parameters(estimator, arguments):
    """Store the arguments of ``__init__``, given as its ``locals()``, under their names."""
    parameters = {name: value for name, value in arguments.items() if name not in ("self", "__class__")}
    vars(estimator).update(parameters)


class NetworkEstimator(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin, BaseEstimator
):
    """Hyper-parameters of the training, and the training. The estimators say what is learned.

    A subclass has ``_validation_score(Z, *targets) -> float`` for early stopping. It may have
    ``_initial_distance()``, the distance that the first outputs are scaled to, and
    ``_check_learned(X, targets, loss)``, which warns of what came out.
    """

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "n_networks": [Interval(Integral, 1, None, closed="left")],
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
        "standardize": [StrOptions(set(FACTORS)), Options(bool, {False})],
        "batch_norm": ["boolean"],
        "adversarial": [Interval(Real, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
    }
    # Smallest and largest values of parameters that can make a training diverge by their size.
    _usual = {"alpha": (0.0, 1e8)}
    _doc_link_module = "skmetric"
    _doc_link_template = PAGE_IN_PACKAGE

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # --- what a subclass says ---------------------------------------------------------------------

    def _validation_score(self, Z, *targets):
        """Judge outputs of validation rows: higher is better."""
        raise NotImplementedError

    def _initial_distance(self):
        """Distance that the outputs are scaled to before the first step; infinite for no scaling."""
        return math.inf

    def _check_learned(self, X, targets, loss):
        """Warn if what was learned is of no use."""

    def _begin(self, X, rows, dtype, continued):
        """Fit what is fitted before the training, from the rows that the network will learn from."""

    def _beside_rows(self, X, rows):
        """What `_validation_score` takes after the targets of the validation rows."""
        return ()

    def _fitted_beside(self, network, X, rows):
        """Attributes that are fitted beside the network, from the rows that it has learned from."""
        return {}

    # --- output -----------------------------------------------------------------------------------

    def _fitted_network(self, n_rows, n_layers=None):
        """The fitted networks, or their first layers, with buffers for some of `n_rows` rows."""
        fitted = apart(self.coefs_[:n_layers], self.intercepts_[:n_layers])
        networks = [Network(*parameters, self.activation, min(CHUNK, n_rows)) for parameters in fitted]
        return side_by_side(networks)

    def _outputs(self, X, n_layers=None, rows=None):
        """Logits, embeddings, or the first `n_layers` layers without an activation on the last."""
        n_rows = X.shape[0] if rows is None else len(rows)
        with team_of_caller(n_rows), np.errstate(over="ignore", invalid="ignore"):
            return check_outputs(outputs(self._fitted_network(n_rows, n_layers), X, rows))

    # --- training ---------------------------------------------------------------------------------

    def _train(self, X, targets, losses, sampler, n_outputs, incremental, Callbacks=FitCallbacks):
        """Build the parts, train, and store the result.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.
        targets : tuple of ndarray of shape (n_samples,)
            What the loss takes after `Z`; the first are the codes of the classes.
        losses : list of MetricLoss, LabelLoss or WithSoftmaxHead
            Loss of a batch, for each network.
        sampler : callable
            ``sampler(rows, y, batch_size, rng)``, see `Batches`.
        n_outputs : int
            Number of outputs of a network.
        incremental : bool
            Whether this is `partial_fit`: one epoch more, without a plan and without early stopping.
        Callbacks : class
            `FitCallbacks`, or `NoCallbacks` for data that they cannot be shown.
        """
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True.")
        loss = OnEachNetwork(losses) if len(losses) > 1 else losses[0]
        with deferred_interrupts(), team(), explained_divergence(self):
            continued = self._goes_on(incremental)
            past = self.history_ if continued else []
            epochs = range(len(past), len(past) + (1 if incremental else int(self.max_iter)))
            rng = self._generator(continued)
            set_aside = what_is_set_aside(self, len(targets[0]), rng, continued)
            rows, validation_rows = split_rows(targets[0], set_aside)
            begin = continued_network if continued else new_network
            network = begin(self, X, targets, len(losses), n_outputs, rows, rng)
            self._continue_loss(loss, continued)
            optimizer = self._optimizer(network, loss, continued)
            self._begin(X, rows, network.dtype, continued)
            validation = self._validation(network, X, targets, validation_rows)
            progress = self._progress(validation, continued)
            callbacks = NoCallbacks() if incremental else Callbacks(self, network, X, rows, *targets)
            history = train(
                network,
                loss,
                self._gradients(),
                optimizer,
                self._schedule(None if incremental else epochs),
                self._batches(sampler, rows, targets[0], network, rng),
                X,
                targets,
                epochs=epochs,
                progress=progress,
                callbacks=callbacks,
                validation=validation,
                verbose=self.verbose,
            )
            self._store(network, past + history, progress, rng, set_aside)
            vars(self).update(self._fitted_beside(network, X, rows))
            self._remember(network, loss, optimizer, incremental)
            callbacks.fit_ends()
            self._check_learned(X, targets, loss)
        return self

    def _goes_on(self, incremental):
        """Whether training goes on from the fitted model."""
        return hasattr(self, "coefs_") and (incremental or self.warm_start)

    def _generator(self, continued):
        if continued:
            return copy.deepcopy(self._rng)
        seed = check_random_state(self.random_state).randint(2**31, size=4)
        return np.random.default_rng(seed)

    def _continue_loss(self, loss, continued):
        """Go on with what the loss learned before, if it is for the same classes and components."""
        if continued:
            take_over(loss.parameters, self._loss_parameters)

    def _optimizer(self, network, loss, continued):
        parameters = [*network.blocks, *loss.parameters]
        decays = [self.alpha if W.ndim == 2 else 0.0 for W in network.blocks]
        decays += [0.0] * len(loss.parameters)
        make = OPTIMIZERS[self.solver]
        optimizer = make(parameters, decays, self.momentum, self.nesterovs_momentum)
        state = getattr(self, "_optimizer_state", {}) if continued else {}
        # Another solver than before, or one for other parameters, begins with a state of its own.
        if _form(state) == _form(optimizer.state):
            optimizer.state = copy.deepcopy(state)
        return optimizer

    def _gradients(self):
        return AtAdversarialRows(self.adversarial) if self.adversarial > 0 else AtRows()

    def _schedule(self, epochs):
        return make_schedule(self.learning_rate, self.learning_rate_init, epochs, self.decay_rate)

    def _batches(self, sampler, rows, y, network, rng):
        return Batches(sampler, rows, y[rows], network.batch_size, rng if self.shuffle else None)

    def _validation(self, network, X, targets, rows):
        if rows is None:
            return None
        targets = [target[rows] for target in targets]
        return Validation(
            network, X, rows, [*targets, *self._beside_rows(X, rows)], self._validation_score
        )

    def _progress(self, validation, continued):
        progress = Progress(self.tol, self.n_iter_no_change)
        if continued and validation is not None:
            # What is there already is the first candidate for the best.
            progress.best = validation.score()
        return progress

    def _remember(self, network, loss, optimizer, incremental):
        """Keep what a training that may go on needs."""
        if not (incremental or self.warm_start):
            return
        self._optimizer_state = optimizer.state
        self._loss_parameters = list(loss.parameters)
        if self._standardization.changes_rows or self.batch_norm:
            # As they were trained: to unfold them again would cost them their last bits.
            self._as_trained = network.parameters

    def _store(self, network, history, progress, rng, set_aside):
        vars(self).pop("_optimizer_state", None)
        self._as_trained = []
        self._loss_parameters = []
        self._rng = rng
        self._rows_set_aside = set_aside
        self.coefs_, self.intercepts_ = network.folded_parameters()
        self.history_ = history
        self.n_iter_ = len(history)
        self.loss_curve_ = [entry["loss"] for entry in history]
        self.loss_ = self.loss_curve_[-1] if history else math.nan
        self.best_loss_ = None
        self.validation_scores_ = None
        self.best_validation_score_ = None
        if self.early_stopping:
            self.validation_scores_ = [entry["validation_score"] for entry in history]
            self.best_validation_score_ = progress.best if math.isfinite(progress.best) else math.nan
        else:
            self.best_loss_ = min(self.loss_curve_, default=math.nan)


def _form(state):
    """Names and shapes of what an optimizer remembers."""
    return {name: np.shape(value) for name, value in state.items()}
