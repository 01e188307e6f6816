"""The rows that occur in pairs or triplets."""

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ._stored_arrays import is_stored, stored_rows_of


def rows_that_occur(X, index):
    """Return the rows that occur in tuples.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, stored array} of shape (n_samples, n_features)
        Rows.
    index : ndarray of int of shape (n, size)
        Row numbers of each tuple in `X`.

    Returns
    -------
    X : {array-like, sparse matrix, data frame} of shape (n_occurring, n_features)
        Rows that occur, in the order of `X`.
    index : ndarray of int of shape (n, size)
        Row numbers of each tuple in the returned `X`.
    """
    occurs = np.zeros(_num_samples(X), dtype=bool)
    occurs[index] = True
    if occurs.all():
        return X, index
    take = stored_rows_of if is_stored(X) else _safe_indexing
    return take(X, np.flatnonzero(occurs)), (np.cumsum(occurs) - 1)[index]
