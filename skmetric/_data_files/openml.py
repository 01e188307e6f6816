"""Download of image sets from OpenML, saved as .npz archives."""

import warnings
from pathlib import Path

import numpy as np

from .._files import replaced
from .images import check_part

N_TRAIN = 60_000


def download(name, openml_name, data_home, searched):
    """Download the arrays of a set and save them in `data_home`."""
    from sklearn.datasets import get_data_home

    X, y = _fetch(name, openml_name, data_home, searched)
    source = f"OpenML's {name}"
    X, y = check_part(_as_uint8(X, source), _as_uint8(y, source), source)
    n = N_TRAIN
    arrays = {"X_train": X[:n], "y_train": y[:n], "X_test": X[n:], "y_test": y[n:]}
    try:
        with replaced(Path(get_data_home(data_home)) / f"{name}.npz") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        warnings.warn(f"{name} was downloaded but could not be saved: {error}", stacklevel=5)
    return arrays


def _fetch(name, openml_name, data_home, searched):
    from sklearn.datasets import fetch_openml

    options = {"as_frame": False, "parser": "liac-arff", "return_X_y": True}  # needs no pandas
    try:
        return fetch_openml(openml_name, version=1, data_home=data_home, **options)
    # A truncated or garbled answer may raise any exception.
    except Exception as error:
        raise OSError(
            f"{name} was not found in {', '.join(searched)}, and the download from OpenML failed "
            f"({error}). Put one of these into a folder: {name}.npz with the arrays X_train, y_train, "
            f"X_test, y_test; the original IDX files (train-images-idx3-ubyte etc., plain or .gz) in a "
            f"subfolder {name}; or {name}_{{train,test}}_{{images,labels}}.npy. Then pass the folder as "
            f"data_home, or set the environment variable SKMETRIC_DATA to it."
        ) from error


def _as_uint8(values, source):
    """Convert integers from 0 to 255. Other values raise an error, since they would wrap around."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} must contain numbers ({error}).") from error
    with np.errstate(invalid="ignore"):
        converted = numbers.astype(np.uint8)
    if not np.array_equal(converted, numbers):
        raise ValueError(f"{source} must contain integers from 0 to 255 only.")
    return converted
