"""What all embeddings can do, whatever rule on distances they learn from."""

import copy
import math
import warnings
from numbers import Integral

import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics import euclidean_distances
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from ._base import (
    NetworkEstimator,
    Task,
    unchanged_on_failure,
)
from ._callbacks import with_callbacks
from ._input import check_two_classes, check_X, check_X_y
from .initialization import probed
from .losses import REDUCTIONS, normalized, on_sphere
from .metrics import recall_at_k
from .sampling import BATCH_SAMPLERS

COLLAPSED = 0.1  # mean distance, as a fraction of the distance that the loss asks for
BLOCK = 1024  # rows whose distances to all others are taken at a time


class MetricTransformer(NetworkEstimator):
    """Base of the embeddings.

    A subclass has two methods: ``_loss() -> (loss, dict of more entries of Task)``, and
    ``_asked_distance() -> float``, the distance between classes that its loss asks for, infinite where it
    asks for none. `_spread` is how many times that distance training begins with.
    """

    _spread = 1

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
            X, y = check_X_y(self, X, y, reset=True)
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

        With all the rows this is one more epoch of `fit`. It needs ``early_stopping=False``. The rows of
        the first call set the scale of the embedding: they should be like those to come.

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
            X, y = check_X_y(self, X, y, reset=not hasattr(self, "coefs_"))
            known = [np.unique(labels) for labels in (y, classes) if labels is not None]
            if hasattr(self, "classes_"):
                known.append(self.classes_)
            self.classes_ = np.unique(np.concatenate(known))
            return self._fit(X, np.searchsorted(self.classes_, y), incremental=True)

    def _fit(self, X, codes, incremental):
        loss, monitor = self._loss()
        task = Task(
            loss=on_sphere(loss) if self.normalize else loss,
            score=self._validation_score,
            n_outputs=self.n_components,
            sampler=self.batch_sampler,
            distance=math.inf if self.normalize else self._spread * self._asked_distance(),
            **monitor,
        )
        self._train(X, (codes,), task, incremental)
        if not incremental and self.loss_curve_ and not any(self.loss_curve_):
            warnings.warn(
                "Nothing was learned: the loss was 0 in every epoch. Batches need positive and negative "
                "pairs (batch_sampler='balanced', a larger batch_size), or the margin is met already.",
                stacklevel=4,
            )
        self._warn_if_collapsed(X, codes)
        return self

    def _validation_score(self, Z, y):
        try:
            return recall_at_k(self._placed(Z), y)
        except ValueError as error:
            raise ValueError(
                "early_stopping=True needs two validation rows of a class to compare: raise "
                f"validation_fraction (now {self.validation_fraction})."
            ) from error

    def _placed(self, Z):
        return normalized(Z)[0] if self.normalize else Z

    def _warn_if_collapsed(self, X, codes):
        probe = probed(X.shape[0])
        if (codes[probe] == codes[0]).all():
            return
        Z = self._placed(self._outputs(X, rows=probe))
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
        return self._placed(self._outputs(check_X(self, X)))

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
        Z = self._embed(X1)
        D = np.empty((len(Z), len(Z)), dtype=Z.dtype)
        # One side of the diagonal is the other side's copy: rounding may differ between the two.
        for start in range(0, len(Z), BLOCK):
            rows, after = slice(start, start + BLOCK), slice(start + BLOCK, None)
            D[rows, start:] = euclidean_distances(Z[rows], Z[start:], squared=squared)
            above = np.triu(D[rows, rows], 1)
            D[rows, rows] = above + above.T
            D[after, rows] = D[rows, after].T
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
