"""Approximate search behind an embedding: recall, accuracy, time and memory, against exact search.

``python benchmarks/bench_approximate.py [--cases 60000:1,60000:all,1000000:all] [--epochs 20]`` (extra
`bench`; data: `SKMETRIC_DATA`)

A case is the number of rows of the gallery and the number of CPUs that everybody gets. The gallery is
MNIST's training rows in a triplet embedding that was trained on them. Where it has more rows, the others
are the same images, each time moved by up to two pixels in each direction and with noise on the pixels,
through the same embedding. The queries are MNIST's test rows, 2,000 of them in the larger galleries. They
search the ten nearest rows; where pynndescent has 5 links it can give 5 only.

Each contestant runs in a process of its own. It first searches among 2,000 rows: "first use" is the time
of this. For pynndescent it is compilation by numba, whose cache is empty when the run begins: the first
pynndescent pays what a user pays after the installation, the others what each later process pays. Then
come the build, with one query in it, and three rounds of all queries. The memory is that of the process
at its peak in the build and the queries, less what it was before. The ratio of two times is to be taken
within a case. Writes ``results/approximate.json``.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from common import ALL_CPUS, PAUSE, Peak, limit_threads, save, seconds

# NumPy and all that needs it are imported by the functions: each process sets its threads first.

K = 10
REPEATS = 3
LATER_QUERIES = 2000  # in galleries that are larger than MNIST
MNIST_ROWS = 60_000
LARGEST_SHIFT = 2  # pixels
NOISE = 0.1  # standard deviation; pixels are on [0, 1]


# --- contestants: from a gallery to a function of queries ----------------------------------------------


def exact(gallery, n_threads):
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(gallery)
    return partial(search.kneighbors, return_distance=False)


def pynndescent(n_links, epsilon, gallery, n_threads):
    from pynndescent import PyNNDescentTransformer

    search = PyNNDescentTransformer(n_links, search_epsilon=epsilon, random_state=0).fit(gallery)
    return lambda queries: search.transform(queries).indices.reshape(len(queries), -1)[:, :K]


def faiss_ivf(n_probes, gallery, n_threads):
    import faiss

    faiss.omp_set_num_threads(n_threads)
    n_cells = int(len(gallery) ** 0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(gallery.shape[1]), gallery.shape[1], n_cells)
    index.train(gallery)
    index.add(gallery)
    index.nprobe = n_probes
    return lambda queries: index.search(queries, K)[1]


def faiss_hnsw(n_links, n_candidates, gallery, n_threads):
    import faiss

    faiss.omp_set_num_threads(n_threads)
    index = faiss.IndexHNSWFlat(gallery.shape[1], n_links)
    index.hnsw.efConstruction = 100
    index.hnsw.efSearch = n_candidates
    index.add(gallery)
    return lambda queries: index.search(queries, K)[1]


CONTESTANTS = {
    "exact (scikit-learn, brute force)": exact,
    "pynndescent, 5 links, as for KNeighborsTransformer": partial(pynndescent, 5, 0.1),
    "pynndescent, 50 links, search_epsilon=0.3": partial(pynndescent, 50, 0.3),
    "faiss IVF, 16 of sqrt(n) cells": partial(faiss_ivf, 16),
    "faiss HNSW, 32 links, efSearch=128": partial(faiss_hnsw, 32, 128),
}
EXACT = next(iter(CONTESTANTS))


# --- a contestant in its process -----------------------------------------------------------------------


def measured(pipe, name, folder, n_rows, n_threads):
    limit_threads(n_threads)
    import numpy as np

    gallery = np.load(folder / "gallery.npy", mmap_mode="r")[:n_rows].copy()
    queries = np.load(folder / "queries.npy")
    if n_rows > MNIST_ROWS:
        queries = queries[:LATER_QUERIES].copy()
    build = partial(CONTESTANTS[name], n_threads=n_threads)

    def ready(rows):
        search = build(rows)
        search(queries[:1])
        return search

    first_use, _ = seconds(lambda: ready(gallery[:2000]))
    time.sleep(PAUSE)
    with Peak() as peak:
        building, search = seconds(lambda: ready(gallery))
        rounds = []
        for _ in range(REPEATS):
            time.sleep(PAUSE)
            elapsed, found = seconds(lambda: search(queries))
            rounds.append(elapsed)
    result = {
        "first_use_s": first_use,
        "build_s": building,
        "query_s_per_1000": 1000 * statistics.median(rounds) / len(queries),
        "extra_mb": peak.extra_mb,
        "gallery_mb": gallery.nbytes / 2**20,
    }
    pipe.send((result, found))


def in_its_own_process(name, *where):
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=measured, args=(theirs, name, *where))
    process.start()
    theirs.close()
    try:
        result = ours.recv()
    except EOFError:
        sys.exit(f"{name}: the process died, see its message above")
    process.join()
    return result


# --- the data, and a case ------------------------------------------------------------------------------


def moved(X, rng):
    """The images, each moved by some pixels, with noise."""
    import numpy as np

    images = X.reshape(-1, 28, 28)
    result = np.empty_like(images)
    shifts = rng.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, size=(len(images), 2))
    for shift in np.unique(shifts, axis=0):
        rows = (shifts == shift).all(axis=1)
        result[rows] = np.roll(images[rows], shift, axis=(1, 2))
    result += rng.normal(scale=NOISE, size=result.shape).astype(np.float32)
    return result.reshape(len(X), -1).clip(0, 1)


def prepare(folder, n_rows, n_epochs):
    """Write embeddings of a gallery and of the queries; return the labels of both."""
    import numpy as np
    from data import images

    from skmetric import TripletMetricTransformer
    from skmetric.datasets import fetch_mnist

    X, y, X_test, y_test = images(fetch_mnist)
    embedding = TripletMetricTransformer(max_iter=n_epochs, random_state=0).fit(X, y)
    rng = np.random.default_rng(0)
    parts = [embedding.transform(X)]
    while len(parts) * len(X) < n_rows:
        parts.append(embedding.transform(moved(X, rng)))
    np.save(folder / "gallery.npy", np.concatenate(parts)[:n_rows])
    np.save(folder / "queries.npy", embedding.transform(X_test))
    return np.tile(y, len(parts)), y_test


def recall(found, exact, k):
    """Fraction of the `k` nearest rows that were found among as many."""
    import numpy as np

    pairs = zip(exact, found)
    return float(np.mean([np.isin(true[:k], own[:k]).mean() for true, own in pairs]))


def accuracy(found, y, y_test):
    """Of the most frequent class among the five nearest rows."""
    from scipy.stats import mode

    voted = mode(y[found[:, :5]], axis=1).mode
    return float((voted == y_test[: len(found)]).mean())


def case(folder, n_rows, n_threads, y, y_test):
    rows = []
    for name in CONTESTANTS:
        result, found = in_its_own_process(name, folder, n_rows, n_threads)
        if name == EXACT:
            nearest, slowest = found, result["query_s_per_1000"]
        row = {"n_rows": n_rows, "threads": n_threads, "method": name, **result}
        row["queries_exact_over_this"] = slowest / result["query_s_per_1000"]
        for k in (5, K):
            if k <= found.shape[1]:
                row[f"recall_at_{k}"] = recall(found, nearest, k)
        rows.append(row | {"accuracy": accuracy(found, y, y_test)})
        print(rows[-1], flush=True)
    return rows


def parsed(cases):
    for one in cases.split(","):
        n_rows, n_threads = one.split(":")
        yield int(n_rows), len(ALL_CPUS) if n_threads == "all" else int(n_threads)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", default="60000:1,60000:all,1000000:all")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    cases = list(parsed(args.cases))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = str(Path(folder) / "numba")
        labels = prepare(Path(folder), max(n_rows for n_rows, _ in cases), args.epochs)
        rows = [row for one in cases for row in case(Path(folder), *one, *labels)]
    save("approximate", {"command": sys.argv, "rows": rows}, "pynndescent", "numba", "faiss-cpu")
