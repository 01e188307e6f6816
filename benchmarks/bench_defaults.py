"""Methods at their defaults in front of nearest neighbours, on data sets of many kinds.

``python benchmarks/bench_defaults.py [--splits 5] [--jobs 2] [--only Triplet,raw] [--sets "wine; iris"]``
(extra `bench`)

Embeddings stand in front of ``KNeighborsClassifier(5)``; classifiers are scored themselves. The methods
of skmetric get rows as they come, all others have a ``StandardScaler`` in front, but for "raw scaled
alike": the rows, scaled as the methods of skmetric scale them. Each split
is stratified, half train and half test (flowers: of the 750 photos of its training and validation
parts). NCA is scikit-learn's; metric-learn 0.7.0 gets one argument renamed at run time
(`common.metric_learn_today`). A fit that fails, takes more than `--limit` seconds or needs more than 9
GB counts as the last place. The defaults of skmetric were chosen on the training halves of the first
split (`bench_tuning`): as for all who tune on a benchmark, other data judges them better.
"""

import argparse
import datetime
import multiprocessing.pool
import resource
import sys
import warnings

import numpy as np
from common import earlier_rows, metric_learn_today, save, seconds
from data import flowers
from scipy.stats import rankdata
from sklearn import datasets
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric._engine.standardization import standardization_of
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist

MEMORY = 9 * 2**30  # of a process: NCA and metric-learn make matrices of features x features

# --- data -------------------------------------------------------------------------------------------


def embedded(load):
    return lambda: load(return_X_y=True)


def first_rows(fetch, n):
    def load():
        X, y = fetch(return_X_y=True)
        return X[:n].astype(np.float32), y[:n]

    return load


def known_flowers():
    """The training and the validation part together."""
    return tuple(np.concatenate(arrays) for arrays in zip(*flowers("train", "val")))


def with_noise(load, n_useless):
    def noisy():
        X, y = load(return_X_y=True)
        rng = np.random.default_rng(0)
        return np.hstack([X, X.std() * rng.normal(size=(len(X), n_useless))]), y

    return noisy


def many_classes(n_classes, n_rows, n_features=40, spread=2.2):
    """Classes on curved sheets: a fixed random network of a class centre and of noise."""

    def load():
        rng = np.random.default_rng(0)
        y = np.arange(n_rows) % n_classes
        centres = rng.normal(size=(n_classes, 12))
        hidden = np.tanh(
            (centres[y] * spread + rng.normal(size=(n_rows, 12))) @ rng.normal(size=(12, 60))
        )
        return hidden @ rng.normal(size=(60, n_features)) + rng.normal(size=(n_rows, n_features)), y

    return load


def imbalanced():
    """Digits, of which the odd ones are ten times rarer."""
    X, y = datasets.load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    kept = (y % 2 == 0) | (rng.random(len(y)) < 0.1)
    return X[kept], y[kept]


def two_moons():
    return datasets.make_moons(1000, noise=0.25, random_state=0)


def hastie():
    X, y = datasets.make_hastie_10_2(2000, random_state=0)
    return X, (y > 0).astype(int)


def wide():
    """More features than rows."""
    return datasets.make_classification(
        200, 1000, n_informative=20, n_redundant=100, n_classes=4, class_sep=2.0, random_state=0
    )


SETS = {
    "iris": embedded(datasets.load_iris),
    "wine": embedded(datasets.load_wine),
    "breast cancer": embedded(datasets.load_breast_cancer),
    "digits": embedded(datasets.load_digits),
    "digits, 10x imbalance": imbalanced,
    "digits + 500 useless": with_noise(datasets.load_digits, 500),
    "wine + 50 useless": with_noise(datasets.load_wine, 50),
    "MNIST 2000": first_rows(fetch_mnist, 4000),
    "Fashion 2000": first_rows(fetch_fashion_mnist, 4000),
    "flowers12": known_flowers,
    "200 classes": many_classes(200, 4000),
    "60 classes of 5": many_classes(60, 600),
    "moons": two_moons,
    "hastie": hastie,
    "200 x 1000": wide,
}

# --- methods ----------------------------------------------------------------------------------------


def nearest(transformer):
    return make_pipeline(transformer, KNeighborsClassifier(5))


def scaled_nearest(transformer):
    return make_pipeline(StandardScaler(), transformer, KNeighborsClassifier(5))


class ScaledAlike(TransformerMixin, BaseEstimator):
    """Rows, centred and scaled as the methods of skmetric do it."""

    def fit(self, X, y=None):
        rows = np.arange(len(X))
        self.standardization_ = standardization_of(X, rows, "auto", np.ones(len(X)), np.float64)
        return self

    def transform(self, X):
        X = X.astype(np.float64)
        self.standardization_.apply(X)
        return X


EMBEDDINGS = {
    "raw": lambda: nearest(StandardScaler()),
    "raw scaled alike": lambda: nearest(ScaledAlike()),
    "PCA": lambda: scaled_nearest(PCA(0.95, random_state=0)),
    "LDA": lambda: scaled_nearest(LinearDiscriminantAnalysis()),
    "NCA": lambda: scaled_nearest(NeighborhoodComponentsAnalysis(random_state=0)),
    "LMNN": lambda: scaled_nearest(metric_learn_today().LMNN(random_state=0)),
    "ITML": lambda: scaled_nearest(metric_learn_today().ITML_Supervised(random_state=0)),
    "Triplet": lambda: nearest(TripletMetricTransformer(random_state=0)),
    "Contrastive": lambda: nearest(ContrastiveMetricTransformer(random_state=0)),
    "Neighborhood": lambda: nearest(NeighborhoodMetricTransformer(random_state=0)),
}
CLASSIFIERS = {
    "MLPClassifier": lambda: make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
    "SoftmaxMLPClassifier": lambda: SoftmaxMLPClassifier(random_state=0),
}
METHODS = {**EMBEDDINGS, **CLASSIFIERS}


def measured(pipe, set_name, method, n_splits):
    """Accuracy and seconds of fit, for each split."""
    warnings.simplefilter("ignore")
    threadpool_limits(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    X, y = SETS[set_name]()
    split = StratifiedShuffleSplit(n_splits, test_size=0.5, random_state=0)
    for train, test in split.split(X, y):
        model = METHODS[method]()
        elapsed, _ = seconds(lambda model=model, train=train: model.fit(X[train], y[train]))
        pipe.send((model.score(X[test], y[test]), elapsed))
    pipe.send(None)


def case(arguments):
    """What came of all splits before one failed or took too long."""
    set_name, method, n_splits, limit = arguments
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=measured, args=(theirs, set_name, method, n_splits))
    process.start()
    theirs.close()
    results = []
    try:
        while ours.poll(limit) and (result := ours.recv()) is not None:
            results.append(result)
    except EOFError:
        pass  # the process died; its message is above
    process.kill()
    process.join()
    ended = len(results) == n_splits
    accuracy = [float(score) for score, _ in results] if ended else [0.0] * n_splits
    times = [elapsed for _, elapsed in results] if ended else [float(limit)] * n_splits
    print(
        f"{set_name:24s} {method:22s} {100 * np.mean(accuracy):6.2f} % {np.mean(times):8.2f} s",
        flush=True,
    )
    entry = {"set": set_name, "method": method, "accuracy": accuracy, "seconds": times, "ended": ended}
    return entry | {"date": datetime.date.today().isoformat()}


# --- table ------------------------------------------------------------------------------------------


def places(accuracy):
    """Ranks within each row of a table of accuracies; 1 is the best, ties share."""
    return rankdata(-np.asarray(accuracy).round(6), axis=1)


def means(rows, key):
    """Mean over the splits, by set and method."""
    return {(row["set"], row["method"]): np.mean(row[key]) for row in rows}


def extreme(choose, values):
    """Smallest or largest value, and its set."""
    where = choose(values, key=values.get)
    return [values[where], where]


def table(rows):
    """Mean rank, wins, worst gap to the better of both raws (None where a fit failed), and seconds."""
    accuracy, times = means(rows, "accuracy"), means(rows, "seconds")
    failed = {row["method"] for row in rows if not row["ended"]}
    result = {}
    for group in (EMBEDDINGS, CLASSIFIERS):
        ranks = places([[accuracy[s, method] for method in group] for s in SETS])
        wins = (ranks == ranks.min(axis=1, keepdims=True)).sum(axis=0)
        for method, rank, n_wins in zip(group, ranks.mean(axis=0), wins.tolist()):
            raw = {s: max(accuracy[s, "raw"], accuracy[s, "raw scaled alike"]) for s in SETS}
            gaps = {s: 100 * (accuracy[s, method] - raw[s]) for s in SETS}
            slowness = {s: times[s, method] / times[s, "MLPClassifier"] for s in SETS}
            result[method] = {
                "mean_rank": rank,
                "wins": n_wins,
                "worst_against_raw": None if method in failed else extreme(min, gaps),
                "seconds_of_all_sets": sum(times[s, method] for s in SETS),
                "slowest_against_mlp": extreme(max, slowness),
            }
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60, help="seconds for a fit")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default=",".join(METHODS), help="methods to run anew")
    parser.add_argument("--sets", default="; ".join(SETS), help="sets to run anew, with '; ' between")
    args = parser.parse_args()
    pairs = [(name, method) for name in args.sets.split("; ") for method in args.only.split(",")]
    # The others keep what they had.
    rows = [row for row in earlier_rows("defaults") if (row["set"], row["method"]) not in pairs]
    cases = [(name, method, args.splits, args.limit) for name, method in pairs]
    with multiprocessing.pool.ThreadPool(args.jobs) as pool:
        rows += pool.map(case, cases, chunksize=1)
    result = table(rows)
    for method, entry in result.items():
        print(method, entry)
    save("defaults", {"command": sys.argv, "table": result, "rows": rows}, "metric-learn")
