"""An embedding as a distance: of all rows to all, of pairs, as a function, as a matrix."""

import copy

import numpy as np
from sklearn.metrics import euclidean_distances
from sklearn.utils.validation import check_is_fitted

from .pairs import check_tuples, paired_distances

BLOCK = 1024  # rows whose distances to all others are taken at a time


class LearnedDistanceMixin:
    """Distances for an estimator that embeds: ``_embed(X) -> Z`` checks the rows too."""

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

    def pair_distance(self, pairs, *, X=None):
        """Euclidean distance of the embeddings in each pair.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows themselves, or the numbers of rows of `X`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            The rows that the numbers are of.

        Returns
        -------
        d : ndarray of shape (n_pairs,)
        """
        check_is_fitted(self)
        X, index = check_tuples(pairs, X, 2)
        return paired_distances(self._embed(X), index)

    def pair_score(self, pairs, *, X=None):
        """Minus `pair_distance`: higher is more alike.

        Parameters
        ----------
        pairs, X : as in `pair_distance`

        Returns
        -------
        score : ndarray of shape (n_pairs,)
        """
        return -self.pair_distance(pairs, X=X)

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
