"""Embeddings: training from labels, pairs and triplets."""

import math
from functools import partial
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import euclidean_distances
from sklearn.utils._param_validation import StrOptions

from ._callbacks import with_callbacks
from ._constraints import Interval, MeasureNames, Scorers
from ._embedding import Embedding
from ._engine.divergence import raise_if_diverged
from ._engine.sampling import BATCH_SAMPLERS, tuple_batches
from ._engine.side_by_side import apart
from ._failures import unchanged_on_failure
from ._fit_context import fit_context
from ._input import (
    IndexedRows,
    as_given,
    check_rows,
    check_two_classes,
    check_X_y,
    nameless,
    probed,
)
from ._kept_input import joint_rotation, rotated
from ._labels import check_labels, known_classes
from ._network_estimator import NetworkEstimator
from ._numbers import working_dtype
from ._stored_rows import in_blocks
from ._typing import BatchSampler, MatrixLike, Validation
from ._warn import warn
from .losses import WithSoftmaxHead, all_pairs, given_tuples, on_sphere
from .metrics import MEASURES, make_retrieval_scorer, recall_at_k
from .pairs import check_tuples

FEW = 2000  # rows and features up to which n_networks="auto" trains several networks
FEW_NETWORKS = 3
PLOTTED = 3  # components of an embedding to plot, too few for the outputs of several networks
COLLAPSED = 0.1  # mean distance of a collapsed embedding, as a fraction of the distance in the loss


class MetricTransformer(Embedding):
    """Methods that fit an embedding.

    A subclass implements ``_loss(comparison) -> MetricLoss`` and ``_asked_distance() -> float``, the
    distance between classes at which its loss is small; infinite if there is none.
    """

    n_networks: int | Literal["auto"]
    validation: Validation
    head_weight: float
    batch_sampler: BatchSampler

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_networks": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "scoring": [MeasureNames(set(MEASURES)), Scorers(), None],
        "validation": [StrOptions({"rows", "classes"})],
        "head_weight": [Interval(Real, 0, None, closed="left")],
        "input_weight": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "normalize": ["boolean"],
        "batch_sampler": [StrOptions(set(BATCH_SAMPLERS))],
    }
    _usual = {**NetworkEstimator._usual, "input_weight": (0.0, 1e8), "head_weight": (0.0, 1e8)}
    _initial_spread = 1  # initial distance of the outputs, as a multiple of `_asked_distance()`

    @with_callbacks
    @fit_context
    def fit(self, X: MatrixLike, y: ArrayLike | None = None) -> Self:
        """Fit the model to labelled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Class labels of the rows. -1 is an ordinary label.

        Returns
        -------
        object
            The fitted transformer.

        Raises
        ------
        ValueError
            If there are fewer than two classes, if no class has two rows, or if the training diverges.
        """
        with unchanged_on_failure(self):
            X, y = check_X_y(self, X, y, reset=True)
            check_two_classes(y, self)
            self.classes_, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
            self._check_class_sizes(sizes)
            return self._learn_labels(X, codes, incremental=False)

    @fit_context
    def partial_fit(
        self, X: MatrixLike, y: ArrayLike | None = None, classes: ArrayLike | None = None
    ) -> Self:
        """Update the model with one pass over the given rows.

        With ``learning_rate="cosine"`` or ``"adaptive"``, the learning rate stays at
        `learning_rate_init`; the other schedules count each call as an epoch. The scaling of the features
        and the scale of the embedding are computed from the rows of the first call, which should
        therefore be representative.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows of at least two classes.
        y : array-like of shape (n_samples,)
            Class labels of the rows. Each call may contain new classes.
        classes : array-like of shape (n_classes,), default=None
            Classes to add to `classes_`. Only needed if ``head_weight > 0``, in the first call.

        Returns
        -------
        object
            The updated transformer.

        Raises
        ------
        ValueError
            If ``early_stopping=True``, if labels are numbers in one call and strings in another, or if
            the training diverges.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import TripletMetricTransformer
        >>> X, y = load_iris(return_X_y=True)
        >>> model = TripletMetricTransformer(2, random_state=0)
        >>> for rows in np.random.default_rng(0).permutation(150).reshape(3, 50):
        ...     model = model.partial_fit(X[rows], y[rows])
        >>> model.n_iter_
        3
        """
        with unchanged_on_failure(self):
            X, y = check_X_y(self, X, y, reset=not hasattr(self, "coefs_"))
            known = {"y": y}
            if classes is not None:
                known["classes"] = check_labels(classes, "classes")
            if hasattr(self, "classes_"):
                known["classes_"] = self.classes_
            self.classes_ = known_classes(*known.values(), names=known)
            if (y == y[0]).all():
                warn(
                    f"{type(self).__name__}.partial_fit got rows of one class only and cannot learn from "
                    "them. Pass rows of several classes in each call."
                )
            return self._learn_labels(X, np.searchsorted(self.classes_, y), incremental=True)

    def _learn_labels(self, X, codes, incremental):
        loss = self._loss_of(partial(all_pairs, self_pairs=self._compares_selves()))
        losses = [loss] * self._number_of_networks(len(codes), incremental)
        if self.head_weight > 0:
            self._check_known_classes(incremental)
            losses = [self._with_head(loss, working_dtype(X.dtype)) for loss in losses]
        sampler = in_blocks(BATCH_SAMPLERS[self.batch_sampler], X, self.shuffle)
        # A callable is called only where a callback asks for the labels.
        shown = {"X": as_given(X), "y": lambda: self.classes_[codes]}
        return self._learn(X, codes, losses, sampler, incremental, shown)

    def _with_head(self, loss, dtype):
        n_classes = len(self.classes_)
        return WithSoftmaxHead(loss, self.head_weight, int(self.n_components), n_classes, dtype)

    def _number_of_networks(self, n_rows, incremental):
        if self.n_networks != "auto":
            return int(self.n_networks)
        if self._goes_on(incremental):
            return len(apart(self.coefs_, self.intercepts_))
        is_small = n_rows <= FEW and self.n_features_in_ <= FEW
        return FEW_NETWORKS if is_small and self.n_components > PLOTTED else 1

    def _check_known_classes(self, incremental):
        """Raise ValueError if the softmax head of an earlier call has another number of classes."""
        known = None
        if self._goes_on(incremental) and self._loss_parameters:
            known = self._loss_parameters[-1].shape[0]
        if known not in (None, len(self.classes_)):
            raise ValueError(
                f"head_weight={self.head_weight}: the classifier on the embedding knows {known} classes, "
                f"but now there are {len(self.classes_)}. Pass all classes in the first call of "
                "partial_fit (classes=...), or set head_weight=0."
            )

    def _learn_tuples(self, tuples, y, X, size, is_like_first, incremental):
        """Check tuples and learn from them.

        ``is_like_first(n_tuples)`` returns an array of shape (n_tuples * size,): whether each row has the
        class of the first row of its tuple. The labels `y` are only shown to callbacks.
        """
        if self.early_stopping:
            raise ValueError(
                "early_stopping=True sets labelled rows aside, but pairs or triplets have no labels. Set "
                "early_stopping=False."
            )
        if isinstance(self.batch_size, Integral) and self.batch_size < size:
            raise ValueError(
                f"batch_size must be at least {size}, the number of rows in a tuple, got "
                f"{self.batch_size}."
            )
        if self.head_weight > 0:
            raise ValueError(
                f"head_weight={self.head_weight} trains a classifier on the embedding, but pairs or "
                "triplets have no classes. Set head_weight=0."
            )
        is_first = not (incremental and hasattr(self, "coefs_"))
        with unchanged_on_failure(self):
            rows, index = check_tuples(tuples, X, size)
            # An array of tuples has no feature names to compare with.
            model = nameless(self) if X is None and not is_first else self
            rows = check_rows(model, rows, reset=is_first)
            is_positive = is_like_first(len(index))
            # ScoringMonitor computes no score without labels.
            shown = {"X": tuples, "y": np.ones(len(index), int) if y is None else y}
            if X is not None:
                rows = IndexedRows(rows, index.ravel())
                shown["metadata"] = {"X": X}
            if is_first:
                vars(self).pop("classes_", None)
            losses = [self._loss_of(partial(given_tuples, size=size))]
            losses *= self._number_of_networks(len(is_positive), incremental)
            sampler = in_blocks(partial(tuple_batches, size=size), rows, self.shuffle, size)
            return self._learn(rows, is_positive, losses, sampler, incremental, shown)

    def _loss_of(self, comparison):
        return self._loss(on_sphere(comparison) if self.normalize else comparison)

    def _learn(self, X, y, losses, sampler, incremental, shown):
        return self._train(X, (y,), losses, sampler, int(self.n_components), incremental, shown)

    # --- to implement in a subclass ---------------------------------------------------------------

    def _loss(self, comparison):
        """Return the loss for the distances that `comparison` computes."""
        raise NotImplementedError

    def _asked_distance(self):
        """Return the distance between classes at which the loss is small; infinite if there is none."""
        raise NotImplementedError

    def _compares_selves(self):
        """Return whether a row counts as a positive of itself."""
        return False

    # --- called by `NetworkEstimator` -------------------------------------------------------------

    def _initial_distance(self):
        return math.inf if self.normalize else self._initial_spread * self._asked_distance()

    def _validation_score(self, F, y, P):
        F = self._placed_each(F, int(self.n_components))
        Z = F
        if self._needs_rotation(F.shape[1]):
            R = joint_rotation(F, P, self._weight_of_input(), self.n_components)
            Z = self._placed(rotated([F, P], R))
            raise_if_diverged(Z)
        self._check_validation_sizes(np.unique(y, return_counts=True)[1])
        return recall_at_k(Z, y)

    def _scorer(self):
        if isinstance(self.scoring, str):
            return make_retrieval_scorer(self.scoring)
        return super()._scorer()

    def _check_class_sizes(self, sizes):
        if max(sizes) == 1:
            raise ValueError(
                f"{type(self).__name__} needs a class with at least two samples, but each of the "
                f"{len(sizes)} classes of y has one sample only."
            )

    def _check_validation_sizes(self, sizes):
        if max(sizes) == 1:
            raise ValueError(
                "early_stopping=True needs a class with at least two validation rows. Increase "
                f"validation_fraction (now {self.validation_fraction})."
            )

    def _check_learned(self, X, targets, loss, n_epochs):
        (y,) = targets
        if (y == y[0]).all():
            return
        if n_epochs > 0 and loss.n_compared == 0:
            warn(
                "Nothing was learned: no batch held positive and negative pairs to compare. Use several "
                "rows of each class, batch_sampler='balanced', or a larger batch_size."
            )
        self._warn_if_collapsed(X)

    def _warn_if_collapsed(self, X):
        F = self._outputs(X, rows=probed(X))
        networks = np.split(F, F.shape[1] // self.n_components, axis=1)
        spread = min(float(euclidean_distances(self._placed(Z)).mean()) for Z in networks)
        asked = self._asked_distance()
        if self.normalize and asked < math.inf:
            asked = min(asked, math.sqrt(2))  # the distance of random unit vectors, for any margin
        if spread < COLLAPSED * asked:
            warn(
                f"The embedding collapses: the mean distance between samples is {spread:.1e}, too small "
                "to separate classes. Check the margins or the temperature, use mining='all' (triplets) "
                "or negative_weight > 0 (pairs), or lower learning_rate_init."
            )
