"""MNIST and Fashion-MNIST as uint8 arrays, from files or from OpenML, and a reader of IDX files."""

import gzip
import math
import os
import uuid
import warnings
import zipfile
import zlib
from contextlib import suppress
from os.path import isfile
from pathlib import Path

import numpy as np

__all__ = ["fetch_fashion_mnist", "fetch_mnist", "read_idx"]

N_TRAIN = 60_000

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

# where the images and the labels of a part of a set may lie in a folder, in order of preference
LAYOUTS = (
    ("{name}.npz", "{name}.npz"),
    ("{name}/{idx}-images-idx3-ubyte", "{name}/{idx}-labels-idx1-ubyte"),
    ("{idx}-images-idx3-ubyte", "{idx}-labels-idx1-ubyte"),
    ("{name}_{part}_images.npy", "{name}_{part}_labels.npy"),
)

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def fetch_mnist(*, subset="train", data_home=None, return_X_y=False):
    """Load MNIST, 28 x 28 images of handwritten digits in 10 classes, from files or from OpenML.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The first 60,000 images, the last 10,000, or both in this order. Only these are read.
    data_home : str or path-like, default=None
        Folder to search first, and to keep a download in; without it, scikit-learn's data home.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    mnist : :class:`~sklearn.utils.Bunch` or tuple of ndarray
        ``data`` (n_samples, 784) uint8 grey levels, ``target`` (n_samples,) uint8 codes 0 to 9,
        ``target_names`` (10,) the name of each code, ``DESCR`` a description.

    Raises
    ------
    ValueError
        If ``subset`` is not one of the allowed values, or if a file is damaged.
    OSError
        If there is no file and the download fails.

    Notes
    -----
    Searched are ``data_home``, the folder that the environment variable ``SKMETRIC_DATA`` names,
    and scikit-learn's data home (:func:`sklearn.datasets.get_data_home`), each for

    1. ``mnist.npz`` with the arrays ``X_train``, ``y_train``, ``X_test``, ``y_test``;
    2. the original IDX files, ``mnist/train-images-idx3-ubyte`` and so on, plain or ``.gz``;
    3. in ``data_home`` only, these without ``mnist/``, unless the first labels are the other set's;
    4. ``mnist_{train,test}_{images,labels}.npy``, the images as (n, 784) or (n, 28, 28).

    The first that has the whole subset is read. If none has, version 1 of "mnist_784" is fetched
    from OpenML and kept as ``mnist.npz``.
    """
    return _fetch("mnist", subset, data_home, return_X_y)


def fetch_fashion_mnist(*, subset="train", data_home=None, return_X_y=False):
    """Load Fashion-MNIST, 28 x 28 images of clothes in 10 classes, from files or from OpenML.

    Files are searched for as in :func:`fetch_mnist`, under names with ``fashion_mnist`` for
    ``mnist``; OpenML's name is "Fashion-MNIST", version 1.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The first 60,000 images, the last 10,000, or both.
    data_home : str or path-like, default=None
        Folder to search first, and to keep a download in.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    fashion_mnist : :class:`~sklearn.utils.Bunch` or tuple of ndarray
        As :func:`fetch_mnist` returns it.

    Raises
    ------
    ValueError
        If ``subset`` is not one of the allowed values, or if a file is damaged.
    OSError
        If there is no file and the download fails.
    """
    return _fetch("fashion_mnist", subset, data_home, return_X_y)


def read_idx(path):
    """Read an array from a file in IDX, the format of the original MNIST, plain or gzip.

    Parameters
    ----------
    path : str or path-like
        The file. Compression is recognised by content, whatever the name.

    Returns
    -------
    array : ndarray
        Shape and type are the file's: uint8, int8, int16, int32, float32 or float64, native order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not IDX, is truncated, has bytes after the array, or is damaged gzip.
    """
    content = _read_plain_or_gzip(path)
    known = len(content) >= 4 and not any(content[:2]) and content[2] in IDX_TYPES
    # 32 dimensions are the most that NumPy has before 2.0
    if not known or not 1 <= content[3] <= 32:
        raise ValueError(f"{path} is not an IDX file: it begins with the bytes {content[:4]!r}.")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"{path} is truncated: it ends within the header.")
    dtype = np.dtype(IDX_TYPES[content[2]])
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist())
    found, needed = len(content) - start, math.prod(shape) * dtype.itemsize
    if found != needed:
        problem = "is truncated" if found < needed else "has trailing bytes"
        raise ValueError(f"{path} {problem}: {found} bytes for {dtype} {shape}, {needed} needed.")
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def _read_plain_or_gzip(path):
    content = Path(path).read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is a damaged gzip file: {error}.") from error


def _fetch(name, subset, data_home, return_X_y):
    from sklearn.utils import Bunch

    if subset not in ("train", "test", "all"):
        raise ValueError(
            f"The 'subset' parameter of fetch_{name} must be a str among "
            f"{{'train', 'test', 'all'}}. Got {subset!r} instead."
        )
    parts = ("train", "test") if subset == "all" else (subset,)
    X, y = map(np.concatenate, zip(*_load(name, parts, data_home)))
    if return_X_y:
        return X, y
    target_names = np.array(SETS[name]["target_names"].split(", "))
    return Bunch(data=X, target=y, target_names=target_names, DESCR=SETS[name]["DESCR"])


def _load(name, parts, data_home):
    """Return (X, y) of each of the parts ("train", "test") of a set."""
    for folder, is_data_home in _folders(data_home):
        files = _find(folder, name, parts, is_data_home)
        if files is not None:
            return [_read_part(*pair, part) for pair, part in zip(files, parts)]
    arrays = _download(name, data_home)
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
    first = "".join(map(str, read_idx(files[0][1]).ravel()[:10]))
    return any(first in SETS[other]["first_labels"] for other in SETS if other != name)


def _read_part(images_file, labels_file, part):
    X, y = _read_array(images_file, f"X_{part}"), _read_array(labels_file, f"y_{part}")
    return _check_part(X, y, " and ".join(dict.fromkeys([str(images_file), str(labels_file)])))


def _read_array(path, key):
    if path.suffix not in (".npz", ".npy"):
        return read_idx(path)
    with open(path, "rb") as file:
        # not np.load, which takes a file of another kind for a pickle, or returns its bytes
        try:
            if path.suffix == ".npy":
                return np.lib.format.read_array(file)
            with zipfile.ZipFile(file) as archive, archive.open(f"{key}.npy") as member:
                return np.lib.format.read_array(member)
        # damage shows as a dozen kinds of exceptions, TokenError and MemoryError among them
        except Exception as error:
            raise ValueError(f"{path} is damaged: {key} cannot be read ({error}).") from error


def _check_part(X, y, source):
    """Return the images as (n, 784) and the labels as (n,), or refuse them."""
    fit = X.shape[1:] in ((784,), (28, 28)) and y.shape == X.shape[:1]
    if not fit or X.dtype != np.uint8 or y.dtype != np.uint8 or np.any(y > 9):
        raise ValueError(
            f"{source} must hold uint8 images (n, 784) or (n, 28, 28) and uint8 labels (n,) from "
            f"0 to 9, got {X.dtype} {X.shape} and {y.dtype} {y.shape}."
        )
    return X.reshape(len(X), 784), y


def _download(name, data_home):
    """Return the arrays of the archive from OpenML, and keep it for the next time."""
    from sklearn.datasets import get_data_home

    X, y = _fetch_openml(name, data_home)
    X, y = _check_part(X.astype(np.uint8), y.astype(np.uint8), f"OpenML's {name}")
    n = N_TRAIN
    arrays = {"X_train": X[:n], "y_train": y[:n], "X_test": X[n:], "y_test": y[n:]}
    try:
        _write_npz(Path(get_data_home(data_home)) / f"{name}.npz", arrays)
    except OSError as error:
        warnings.warn(f"{name} was downloaded but could not be kept: {error}", stacklevel=5)
    return arrays


def _fetch_openml(name, data_home):
    from sklearn.datasets import fetch_openml

    options = {"as_frame": False, "parser": "liac-arff", "return_X_y": True}  # needs no pandas
    try:
        return fetch_openml(SETS[name]["openml"], version=1, data_home=data_home, **options)
    # a cut or garbled answer shows as anything, and the remedy is the same
    except Exception as error:
        folders = ", ".join(dict.fromkeys(str(folder) for folder, _ in _folders(data_home)))
        raise OSError(
            f"{name} is in none of {folders}; OpenML failed ({error}). Put {name}.npz (X_train, "
            f"y_train, X_test, y_test), the original IDX files (train-images-idx3-ubyte and so on, "
            f"plain or .gz) in a subfolder {name}, or {name}_{{train,test}}_{{images,labels}}.npy "
            f"there, or name their folder by data_home or the environment variable SKMETRIC_DATA."
        ) from error


def _write_npz(path, arrays):
    """Write an archive under a temporary name, so that an interrupt leaves no broken file."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            np.savez_compressed(file, **arrays)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
