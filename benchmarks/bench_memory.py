"""Memory of training and inference, and the price of a memory map.

``python benchmarks/bench_memory.py [--rows 1000000]`` (makes a file of 2 GB in the temporary folder)

Each case runs in a process of its own; a `fit` is measured once, inference in turn with its products. The
memory is that of the process (anonymous pages, so that the page cache of a memory map does not count) at
its peak, less what it was when the data lay ready.
"""

import argparse
import sys

from common import Peak, limit_threads, save, seconds

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--repeats", type=int, default=5)
args = parser.parse_args()
limit_threads(1)  # before any library is imported; training takes one thread anyway

import multiprocessing  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer  # noqa: E402
from skmetric._engine.initialization import initial_parameters  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402

FEATURES, MB, CHUNK = 512, 2**20, 1024
TRIPLET = {
    "standardize": False,
    "dropout": 0,
    "batch_size": 256,
    "max_iter": 1,
    "learning_rate": "constant",
    "random_state": 0,
}


def warmed_up(model, X, y):
    """What is loaded at first use, and is there once whatever the data, is not memory of the data."""
    model.fit(X[:600], y[:600])
    return model


def fit_uint8(path):
    return _fit_images(TripletMetricTransformer(64, (256,), input_weight=0, **TRIPLET))


def classifier_uint8(path):
    return _fit_images(SoftmaxMLPClassifier((256,), **TRIPLET))


def _fit_images(model):
    X, y = fetch_mnist(return_X_y=True)
    warmed_up(model, X, y)
    with Peak() as peak:
        model.fit(X, y)
    return {"extra_mb": peak.extra_mb, "data_mb": X.nbytes / MB, "dtype": str(X.dtype)}


def labels(X):
    return (np.arange(len(X)) % 10).astype(np.uint8)


def fit_memmap(path):
    """From the disk: the pages of the file are taken out of the cache first."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return _fit_large(np.load(path, mmap_mode="r"))


def fit_in_memory(path):
    return _fit_large(np.load(path))


def _fit_large(X):
    y = labels(X)
    model = warmed_up(TripletMetricTransformer(64, (256,), input_weight=0, **TRIPLET), X, y)
    with Peak() as peak:
        elapsed, _ = seconds(lambda: model.fit(X, y))
    return {"extra_mb": peak.extra_mb, "seconds": elapsed, "us_per_row": 1e6 * elapsed / len(X)}


def transform(path):
    X = np.load(path)
    model = warmed_up(TripletMetricTransformer(64, (256,), input_weight=0, **TRIPLET), X, labels(X))
    return _against_products(X, model.transform, 64)


def predict_proba(path):
    X = np.load(path)
    model = warmed_up(SoftmaxMLPClassifier((256,), **TRIPLET), X, labels(X))
    return _against_products(X, model.predict_proba, 10)


def _against_products(X, output, n_outputs):
    """Inference through 256 hidden units against its products alone, in turn."""
    rng = np.random.default_rng(0)
    (W1, W2), _ = initial_parameters([FEATURES, 256, n_outputs], "relu", rng, np.float32)
    hidden = np.ones((CHUNK, 256), np.float32)

    def products():
        Z = np.empty((len(X), n_outputs), np.float32)  # new as the result of ours: that costs time
        for start in range(0, len(X), CHUNK):
            rows = X[start : start + CHUNK]
            H = np.dot(rows, W1, out=hidden[: len(rows)])
            np.dot(H, W2, out=Z[start : start + CHUNK])

    with Peak() as peak:
        output(X)
    ratios = _ratios(lambda: output(X), products)
    return {"extra_mb": peak.extra_mb, "result_mb": 4 * len(X) * n_outputs / MB, **ratios}


def pairwise_distance(path):
    """Among 10,000 rows; scikit-learn, which does it, takes the product in float64."""
    X = np.array(np.load(path, mmap_mode="r")[:10000])
    model = warmed_up(TripletMetricTransformer(64, (256,), input_weight=0, **TRIPLET), X, labels(X))
    Z = model.transform(X).astype(np.float64)
    with Peak() as peak:
        model.pairwise_distance(X)
    ratios = _ratios(lambda: model.pairwise_distance(X), lambda: np.dot(Z, Z.T.copy()))
    return {"extra_mb": peak.extra_mb, "result_mb": 4 * len(Z) ** 2 / MB, **ratios}


def _ratios(output, products):
    ours, bare = [], []
    for _ in range(args.repeats):
        ours.append(seconds(output)[0])
        bare.append(seconds(products)[0])
    ratios = [a / b for a, b in zip(ours, bare)]
    return {
        "seconds": statistics.median(ours),
        "products_seconds": statistics.median(bare),
        "ratio": [statistics.median(ratios), min(ratios), max(ratios)],
    }


CASES = [
    fit_uint8,
    classifier_uint8,
    fit_in_memory,
    fit_memmap,
    transform,
    predict_proba,
    pairwise_distance,
]


def in_a_process(case, path):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.apply(case, (path,))
    print(
        case.__name__, {k: np.round(v, 2) if k != "dtype" else v for k, v in result.items()}, flush=True
    )
    return result


def make_rows(path):
    X = np.lib.format.open_memmap(path, "w+", np.float32, (args.rows, FEATURES))
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, FEATURES)).astype(np.float32)
    for start in range(0, args.rows, 10000):
        part = X[start : start + 10000]
        part[...] = rng.standard_normal(part.shape, dtype=np.float32) + centres[labels(part)]
    X.flush()


if __name__ == "__main__":
    result = {"command": sys.argv, "rows": args.rows}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rows.npy")
        make_rows(path)
        time.sleep(1)
        for case in CASES:
            result[case.__name__] = in_a_process(case, path)
    ratio = result["fit_memmap"]["us_per_row"] / result["fit_in_memory"]["us_per_row"]
    print(f"time per row, memory map / in memory: {ratio:.2f}")
    save("memory", {**result, "memmap_over_memory": ratio})
