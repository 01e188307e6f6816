"""Tests of the loaders on small files of every form, without a network, and on the real data."""

import gzip
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmetric import datasets
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist, read_idx

FETCHERS = {"mnist": fetch_mnist, "fashion_mnist": fetch_fashion_mnist}
SIZES = {"train": 12, "test": 10}
FIRST_LABELS = {
    "mnist": {"train": [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], "test": [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]},
    "fashion_mnist": {
        "train": [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
        "test": [9, 2, 1, 1, 6, 1, 4, 6, 5, 7],
    },
}
IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}

REAL_DATA = Path(
    os.environ.get("SKMETRIC_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)

each_set = pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
each_subset = pytest.mark.parametrize("subset", ["train", "test", "all"])


class Offline:
    """Stands for fetch_openml: notes its calls, and fails unless it was given data."""

    def __init__(self):
        self.calls = []
        self.error = URLError("Name or service not known")
        self.data = None

    def __call__(self, name, **options):
        self.calls.append((name, options))
        if self.data is None:
            raise self.error
        return self.data


@pytest.fixture(autouse=True)
def openml(monkeypatch, tmp_path):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))
    monkeypatch.delenv("SKMETRIC_DATA", raising=False)
    offline = Offline()
    monkeypatch.setattr("sklearn.datasets.fetch_openml", offline)
    return offline


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """The three folders that are searched, in order."""
    for folder in ("given", "variable", "scikit_learn_data"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("SKMETRIC_DATA", str(tmp_path / "variable"))
    return [tmp_path / "given", tmp_path / "variable", tmp_path / "scikit_learn_data"]


def make_arrays(name="mnist", seed=0):
    """X_train, y_train, X_test, y_test of a few random images; the first labels are the set's."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for part, size in SIZES.items():
        arrays[f"X_{part}"] = rng.integers(0, 256, (size, 784), dtype=np.uint8)
        arrays[f"y_{part}"] = rng.integers(0, 10, size, dtype=np.uint8)
        arrays[f"y_{part}"][:10] = FIRST_LABELS[name][part]
    return arrays


def expected_of(arrays, subset):
    parts = ["train", "test"] if subset == "all" else [subset]
    return tuple(np.concatenate([arrays[f"{key}_{part}"] for part in parts]) for key in "Xy")


def to_idx(array):
    """The bytes of an IDX file."""
    codes = {dtype[1:]: code for code, dtype in IDX_TYPES.items()}
    array = np.asarray(array)
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, codes[array.dtype.str[1:]], array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_npz(folder, name, arrays):
    np.savez_compressed(folder / f"{name}.npz", **arrays)


def write_idx(folder, name, arrays, subfolder=True, compressed=False):
    folder = folder / name if subfolder else folder
    folder.mkdir(exist_ok=True)
    for part, prefix in [("train", "train"), ("test", "t10k")]:
        images = to_idx(arrays[f"X_{part}"].reshape(-1, 28, 28))
        labels = to_idx(arrays[f"y_{part}"])
        for end, content in [("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)]:
            suffix = ".gz" if compressed else ""
            content = gzip.compress(content) if compressed else content
            (folder / f"{prefix}-{end}{suffix}").write_bytes(content)


def write_idx_gz(folder, name, arrays):
    write_idx(folder, name, arrays, compressed=True)


def write_npy(folder, name, arrays):
    for part in SIZES:
        np.save(folder / f"{name}_{part}_images.npy", arrays[f"X_{part}"])
        np.save(folder / f"{name}_{part}_labels.npy", arrays[f"y_{part}"])


def write_npy_of_squares(folder, name, arrays):
    write_npy(folder, name, arrays)
    for part in SIZES:
        squares = arrays[f"X_{part}"].reshape(-1, 28, 28)
        np.save(folder / f"{name}_{part}_images.npy", squares)


# in order of preference
WRITERS = [write_npz, write_idx, write_npy]
ALL_WRITERS = [*WRITERS, write_idx_gz, write_npy_of_squares]

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
    with pytest.raises(OSError, match=f"^{name} is in none of"):
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
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        fetch_mnist(data_home=tmp_path)


def test_damaged_idx_file_of_a_set(tmp_path):
    write_idx(tmp_path, "mnist", make_arrays())
    file = tmp_path / "mnist" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="train-images-idx3-ubyte is truncated"):
        fetch_mnist(data_home=tmp_path)


# --------------------------------------------------------------------------------------------------
# OpenML


def openml_data(arrays):
    """What fetch_openml returns: float64 images and labels that are strings."""
    X, y = expected_of(arrays, "all")
    return X.astype(np.float64), y.astype(str).astype(object)


@each_set
@each_subset
def test_download(monkeypatch, tmp_path, openml, name, subset):
    monkeypatch.setattr(datasets, "N_TRAIN", SIZES["train"])
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
    monkeypatch.setattr(datasets, "N_TRAIN", SIZES["train"])
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
    monkeypatch.setattr(datasets, "N_TRAIN", SIZES["train"])
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
    monkeypatch.setattr(datasets, "N_TRAIN", SIZES["train"])
    home = tmp_path / "given"
    arrays = make_arrays()
    openml.data = openml_data(arrays)

    def fail(source, target):
        raise PermissionError("read-only folder")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.warns(UserWarning, match="could not be kept: read-only folder") as record:
        X = fetch_mnist(data_home=home).data
    assert record[0].filename == __file__
    assert_array_equal(X, arrays["X_train"])
    assert list(home.iterdir()) == []


# --------------------------------------------------------------------------------------------------
# read_idx


@pytest.mark.parametrize("code", IDX_TYPES)
@pytest.mark.parametrize("shape", [(24,), (4, 6), (2, 3, 4), (2, 1, 3, 1, 4), (0, 28, 28), (1,) * 32])
@pytest.mark.parametrize("compressed", [False, True])
def test_read_idx_returns_what_was_written(tmp_path, code, shape, compressed):
    dtype = np.dtype(IDX_TYPES[code])
    size = int(np.prod(shape))
    array = np.linspace(0, 120, size).astype(dtype).reshape(shape)
    if dtype.kind != "u":
        np.negative(array, out=array)
    head = struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)
    content = head + array.tobytes()
    # a name that says the opposite: the content decides
    file = tmp_path / ("file" if compressed else "file.gz")
    file.write_bytes(gzip.compress(content) if compressed else content)
    for path in (file, str(file)):
        result = read_idx(path)
        assert result.dtype == dtype.newbyteorder("=") and result.dtype.isnative
        assert result.shape == shape
        assert_array_equal(result, array)
        assert result.flags.writeable and result.flags.c_contiguous


def test_read_idx_reads_big_endian(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"\0\0\x0b\x01\0\0\0\x02\x01\x02\xff\xfe")
    assert read_idx(file).tolist() == [258, -2]


def test_read_idx_of_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_idx(tmp_path / "nowhere")


MATRIX = to_idx(np.arange(6, dtype=np.int32).reshape(2, 3))
PACKED = gzip.compress(MATRIX)

REFUSED = {
    "empty": (b"", "not an IDX file"),
    "three bytes": (MATRIX[:3], "not an IDX file"),
    "first byte": (b"\1" + MATRIX[1:], "not an IDX file"),
    "second byte": (MATRIX[:1] + b"\1" + MATRIX[2:], "not an IDX file"),
    "type 0x0a": (MATRIX[:2] + b"\x0a" + MATRIX[3:], "not an IDX file"),
    "type 0x00": (MATRIX[:2] + b"\0" + MATRIX[3:], "not an IDX file"),
    "no dimension": (b"\0\0\x08\0" + b"\0", "not an IDX file"),
    "33 dimensions": (b"\0\0\x08\x21" + b"\0\0\0\1" * 33 + b"\0", "not an IDX file"),
    "text": (b"label,pixel1,pixel2\n5,0,0\n", "not an IDX file"),
    "npz": (b"PK\3\4" + bytes(40), "not an IDX file"),
    "no header": (MATRIX[:4], "truncated.*header"),
    "half a header": (MATRIX[:11], "truncated.*header"),
    "header only": (MATRIX[:12], "truncated.* 0 bytes .* 24 needed"),
    "last byte": (MATRIX[:-1], "truncated.* 23 bytes .* 24 needed"),
    "last element": (MATRIX[:-4], "truncated.* 20 bytes .* 24 needed"),
    "huge": (b"\0\0\x0e\4" + b"\xff" * 16 + bytes(8), "truncated"),
    "one more byte": (MATRIX + b"\0", "trailing.* 25 bytes .* 24 needed"),
    "twice": (MATRIX * 2, "trailing bytes"),
    "gzip of text": (gzip.compress(b"label,pixel1"), "not an IDX file"),
    "gzip of truncated": (gzip.compress(MATRIX[:-1]), "truncated"),
    "gzip of trailing": (gzip.compress(MATRIX + b"\0"), "trailing"),
    "gzip magic only": (PACKED[:2], "damaged gzip"),
    "gzip method": (PACKED[:2] + b"\0" + PACKED[3:], "damaged gzip"),
    "gzip header cut": (PACKED[:6], "damaged gzip"),
    "gzip stream cut": (PACKED[: len(PACKED) // 2], "damaged gzip"),
    "gzip checksum cut": (PACKED[:-6], "damaged gzip"),
    "gzip stream changed": (PACKED[:10] + b"\xff" * 8 + PACKED[18:], "damaged gzip"),
    "gzip checksum changed": (
        PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:],
        "damaged gzip file: CRC",
    ),
    "gzip length changed": (
        PACKED[:-4] + bytes([PACKED[-4] ^ 1]) + PACKED[-3:],
        "damaged gzip file: Incorrect length",
    ),
    "gzip and more": (PACKED + b"more", "damaged gzip"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_read_idx_refuses(tmp_path, case):
    content, message = REFUSED[case]
    file = tmp_path / "some-idx2-int"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"some-idx2-int .*{message}") as info:
        read_idx(file)
    assert str(file) in str(info.value)


def test_read_idx_refuses_every_prefix(tmp_path):
    file = tmp_path / "file"
    for content in (MATRIX, PACKED):
        for size in range(len(content)):
            file.write_bytes(content[:size])
            with pytest.raises(ValueError, match="file "):
                read_idx(file)


# --------------------------------------------------------------------------------------------------
# imports, and the real data


def test_import_is_light():
    """The module is loaded alone: what the estimators import is not its affair."""
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('datasets', {datasets.__file__!r})\n"
        "spec.loader.exec_module(importlib.util.module_from_spec(spec))\n"
        "print(sorted({'matplotlib', 'numpy', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['numpy']"


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
