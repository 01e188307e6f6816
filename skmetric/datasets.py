"""Load MNIST and Fashion-MNIST as uint8 arrays, from files or from OpenML, and read IDX files."""

from __future__ import annotations

import os
from contextlib import suppress
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from ._data_files import arrays
from ._data_files.images import read_labels, read_part
from ._data_files.openml import download

if TYPE_CHECKING:
    from sklearn.utils import Bunch

__all__ = ["fetch_fashion_mnist", "fetch_mnist", "read_idx"]

Subset = Literal["train", "test", "all"]
PathLike = str | os.PathLike[str]
Pixels = NDArray[np.uint8]

SETS = {
    "mnist": {
        "openml": "mnist_784",
        "first_labels": ("5041921314", "7210414959"),
        "target_names": "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "DESCR": "MNIST: handwritten digits, 28 x 28 grey levels. "
        "LeCun et al. (1998), doi:10.1109/5.726791",
    },
    "fashion_mnist": {
        "openml": "Fashion-MNIST",
        "first_labels": ("9003027255", "9211614657"),
        "target_names": "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, "
        "Ankle boot",
        "DESCR": "Fashion-MNIST: clothes, 28 x 28 grey levels. Xiao et al., arXiv:1708.07747",
    },
}

PARTS = {"train": ("train",), "test": ("test",), "all": ("train", "test")}

# Files of the images and of the labels of a part of a set in a folder, in order of preference.
LAYOUTS = (
    ("{name}.npz", "{name}.npz"),
    ("{name}/{idx}-images-idx3-ubyte", "{name}/{idx}-labels-idx1-ubyte"),
    ("{idx}-images-idx3-ubyte", "{idx}-labels-idx1-ubyte"),
    ("{name}_{part}_images.npy", "{name}_{part}_labels.npy"),
)


@overload
def fetch_mnist(
    *, subset: Subset = ..., data_home: PathLike | None = ..., return_X_y: Literal[False] = ...
) -> Bunch: ...
@overload
def fetch_mnist(
    *, subset: Subset = ..., data_home: PathLike | None = ..., return_X_y: Literal[True]
) -> tuple[Pixels, Pixels]: ...
def fetch_mnist(
    *, subset: Subset = "train", data_home: PathLike | None = None, return_X_y: bool = False
) -> Bunch | tuple[Pixels, Pixels]:
    """Load MNIST, 28 x 28 images of handwritten digits in 10 classes, from files or from OpenML.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Images to load: the first 60,000, the last 10,000, or all of them in this order. Other images are
        not read.
    data_home : str or path-like, default=None
        Folder to search first, and to save a download in. If None, only the other folders listed below
        are searched, and a download is saved in the data home of scikit-learn.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch` or tuple of ndarray
        ``data`` of shape (n_samples, 784), grey levels from 0 to 255 of dtype uint8; ``target`` of shape
        (n_samples,), labels from 0 to 9 of dtype uint8; ``target_names`` of shape (10,), the name of each
        label; ``DESCR``, a description. If `return_X_y` is True, a tuple of ``data`` and ``target``.

    Raises
    ------
    ValueError
        If `subset` is not one of the allowed values, or if a file is damaged or contains other arrays.
    OSError
        If no file is found and the download fails.

    See Also
    --------
    fetch_fashion_mnist : Load Fashion-MNIST, images of clothes in the same format.

    Notes
    -----
    Three folders are searched: `data_home`, the folder given by the environment variable
    ``SKMETRIC_DATA``, and the data home of scikit-learn (:func:`sklearn.datasets.get_data_home`). In each
    of them, these files are searched:

    1. ``mnist.npz`` with the arrays ``X_train``, ``y_train``, ``X_test`` and ``y_test``;
    2. the original IDX files, ``mnist/train-images-idx3-ubyte`` etc., plain or with the suffix ``.gz``;
    3. in `data_home` only, the same files without the folder ``mnist/``, unless their first labels are
       those of Fashion-MNIST;
    4. ``mnist_{train,test}_{images,labels}.npy``, with images of shape (n, 784) or (n, 28, 28).

    The first files that contain the whole subset are read. If there are none, version 1 of "mnist_784" is
    downloaded from OpenML and saved as ``mnist.npz``. The header of a file is checked before the file is
    decompressed: more than 70,000 images or arrays of other shapes or types raise an error.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86, 1998.

    Examples
    --------
    >>> from skmetric.datasets import fetch_mnist
    >>> X, y = fetch_mnist(subset="test", return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.dtype, y.shape  # doctest: +SKIP
    ((10000, 784), dtype('uint8'), (10000,))
    """
    return _fetch("mnist", subset, data_home, return_X_y)


@overload
def fetch_fashion_mnist(
    *, subset: Subset = ..., data_home: PathLike | None = ..., return_X_y: Literal[False] = ...
) -> Bunch: ...
@overload
def fetch_fashion_mnist(
    *, subset: Subset = ..., data_home: PathLike | None = ..., return_X_y: Literal[True]
) -> tuple[Pixels, Pixels]: ...
def fetch_fashion_mnist(
    *, subset: Subset = "train", data_home: PathLike | None = None, return_X_y: bool = False
) -> Bunch | tuple[Pixels, Pixels]:
    """Load Fashion-MNIST, 28 x 28 images of clothes in 10 classes, from files or from OpenML.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Images to load: the first 60,000, the last 10,000, or all of them in this order. Other images are
        not read.
    data_home : str or path-like, default=None
        Folder to search first, and to save a download in. If None, only the other folders listed in
        `fetch_mnist` are searched, and a download is saved in the data home of scikit-learn.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch` or tuple of ndarray
        ``data`` of shape (n_samples, 784), grey levels from 0 to 255 of dtype uint8; ``target`` of shape
        (n_samples,), labels from 0 to 9 of dtype uint8; ``target_names`` of shape (10,), the name of each
        label; ``DESCR``, a description. If `return_X_y` is True, a tuple of ``data`` and ``target``.

    Raises
    ------
    ValueError
        If `subset` is not one of the allowed values, or if a file is damaged or contains other arrays.
    OSError
        If no file is found and the download fails.

    See Also
    --------
    fetch_mnist : Load MNIST. Its notes list the folders and the names of the files.

    Notes
    -----
    The files are searched in the same folders as by :func:`fetch_mnist`, under the same names with
    ``fashion_mnist`` in place of ``mnist``. On OpenML the set is version 1 of "Fashion-MNIST".

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms", arXiv:1708.07747, 2017.

    Examples
    --------
    >>> from skmetric.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(subset="test", return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.dtype, y.shape  # doctest: +SKIP
    ((10000, 784), dtype('uint8'), (10000,))
    """
    return _fetch("fashion_mnist", subset, data_home, return_X_y)


def read_idx(path: PathLike) -> NDArray[Any]:
    """Read an array from a file in IDX format, the format of the original MNIST files, plain or gzip.

    Parameters
    ----------
    path : str or path-like
        File to read. Compression is recognised by the content of the file, not by its name.

    Returns
    -------
    ndarray
        Array with the shape and the type given in the header of the file: uint8, int8, int16, int32,
        float32 or float64, in native byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not an IDX file, is truncated, has bytes after the array, or is a damaged gzip
        file.

    Notes
    -----
    At most one byte more than the header announces is decompressed. Memory grows with the bytes that are
    read, so that a wrong header does not allocate more than the file contains.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skmetric.datasets import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "labels-idx1-ubyte"
    ...     n_bytes = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]))  # two uint8, 5 and 7
    ...     read_idx(file)
    array([5, 7], dtype=uint8)
    """
    return arrays.read_idx(path)


def _fetch(name, subset, data_home, return_X_y):
    from sklearn.utils import Bunch
    from sklearn.utils._param_validation import StrOptions, validate_parameter_constraints

    validate_parameter_constraints(
        {
            "subset": [StrOptions(set(PARTS))],
            "data_home": [str, os.PathLike, None],
            "return_X_y": ["boolean"],
        },
        {"subset": subset, "data_home": data_home, "return_X_y": return_X_y},
        caller_name=f"fetch_{name}",
    )
    loaded = _load(name, PARTS[subset], data_home)
    X, y = loaded[0] if len(loaded) == 1 else map(np.concatenate, zip(*loaded))
    if return_X_y:
        return X, y
    target_names = np.array(SETS[name]["target_names"].split(", "))
    return Bunch(data=X, target=y, target_names=target_names, DESCR=SETS[name]["DESCR"])


def _load(name, parts, data_home):
    """Return (X, y) of each of the parts ("train", "test") of a set."""
    for folder, is_data_home in _folders(data_home):
        files = _find(folder, name, parts, is_data_home)
        if files is not None:
            return [read_part(*pair, part) for pair, part in zip(files, parts)]
    searched = dict.fromkeys(str(folder) for folder, _ in _folders(data_home))
    arrays = download(name, SETS[name]["openml"], data_home, searched)
    return [(arrays[f"X_{part}"], arrays[f"y_{part}"]) for part in parts]


def _folders(data_home):
    """Yield each folder to search, and whether it is `data_home`."""
    from sklearn.datasets import get_data_home

    if data_home is not None:
        yield Path(data_home).expanduser(), True
    if os.environ.get("SKMETRIC_DATA"):
        yield Path(os.environ["SKMETRIC_DATA"]).expanduser(), False
    with suppress(OSError):
        # Only called if needed, since it creates the folder. If this fails, there are no files.
        yield Path(get_data_home()), False


def _find(folder, name, parts, is_data_home):
    """Return an (images, labels) pair of files for each part, or None if some are missing."""
    for layout in LAYOUTS:
        files = [_files(folder, layout, name, part) for part in parts]
        complete = all(isfile(file) for pair in files for file in pair)
        # Paths without the name of the set are only taken from `data_home`, and if the labels fit.
        if complete and ("{name}" in layout[0] or (is_data_home and not _is_other(files, name))):
            return files
    return None


def _files(folder, layout, name, part):
    words = {"name": name, "part": part, "idx": {"train": "train", "test": "t10k"}[part]}
    paths = [folder / pattern.format(**words) for pattern in layout]
    return [path if path.suffix or isfile(path) else path.with_suffix(".gz") for path in paths]


def _is_other(files, name):
    first = "".join(map(str, read_labels(files[0][1], "train")[:10]))
    return any(first in SETS[other]["first_labels"] for other in SETS if other != name)
