"""MNIST and Fashion-MNIST as uint8 arrays, from files or from OpenML, and a reader of IDX files."""

import os
from contextlib import suppress
from os.path import isfile
from pathlib import Path

import numpy as np

from ._data_files import arrays
from ._data_files.images import read_labels, read_part
from ._data_files.openml import download
from ._shown import shown

__all__ = ["fetch_fashion_mnist", "fetch_mnist", "read_idx"]

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

# where the images and the labels of a part of a set may lie in a folder, in order of preference
LAYOUTS = (
    ("{name}.npz", "{name}.npz"),
    ("{name}/{idx}-images-idx3-ubyte", "{name}/{idx}-labels-idx1-ubyte"),
    ("{idx}-images-idx3-ubyte", "{idx}-labels-idx1-ubyte"),
    ("{name}_{part}_images.npy", "{name}_{part}_labels.npy"),
)


def fetch_mnist(*, subset="train", data_home=None, return_X_y=False):
    """Load MNIST, 28 x 28 images of handwritten digits in 10 classes, from files or from OpenML.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Images to load: the first 60,000, the last 10,000, or all of them in this order. Only these are
        read.
    data_home : str or path-like, default=None
        Folder that is searched first, and where a download is kept. None means that the other folders
        below are searched, and that a download is kept in the data home of scikit-learn.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch` or tuple of ndarray
        ``data`` of shape (n_samples, 784), grey levels of dtype uint8; ``target`` of shape (n_samples,),
        labels 0 to 9 of dtype uint8; ``target_names`` of shape (10,), the name of each label; ``DESCR``,
        a description.

    Raises
    ------
    ValueError
        If `subset` is not one of the allowed values, or if a file is damaged or holds other arrays.
    OSError
        If no file is found and the download fails.

    See Also
    --------
    fetch_fashion_mnist : Load Fashion-MNIST, images of clothes of the same size.

    Notes
    -----
    The folders searched are `data_home`, the folder that the environment variable ``SKMETRIC_DATA``
    names, and the data home of scikit-learn (:func:`sklearn.datasets.get_data_home`). In each of them,
    the files searched for are

    1. ``mnist.npz`` with the arrays ``X_train``, ``y_train``, ``X_test``, ``y_test``;
    2. the original IDX files, ``mnist/train-images-idx3-ubyte`` and so on, plain or ``.gz``;
    3. in `data_home` only, these without ``mnist/``, unless the first labels are the other set's;
    4. ``mnist_{train,test}_{images,labels}.npy``, the images as (n, 784) or (n, 28, 28).

    The first that has the whole subset is read. If none has, version 1 of "mnist_784" is fetched from
    OpenML and kept as ``mnist.npz``. The header of a file is checked before the file is inflated: more
    than 70,000 images, or arrays of another form, are refused.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86, 1998.
    """
    return _fetch("mnist", subset, data_home, return_X_y)


def fetch_fashion_mnist(*, subset="train", data_home=None, return_X_y=False):
    """Load Fashion-MNIST, 28 x 28 images of clothes in 10 classes, from files or from OpenML.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Images to load: the first 60,000, the last 10,000, or all of them in this order. Only these are
        read.
    data_home : str or path-like, default=None
        Folder that is searched first, and where a download is kept. None means that the other folders
        are searched, and that a download is kept in the data home of scikit-learn.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch` or tuple of ndarray
        ``data`` of shape (n_samples, 784), grey levels of dtype uint8; ``target`` of shape (n_samples,),
        labels 0 to 9 of dtype uint8; ``target_names`` of shape (10,), the name of each label; ``DESCR``,
        a description.

    Raises
    ------
    ValueError
        If `subset` is not one of the allowed values, or if a file is damaged or holds other arrays.
    OSError
        If no file is found and the download fails.

    See Also
    --------
    fetch_mnist : Load MNIST; its notes say where files are searched for.

    Notes
    -----
    Files are searched for in the same folders as those of :func:`fetch_mnist`, under the same names with
    ``fashion_mnist`` in place of ``mnist``. On OpenML it is version 1 of "Fashion-MNIST".

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms", arXiv:1708.07747, 2017.
    """
    return _fetch("fashion_mnist", subset, data_home, return_X_y)


def read_idx(path):
    """Read an array from a file in IDX, the format of the original MNIST, plain or gzip.

    Parameters
    ----------
    path : str or path-like
        File to read. Compression is recognised by the content, whatever the name.

    Returns
    -------
    ndarray
        Array of the shape and the type that the file announces: uint8, int8, int16, int32, float32 or
        float64, in native byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not IDX, is truncated, has bytes after the array, or is damaged gzip.

    Notes
    -----
    No more is inflated than the header announces and one byte, and no more is allocated than the file
    holds.
    """
    return arrays.read_idx(path)


def _fetch(name, subset, data_home, return_X_y):
    from sklearn.utils import Bunch

    if not isinstance(subset, str) or subset not in PARTS:
        raise ValueError(
            f"The 'subset' parameter of fetch_{name} must be a str among "
            f"{{'train', 'test', 'all'}}. Got {shown(subset)} instead."
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
    """Yield each folder to search, and whether it is the one that the caller named."""
    from sklearn.datasets import get_data_home

    if data_home is not None:
        yield Path(data_home).expanduser(), True
    if os.environ.get("SKMETRIC_DATA"):
        yield Path(os.environ["SKMETRIC_DATA"]).expanduser(), False
    with suppress(OSError):
        # asked only now, because asking creates the folder; where it cannot, no file is there
        yield Path(get_data_home()), False


def _find(folder, name, parts, is_data_home):
    """Return an (images, labels) pair of files for each part, or None if some are missing."""
    for layout in LAYOUTS:
        files = [_files(folder, layout, name, part) for part in parts]
        complete = all(isfile(file) for pair in files for file in pair)
        # without the set's name, the caller's word and the first labels must tell whose these are
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
