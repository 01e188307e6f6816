"""What a transformer of any kind makes of rows, checked."""

import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import _num_samples

from ._array_api import to_numpy


def embeddings_of(transformer, X, has_names=True):
    """``transformer.transform(X)``: a finite matrix, floats, with a row for each row of `X`."""
    with _without_names(has_names):
        Z = transformer.transform(X)
    name = type(transformer).__name__
    try:
        Z = check_array(to_numpy(Z), accept_sparse="csr", dtype=[np.float64, np.float32])
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
    """Silence the warning that rows have no names of features, where they cannot have any."""
    if has_names:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        yield
