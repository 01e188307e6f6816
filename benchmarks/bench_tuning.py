"""How the defaults were chosen: cross-validation on the training halves of `bench_defaults`.

``python benchmarks/bench_tuning.py triplet [--jobs 2]`` (or ``contrastive``, ``softmax``; extra `bench`)

The test halves of `bench_defaults` are never looked at here. Writes ``results/tuning_triplet.json``: mean
accuracy, mean rank and seconds of each candidate.
"""

import argparse
import sys
import warnings

import numpy as np
from bench_defaults import SETS, nearest
from common import save, seconds
from joblib import Parallel, delayed
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skmetric import ContrastiveMetricTransformer, SoftmaxMLPClassifier, TripletMetricTransformer


def triplet(**options):
    return nearest(TripletMetricTransformer(random_state=0, **options))


def contrastive(**options):
    return nearest(ContrastiveMetricTransformer(random_state=0, **options))


def softmax(**options):
    return make_pipeline(StandardScaler(), SoftmaxMLPClassifier(random_state=0, **options))


SLOW = {"learning_rate_init": 0.001}
CANDIDATES = {
    "triplet": [
        {},
        SLOW,
        {**SLOW, "margin": 10.0},
        {**SLOW, "margin": 100.0},
        {**SLOW, "dropout": 0.2},
        {**SLOW, "input_dropout": 0.2},
        {**SLOW, "dropout": 0.2, "input_dropout": 0.2},
        {**SLOW, "dropout": 0.2, "margin": 10.0},
        {**SLOW, "dropout": 0.2, "max_iter": 50},
    ],
    "contrastive": [{}, *({"negative_margin": margin} for margin in (30.0, 100.0, 300.0))],
    "softmax": [
        {},
        {"learning_rate_init": 0.002},
        {"dropout": 0.2},
        {"input_dropout": 0.2},
        {"dropout": 0.5, "input_dropout": 0.2},
        {"max_iter": 50},
    ],
}
MAKE = {"triplet": triplet, "contrastive": contrastive, "softmax": softmax}


def cross_validated(kind, options, set_name):
    """Mean accuracy over three folds of the training half, and seconds of a fit."""
    warnings.simplefilter("ignore")
    X, y = SETS[set_name]()
    half, _ = next(StratifiedShuffleSplit(1, test_size=0.5, random_state=0).split(X, y))
    X, y = X[half], np.unique(y[half], return_inverse=True)[1]
    folds = StratifiedKFold(min(3, np.bincount(y).min()), shuffle=True, random_state=0)
    scores, times = [], []
    with threadpool_limits(1):
        for train, validation in folds.split(X, y):
            model = MAKE[kind](**options)
            times.append(seconds(lambda model=model, train=train: model.fit(X[train], y[train]))[0])
            scores.append(model.score(X[validation], y[validation]))
    return float(np.mean(scores)), float(np.mean(times))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=list(CANDIDATES))
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    candidates = CANDIDATES[args.kind]
    cases = [(args.kind, options, set_name) for options in candidates for set_name in SETS]
    results = Parallel(args.jobs)(delayed(cross_validated)(*case) for case in cases)
    table = np.array(results).reshape(len(candidates), len(SETS), 2)
    ranks = rankdata(-table[:, :, 0].round(6), axis=0).mean(axis=1)
    rows = []
    for options, own, rank in zip(candidates, table, ranks):
        rows.append(
            {
                "options": options,
                "mean_accuracy": own[:, 0].mean(),
                "mean_rank": rank,
                "seconds": own[:, 1].sum(),
                "accuracy": dict(zip(SETS, own[:, 0])),
            }
        )
        print(f"{own[:, 0].mean():.4f} {rank:.2f} {own[:, 1].sum():.1f} s {options}", flush=True)
    save(f"tuning_{args.kind}", {"command": sys.argv, "rows": rows})
