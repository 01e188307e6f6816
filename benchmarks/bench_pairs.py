"""Supervision by pairs and triplets: against that by labels, and against ITML and MMC of metric-learn.

``python benchmarks/bench_pairs.py [peers] [labels] [--only "METHOD;METHOD"]`` (extra `bench`; data:
`SKMETRIC_DATA`; with ``--only`` the other rows of `peers` keep what they had)

`peers`: on wine, breast cancer and digits, half for training (standardised), the same pairs for all (10
for each training row, as many of the same class as of others); linear embeddings; the score is the area
under the ROC curve for as many pairs of test rows, by the `score` of each. Three splits. ITML and MMC are
those of metric-learn 0.7.0, with one argument renamed at run time (`common.metric_learn_today`), at
their defaults.

`labels`: k-NN accuracy with 20 pairs or triplets for each training row, drawn from its label, beside that
with the labels themselves, on digits and on MNIST (test part). Writes ``results/pairs.json``.
"""

import argparse
import json
import sys
import warnings
from functools import partial

import numpy as np
from common import RESULTS, metric_learn_today, save, seconds
from data import digits, images
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.datasets import fetch_mnist
from skmetric.pairs import make_pairs, make_triplets
from skmetric.verification import PairVerifier

# --- against metric-learn ---------------------------------------------------------------------------

SETS = {"wine": load_wine, "breast cancer": load_breast_cancer, "digits": load_digits}
PAIRS_A_ROW, N_SPLITS = 10, 3


def ours(X, pairs, same, seed):
    # Margin, rate and epochs were chosen on pairs of 40 % of the training rows.
    model = ContrastiveMetricTransformer(
        X.shape[1],
        input_weight=0,
        standardize=False,
        negative_margin=1,
        learning_rate_init=0.003,
        max_iter=10,
        random_state=seed,
    )
    return PairVerifier(model.fit_pairs(pairs, same, X=X)).fit(pairs, same, X=X)


def of_metric_learn(name):
    def fitted(X, pairs, same, seed):
        Peer = getattr(metric_learn_today(), name)
        return Peer(random_state=seed, preprocessor=X).fit(pairs, 2 * same - 1)

    return fitted


METHODS = {"skmetric, linear": ours, "ITML": of_metric_learn("ITML"), "MMC": of_metric_learn("MMC")}


def split_of(load, seed):
    X, y = load(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(X)
    X, X_test = scaler.transform(X), scaler.transform(X_test)
    drawn = make_pairs(y, PAIRS_A_ROW * len(y), seed)
    pairs, same = make_pairs(y_test, PAIRS_A_ROW * len(y_test), seed)
    return X, *drawn, X_test[pairs], same


def peer_row(set_name, method):
    scores, times = [], []
    for seed in range(N_SPLITS):
        X, pairs, same, test_pairs, test_same = split_of(SETS[set_name], seed)
        elapsed, model = seconds(partial(METHODS[method], X, pairs, same, seed))
        times.append(elapsed)
        scores.append(model.score(test_pairs, 2 * test_same - 1))
    print(set_name, method, np.mean(scores), np.mean(times), flush=True)
    return {"set": set_name, "method": method, "auc": scores, "seconds": times}


def peers(chosen, before):
    warnings.simplefilter("ignore")  # of convergence: theirs
    kept = {(row["set"], row["method"]): row for row in before}
    return [
        peer_row(set_name, method) if method in chosen else kept[set_name, method]
        for set_name in SETS
        for method in METHODS
    ]


# --- against labels ---------------------------------------------------------------------------------


def scaled_digits():
    X, y, X_test, y_test = digits()
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), y, scaler.transform(X_test), y_test


# Data, epochs over the labels, and over the tuples: one of these goes over each row 40 or 60 times.
CASES = {"digits": (scaled_digits, 50, 10), "MNIST": (partial(images, fetch_mnist), 5, 1)}
TUPLES_A_ROW = 20


def supervised(X, y, epochs, fewer):
    """Name and fit, from a seed, of each kind of supervision."""
    n = TUPLES_A_ROW * len(y)
    (pairs, same), triplets = make_pairs(y, n, 0), make_triplets(y, n, 0)

    def contrastive(seed, max_iter, negative_weight=1.0):
        return ContrastiveMetricTransformer(
            input_weight=0,
            standardize=False,
            hidden_layer_sizes=(256,),
            max_iter=max_iter,
            negative_weight=negative_weight,
            random_state=seed,
        )

    def triplet(seed, max_iter, **options):
        return TripletMetricTransformer(
            input_weight=0, standardize=False, max_iter=max_iter, random_state=seed, **options
        )

    # Chosen on the last 10,000 training rows of MNIST (the weight 3 of negative pairs: on digits). Of 85
    # triplets in a batch few are active, and the mean over those is a step at random.
    calm = {"reduction": "mean", "learning_rate_init": 0.001}

    return {
        "contrastive, labels": lambda seed: contrastive(seed, epochs).fit(X, y),
        "contrastive, pairs": lambda seed: contrastive(seed, fewer, 3).fit_pairs(pairs, same, X=X),
        "triplet, labels": lambda seed: triplet(seed, epochs).fit(X, y),
        "triplet, triplets": lambda seed: triplet(seed, fewer, **calm).fit_triplets(triplets, X=X),
    }


def label_rows(set_name):
    load, *epochs = CASES[set_name]
    X, y, X_test, y_test = load()
    rows = []
    for name, fit in supervised(X, y, *epochs).items():
        row = {"set": set_name, "supervision": name, "accuracy": [], "seconds": []}
        for seed in range(3):
            elapsed, model = seconds(partial(fit, seed))
            row["seconds"].append(elapsed)
            neighbors = KNeighborsClassifier(5).fit(model.transform(X), y)
            row["accuracy"].append(neighbors.score(model.transform(X_test), y_test))
        print(row, flush=True)
        rows.append(row)
    return rows


def labels():
    return [row for set_name in CASES for row in label_rows(set_name)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["peers", "labels"])
    parser.add_argument("--only", default=";".join(METHODS), help="methods of `peers`, with ; between")
    args = parser.parse_args()
    path = RESULTS / "pairs.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    result = {name: before[name] for name in ("peers", "labels") if name in before}
    if "peers" in args.parts:
        result["peers"] = peers(args.only.split(";"), before.get("peers", []))
    if "labels" in args.parts:
        result["labels"] = labels()
    save("pairs", {"command": sys.argv, **result}, "metric-learn")
