"""How the defaults were chosen: cross-validation on the training halves of `bench_defaults`.

``python benchmarks/bench_tuning.py triplet [--jobs 2] [--keep]`` (or ``contrastive``, ``neighborhood``,
``softmax``; the same with ``_rows`` behind; extra `bench`; with ``--keep`` candidates that the results
have already are not run again)

Each candidate differs from the defaults in what it is named after. The test halves of `bench_defaults`
(of its first split) are never looked at here. Rows have a ``StandardScaler`` in front, and nothing of the
input is kept; in the kinds with ``_rows``, rows come as they are and all else is as by default. Writes
``results/tuning_triplet.json``: mean accuracy, mean rank and seconds of each candidate.
"""

import argparse
import json
import sys
import warnings
from unittest.mock import patch

import numpy as np
from bench_defaults import SETS, nearest, places, scaled_nearest
from common import RESULTS, save, seconds
from joblib import Parallel, delayed
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import skmetric._building
from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric._engine.initialization import scale_to_distance

# What is kept of the input is tuned by bench_unseen.py, and adds to all candidates alike; so does what
# standardize="auto" gains over the StandardScaler in front of all.
PINNED = {"n_networks": 1, "input_weight": 0, "standardize": False, "random_state": 0}


def triplet(**options):
    return scaled_nearest(TripletMetricTransformer(**(PINNED | options)))


def contrastive(**options):
    return scaled_nearest(ContrastiveMetricTransformer(**(PINNED | options)))


def neighborhood(**options):
    return scaled_nearest(NeighborhoodMetricTransformer(**(PINNED | options)))


def softmax(**options):
    return make_pipeline(
        StandardScaler(), SoftmaxMLPClassifier(standardize=False, random_state=0, **options)
    )


def triplet_rows(**options):
    return nearest(TripletMetricTransformer(random_state=0, **options))


def neighborhood_rows(**options):
    return nearest(NeighborhoodMetricTransformer(random_state=0, **options))


def softmax_rows(**options):
    return SoftmaxMLPClassifier(random_state=0, **options)


UNSCALED = "initial scale"  # not a parameter of the estimators: what came of choosing it
CANDIDATES = {
    "triplet": [
        {},
        {UNSCALED: False},
        {"dropout": 0.0},
        {"dropout": 0.2},
        {"dropout": 0.3},
        {"input_dropout": 0.2},
        {"learning_rate_init": 0.001},
        {"learning_rate_init": 0.01},
        {"learning_rate": "constant"},
        {"learning_rate": "adaptive"},
        {"max_iter": 30},
        {"max_iter": 100},
        {"batch_size": 64},
        {"batch_sampler": "shuffle"},
        {"batch_sampler": "balanced"},
        {"margin": 100.0},
        {"mining": "semihard"},
        {"reduction": "mean"},
        {"normalize": True},
        {"alpha": 1e-3},
    ],
    "contrastive": [
        {},
        {UNSCALED: False},
        {"negative_margin": 1.0},
        {"negative_margin": 100.0},
        {"learning_rate_init": 0.003},
        {"learning_rate_init": 0.0003},
        {"input_dropout": 0.0},
        {"reduction": "mean"},
        {"max_iter": 50},
    ],
    "neighborhood": [
        {},
        {"loss": "supervised_contrastive"},
        {"temperature": 10.0},
        {"dropout": 0.1},
        {"max_iter": 30},
    ],
    "softmax": [
        {},
        {"alpha": 1e-5},
        {"alpha": 1e-3},
        {"dropout": 0.5},
        {"learning_rate_init": 0.002},
        {"learning_rate_init": 0.01},
        {"max_iter": 100},
        {"batch_size": 128},
    ],
    "triplet_rows": [
        {},
        {"n_networks": 1},
        {"n_networks": 3, "dropout": 0.3},
        {"n_networks": 1, "hidden_layer_sizes": (768,)},
        {"standardize": "common"},
        {"standardize": "features"},
        {"input_weight": 1.4},
    ],
    "neighborhood_rows": [
        {},
        {"n_networks": 1},
        {"input_weight": 1.4},
    ],
    "softmax_rows": [
        {},
        {"n_networks": 3},
        {"standardize": "common"},
        {"standardize": "features"},
    ],
}
MAKE = {
    "triplet": triplet,
    "contrastive": contrastive,
    "neighborhood": neighborhood,
    "softmax": softmax,
    "triplet_rows": triplet_rows,
    "neighborhood_rows": neighborhood_rows,
    "softmax_rows": softmax_rows,
}


def cross_validated(kind, options, set_name):
    """Mean accuracy and seconds, over three folds of the training half, three times where it is small."""
    warnings.simplefilter("ignore")
    options = dict(options)
    scale = scale_to_distance if options.pop(UNSCALED, True) else lambda coefs, Z, distance: None
    X, y = SETS[set_name]()
    half, _ = next(StratifiedShuffleSplit(1, test_size=0.5, random_state=0).split(X, y))
    X, y = X[half], np.unique(y[half], return_inverse=True)[1]
    n_splits, n_repeats = min(3, np.bincount(y).min()), 3 if len(y) < 400 else 1
    folds = RepeatedStratifiedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=0)
    scores, times = [], []
    with threadpool_limits(1), patch.object(skmetric._building, "scale_to_distance", scale):
        for train, validation in folds.split(X, y):
            model = MAKE[kind](**options)
            times.append(seconds(lambda model=model, train=train: model.fit(X[train], y[train]))[0])
            scores.append(model.score(X[validation], y[validation]))
    return float(np.mean(scores)), float(np.mean(times))


def summary(options, accuracy, times):
    """A row of the table but for its rank; both by data set."""
    return {
        "options": options,
        "mean_accuracy": float(np.mean(accuracy)),
        "seconds": float(np.sum(times)),
        "accuracy": dict(zip(SETS, map(float, accuracy))),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=list(CANDIDATES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="do not run again what is there")
    args = parser.parse_args()
    candidates, path = CANDIDATES[args.kind], RESULTS / f"tuning_{args.kind}.json"
    kept = json.loads(path.read_text())["rows"] if args.keep else []
    wanted = [options for options in candidates if options not in [row["options"] for row in kept]]
    cases = [(args.kind, options, set_name) for options in wanted for set_name in SETS]
    results = Parallel(args.jobs)(delayed(cross_validated)(*case) for case in cases)
    table = np.array(results).reshape(len(wanted), len(SETS), 2)
    fresh = [summary(options, *own.T) for options, own in zip(wanted, table)]
    rows = [row for options in candidates for row in kept + fresh if row["options"] == options]
    ranks = places(np.array([list(row["accuracy"].values()) for row in rows]).T).mean(axis=0)
    for row, rank in zip(rows, ranks):
        row["mean_rank"] = float(rank)
        print({key: value for key, value in row.items() if key != "accuracy"}, flush=True)
    save(f"tuning_{args.kind}", {"command": sys.argv, "rows": rows})
