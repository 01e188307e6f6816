"""Small files of the form of MNIST, and what stands for the network in tests of their loaders."""

import gzip
import struct
import tracemalloc
from contextlib import contextmanager
from urllib.error import URLError

import numpy as np

SIZES = {"train": 12, "test": 10}
FIRST_LABELS = {
    "mnist": {"train": [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], "test": [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]},
    "fashion_mnist": {
        "train": [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
        "test": [9, 2, 1, 1, 6, 1, 4, 6, 5, 7],
    },
}
IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


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


def without_network(monkeypatch, tmp_path):
    """No folder of the user is searched, and OpenML is an `Offline`."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))
    monkeypatch.delenv("SKMETRIC_DATA", raising=False)
    offline = Offline()
    monkeypatch.setattr("sklearn.datasets.fetch_openml", offline)
    return offline


def searched_folders(monkeypatch, tmp_path):
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


@contextmanager
def traced():
    """A function that says how many bytes were allocated at most, within ``with``."""
    peaks = []
    tracemalloc.start()
    try:
        yield lambda: peaks[0]
    finally:
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
