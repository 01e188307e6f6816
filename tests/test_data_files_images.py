"""Tests of what loaders refuse: damaged files, other arrays, and files that inflate to gigabytes."""

import gzip
import struct

import numpy as np
import pytest
from mnist_files import make_arrays, traced, without_network, write_idx, write_npy, write_npz
from numpy.testing import assert_array_equal

from skmetric.datasets import fetch_fashion_mnist, fetch_mnist

FETCHERS = {"mnist": fetch_mnist, "fashion_mnist": fetch_fashion_mnist}
each_set = pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
each_subset = pytest.mark.parametrize("subset", ["train", "test", "all"])


@pytest.fixture(autouse=True)
def openml(monkeypatch, tmp_path):
    return without_network(monkeypatch, tmp_path)


# --------------------------------------------------------------------------------------------------
# damaged files

SQUARES = np.zeros((12, 28, 28), dtype=np.uint8)

WRONG_ARRAYS = [
    ({"X_train": np.zeros((11, 784), dtype=np.uint8)}, r"\(11, 784\) .*\(12,\)"),
    ({"y_train": np.zeros(13, dtype=np.uint8)}, r"\(12, 784\) .*\(13,\)"),
    ({"y_train": np.zeros((12, 1), dtype=np.uint8)}, r"\(12, 1\)"),
    ({"X_train": SQUARES.reshape(12, 784)[:, :783]}, r"\(12, 783\)"),
    ({"X_train": SQUARES.reshape(12, 14, 56)}, r"\(12, 14, 56\)"),
    ({"X_train": np.uint8(0)}, r"uint8 \(\)"),
    ({"X_train": np.zeros((12, 784))}, "float64"),
    ({"X_train": np.zeros((12, 784), dtype=np.int8)}, "got int8"),
    ({"y_train": np.zeros(12, dtype=np.int64)}, "int64"),
    ({"y_train": np.full(12, "7")}, "<U1"),
    ({"y_train": np.full(12, 10, dtype=np.uint8)}, "from 0 to 9"),
]


@pytest.mark.parametrize("changes, message", WRONG_ARRAYS)
@pytest.mark.parametrize("write", [write_npz, write_npy])
def test_wrong_arrays_are_refused(tmp_path, openml, write, changes, message):
    write(tmp_path, "mnist", {**make_arrays(), **changes})
    with pytest.raises(ValueError, match=message) as info:
        fetch_mnist(data_home=tmp_path)
    assert str(tmp_path / "mnist") in str(info.value)
    assert openml.calls == []


@pytest.mark.parametrize("key", ["X_train", "y_train", "X_test", "y_test"])
def test_missing_array_in_archive(tmp_path, key):
    arrays = make_arrays()
    write_npz(tmp_path, "mnist", {name: arrays[name] for name in arrays if name != key})
    with pytest.raises(ValueError, match=key) as info:
        fetch_mnist(subset="all", data_home=tmp_path)
    assert str(tmp_path / "mnist.npz") in str(info.value)


@each_set
def test_only_the_subset_is_read(tmp_path, name):
    """An archive that lacks one part, or holds nonsense there, serves the other."""
    arrays = make_arrays(name)
    write_npz(tmp_path, name, {**arrays, "X_test": np.array("nonsense")})
    assert_array_equal(FETCHERS[name](data_home=tmp_path).data, arrays["X_train"])
    write_npz(tmp_path, name, {key: arrays[key] for key in ("X_test", "y_test")})
    X = FETCHERS[name](subset="test", data_home=tmp_path).data
    assert_array_equal(X, arrays["X_test"])


def damage(content, how):
    middle = len(content) // 2
    return {
        "empty": b"",
        "foreign": b"this is a text file, and not a short one" * 9,
        "truncated": content[:middle],
        "no end": content[:-1],
        "short header": content[:20],
        "zeros": content[:middle] + bytes(64) + content[middle + 64 :],
    }[how]


@pytest.mark.parametrize("how", ["empty", "foreign", "truncated", "no end", "short header", "zeros"])
def test_damaged_archive(tmp_path, how):
    write_npz(tmp_path, "mnist", make_arrays())
    file = tmp_path / "mnist.npz"
    file.write_bytes(damage(file.read_bytes(), how))
    with pytest.raises(ValueError, match="is damaged") as info:
        fetch_mnist(subset="all", data_home=tmp_path)
    assert str(file) in str(info.value)


# zeros within a .npy file are an image
@pytest.mark.parametrize("how", ["empty", "foreign", "truncated", "no end", "short header"])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_damaged_npy(tmp_path, how, kind):
    write_npy(tmp_path, "mnist", make_arrays())
    file = tmp_path / f"mnist_train_{kind}.npy"
    file.write_bytes(damage(file.read_bytes(), how))
    with pytest.raises(ValueError, match="is damaged") as info:
        fetch_mnist(data_home=tmp_path)
    assert str(file) in str(info.value)


def test_npy_whose_header_does_not_close(tmp_path):
    """NumPy raises a TokenError, which is no ValueError."""
    write_npy(tmp_path, "mnist", make_arrays())
    file = tmp_path / "mnist_train_labels.npy"
    file.write_bytes(file.read_bytes().replace(b"}", b" ", 1))
    with pytest.raises(ValueError, match="is damaged") as info:
        fetch_mnist(data_home=tmp_path)
    assert str(file) in str(info.value)


def test_pickles_are_not_opened(tmp_path):
    arrays = make_arrays()
    write_npz(tmp_path, "mnist", {**arrays, "y_train": arrays["y_train"].astype(object)})
    with pytest.raises(ValueError, match=r"uint8 labels \(n,\) with n <= 60000, got object \(12,\)"):
        fetch_mnist(data_home=tmp_path)


def test_damaged_idx_file_of_a_set(tmp_path):
    write_idx(tmp_path, "mnist", make_arrays())
    file = tmp_path / "mnist" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="train-images-idx3-ubyte is truncated"):
        fetch_mnist(data_home=tmp_path)


# --------------------------------------------------------------------------------------------------
# files that inflate

N_BOMB = 130_000  # rows, of 100 MB
WRONG_SETS = {
    "more rows than there are": ((N_BOMB, 784), np.uint8),
    "other images": ((1000, 320, 320), np.uint8),
    "doubles": ((16_000, 784), np.float64),
}


@pytest.mark.parametrize("case", WRONG_SETS)
@pytest.mark.parametrize("form", ["npz", "npy", "gz"])
def test_other_arrays_are_refused_before_they_are_inflated(tmp_path, case, form):
    shape, dtype = WRONG_SETS[case]
    bomb = np.broadcast_to(np.zeros((), dtype), shape)
    arrays = make_arrays()
    if form == "npz":
        np.savez_compressed(tmp_path / "mnist.npz", **(arrays | {"X_train": bomb}))
    elif form == "npy":
        write_npy(tmp_path, "mnist", arrays)
        write_sparse_npy(tmp_path / "mnist_train_images.npy", bomb)
    else:
        write_idx(tmp_path, "mnist", arrays, compressed=True)
        write_idx_gz_of_zeros(tmp_path / "mnist" / "train-images-idx3-ubyte.gz", shape, bomb.itemsize)
    with (
        traced() as peak,
        pytest.raises(ValueError, match=r"mnist.* (announces|must contain uint8 images)"),
    ):
        fetch_mnist(data_home=tmp_path)
    assert peak() < 2**21


def write_sparse_npy(path, array):
    """A header and a file of the right length, which takes no room on the disk."""
    with open(path, "wb") as file:
        head = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(file, head)
        file.truncate(file.tell() + array.size * array.itemsize)


def write_idx_gz_of_zeros(path, shape, itemsize):
    head = struct.pack(f">HBB{len(shape)}I", 0, {1: 8, 8: 14}[itemsize], len(shape), *shape)
    n_megabytes = int(np.prod(shape)) * itemsize // 2**20
    path.write_bytes(gzip.compress(head) + n_megabytes * gzip.compress(bytes(2**20)))


@pytest.mark.parametrize("subfolder", [True, False])
def test_labels_that_inflate_are_refused(tmp_path, subfolder):
    """In a bare folder they are read to tell whose they are."""
    write_idx(tmp_path, "mnist", make_arrays(), subfolder=subfolder, compressed=True)
    folder = tmp_path / "mnist" if subfolder else tmp_path
    write_idx_gz_of_zeros(folder / "train-labels-idx1-ubyte.gz", (100_000_000,), 1)
    with traced() as peak, pytest.raises(ValueError, match=r"uint8 labels \(n,\) with n <= 60000"):
        fetch_mnist(data_home=tmp_path)
    assert peak() < 2**21
