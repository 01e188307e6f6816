"""Tests of the loaders on small files of every form, without a network, and on the real data."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mnist_files import (
    ALL_WRITERS,
    FIRST_LABELS,
    WRITERS,
    expected_of,
    make_arrays,
    searched_folders,
    to_idx,
    traced,
    without_network,
    write_idx,
    write_idx_gz,
    write_npy,
    write_npz,
)
from numpy.testing import assert_array_equal

from skmetric import datasets
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist

FETCHERS = {"mnist": fetch_mnist, "fashion_mnist": fetch_fashion_mnist}
REAL_DATA = Path(
    os.environ.get("SKMETRIC_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)

each_set = pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
each_subset = pytest.mark.parametrize("subset", ["train", "test", "all"])


@pytest.fixture(autouse=True)
def openml(monkeypatch, tmp_path):
    return without_network(monkeypatch, tmp_path)


@pytest.fixture
def folders(openml, monkeypatch, tmp_path):
    return searched_folders(monkeypatch, tmp_path)


# --------------------------------------------------------------------------------------------------
# what is returned


@each_set
@each_subset
@pytest.mark.parametrize("write", ALL_WRITERS)
def test_every_format_gives_the_same_arrays(tmp_path, openml, name, subset, write):
    arrays = make_arrays(name)
    write(tmp_path, name, arrays)
    X, y = FETCHERS[name](subset=subset, data_home=tmp_path, return_X_y=True)
    expected_X, expected_y = expected_of(arrays, subset)
    assert_array_equal(X, expected_X)
    assert_array_equal(y, expected_y)
    assert X.dtype == y.dtype == np.uint8
    assert X.flags.writeable and X.flags.c_contiguous and y.flags.writeable
    assert openml.calls == []


@each_set
def test_bunch(tmp_path, name):
    arrays = make_arrays(name)
    write_npz(tmp_path, name, arrays)
    bunch = FETCHERS[name](data_home=tmp_path)
    assert set(bunch) == {"data", "target", "target_names", "DESCR"}
    assert_array_equal(bunch.data, arrays["X_train"])
    assert_array_equal(bunch.target, arrays["y_train"])
    assert bunch.target_names.shape == (10,)
    assert bunch.DESCR.lower().replace("-", "_").startswith(f"{name}:")


def test_target_names_are_in_the_order_of_the_codes(tmp_path):
    write_npz(tmp_path, "mnist", make_arrays("mnist"))
    write_npz(tmp_path, "fashion_mnist", make_arrays("fashion_mnist"))
    assert fetch_mnist(data_home=tmp_path).target_names.tolist() == list("0123456789")
    clothes = fetch_fashion_mnist(data_home=tmp_path).target_names
    assert clothes[:5].tolist() == ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"]
    assert clothes[5:].tolist() == ["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


@each_set
def test_parameters_are_keyword_only_and_train_is_the_default(tmp_path, name):
    arrays = make_arrays(name)
    write_npz(tmp_path, name, arrays)
    with pytest.raises(TypeError, match="positional"):
        FETCHERS[name]("train")
    assert_array_equal(FETCHERS[name](data_home=tmp_path).target, arrays["y_train"])


@each_set
@pytest.mark.parametrize("subset", ["Train", "validation", "", None, 1, ["train"], ("train",)])
def test_invalid_subset(tmp_path, openml, name, subset):
    write_npz(tmp_path, name, make_arrays(name))
    with pytest.raises(ValueError, match="The 'subset' parameter of fetch_") as info:
        FETCHERS[name](subset=subset, data_home=tmp_path)
    for word in (f"fetch_{name}", "'train'", "'test'", "'all'", f"Got {subset!r} instead"):
        assert word in str(info.value)
    assert openml.calls == []


@pytest.mark.parametrize("wrap", [str, Path])
def test_data_home_may_begin_with_a_tilde(monkeypatch, tmp_path, wrap):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    arrays = make_arrays()
    (tmp_path / "images").mkdir()
    write_npz(tmp_path / "images", "mnist", arrays)
    assert_array_equal(fetch_mnist(data_home=wrap("~/images")).data, arrays["X_train"])
    monkeypatch.setenv("SKMETRIC_DATA", "~/images")
    assert_array_equal(fetch_mnist().data, arrays["X_train"])


# --------------------------------------------------------------------------------------------------
# where it is searched for


@pytest.mark.parametrize("write", ALL_WRITERS)
def test_folders_are_searched_in_order(folders, openml, write):
    """The folders are filled from the last to the first: each must win over the ones before."""
    for seed, folder in reversed(list(enumerate(folders))):
        arrays = make_arrays(seed=seed)
        write(folder, "mnist", arrays)
        assert_array_equal(fetch_mnist(data_home=folders[0]).data, arrays["X_train"])
    assert_array_equal(fetch_mnist().data, make_arrays(seed=1)["X_train"])
    assert openml.calls == []


def test_the_folder_counts_before_the_format(folders):
    first, second = make_arrays(seed=1), make_arrays(seed=2)
    write_npy(folders[0], "mnist", first)
    write_npz(folders[1], "mnist", second)
    assert_array_equal(fetch_mnist(data_home=folders[0]).data, first["X_train"])


def test_formats_are_searched_in_order(tmp_path):
    """The folder is filled from the last format to the first: each must win over those before."""
    for seed, write in reversed(list(enumerate(WRITERS))):
        arrays = make_arrays(seed=seed)
        write(tmp_path, "mnist", arrays)
        assert_array_equal(fetch_mnist(data_home=tmp_path).data, arrays["X_train"])


def test_plain_idx_wins_over_gz_and_the_two_may_be_mixed(tmp_path):
    packed, plain = make_arrays(seed=1), make_arrays(seed=2)
    write_idx_gz(tmp_path, "mnist", packed)
    labels = tmp_path / "mnist" / "train-labels-idx1-ubyte"
    labels.write_bytes(to_idx(plain["y_train"]))
    X, y = fetch_mnist(data_home=tmp_path, return_X_y=True)
    assert_array_equal(X, packed["X_train"])
    assert_array_equal(y, plain["y_train"])
    assert not np.array_equal(plain["y_train"], packed["y_train"])


def test_empty_variable_is_no_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SKMETRIC_DATA", "")
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path, "mnist", make_arrays())
    with pytest.raises(OSError, match="SKMETRIC_DATA"):
        fetch_mnist()


@each_set
def test_each_set_has_its_own_files(tmp_path, name):
    """Both sets lie in one folder, in every form, and are not taken for one another."""
    sets = {"mnist": make_arrays("mnist", 1), "fashion_mnist": make_arrays("fashion_mnist", 2)}
    for write in ALL_WRITERS:
        folder = tmp_path / write.__name__
        folder.mkdir()
        for other, arrays in sets.items():
            write(folder, other, arrays)
        assert_array_equal(FETCHERS[name](data_home=folder).data, sets[name]["X_train"])


@pytest.mark.parametrize("write", [write_idx_gz, write_npy])
@pytest.mark.parametrize("missing", ["labels", "images"])
def test_incomplete_files_are_passed_over(folders, write, missing):
    """A folder without the labels (images) of a part does not count, be its other part complete."""
    incomplete, complete = make_arrays(seed=1), make_arrays(seed=2)
    write(folders[0], "mnist", incomplete)
    write_npz(folders[1], "mnist", complete)
    for pattern in (f"mnist/t10k-{missing}*", f"mnist_test_{missing}*"):
        for file in folders[0].glob(pattern):
            file.unlink()
    for subset, arrays in [("train", incomplete), ("test", complete), ("all", complete)]:
        X = fetch_mnist(subset=subset, data_home=folders[0]).data
        assert_array_equal(X, expected_of(arrays, subset)[0])


def test_data_home_of_scikit_learn_is_created_only_when_it_is_needed(tmp_path):
    write_npz(tmp_path, "mnist", make_arrays())
    fetch_mnist(data_home=tmp_path)
    assert not (tmp_path / "scikit_learn_data").exists()


def test_scikit_learn_data_home_that_cannot_be_created(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "file" / "folder"))
    with pytest.raises(OSError, match="SKMETRIC_DATA"):
        fetch_mnist(data_home=tmp_path / "none")


# --------------------------------------------------------------------------------------------------
# IDX files in a bare folder, whose names are those of both sets


@each_set
@each_subset
@pytest.mark.parametrize("compressed", [False, True])
def test_bare_idx_files_of_data_home_are_read(tmp_path, name, subset, compressed):
    arrays = make_arrays(name)
    write_idx(tmp_path, name, arrays, subfolder=False, compressed=compressed)
    X, y = FETCHERS[name](subset=subset, data_home=tmp_path, return_X_y=True)
    assert_array_equal(X, expected_of(arrays, subset)[0])
    assert_array_equal(y, expected_of(arrays, subset)[1])


@each_set
@each_subset
def test_bare_idx_files_of_the_other_set_are_passed_over(tmp_path, name, subset):
    (other,) = set(FETCHERS) - {name}
    write_idx(tmp_path, other, make_arrays(other), subfolder=False)
    with pytest.raises(OSError, match=f"^{name} was not found in"):
        FETCHERS[name](subset=subset, data_home=tmp_path)
    arrays = make_arrays(name)
    write_npy(tmp_path, name, arrays)
    X = FETCHERS[name](subset=subset, data_home=tmp_path).data
    assert_array_equal(X, expected_of(arrays, subset)[0])


def test_bare_idx_files_with_labels_of_neither_set_are_the_callers_choice(tmp_path):
    arrays = make_arrays()
    arrays["y_train"][:] = 3
    write_idx(tmp_path, "mnist", arrays, subfolder=False)
    for fetch in (fetch_mnist, fetch_fashion_mnist):
        assert_array_equal(fetch(data_home=tmp_path).data, arrays["X_train"])


@pytest.mark.parametrize("place", [1, 2])
def test_bare_idx_files_elsewhere_are_not_read(folders, place):
    write_idx(folders[place], "mnist", make_arrays(), subfolder=False)
    with pytest.raises(OSError, match="in a subfolder mnist"):
        fetch_mnist(data_home=folders[0])


def test_subfolder_wins_over_bare_idx_files_and_these_over_npy(tmp_path):
    arrays = [make_arrays(seed=seed) for seed in range(3)]
    write_npy(tmp_path, "mnist", arrays[2])
    write_idx(tmp_path, "mnist", arrays[1], subfolder=False)
    assert_array_equal(fetch_mnist(data_home=tmp_path).data, arrays[1]["X_train"])
    write_idx(tmp_path, "mnist", arrays[0])
    assert_array_equal(fetch_mnist(data_home=tmp_path).data, arrays[0]["X_train"])


# --------------------------------------------------------------------------------------------------
# imports, and the real data


def test_import_is_light():
    """The module is loaded without the package: what the estimators import is not its affair."""
    code = f"""
import sys, types
package = types.ModuleType("skmetric")
package.__path__ = [{str(Path(datasets.__file__).parent)!r}]
sys.modules["skmetric"] = package
import skmetric.datasets
print(sorted({{"matplotlib", "numpy", "pandas", "sklearn"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['numpy']"


@pytest.mark.parametrize("subset", ["train", "all"])
def test_a_set_is_not_held_twice(tmp_path, subset):
    """A single part is not copied; the two of "all" are, into one array."""
    arrays = {
        key: np.zeros((10_000, 784) if key[0] == "X" else 10_000, np.uint8) for key in make_arrays()
    }
    write_npz(tmp_path, "mnist", arrays)
    fetch_mnist(data_home=tmp_path)
    with traced() as peak:
        X = fetch_mnist(subset=subset, data_home=tmp_path).data
    assert peak() < (1.3 if subset == "train" else 2.3) * X.nbytes + 2**21


@each_set
def test_real_data(monkeypatch, openml, name):
    if not any(REAL_DATA.glob(f"{name}*")):
        pytest.skip(f"{REAL_DATA} has no {name}: set SKMETRIC_DATA to a folder that has")
    monkeypatch.setenv("SKMETRIC_DATA", str(REAL_DATA))
    X, y = FETCHERS[name](subset="all", return_X_y=True)
    assert X.shape == (70_000, 784) and y.shape == (70_000,)
    assert X.dtype == y.dtype == np.uint8
    assert X.min() == 0 and X.max() == 255
    assert y[:10].tolist() == FIRST_LABELS[name]["train"]
    assert y[60_000:60_010].tolist() == FIRST_LABELS[name]["test"]
    if name == "fashion_mnist":
        assert_array_equal(np.bincount(y[:60_000]), 6_000)
        assert_array_equal(np.bincount(y[60_000:]), 1_000)
    else:
        assert np.bincount(y[:60_000])[[0, 1, 5]].tolist() == [5923, 6742, 5421]
    for subset, rows in [("train", slice(60_000)), ("test", slice(60_000, None))]:
        part = FETCHERS[name](subset=subset)
        assert_array_equal(part.data, X[rows])
        assert_array_equal(part.target, y[rows])
    assert openml.calls == []
