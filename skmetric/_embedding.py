"""Embeddings: `transform`, and distances between embedded rows."""

import math
from collections.abc import Callable
from functools import reduce
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.utils import check_scalar, gen_batches
from sklearn.utils.validation import check_is_fitted

from ._array_api import like
from ._engine.divergence import raise_if_diverged
from ._engine.network import CHUNK, Network, outputs, outputs_in_parts
from ._engine.side_by_side import apart
from ._input import check_outputs, check_X, dense, nameless, sampled
from ._kept_input import have_unit_length, input_axes, joint_rotation, rotated
from ._network_estimator import NetworkEstimator
from ._out import transformed
from ._search.binary import largest_exponent
from ._team import team_of_caller
from ._tuple_rows import rows_that_occur
from ._typing import Floats, MatrixLike
from .losses import normalized
from .metrics import recall_at_k
from .pairs import check_tuples, paired_distances

WEIGHT_OF_ROWS = 1.0
WEIGHT_OF_UNIT_ROWS = 2.0  # such rows are often embeddings of a pretrained model
BLOCK = 1024  # rows whose distances to all others are computed at a time


class Embedding(NetworkEstimator):
    """Methods of a fitted embedding.

    A subclass has the parameters `normalize`, `input_weight` and `n_components`.
    """

    n_components: int
    input_weight: float | Literal["auto"]
    normalize: bool
    input_axes_: Floats | None
    input_offset_: Floats | None
    rotation_: Floats | None

    def transform(self, X: MatrixLike, out: Any = None) -> Floats:
        """Compute the embeddings of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows to embed.
        out : array of shape (n_samples, n_components), default=None
            Where to write the result, part by part: an array, a memory map, or a stored array of zarr or
            HDF5. Only a part of the result is in memory then. If a value of `X` is not finite, the parts
            before it have been written. If None, a new array.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Embeddings, with the dtype of the weights; or `out`.

        Raises
        ------
        TypeError
            If `out` is not an array to write to.
        ValueError
            If a value of `X` is not finite, or too large for the dtype of the weights; if `out` has
            another shape, a dtype that is not of floats, or is read-only.
        """
        return transformed(self, X, out)

    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Compute the leave-one-out recall@1 of the embedding.

        This is the fraction of rows whose nearest other row has the same class.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows to embed and compare.
        y : array-like of shape (n_samples,)
            Class labels of the rows. They may differ from those of `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows as queries, >= 0.

        Returns
        -------
        float
            Recall@1, between 0 and 1.
        """
        return recall_at_k(self._embed(X), y, sample_weight=sample_weight)

    def pairwise_distance(
        self, X1: MatrixLike, X2: MatrixLike | None = None, *, squared: bool = False
    ) -> Floats:
        """Compute the Euclidean distances between the embeddings of all rows.

        Parameters
        ----------
        X1 : {array-like, sparse matrix, stored array} of shape (n, n_features)
            Rows.
        X2 : {array-like, sparse matrix, stored array} of shape (m, n_features), default=None
            Rows to compare with. If None, the rows of `X1` are compared with each other; the result is
            then exactly symmetric, with zeros on the diagonal.
        squared : bool, default=False
            Whether to return squared distances.

        Returns
        -------
        ndarray of shape (n, m)
            Distances, with the dtype of the embeddings. They are computed from differences in float64,
            so that the distances of near-duplicates are accurate.

        Raises
        ------
        ValueError
            If a distance is too large for the dtype.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import TripletMetricTransformer
        >>> X, y = load_iris(return_X_y=True)
        >>> model = TripletMetricTransformer(2, max_iter=20, random_state=0).fit(X, y)
        >>> D = model.pairwise_distance(X[:50], X)
        >>> D.shape
        (50, 150)
        >>> bool(D[:, y == 0].max() < D[:, y > 0].min())
        True
        """
        check_scalar(squared, "squared", (bool, np.bool_))
        Z1 = self._embed(X1)
        Z2 = Z1 if X2 is None else self._embed(X2)
        metric = "sqeuclidean" if squared else "euclidean"
        # Scaled by the largest value, so that squares neither overflow nor underflow.
        exponent = largest_exponent(Z1, Z2)
        Z1_scaled = np.ldexp(Z1.astype(np.float64), -exponent)
        Z2_scaled = np.ldexp(Z2.astype(np.float64), -exponent)
        D = np.empty((len(Z1), len(Z2)), dtype=Z1.dtype)
        with np.errstate(over="ignore"):
            for rows in gen_batches(len(Z1), BLOCK):
                D[rows] = np.ldexp(cdist(Z1_scaled[rows], Z2_scaled, metric), exponent * (1 + squared))
        if not np.isfinite(D).all():
            raise ValueError(
                f"A distance is larger than the largest {D.dtype}. Scale X, or fit on rows of float64."
            )
        return like(X1, D)

    def pair_distance(self, pairs: ArrayLike, *, X: MatrixLike | None = None) -> Floats:
        """Compute the Euclidean distance between the embeddings of each pair.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features), default=None
            Rows that `pairs` refers to, if it holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Distances.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import TripletMetricTransformer
        >>> X, y = load_iris(return_X_y=True)
        >>> model = TripletMetricTransformer(2, max_iter=20, random_state=0).fit(X, y)
        >>> same, different = model.pair_distance([[0, 1], [0, 100]], X=X)
        >>> bool(same < different)
        True
        """
        check_is_fitted(self)
        # An array of pairs has no feature names to compare with.
        model = nameless(self) if X is None else self
        rows, index = rows_that_occur(*check_tuples(pairs, X, 2))
        return like(pairs if X is None else X, paired_distances(model._embed(rows), index))

    def pair_score(self, pairs: ArrayLike, *, X: MatrixLike | None = None) -> Floats:
        """Compute the similarity of each pair: minus `pair_distance`.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features), default=None
            Rows that `pairs` refers to, if it holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Scores, at most 0. Higher means more similar.
        """
        return -self.pair_distance(pairs, X=X)

    def get_metric(self) -> Callable[..., float]:
        """Return the learned distance as a function of two vectors.

        `pairwise_distance` is faster for many distances.

        Returns
        -------
        callable
            ``metric(u, v, squared=False) -> float``. It does not change if the estimator is fitted again.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import ContrastiveMetricTransformer
        >>> X, y = load_iris(return_X_y=True)
        >>> metric = ContrastiveMetricTransformer(2, max_iter=20, random_state=0).fit(X, y).get_metric()
        >>> bool(metric(X[0], X[1]) < metric(X[0], X[100]))
        True
        """
        check_is_fitted(self)
        model = nameless(self)

        def metric(u, v, squared=False):
            shapes = np.shape(u), np.shape(v)
            if shapes != 2 * ((model.n_features_in_,),):
                raise ValueError(
                    f"u and v must be vectors of {model.n_features_in_} features, got shapes {shapes[0]} "
                    f"and {shapes[1]}."
                )
            d = float(model.pair_distance(np.stack([u, v])[np.newaxis])[0])
            if squared and d * d == math.inf:
                raise ValueError(f"The square of the distance {d:.4g} is larger than any float64.")
            return d * d if squared else d

        return metric

    def get_mahalanobis_matrix(self) -> Floats:
        """Return the matrix M of the learned distance ``sqrt((u - v)' M (u - v))``.

        Only available for linear models: ``hidden_layer_sizes=()`` or ``activation="identity"``, and
        ``normalize=False``.

        Returns
        -------
        ndarray of shape (n_features, n_features)
            ``M = W W'``, where W is the matrix of the linear embedding; positive semi-definite.

        Raises
        ------
        AttributeError
            If the embedding is not linear.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import ContrastiveMetricTransformer
        >>> X, y = load_iris(return_X_y=True)
        >>> model = ContrastiveMetricTransformer(2, max_iter=20, random_state=0).fit(X, y)
        >>> M = model.get_mahalanobis_matrix()
        >>> difference = X[0] - X[100]
        >>> distance = (difference @ M @ difference) ** 0.5
        >>> bool(abs(distance - model.pair_distance([[0, 100]], X=X)[0]) < 1e-6)
        True
        """
        check_is_fitted(self)
        is_linear = len(self.coefs_) == 1 or self.activation == "identity"
        if not is_linear or self.normalize:
            raise AttributeError(
                "Only a linear embedding has a Mahalanobis matrix. Set hidden_layer_sizes=() and "
                "normalize=False."
            )
        networks = [coefs for coefs, _ in apart(self.coefs_, self.intercepts_)]
        W = np.hstack([reduce(np.matmul, coefs) for coefs in networks])
        if self.rotation_ is not None:
            kept = [] if self.input_axes_ is None else [self.input_axes_]
            W = np.hstack([W, *kept]) @ self.rotation_
        return W @ W.T

    def _embed(self, X):
        return self._transformed(check_X(self, X))

    def _transformed(self, X):
        if self.rotation_ is None:
            return self._placed(self._outputs(X))
        networks = [self._fitted_network(X.shape[0]), *self._kept_networks(X.shape[0])]
        width = self._n_features_out
        Z = np.empty((X.shape[0], width), dtype=self.rotation_.dtype)
        with team_of_caller(X.shape[0]), np.errstate(over="ignore", invalid="ignore"):
            for part, (F, *P) in outputs_in_parts(networks, X):
                Z[part] = self._placed(rotated([self._placed_each(F, width), *P], self.rotation_))
        return check_outputs(Z)

    def _placed(self, Z):
        return normalized(Z)[0] if self.normalize else Z

    def _placed_each(self, F, width):
        """Apply `_placed` to the outputs of each network, `width` columns each."""
        return self._placed(F.reshape(-1, width)).reshape(F.shape)

    def _kept_networks(self, n_rows):
        """Return a linear network for the principal components of the input, if they are used."""
        if self.input_axes_ is None:
            return []
        return [Network([self.input_axes_], [self.input_offset_], "identity", min(CHUNK, n_rows))]

    def _weight_of_input(self):
        if self.input_weight != "auto":
            return self.input_weight
        return WEIGHT_OF_UNIT_ROWS if self._learns_unit_rows else WEIGHT_OF_ROWS

    def _kept(self, X, rows):
        """Compute the principal components of rows; without columns if they are not used."""
        nothing = np.empty((len(rows), 0))
        return np.hstack([nothing, *(outputs(kept, X, rows) for kept in self._kept_networks(len(rows)))])

    def _needs_rotation(self, n_outputs):
        return self.input_axes_ is not None or n_outputs > self.n_components

    def _begin(self, X, rows, dtype, continued):
        """Compute the principal axes of the input, unless they are known."""
        keeps = self.input_weight != 0
        if continued and keeps == (self.input_axes_ is not None):
            return
        self.input_axes_ = None
        self.input_offset_ = None
        self.rotation_ = None
        self._learns_unit_rows = False
        if keeps:
            some = dense(X[sampled(X, rows)])
            self._learns_unit_rows = have_unit_length(some)
            self._standardization.apply(some)
            axes, centre = input_axes(some, self.n_components)
            if axes.size > 0:
                axes, offset = self._standardization.fold(axes, -(centre @ axes))
                self.input_axes_ = np.ascontiguousarray(axes, dtype=dtype)
                self.input_offset_ = offset.astype(dtype)

    def _beside_rows(self, X, rows):
        """Compute the principal components of validation rows."""
        return (self._kept(X, rows),)

    def _fitted_beside(self, network, X, rows):
        """Compute the rotation of outputs and principal components for the current weights."""
        if not self._needs_rotation(network.n_outputs):
            return {"rotation_": None}
        rows = sampled(X, rows)
        F = outputs(network.for_inference(min(CHUNK, len(rows))), X, rows)
        F = self._placed_each(F, int(self.n_components))
        P = self._kept(X, rows)
        rotation = joint_rotation(F, P, self._weight_of_input(), self.n_components, self.rotation_)
        # The squared distances of all networks add up. Scale them to those of one network.
        rotation /= math.sqrt(network.n_outputs / self.n_components)
        rotation = rotation.astype(network.dtype)
        raise_if_diverged(rotated([F, P], rotation))
        return {"rotation_": rotation}

    @property
    def _n_features_out(self):
        return self.coefs_[-1].shape[-1]
