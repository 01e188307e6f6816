"""Input: what the estimators accept, checked without a copy of the whole."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data


def working_dtype(dtype):
    """Float32 for all that fits into it (float16, bool, small integers), else float64."""
    return np.promote_types(dtype, np.float32) if dtype.itemsize <= 8 else np.dtype(np.float64)


def check_finite(X, estimator):
    """As scikit-learn's check, but in pieces: no dtype and no memory layout needs a copy of `X`."""
    values = X.data[np.newaxis] if issparse(X) else X
    if values.dtype.kind != "f":
        return
    step = max(1, 2**18 // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        piece = values[start : start + step].astype(working_dtype(values.dtype), copy=False)
        assert_all_finite(piece, estimator_name=type(estimator).__name__, input_name="X")


def check_two_classes(y, estimator):
    """Raise ValueError where the labels are all the same."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes, but the data has only "
            f"one class: {classes[0]!r}."
        )


class IndexedRows:
    """Rows that are rows of `X`, some of them several times, without a copy of them.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Where they lie.
    index : ndarray of int of shape (n,)
        Their row numbers.
    """

    def __init__(self, X, index):
        self.X, self.index = X, index
        self.dtype = X.dtype
        self.shape = (len(index), X.shape[1])

    def __getitem__(self, rows):
        return self.X[self.index[rows]]


def check_rows(estimator, X, reset):
    """Rows, as they came wherever they are an array."""
    X = validate_data(estimator, X, reset=reset, accept_sparse="csr", ensure_all_finite=False)
    check_finite(X, estimator)
    return X


def check_X_y(estimator, X, y, reset):
    """Rows to learn from, as they came wherever they are an array, and their labels."""
    X, y = validate_data(estimator, X, y, reset=reset, accept_sparse="csr", ensure_all_finite=False)
    check_finite(X, estimator)
    check_classification_targets(y)
    return X, y


def check_X(estimator, X):
    """Rows for a fitted estimator, as they came wherever they are an array."""
    check_is_fitted(estimator)
    return check_rows(estimator, X, reset=False)
