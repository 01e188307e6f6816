"""Base class of the four estimators: outputs of the networks, and training."""

import copy
import math
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED

from ._building import continued_network, make_optimizer, new_network, take_over
from ._callbacks import CallbackSupportMixin, FitCallbacks, under_way
from ._documentation import PAGE_IN_PACKAGE
from ._engine.adversarial import AtAdversarialRows, AtRows
from ._engine.interrupts import deferred_interrupts
from ._engine.network import CHUNK, Network, outputs
from ._engine.sampling import Batches
from ._engine.schedules import make_schedule
from ._engine.side_by_side import apart, side_by_side
from ._engine.training import train
from ._engine.training_state import Progress, TrainingState
from ._engine.validation import Validation
from ._failures import explained_divergence
from ._input import check_outputs, probed
from ._parameters import CONSTRAINTS, USUAL
from ._snapshot import ScorerValidation, Snapshot
from ._team import team, team_of_caller
from ._training import Training, history_before, resume
from ._typing import (
    Activation,
    Array,
    Floats,
    LayerSizes,
    LearningRate,
    RandomState,
    Scoring,
    Shuffle,
    Solver,
    Standardize,
)
from ._validation_rows import split_rows, what_is_set_aside
from ._versions import with_version, without_version
from .losses import OnEachNetwork


class NetworkEstimator(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin, BaseEstimator
):
    """Common parameters and the training of the estimators.

    A subclass implements ``_validation_score(Z, *targets) -> float`` for early stopping. It may implement
    ``_initial_distance()``, the distance to which the initial outputs are scaled, and
    ``_check_learned(X, targets, loss, n_epochs)``, which warns about a useless result.
    """

    hidden_layer_sizes: LayerSizes
    activation: Activation
    standardize: Standardize
    solver: Solver
    alpha: float
    dropout: float
    input_dropout: float
    batch_norm: bool
    adversarial: float
    batch_size: int | Literal["auto"]
    learning_rate: LearningRate
    learning_rate_init: float
    decay_rate: float
    max_iter: int
    shuffle: Shuffle
    random_state: RandomState
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    scoring: Scoring
    validation_fraction: float
    n_iter_no_change: int | float

    coefs_: list[Floats]
    intercepts_: list[Floats]
    classes_: Array
    n_iter_: int
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    history_: list[dict[str, Any]]
    n_features_in_: int
    feature_names_in_: Array

    _parameter_constraints = CONSTRAINTS
    _usual = USUAL
    # `out` is not metadata that a pipeline could hand on.
    __metadata_request__transform = {"out": UNUSED}
    # While `fit` runs, and in a model from a checkpoint.
    _training = None
    _unfinished = None
    _doc_link_module = "skmetric"
    _doc_link_template = PAGE_IN_PACKAGE

    def __getstate__(self):
        return with_version(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(without_version(state))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # --- to implement in a subclass ---------------------------------------------------------------

    def _validation_score(self, Z, *targets):
        """Compute a score of the outputs of validation rows; higher is better."""
        raise NotImplementedError

    def _initial_distance(self):
        """Return the distance to which the initial outputs are scaled; infinite for no scaling."""
        return math.inf

    def _check_learned(self, X, targets, loss, n_epochs):
        """Warn if the result of the training is useless, after `n_epochs` epochs with this loss."""

    def _check_class_sizes(self, sizes):
        """Raise ValueError if nothing can be learned from classes of these sizes."""

    def _check_validation_sizes(self, sizes):
        """Raise ValueError if there is no score of validation rows whose classes have these sizes."""

    def _score_weights(self, X, codes):
        """Return the weights of other rows in a score, or None."""

    def _begin(self, X, rows, dtype, continued):
        """Compute attributes from the training rows, before the training."""

    def _beside_rows(self, X, rows):
        """Return the arguments of `_validation_score` after the targets of the validation rows."""
        return ()

    def _fitted_beside(self, network, X, rows):
        """Return fitted attributes that depend on the network and its training rows."""
        return {}

    def _transformed(self, X):
        """Compute the result of `transform` for validated rows."""
        raise NotImplementedError

    # --- output -----------------------------------------------------------------------------------

    def _fitted_network(self, n_rows, n_layers=None):
        """Return the fitted networks, or their first layers, with buffers for up to `n_rows` rows."""
        fitted = apart(self.coefs_[:n_layers], self.intercepts_[:n_layers])
        networks = [Network(*parameters, self.activation, min(CHUNK, n_rows)) for parameters in fitted]
        return side_by_side(networks)

    def _outputs(self, X, rows=None):
        """Compute the outputs."""
        return check_outputs(self._up_to_layer(None, X, rows))

    def _up_to_layer(self, n_layers, X, rows=None):
        """Compute the first `n_layers` layers (None: all), without the activation of the last."""
        n_rows = X.shape[0] if rows is None else len(rows)
        with team_of_caller(n_rows), np.errstate(over="ignore", invalid="ignore"):
            return outputs(self._fitted_network(n_rows, n_layers), X, rows)

    def _check_outputs(self, X, rows):
        """Raise FloatingPointError if the outputs overflow for some of the training rows."""
        try:
            self._outputs(X, rows=probed(X, rows))
        except ValueError as error:
            raise FloatingPointError from error

    # --- training ---------------------------------------------------------------------------------

    def _train(self, X, targets, losses, sampler, n_outputs, incremental, shown):
        """Build the parts, train, and store the result.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.
        targets : tuple of ndarray of shape (n_samples,)
            Arguments of the loss after `Z`. The first one holds the codes of the classes.
        losses : list of MetricLoss, LabelLoss or WithSoftmaxHead
            Loss of a batch, for each network.
        sampler : callable
            ``sampler(rows, y, batch_size, rng)``, see `Batches`.
        n_outputs : int
            Number of outputs of a network.
        incremental : bool
            Whether this is `partial_fit`: one more epoch, without early stopping and without callbacks.
        shown : dict
            What callbacks are shown of the data: `X`, `y` and `metadata`.
        """
        if incremental:
            self._begin_pass()
        loss = OnEachNetwork(losses) if len(losses) > 1 else losses[0]
        with deferred_interrupts(), team(), explained_divergence(self):
            continued = self._goes_on(incremental)
            past = history_before(self, X, targets) if continued else []
            rng = self._generator(continued)
            set_aside = what_is_set_aside(self, len(targets[0]), rng, continued)
            rows, validation_rows = split_rows(targets[0], set_aside)
            begin = continued_network if continued else new_network
            network = begin(self, X, targets, len(losses), n_outputs, rows, rng)
            self._continue_loss(loss, continued)
            optimizer = make_optimizer(self, network, loss, continued)
            self._begin(X, rows, network.dtype, continued)
            snapshot = Snapshot(self, network, X, rows)
            validation = self._validation(snapshot, targets, validation_rows)
            epochs = range(len(past), len(past) + (1 if incremental else int(self.max_iter)))
            schedule = self._schedule(None if incremental else epochs)
            progress = self._progress(validation, continued)
            state = TrainingState(network, loss, optimizer, schedule, progress, rng)
            resume(self, state)
            training = Training(snapshot, state, past, set_aside, targets)
            batches = self._batches(sampler, rows, targets[0], network, rng)
            n_before = training.n_epochs
            self._run(training, batches, epochs, validation, incremental, shown)
            self._check_learned(X, targets, loss, training.n_epochs - n_before)
        return self

    def _begin_pass(self):
        """Prepare `partial_fit`, which uses the weights of an unfinished training, but not its plan."""
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: set it to False.")
        vars(self).pop("_unfinished", None)

    def _run(self, training, batches, epochs, validation, incremental, shown):
        """Train, and store the result."""
        shown = None if incremental else shown
        with under_way(self, training):
            callbacks = FitCallbacks(self, training, shown, epochs)
            train(
                training.state,
                self._gradients(),
                batches,
                training.snapshot.X,
                training.targets,
                epochs=epochs,
                callbacks=callbacks,
                validation=validation,
                verbose=self.verbose,
            )
            vars(self).update(training.attributes())
            vars(self).pop("_unfinished")
            if incremental or self.warm_start:
                vars(self).update(training.continuation())
            self._check_outputs(training.snapshot.X, training.snapshot.rows)
            callbacks.fit_ends()

    def _goes_on(self, incremental):
        """Return whether training continues from the fitted model."""
        goes_on = incremental or self.warm_start or self._unfinished is not None
        return hasattr(self, "coefs_") and goes_on

    def _generator(self, continued):
        if continued:
            return copy.deepcopy(self._rng)
        seed = check_random_state(self.random_state).randint(2**31, size=4)
        return np.random.default_rng(seed)

    def _continue_loss(self, loss, continued):
        """Restore the parameters of the loss, if the numbers of classes and components are the same."""
        if continued:
            take_over(loss.parameters, self._loss_parameters)

    def _gradients(self):
        return AtAdversarialRows(self.adversarial) if self.adversarial > 0 else AtRows()

    def _schedule(self, epochs):
        return make_schedule(self.learning_rate, self.learning_rate_init, epochs, self.decay_rate)

    def _batches(self, sampler, rows, y, network, rng):
        return Batches(sampler, rows, y[rows], network.batch_size, rng if self.shuffle else None)

    def _validation(self, snapshot, targets, rows):
        if rows is None:
            return None
        X = snapshot.X
        targets = [target[rows] for target in targets]
        if self.scoring is not None:
            codes, *weights = targets
            return ScorerValidation(self._scorer(), snapshot, X[rows], self.classes_[codes], *weights)
        beside = self._beside_rows(X, rows)
        return Validation(snapshot.network, X, rows, [*targets, *beside], self._validation_score)

    def _scorer(self):
        return check_scoring(self, self.scoring)

    def _progress(self, validation, continued):
        progress = Progress(self.tol, self.n_iter_no_change)
        if continued and validation is not None:
            # The current model is a candidate for the best.
            progress.best = validation.score()
        return progress
