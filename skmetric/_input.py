"""Validation of the input of the estimators, without a copy of the data."""

import copy
from contextlib import contextmanager
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ._array_api import to_numpy
from ._labels import check_labels
from ._numbers import check_finite
from ._stored_arrays import is_stored
from ._stored_rows import StoredRows, in_few_blocks

# Limits of the rows from which statistics are computed: 2**25 values are 256 MB of float64.
MOST_ROWS = 10_000
MOST_VALUES = 2**25
LARGEST_COUNT = 2**24  # float32 has all integers up to this one
PROBE = 256  # rows from which the scale of the outputs is computed


def check_outputs(Z):
    """Return the outputs of a network if they are finite, else raise ValueError."""
    if not np.isfinite(Z).all():
        raise ValueError(
            f"X is too far from the rows of fit: the outputs of the network exceed {Z.dtype}. Scale X "
            "like the rows of fit, or fit on rows of float64."
        )
    return Z


def most_sampled(n_features):
    """Return the number of rows from which statistics are computed, if there are enough."""
    return min(MOST_ROWS, max(2, MOST_VALUES // n_features))


def sampled(X, rows):
    """Return some of the row numbers, evenly spaced, so that their values fit into memory."""
    rows = in_few_blocks(X, rows)
    n = min(len(rows), most_sampled(X.shape[1]))
    return rows[np.linspace(0, len(rows) - 1, n).astype(int)]


def probed(X, rows=None):
    """Return up to `PROBE` of the row numbers, or of those of all rows, evenly spaced."""
    rows = in_few_blocks(X, np.arange(X.shape[0]) if rows is None else rows)
    return rows[np.unique(np.linspace(0, len(rows) - 1, PROBE).astype(int))]


def dense(X):
    """Return rows as a new array of float64."""
    return (X.toarray() if issparse(X) else np.asarray(X)).astype(np.float64)


def check_two_classes(y, estimator):
    """Raise ValueError if the labels are all the same."""
    classes = np.unique(y).tolist()
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes, but the data has only "
            f"one class: {classes[0]!r}."
        )


class IndexedRows:
    """Rows ``X[index]`` without a copy; an index may occur several times.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows to select from.
    index : ndarray of int of shape (n,)
        Row numbers in `X`.
    """

    def __init__(self, X, index):
        self.X = X
        self.index = index
        self.dtype = X.dtype
        self.shape = (len(index), X.shape[1])

    def __getitem__(self, rows):
        return self.X[self.index[rows]]


def _kept_dtype(estimator, reset):
    """Return the dtype of the weights if training continues from them, or None for a new model."""
    if hasattr(estimator, "coefs_") and (not reset or estimator.warm_start):
        return estimator.coefs_[0].dtype
    return None


def check_rows(estimator, X, reset):
    """Return validated rows; an array is returned unchanged, in its own dtype."""
    if is_stored(X):
        return _stored_rows(estimator, X, reset)
    with _text_is_named(X):
        X = _as_numbers(
            validate_data(
                estimator, to_numpy(X), reset=reset, accept_sparse="csr", ensure_all_finite=False
            )
        )
    check_finite(X, estimator, _kept_dtype(estimator, reset))
    return X


def _stored_rows(estimator, X, reset):
    """Return rows that are checked when they are read, after a check of the first one."""
    if not all(isinstance(size, Integral) for size in X.shape):
        raise ValueError(
            f"X must have a known shape, got {tuple(X.shape)}. For a dask array, call "
            "X.compute_chunk_sizes() first."
        )
    first = np.asarray(X[:1])
    with _text_is_named(first):
        validate_data(estimator, first, reset=reset, ensure_all_finite=False)
    if np.dtype(X.dtype).kind not in "biuf":
        raise ValueError(f"X is stored as {X.dtype}, but only numbers can be read row by row.")
    return StoredRows(X, estimator, _kept_dtype(estimator, reset))


def as_given(X):
    """Return rows that `check_rows` has returned as the caller gave them, if they are stored."""
    return X.array if isinstance(X, StoredRows) else X


def _as_numbers(X):
    """Return rows of a type that can be computed with."""
    if issparse(X) and X.dtype.kind in "iu" and X.dtype.itemsize > 2:
        return _counts(X)
    # scikit-learn converts data frames with categories to arrays of objects.
    return X.astype(np.float64) if X.dtype.kind == "O" else X


def _counts(X):
    """Return a sparse matrix of integers in float32, if that has all values; the indices are shared."""
    if X.nnz > 0 and max(int(X.data.max()), -int(X.data.min())) > LARGEST_COUNT:
        return X
    return type(X)((X.data.astype(np.float32), X.indices, X.indptr), shape=X.shape, copy=False)


@contextmanager
def _text_is_named(X):
    """Turn an error into a ValueError that says where `X` has text or dates, if it has."""
    try:
        yield
    except (TypeError, ValueError) as error:
        place = _place_of_text(X)
        if place is None:
            raise
        raise ValueError(
            f"X must hold numbers, but {place} text, dates or the like. Drop them, or encode them as "
            f"numbers, with OneHotEncoder for example. The error is: {error}"
        ) from error


def _place_of_text(X):
    """Say where rows hold text or dates, or return None."""
    if hasattr(X, "columns"):
        names = [name for name in X.columns if not _is_numeric(X[name])]
        return f"its columns {names} hold" if names else None
    try:
        values = np.asarray(X)
    except ValueError:  # rows of different lengths
        return None
    is_text = values.dtype.kind in "OSU" and any(isinstance(value, str | bytes) for value in values.flat)
    return "it holds" if is_text else None


def _is_numeric(values):
    values = np.asarray(values)
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return values.dtype.kind not in "mM"


def check_X_y(estimator, X, y, reset):
    """Return validated training rows and their labels; an array is returned in its own dtype."""
    X = to_numpy(X)
    y = to_numpy(y)
    if y is not None:
        check_labels(y)
    if is_stored(X):
        X = check_rows(estimator, X, reset)
        y = validate_data(estimator, "no_validation", y, reset=False)
        check_consistent_length(X, y)
    else:
        with _text_is_named(X):
            X, y = validate_data(
                estimator, X, y, reset=reset, accept_sparse="csr", ensure_all_finite=False
            )
            X = _as_numbers(X)
        check_finite(X, estimator, _kept_dtype(estimator, reset))
    check_classification_targets(y)
    return X, y


def check_X(estimator, X):
    """Return validated rows for a fitted estimator; an array is returned in its own dtype."""
    check_is_fitted(estimator)
    return check_rows(estimator, X, reset=False)


def check_hidden_layer_sizes(sizes):
    """Return the widths of the hidden layers as a list of int."""
    widths = np.atleast_1d(np.asarray(sizes, dtype=object))
    if widths.ndim > 1 or not all(_is_width(width) for width in widths):
        raise ValueError(
            f"hidden_layer_sizes must be integers > 0, one for each hidden layer, got {sizes!r}."
        )
    return [int(width) for width in widths]


def _is_width(width):
    return isinstance(width, Integral) and not isinstance(width, bool) and width > 0


def nameless(model):
    """Return a shallow copy of a model without feature names."""
    model = copy.copy(model)
    vars(model).pop("feature_names_in_", None)
    return model
