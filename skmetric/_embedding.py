"""What a fitted embedding does: it places rows, and is a distance between them."""

import copy

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from ._input import check_X
from ._network_estimator import NetworkEstimator
from .losses import normalized
from .metrics import recall_at_k
from .pairs import check_tuples, paired_distances

BLOCK = 1024  # rows whose distances to all others are taken at a time


class Embedding(NetworkEstimator):
    """Base of the embeddings, once they are fitted. A subclass has the parameter `normalize`."""

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
        return self._embed(X)

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
        D = np.empty((len(Z1), len(Z2)), dtype=Z1.dtype)
        for rows in gen_batches(len(Z1), BLOCK):
            D[rows] = cdist(Z1[rows], Z2, metric)
        return D

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
        model = _nameless(self) if X is None else self
        X, index = check_tuples(pairs, X, 2)
        return paired_distances(model._embed(X), index)

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
        model = _nameless(self)

        def metric(u, v, squared=False):
            d = float(model.pair_distance(np.stack([u, v])[np.newaxis])[0])
            return d**2 if squared else d

        return metric

    def get_mahalanobis_matrix(self):
        """Return the matrix M of the learned distance ``sqrt((u - v)' M (u - v))`` of a linear model.

        Returns
        -------
        ndarray of shape (n_features, n_features)
            ``W W'``, positive semi-definite.

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
        W = np.linalg.multi_dot(self.coefs_) if len(self.coefs_) > 1 else self.coefs_[0]
        return W @ W.T

    def _embed(self, X):
        return self._placed(self._outputs(check_X(self, X)))

    def _placed(self, Z):
        return normalized(Z)[0] if self.normalize else Z

    @property
    def _n_features_out(self):
        return self.coefs_[-1].shape[1]


def _nameless(model):
    """A copy of a model that does not know names of features."""
    model = copy.copy(model)
    vars(model).pop("feature_names_in_", None)
    return model
