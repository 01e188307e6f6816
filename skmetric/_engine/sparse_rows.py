"""Batches of sparse rows that the first layer multiplies as they are, where this is faster."""

import numpy as np
from scipy.sparse import csr_array, issparse

from .._lazy import lazy

THIN = 0.03  # share of nonzeros up to which a sparse product is faster than a dense one
WIDE = 500  # number of features from which on it is worth while


def is_thin(X):
    """Return whether rows are sparse enough to multiply them as they are."""
    return issparse(X) and X.shape[1] >= WIDE and X.nnz <= THIN * X.shape[0] * X.shape[1]


class SparseRows:
    """Standardised rows ``S - 1 c'``, where S is sparse.

    Parameters
    ----------
    S : CSR matrix of shape (n, n_features)
        Scaled rows.
    centre : ndarray of shape (n_features,) or None
        Scaled mean; None if the rows are not centred.
    """

    def __init__(self, S, centre):
        self.S = S
        self.centre = centre

    def __len__(self):
        return self.S.shape[0]

    def multiply(self, W, A):
        """Compute the rows times `W` into `A`."""
        A[...] = self.S @ W
        if self.centre is not None:
            A -= self.centre @ W

    @lazy
    def transposed(self):
        """The transpose of S, by features."""
        S = self.S.tocsc()
        return csr_array((S.data, S.indices, S.indptr), shape=S.shape[::-1])


class SparseWeightGradient:
    """``g = (S - 1 c').T @ delta`` for some features, computed only when it is added to an array.

    Parameters
    ----------
    batch : object
        Its attribute `sparse` holds the `SparseRows` of the current batch.
    features : slice
        Features of the block.
    delta : ndarray of shape (n, fan_out)
        Gradient with respect to the product of the layer.
    """

    def __init__(self, batch, features, delta):
        self.batch = batch
        self.features = features
        self.delta = delta

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``."""
        rows = self.batch.sparse
        g = rows.transposed[self.features] @ self.delta
        if rows.centre is not None:
            g -= np.outer(rows.centre[self.features], self.delta.sum(axis=0))
        g *= alpha
        if beta == 0:
            out[...] = g
        else:
            out *= beta
            out += g
