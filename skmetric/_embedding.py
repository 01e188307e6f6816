"""What a fitted embedding does: it places rows, and is a distance between them."""

import math
from functools import reduce

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from ._array_api import like
from ._engine.network import CHUNK, Network, outputs, outputs_in_parts
from ._engine.side_by_side import apart
from ._input import check_outputs, check_X, dense, nameless, sampled
from ._kept_input import have_unit_length, input_axes, joint_rotation
from ._network_estimator import NetworkEstimator
from ._search.binary import largest_exponent
from ._team import team_of_caller
from .losses import normalized
from .metrics import recall_at_k
from .pairs import check_tuples, paired_distances

WEIGHT_OF_ROWS = 1.0
WEIGHT_OF_UNIT_ROWS = 2.0  # embeddings of a model, of which the directions mean something already
BLOCK = 1024  # rows whose distances to all others are taken at a time


class Embedding(NetworkEstimator):
    """Methods of a fitted embedding.

    A subclass has the parameters `normalize`, `input_weight` and `n_components`.
    """

    def transform(self, X):
        """Embed rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Embeddings, float32 or float64 as the weights.

        Raises
        ------
        ValueError
            If a value of `X` is not finite, or too large for the type of the weights.
        """
        return like(X, self._embed(X))

    def score(self, X, y, sample_weight=None):
        """Return the leave-one-out recall@1: how often the nearest other row is of the same class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Their classes; they need not be those of `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows as queries, >= 0.

        Returns
        -------
        float
            Between 0 and 1.
        """
        return recall_at_k(self._embed(X), y, sample_weight=sample_weight)

    def pairwise_distance(self, X1, X2=None, *, squared=False):
        """Compute Euclidean distances of embeddings, of all rows to all rows.

        Parameters
        ----------
        X1 : {array-like, sparse matrix} of shape (n, n_features)
            Rows.
        X2 : {array-like, sparse matrix} of shape (m, n_features), default=None
            Other rows. None for the rows of `X1` among themselves; the result is then exactly symmetric,
            with zeros on the diagonal.
        squared : bool, default=False
            Whether to return squared distances.

        Returns
        -------
        ndarray of shape (n, m)
            Distances in the dtype of the embeddings. They are computed from differences in float64, so
            that near-duplicates keep their digits.
        """
        Z1 = self._embed(X1)
        Z2 = Z1 if X2 is None else self._embed(X2)
        metric = "sqeuclidean" if squared else "euclidean"
        # In a unit near the largest value: squares overflow or underflow in others.
        exponent = largest_exponent(Z1, Z2)
        Z1_scaled = np.ldexp(Z1.astype(np.float64), -exponent)
        Z2_scaled = np.ldexp(Z2.astype(np.float64), -exponent)
        D = np.empty((len(Z1), len(Z2)), dtype=Z1.dtype)
        with np.errstate(over="ignore"):
            for rows in gen_batches(len(Z1), BLOCK):
                D[rows] = np.ldexp(cdist(Z1_scaled[rows], Z2_scaled, metric), exponent * (1 + squared))
        if not np.isfinite(D).all():
            raise ValueError(f"A distance is larger than the largest {D.dtype}. Scale X, or use float64.")
        return like(X1, D)

    def pair_distance(self, pairs, *, X=None):
        """Compute the Euclidean distance of the embeddings in each pair.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows themselves, or the numbers of rows of `X`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows that the numbers in `pairs` refer to.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Distances.
        """
        check_is_fitted(self)
        # Rows in an array of pairs have no names of features that could be compared.
        model = nameless(self) if X is None else self
        rows, index = check_tuples(pairs, X, 2)
        return like(pairs if X is None else X, paired_distances(model._embed(rows), index))

    def pair_score(self, pairs, *, X=None):
        """Return minus `pair_distance`: higher is more alike.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows themselves, or the numbers of rows of `X`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows that the numbers in `pairs` refer to.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Scores, at most 0.
        """
        return -self.pair_distance(pairs, X=X)

    def get_metric(self):
        """Return the learned distance as a function of two vectors.

        Returns
        -------
        callable
            ``metric(u, v, squared=False) -> float``. It keeps the present model, whatever happens to the
            estimator. Where many distances are needed, `pairwise_distance` is faster.
        """
        check_is_fitted(self)
        model = nameless(self)

        def metric(u, v, squared=False):
            d = float(model.pair_distance(np.stack([u, v])[np.newaxis])[0])
            return d * d if squared else d

        return metric

    def get_mahalanobis_matrix(self):
        """Return the matrix M of the learned distance ``sqrt((u - v)' M (u - v))`` of a linear model.

        Returns
        -------
        ndarray of shape (n_features, n_features)
            ``W W'`` with the product W of all layers and of what is kept of the input; positive
            semi-definite.

        Raises
        ------
        AttributeError
            If the embedding is not linear.
        """
        check_is_fitted(self)
        is_linear = len(self.coefs_) == 1 or self.activation == "identity"
        if not is_linear or self.normalize:
            raise AttributeError(
                "Only a linear embedding has a Mahalanobis matrix: hidden_layer_sizes=() and "
                "normalize=False."
            )
        networks = [coefs for coefs, _ in apart(self.coefs_, self.intercepts_)]
        W = np.hstack([reduce(np.matmul, coefs) for coefs in networks])
        if self.rotation_ is not None:
            kept = [] if self.input_axes_ is None else [self.input_axes_]
            W = np.hstack([W, *kept]) @ self.rotation_
        return W @ W.T

    def _embed(self, X):
        X = check_X(self, X)
        if self.rotation_ is None:
            return self._placed(self._outputs(X))
        networks = [self._fitted_network(X.shape[0]), *self._kept_networks(X.shape[0])]
        width = self._n_features_out
        Z = np.empty((X.shape[0], width), dtype=self.rotation_.dtype)
        with team_of_caller(X.shape[0]), np.errstate(over="ignore", invalid="ignore"):
            for part, (F, *P) in outputs_in_parts(networks, X):
                Z[part] = self._placed(np.hstack([self._placed_each(F, width), *P]) @ self.rotation_)
        return check_outputs(Z)

    def _placed(self, Z):
        return normalized(Z)[0] if self.normalize else Z

    def _placed_each(self, F, width):
        """Place the outputs of each network, `width` columns each, by themselves."""
        return self._placed(F.reshape(-1, width)).reshape(F.shape)

    def _kept_networks(self, n_rows):
        """A linear network that gives the principal components of the input, if they are kept."""
        if self.input_axes_ is None:
            return []
        return [Network([self.input_axes_], [self.input_offset_], "identity", min(CHUNK, n_rows))]

    def _weight_of_input(self):
        if self.input_weight != "auto":
            return self.input_weight
        return WEIGHT_OF_UNIT_ROWS if self._learns_unit_rows else WEIGHT_OF_ROWS

    def _kept(self, X, rows):
        """The principal components of rows, without columns if none are kept."""
        nothing = np.empty((len(rows), 0))
        return np.hstack([nothing, *(outputs(kept, X, rows) for kept in self._kept_networks(len(rows)))])

    def _needs_rotation(self, n_outputs):
        return self.input_axes_ is not None or n_outputs > self.n_components

    def _begin(self, X, rows, dtype, continued):
        """Find the principal axes of the input, unless they are known."""
        keeps = self.input_weight != 0
        if continued and keeps == (self.input_axes_ is not None):
            return
        self.input_axes_ = None
        self.input_offset_ = None
        self.rotation_ = None
        if keeps:
            some = dense(X[sampled(rows, X.shape[1])])
            self._learns_unit_rows = have_unit_length(some)
            self._standardization.apply(some)
            axes, centre = input_axes(some, self.n_components)
            if axes.size > 0:
                axes, offset = self._standardization.fold(axes, -(centre @ axes))
                self.input_axes_ = np.ascontiguousarray(axes, dtype=dtype)
                self.input_offset_ = offset.astype(dtype)

    def _beside_rows(self, X, rows):
        """The principal components of validation rows."""
        return (self._kept(X, rows),)

    def _fitted_beside(self, network, X, rows):
        """The rotation of learned outputs and principal components, for the network as it is."""
        if not self._needs_rotation(network.n_outputs):
            return {"rotation_": None}
        rows = sampled(rows, X.shape[1])
        F = outputs(network.for_inference(min(CHUNK, len(rows))), X, rows)
        F = self._placed_each(F, int(self.n_components))
        P = self._kept(X, rows)
        rotation = joint_rotation(F, P, self._weight_of_input(), self.n_components, self.rotation_)
        # Distances beside each other add up: they shall be as large as those of one network.
        rotation /= math.sqrt(network.n_outputs / self.n_components)
        return {"rotation_": rotation.astype(network.dtype)}

    @property
    def _n_features_out(self):
        return self.coefs_[-1].shape[-1]
