"""Embeddings: networks trained so that distances tell classes apart."""

import copy
import math
import warnings
from functools import partial
from numbers import Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics import euclidean_distances
from sklearn.utils._param_validation import Integral, Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from ._base import (
    NetworkEstimator,
    check_two_classes,
    store_parameters,
    unchanged_on_failure,
)
from ._callbacks import with_callbacks
from .distances import DISTANCES, distance_loss
from .losses import REDUCTIONS, TRIPLET_RULES, contrastive, normalized, on_sphere, triplet
from .metrics import recall_at_k
from .sampling import BATCH_SAMPLERS

COLLAPSED = 0.1  # mean distance, as a fraction of the distance that the loss asks for
PROBE = 256  # rows on which that is looked at


class MetricTransformer(NetworkEstimator):
    """What all embeddings can do; a subclass says which rule on distances it learns from."""

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "reduction": [StrOptions(set(REDUCTIONS))],
        "normalize": ["boolean"],
        "batch_sampler": [StrOptions(set(BATCH_SAMPLERS))],
    }

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Learn the embedding.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Their classes.

        Returns
        -------
        self : transformer

        Raises
        ------
        ValueError
            With fewer than two classes, no class of two samples, or when the training diverges.
        """
        with unchanged_on_failure(self):
            X, y = self._check_X_y(X, y, reset=True)
            check_two_classes(y, self)
            self.classes_, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
            if sizes.max() == 1:
                raise ValueError(
                    f"{type(self).__name__} compares samples of the same class, but each of the "
                    f"{len(sizes)} classes of y has one sample only."
                )
            return self._fit(X, codes, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None):
        """Go over the given rows once.

        With all the rows this is one more epoch of `fit`. It needs ``early_stopping=False``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Some rows.
        y : array-like of shape (n_samples,)
            Their classes. New ones may come in every call.
        classes : array-like of shape (n_classes,), default=None
            More classes to note in `classes_`; not needed to learn.

        Returns
        -------
        self : transformer
        """
        with unchanged_on_failure(self):
            X, y = self._check_X_y(X, y, reset=not hasattr(self, "coefs_"))
            known = [np.unique(labels) for labels in (y, classes) if labels is not None]
            if hasattr(self, "classes_"):
                known.append(self.classes_)
            self.classes_ = np.unique(np.concatenate(known))
            return self._fit(X, np.searchsorted(self.classes_, y), incremental=True)

    def _fit(self, X, codes, incremental):
        loss, report = self._loss()
        self._train(
            X,
            (codes,),
            loss=on_sphere(loss) if self.normalize else loss,
            score=lambda Z, y: recall_at_k(self._placed(Z), y),
            n_outputs=self.n_components,
            sampler=self.batch_sampler,
            incremental=incremental,
            report=report,
        )
        self._warn_if_collapsed(X)
        return self

    def _placed(self, Z):
        return normalized(Z)[0] if self.normalize else Z

    def _warn_if_collapsed(self, X):
        step = max(1, X.shape[0] // PROBE)
        Z = self._placed(self._outputs(X[: PROBE * step : step]))
        spread = float(euclidean_distances(Z).mean())
        if spread < COLLAPSED * self._asked_distance():
            warnings.warn(
                f"The embedding collapses: the mean distance between samples is {spread:.1e}, so that "
                "classes can hardly be told apart. Look at the margins, use mining='all' (triplets) or "
                "negative_weight > 0 (pairs), or lower learning_rate_init.",
                stacklevel=4,
            )

    def transform(self, X):
        """Embed.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            Float32 or float64, as the data in `fit`.
        """
        return self._embed(X)

    def score(self, X, y):
        """Leave-one-out recall@1: how often the nearest other row is of the same class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        recall : float
        """
        return recall_at_k(self._embed(X), column_or_1d(y))

    def _embed(self, X):
        return self._placed(self._outputs(self._check_X(X)))

    def pairwise_distance(self, X1, X2=None, *, squared=False):
        """Euclidean distances of embeddings, of all rows to all rows.

        Parameters
        ----------
        X1 : {array-like, sparse matrix} of shape (n, n_features)
        X2 : {array-like, sparse matrix} of shape (m, n_features), default=None
            None: the rows of `X1` among themselves; then the result is exactly symmetric with zeros
            on the diagonal.
        squared : bool, default=False
            Whether to give the squares.

        Returns
        -------
        D : ndarray of shape (n, m)
        """
        if X2 is not None:
            return euclidean_distances(self._embed(X1), self._embed(X2), squared=squared)
        D = euclidean_distances(self._embed(X1), squared=squared)
        for i in range(1, len(D)):
            D[i, :i] = D[:i, i]
        return D

    def pair_distance(self, pairs):
        """Euclidean distance of the embeddings in each pair.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features)

        Returns
        -------
        d : ndarray of shape (n_pairs,)
        """
        check_is_fitted(self)
        pairs = check_array(pairs, allow_nd=True, ensure_all_finite=False)
        if pairs.ndim != 3 or pairs.shape[1] != 2:
            raise ValueError(f"pairs must have the shape (n_pairs, 2, n_features), got {pairs.shape}.")
        left, right = self._embed(pairs[:, 0]), self._embed(pairs[:, 1])
        return np.linalg.norm(left - right, axis=1)

    def pair_score(self, pairs):
        """Minus `pair_distance`: higher is more alike.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features)

        Returns
        -------
        score : ndarray of shape (n_pairs,)
        """
        return -self.pair_distance(pairs)

    def get_metric(self):
        """The learned distance as a function of two vectors.

        Returns
        -------
        metric : callable
            ``metric(u, v, squared=False) -> float``. It keeps the present model, whatever happens to
            the estimator. Where many distances are wanted, `pairwise_distance` is faster.
        """
        check_is_fitted(self)
        model = copy.copy(self)

        def metric(u, v, squared=False):
            d = float(model.pair_distance(np.stack([u, v])[np.newaxis])[0])
            return d**2 if squared else d

        return metric

    def get_mahalanobis_matrix(self):
        """The matrix M of the learned distance ``sqrt((u - v)' M (u - v))``, for linear models.

        Returns
        -------
        M : ndarray of shape (n_features, n_features)
            ``W W'``, positive semi-definite.

        Raises
        ------
        AttributeError
            Where the embedding is not linear.
        """
        check_is_fitted(self)
        linear = len(self.coefs_) == 1 or self.activation == "identity"
        if not linear or self.normalize:
            raise AttributeError(
                "Only a linear embedding has a Mahalanobis matrix: hidden_layer_sizes=() and "
                "normalize=False."
            )
        W = np.linalg.multi_dot(self.coefs_) if len(self.coefs_) > 1 else self.coefs_[0]
        return W @ W.T

    @property
    def _n_features_out(self):
        return self.coefs_[-1].shape[1]


class TripletMetricTransformer(MetricTransformer):
    """Embedding in which a positive is nearer than a negative by a margin."""

    _parameter_constraints = {
        **MetricTransformer._parameter_constraints,
        "margin": [Interval(Real, 0, None, closed="neither")],
        "distance": [StrOptions(set(DISTANCES))],
        "mining": [StrOptions(set(TRIPLET_RULES)), callable],
    }

    def __init__(
        self,
        n_components=64,
        hidden_layer_sizes=(256,),
        *,
        activation="relu",
        margin=1.0,
        distance="sqeuclidean",
        mining="all",
        reduction="active",
        normalize=False,
        batch_sampler="auto",
        solver="adam",
        alpha=0.0,
        dropout=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.001,
        decay_rate=0.001,
        max_iter=50,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
    ):
        store_parameters(self, locals())

    def _loss(self):
        counts = np.zeros(2)
        rule = partial(
            triplet,
            margin=self.margin,
            mining=self.mining,
            reduction=self.reduction,
            counts=counts,
        )

        def report():
            n_active, n_valid = counts
            counts[:] = 0
            return {"active_fraction": n_active / n_valid if n_valid else 0.0}

        return partial(distance_loss, rule=rule, distance=self.distance), report

    def _asked_distance(self):
        return self.margin if self.distance == "euclidean" else math.sqrt(self.margin)


class ContrastiveMetricTransformer(MetricTransformer):
    """Embedding that pulls pairs of the same class together and pushes others apart."""

    _parameter_constraints = {
        **MetricTransformer._parameter_constraints,
        "positive_margin": [Interval(Real, 0, None, closed="left")],
        "negative_margin": [Interval(Real, 0, None, closed="left")],
        "negative_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=64,
        hidden_layer_sizes=(),
        *,
        activation="relu",
        positive_margin=0.0,
        negative_margin=1.0,
        negative_weight=1.0,
        reduction="mean",
        normalize=False,
        batch_sampler="auto",
        solver="adam",
        alpha=0.0,
        dropout=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.001,
        decay_rate=0.001,
        max_iter=50,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
    ):
        store_parameters(self, locals())

    def _loss(self):
        rule = partial(
            contrastive,
            positive_margin=self.positive_margin,
            negative_margin=self.negative_margin,
            negative_weight=self.negative_weight,
            reduction=self.reduction,
        )
        return partial(distance_loss, rule=rule), dict

    def _asked_distance(self):
        # Where nothing is pushed apart, any embedding is on its way to a single point.
        pushes = self.negative_weight > 0 and self.negative_margin > 0
        return math.sqrt(self.negative_margin) if pushes else math.inf
