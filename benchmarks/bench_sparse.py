"""Sparse rows: what their number type and the product of the first layer save.

``python benchmarks/bench_sparse.py [--threads 1] [--repeats 3]``

- counts: word counts (20,000 x 3,000, int32, 7 % not 0), ten epochs of the triplet. The same counts as
  float64 take the way that all integers of 32 bits took before they were trained in float32.
- thin: word counts (8,000 x 20,000, 0.4 % not 0), five epochs. The same with batches that are made dense.

The accuracy is that of five neighbours, of rows of the same topics that were not learned. Writes
``results/sparse_<threads>.json``.
"""

import argparse
import sys

from common import interleaved, limit_threads, save, summary

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--repeats", type=int, default=3)
args = parser.parse_args()
limit_threads(args.threads)  # before any library is imported

import numpy as np  # noqa: E402
from scipy.sparse import csr_array, vstack  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier  # noqa: E402

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer  # noqa: E402
from skmetric._engine import sparse_rows  # noqa: E402

TOPICS, N_TEST, PART = 20, 2000, 500


def texts(n_rows, n_words, length, own):
    """Counts of words, of which a part `own` is of the topic of a text, and the topics."""
    rng = np.random.default_rng(0)
    y = rng.integers(TOPICS, size=n_rows)
    common, *topics = rng.dirichlet(np.full(n_words, 0.3), size=TOPICS + 1)
    words = own * np.array(topics) + (1 - own) * common
    drawn = [rng.poisson(length * words[y[i : i + PART]]) for i in range(0, n_rows, PART)]
    return vstack([csr_array(part.astype(np.int32)) for part in drawn], format="csr"), y


def accuracy(model, X, y, X_test, y_test):
    if isinstance(model, SoftmaxMLPClassifier):
        return model.score(X_test, y_test)
    neighbors = KNeighborsClassifier(5).fit(model.transform(X), y)
    return neighbors.score(model.transform(X_test), y_test)


def compared(contestants, against, X, y, X_test, y_test):
    times, models = interleaved(contestants, args.repeats)
    entries = summary(times, against)
    for name, entry in entries.items():
        entry["accuracy"] = accuracy(models[name], X, y, X_test, y_test)
        print(name, entry, flush=True)
    return {"rows": len(y), "features": X.shape[1], "filled": X.nnz / len(y) / X.shape[1], "of": entries}


def held_out(X, y):
    return X[N_TEST:], y[N_TEST:], X[:N_TEST], y[:N_TEST]


def counts():
    X, y, *test = held_out(*texts(20_000 + N_TEST, 3000, 230, 0.3))
    model = TripletMetricTransformer(max_iter=10, random_state=0)
    as_before = X.astype(np.float64)
    contestants = {
        "float64": lambda: clone(model).fit(as_before, y),
        "int32": lambda: clone(model).fit(X, y),
    }
    return compared(contestants, "float64", X, y, *test)


def dense_batches(model, X, y):
    thin, sparse_rows.THIN = sparse_rows.THIN, 0
    try:
        return clone(model).fit(X, y)
    finally:
        sparse_rows.THIN = thin


def thin(model):
    X, y, *test = held_out(*texts(8000 + N_TEST, 20_000, 85, 0.8))
    contestants = {
        "dense batches": lambda: dense_batches(model, X, y),
        "sparse batches": lambda: clone(model).fit(X, y),
    }
    return compared(contestants, "dense batches", X, y, *test)


if __name__ == "__main__":
    result = {
        "triplet, counts": counts(),
        "triplet, thin": thin(TripletMetricTransformer(max_iter=5, random_state=0)),
        "classifier, thin": thin(SoftmaxMLPClassifier((100,), max_iter=5, random_state=0)),
    }
    save(f"sparse_{args.threads}", {"command": sys.argv, "cases": result})
