"""Tests of the download, without a network."""

import os
import zlib
from urllib.error import URLError

import numpy as np
import pytest
from mnist_files import SIZES, expected_of, make_arrays, searched_folders, without_network, write_npz
from numpy.testing import assert_array_equal

from skmetric._data_files import openml as download
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist

FETCHERS = {"mnist": fetch_mnist, "fashion_mnist": fetch_fashion_mnist}
each_set = pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
each_subset = pytest.mark.parametrize("subset", ["train", "test", "all"])


@pytest.fixture(autouse=True)
def openml(monkeypatch, tmp_path):
    return without_network(monkeypatch, tmp_path)


@pytest.fixture
def folders(openml, monkeypatch, tmp_path):
    return searched_folders(monkeypatch, tmp_path)


def openml_data(arrays):
    """What fetch_openml returns: float64 images and labels that are strings."""
    X, y = expected_of(arrays, "all")
    return X.astype(np.float64), y.astype(str).astype(object)


@each_set
@each_subset
def test_download(monkeypatch, tmp_path, openml, name, subset):
    monkeypatch.setattr(download, "N_TRAIN", SIZES["train"])
    arrays = make_arrays(name)
    openml.data = openml_data(arrays)
    X, y = FETCHERS[name](subset=subset, data_home=tmp_path / "new", return_X_y=True)
    assert_array_equal(X, expected_of(arrays, subset)[0])
    assert_array_equal(y, expected_of(arrays, subset)[1])
    assert X.dtype == y.dtype == np.uint8
    ((asked, options),) = openml.calls
    assert asked == {"mnist": "mnist_784", "fashion_mnist": "Fashion-MNIST"}[name]
    assert options["version"] == 1
    assert options["data_home"] == tmp_path / "new"
    assert options["as_frame"] is False


@each_set
@pytest.mark.parametrize("given", [True, False])
def test_download_is_kept(monkeypatch, tmp_path, openml, name, given):
    monkeypatch.setattr(download, "N_TRAIN", SIZES["train"])
    arrays = make_arrays(name)
    openml.data = openml_data(arrays)
    data_home = tmp_path / "given" if given else None
    FETCHERS[name](subset="test", data_home=data_home)
    home = tmp_path / "given" if given else tmp_path / "scikit_learn_data"
    assert [file.name for file in home.iterdir()] == [f"{name}.npz"]
    with np.load(home / f"{name}.npz") as kept:
        assert set(kept) == set(arrays)
        for key in kept:
            assert_array_equal(kept[key], arrays[key])
            assert kept[key].dtype == np.uint8
    openml.data = None
    X = FETCHERS[name](subset="all", data_home=data_home).data
    assert_array_equal(X, expected_of(arrays, "all")[0])
    assert len(openml.calls) == 1


def test_download_of_the_real_size(tmp_path, openml):
    X = np.zeros((70_000, 784), dtype=np.uint8)
    X[[0, 59_999, 60_000, 69_999], 0] = [1, 2, 3, 4]
    y = (np.arange(70_000) % 10).astype(str)
    openml.data = X, y
    train = fetch_mnist(subset="train", data_home=tmp_path)
    test = fetch_mnist(subset="test", data_home=tmp_path)
    assert train.data.shape == (60_000, 784) and test.data.shape == (10_000, 784)
    assert train.data[[0, -1], 0].tolist() == [1, 2]
    assert test.data[[0, -1], 0].tolist() == [3, 4]
    assert_array_equal(np.bincount(train.target), 6_000)
    assert_array_equal(np.bincount(test.target), 1_000)
    assert len(openml.calls) == 1


def test_local_files_come_before_the_network(monkeypatch, folders, openml):
    write_npz(folders[2], "mnist", make_arrays(seed=1))
    openml.data = openml_data(make_arrays(seed=2))
    X = fetch_mnist(data_home=folders[0]).data
    assert_array_equal(X, make_arrays(seed=1)["X_train"])
    assert openml.calls == []


def test_wrong_answer_is_neither_returned_nor_kept(tmp_path, openml):
    openml.data = np.zeros((70_000, 10)), np.zeros(70_000)
    with pytest.raises(ValueError, match=r"OpenML's mnist .*\(70000, 10\)"):
        fetch_mnist(data_home=tmp_path)
    assert list(tmp_path.rglob("*.npz*")) == []


@pytest.mark.parametrize("wrong", [256, -1, 0.5, 1e300, np.nan, np.inf, "7a", None])
@pytest.mark.parametrize("part", ["images", "labels"])
def test_values_that_would_wrap_around_are_refused(tmp_path, openml, part, wrong):
    openml.data = np.zeros((3, 784), object), np.zeros(3, object)
    openml.data[part == "labels"].flat[1] = wrong
    with pytest.raises(ValueError, match=r"OpenML's mnist must contain (numbers|integers from 0 to 255)"):
        fetch_mnist(data_home=tmp_path)
    assert list(tmp_path.rglob("*.npz*")) == []


@each_set
@pytest.mark.parametrize(
    "error",
    [
        URLError("Name or service not known"),
        OSError("disk full"),
        TimeoutError("too slow"),
        ValueError("md5 checksum does not match"),
        EOFError("ended early"),
        zlib.error("invalid block"),
    ],
)
def test_no_file_and_no_network(folders, openml, name, error):
    openml.error = error
    with pytest.raises(OSError) as info:
        FETCHERS[name](data_home=folders[0])
    assert info.value.__cause__ is error
    message = str(info.value)
    words = [f"{name}.npz", "X_train", "train-images-idx3-ubyte", f"subfolder {name}", ".npy"]
    for word in [*words, *map(str, folders), "SKMETRIC_DATA", "data_home", str(error)]:
        assert word in message
    assert len(openml.calls) == 1


def test_ctrl_c_while_downloading_is_passed_on(openml):
    openml.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fetch_mnist()


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_keeping_leaves_nothing_broken(monkeypatch, tmp_path, openml, error):
    monkeypatch.setattr(download, "N_TRAIN", SIZES["train"])
    home = tmp_path / "given"
    arrays = make_arrays()
    openml.data = openml_data(arrays)
    written = []

    def write_half(file, **arrays):
        file.write(b"PK\3\4 half an archive")
        file.flush()
        written.extend(path.name for path in home.iterdir())
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", write_half)
        with pytest.raises(error):
            fetch_mnist(data_home=home)
    assert len(written) == 1 and written[0] != "mnist.npz"
    assert list(home.iterdir()) == []
    assert_array_equal(fetch_mnist(data_home=home).data, arrays["X_train"])
    assert [file.name for file in home.iterdir()] == ["mnist.npz"]


def test_download_that_cannot_be_kept_is_returned_with_a_warning(monkeypatch, tmp_path, openml):
    monkeypatch.setattr(download, "N_TRAIN", SIZES["train"])
    home = tmp_path / "given"
    arrays = make_arrays()
    openml.data = openml_data(arrays)

    def fail(source, target):
        raise PermissionError("read-only folder")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.warns(UserWarning, match="could not be saved: read-only folder") as record:
        X = fetch_mnist(data_home=home).data
    assert record[0].filename == __file__
    assert_array_equal(X, arrays["X_train"])
    assert list(home.iterdir()) == []
