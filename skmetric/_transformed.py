"""Validated results of `transform`, for any transformer."""

import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.utils.validation import _num_samples

from ._array_api import to_numpy
from ._numbers import check_numbers


def embeddings_of(transformer, X, has_names=True):
    """Return ``transformer.transform(X)`` if it is a finite matrix with as many rows as `X`."""
    with _without_names(has_names):
        Z = transformer.transform(X)
    name = type(transformer).__name__
    try:
        Z = check_numbers(to_numpy(Z), accept_sparse="csr", dtype=[np.float64, np.float32])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}.transform must return a finite matrix: {error}") from error
    if Z.shape[0] != _num_samples(X):
        raise ValueError(
            f"{name}.transform must return a row for each row: got {Z.shape[0]} rows for "
            f"{_num_samples(X)}."
        )
    return Z


@contextmanager
def _without_names(has_names):
    """Silence the warning about missing feature names for rows that cannot have any."""
    if has_names:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        yield
