"""Training on rows outside memory: time, memory, and what block shuffling costs.

``python benchmarks/bench_out_of_core.py [--threads 1] [--parts curves stores sizes]``

- curves: MNIST with all rows shuffled, with blocks, and with blocks of rows that lie sorted by class. A
  block has 256 rows, and 16 blocks, 7 % of the rows, are mixed at a time.
- stores: one epoch over the same rows in memory and in files, which are not in the cache of the system;
  "cached": again, right after the epoch that has read the file.
- sizes: one epoch over rows that are generated when they are read, up to 20 GB, and over the same rows in
  memory, up to 6 GB.

Each case runs in a process of its own. Parts that are not named keep their earlier result.
"""

import argparse
import sys

from common import anonymous_memory, limit_threads, save, seconds

PARTS = ["curves", "stores", "sizes"]
parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--rows", type=int, default=500_000, help="of stores")
parser.add_argument("--most-rows", type=int, default=10_000_000, help="of sizes")
args = parser.parse_args()
limit_threads(args.threads)  # before any library is imported

import json  # noqa: E402
import multiprocessing  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import statistics  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from common import RESULTS, Peak  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier  # noqa: E402

from skmetric import TripletMetricTransformer, _stored_arrays  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402

FEATURES, MB = 512, 2**20
IN_MEMORY = 3_000_000  # rows that fit
NAME = f"out_of_core_{args.threads}"
MODEL = {"hidden_layer_sizes": (256,), "batch_size": 256, "max_iter": 1, "random_state": 0}


class Generated:
    """Rows of ten classes that are made when they are read. Their noise repeats every 16,384 rows."""

    dtype = np.dtype(np.float32)
    chunks = (512, FEATURES)

    def __init__(self, n_rows):
        rng = np.random.default_rng(0)
        self.shape = n_rows, FEATURES
        self.centres = rng.normal(size=(10, FEATURES)).astype(np.float32)
        self.noise = rng.standard_normal((32, *self.chunks), dtype=np.float32)

    def __getitem__(self, rows):
        start, stop, _ = rows.indices(self.shape[0])
        first = start // 512
        some = np.concatenate([self._chunk(number) for number in range(first, -(-stop // 512))])
        return some[start - 512 * first : stop - 512 * first]

    def _chunk(self, number):
        return self.centres[labels(512 * number, 512)] + self.noise[number % 32]


def labels(start, n):
    return (np.arange(start, start + n) % 10).astype(np.uint8)


# --- curves -----------------------------------------------------------------------------------------


def curve(shuffle, is_sorted):
    """Loss of each epoch, and accuracy of five neighbours on the test rows."""
    X, y = fetch_mnist(return_X_y=True)
    X_test, y_test = fetch_mnist(subset="test", return_X_y=True)
    if is_sorted:
        order = np.argsort(y, kind="stable")
        X, y = X[order], y[order]
    _stored_arrays.BLOCK_BYTES = 256 * X.shape[1]
    _stored_arrays.HELD_BYTES = 16 * _stored_arrays.BLOCK_BYTES
    scores, losses = [], []
    for seed in range(args.rounds):
        model = TripletMetricTransformer(max_iter=10, shuffle=shuffle, random_state=seed).fit(X, y)
        neighbors = KNeighborsClassifier(5).fit(model.transform(X), y)
        scores.append(neighbors.score(model.transform(X_test), y_test))
        losses.append(model.loss_curve_)
    return {"accuracy": scores, "mean_accuracy": statistics.mean(scores), "loss_curves": losses}


def curves():
    cases = {
        "all rows": (True, False),
        "blocks": ("blocks", False),
        "blocks of sorted rows": ("blocks", True),
    }
    return {name: in_a_process(curve, *case) for name, case in cases.items()}


# --- stores -----------------------------------------------------------------------------------------


def make_files(folder):
    import h5py
    import zarr

    rows = Generated(args.rows)
    mapped = np.lib.format.open_memmap(folder / "rows.npy", "w+", np.float32, rows.shape)
    hdf5 = h5py.File(folder / "rows.h5", "w").create_dataset("rows", rows.shape, "f4", chunks=rows.chunks)
    plain = zarr.create_array(
        folder / "rows.zarr", shape=rows.shape, dtype="f4", chunks=rows.chunks, compressors=None
    )
    for start in range(0, args.rows, 512):
        part = slice(start, min(start + 512, args.rows))
        mapped[part] = hdf5[part] = plain[part] = rows[part]
    mapped.flush()
    hdf5.file.close()


def drop_from_cache(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def opened(store, folder):
    import h5py
    import zarr

    match store.partition(",")[0]:
        case "memory":
            return np.load(folder / "rows.npy")
        case "memory map":
            return np.load(folder / "rows.npy", mmap_mode="r")
        case "HDF5":
            return h5py.File(folder / "rows.h5")["rows"]
        case "zarr":
            return zarr.open_array(str(folder / "rows.zarr"), mode="r")
        case "generated":
            return Generated(args.rows)


FILES = ["memory map", "memory map, blocks", "HDF5", "HDF5, cached", "zarr", "zarr, cached"]
STORES = ["memory", *FILES, "generated"]


def epoch(store, folder):
    """Seconds and memory of one epoch."""
    if "cached" not in store:
        drop_from_cache(folder)
    X = opened(store, folder)
    shuffle = "blocks" if "blocks" in store else True
    return fitted(X, shuffle)


def fitted(X, shuffle=True):
    model = TripletMetricTransformer(64, shuffle=shuffle, **MODEL)
    warm = Generated(2000)[0:2000]
    model.fit(warm, labels(0, 2000))
    y = labels(0, X.shape[0])
    before = anonymous_memory()
    with Peak() as peak:
        elapsed, _ = seconds(lambda: model.fit(X, y))
    return {
        "seconds": elapsed,
        "us_per_row": 1e6 * elapsed / X.shape[0],
        "before_mb": before / MB,
        "extra_mb": peak.extra_mb,
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def stores():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_a_process(make_files, folder)
        rounds = [
            {store: in_a_process(epoch, store, folder) for store in STORES} for _ in range(args.rounds)
        ]
    result = {}
    for store in STORES:
        ratios = [one[store]["seconds"] / one["memory"]["seconds"] for one in rounds]
        result[store] = {
            "us_per_row": statistics.median(one[store]["us_per_row"] for one in rounds),
            "ratio_to_memory": [statistics.median(ratios), min(ratios), max(ratios)],
            "extra_mb": max(one[store]["extra_mb"] for one in rounds),
        }
    return {"rows": args.rows, "stores": result}


# --- sizes ------------------------------------------------------------------------------------------


def size(n_rows):
    return {"rows": n_rows, **fitted(Generated(n_rows))}


def size_in_memory(n_rows):
    generated = Generated(n_rows)
    X = np.empty(generated.shape, generated.dtype)
    for start in range(0, n_rows, 512):
        X[start : start + 512] = generated[start : start + 512]
    return fitted(X)["us_per_row"]


def reading(n_rows):
    """Seconds of reading alone."""
    X = Generated(n_rows)
    return seconds(lambda: [X[start : start + 512] for start in range(0, n_rows, 512)])[0]


def sizes():
    fractions = [0.01, 0.1, 0.3, 1]
    rows = []
    for n in (round(fraction * args.most_rows) for fraction in fractions):
        rows.append(in_a_process(size, n))
        if n <= IN_MEMORY:
            rows[-1]["us_per_row_in_memory"] = in_a_process(size_in_memory, n)
    n = min(args.most_rows, 500_000)
    return {"sizes": rows, "reading_us_per_row": 1e6 * in_a_process(reading, n) / n}


# ----------------------------------------------------------------------------------------------------


def in_a_process(case, *arguments):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.apply(case, arguments)
    print(case.__name__, *arguments, result, flush=True)
    return result


if __name__ == "__main__":
    path = RESULTS / f"{NAME}.json"
    result = json.loads(path.read_text())["parts"] if path.exists() else {}
    for part in args.parts:
        result[part] = globals()[part]()
        save(NAME, {"command": sys.argv, "parts": result}, "h5py", "zarr")
