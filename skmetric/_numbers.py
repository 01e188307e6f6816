"""Checks of numbers, row numbers and random number generators in the arguments of functions."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array

from ._shown import shown


def check_numbers(array, **options):
    """Check an array as `sklearn.utils.check_array` does, without warnings about large numbers.

    scikit-learn first looks at the sum, which may be inf - inf, before it looks at each number.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return check_array(array, **options)


def working_dtype(dtype):
    """Return float32 for dtypes that it can represent (float16, bool, small integers), else float64."""
    return np.promote_types(dtype, np.float32) if dtype.itemsize <= 8 else np.dtype(np.float64)


def check_finite(X, estimator, dtype=None):
    """Check that all values are finite, as scikit-learn does, but in pieces and so without a copy of `X`.

    Parameters
    ----------
    X : ndarray or sparse matrix
        Rows.
    estimator : estimator
        Estimator to name in the error message.
    dtype : dtype, default=None
        Dtype of the model that will use the rows, if it is fixed.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, or too large for `dtype`.
    """
    values = X.data[np.newaxis] if issparse(X) else X
    if values.dtype.kind != "f":
        return
    step = max(1, 2**18 // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        piece = values[start : start + step].astype(working_dtype(values.dtype), copy=False)
        # It first looks at the sum, which may be inf - inf.
        with np.errstate(over="ignore", invalid="ignore"):
            assert_all_finite(piece, estimator_name=type(estimator).__name__, input_name="X")
        if dtype is not None and piece.dtype != dtype:
            _check_range(piece, dtype)


def _check_range(X, dtype):
    largest = float(np.abs(X).max(initial=0))
    if largest > float(np.finfo(dtype).max):
        raise ValueError(
            f"X has a value of size {largest:.3g}, too large for {np.dtype(dtype)}, the dtype of this "
            "model. Scale X, or fit on rows of float64."
        )


def check_count(value, name):
    """Check a count and convert it to an int.

    Parameters
    ----------
    value : object
        The count.
    name : str
        Name of the argument in the message.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If the count is not an integer. A bool is not an integer here.
    ValueError
        If the count is less than 1.
    """
    message = f"{name} must be an integer of at least 1, got {shown(value)}."
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(message)
    if value < 1:
        raise ValueError(message)
    return int(value)


def check_row_numbers(tuples, name, matrix, n_rows):
    """Check that an array holds row numbers of a matrix.

    Parameters
    ----------
    tuples : ndarray
        Row numbers.
    name, matrix : str
        Names of the array and of the matrix in the message.
    n_rows : int
        Number of rows of the matrix.

    Raises
    ------
    ValueError
        If the numbers are not integers, or if the matrix has no such rows.
    """
    if tuples.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must hold row numbers of {matrix}, which are integers, got dtype {tuples.dtype}."
        )
    if tuples.size == 0:
        return
    lowest = tuples.min()
    highest = tuples.max()
    if lowest < 0 or highest >= n_rows:
        raise ValueError(
            f"{name} has row numbers from {lowest} to {highest}, but {matrix} has rows 0 to {n_rows - 1}."
        )


def generator(rng):
    """Return a random number generator; an integer is the seed of a new one.

    Raises
    ------
    TypeError, ValueError
        If there is no generator for the value. A bool is no seed.
    """
    problem = f"rng must be a numpy.random.Generator, or an integer >= 0 as a seed, got {shown(rng)}."
    if isinstance(rng, bool):
        raise TypeError(problem)
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(problem) from error
