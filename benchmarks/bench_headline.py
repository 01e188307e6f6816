"""Test errors on MNIST, Fashion-MNIST and digits, without convolutions and without added images.

``python benchmarks/bench_headline.py [--seeds 3] [--jobs 2] [--only NAME,NAME]``

The settings were chosen on the last 10,000 training rows (digits: by cross-validation on the training
half); those with batch normalisation are of a prototype, which saw the test rows once a seed. Here all
training rows are learned from, and the test rows are looked at once for each seed.
"""

import argparse
import json
import statistics
import sys

from common import RESULTS, save, seconds
from data import digits, images
from joblib import Parallel, delayed
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist


def mnist():
    return images(fetch_mnist)


def fashion():
    return images(fetch_fashion_mnist)


# Normalised layers without dropout, and rows that are moved.
NORMALIZED = {"batch_norm": True, "learning_rate_init": 0.001}
HEADED = {"head_weight": 1.0, "dropout": 0, "input_weight": 0}
MNIST = {"hidden_layer_sizes": (1024, 1024), "adversarial": 0.14, "max_iter": 20, **NORMALIZED}
FASHION = {"hidden_layer_sizes": (1024, 512), "adversarial": 0.036, "max_iter": 15, **NORMALIZED}


def mnist_neighbors(seed):
    embedding = TripletMetricTransformer(random_state=seed, **MNIST, **HEADED)
    return make_pipeline(embedding, KNeighborsClassifier(5))


def mnist_neighbors_long(seed):
    embedding = TripletMetricTransformer(n_networks=3, random_state=seed, **MNIST, **HEADED)
    return make_pipeline(embedding, KNeighborsClassifier(5))


def mnist_classifier(seed):
    return SoftmaxMLPClassifier(random_state=seed, **MNIST)


def fashion_neighbors(seed):
    embedding = TripletMetricTransformer(random_state=seed, **FASHION, **HEADED)
    return make_pipeline(embedding, KNeighborsClassifier(15))


def fashion_classifier(seed):
    return SoftmaxMLPClassifier(n_networks=2, random_state=seed, **FASHION)


def digits_plane(seed):
    embedding = TripletMetricTransformer(2, (256, 256), dropout=0, max_iter=100, random_state=seed)
    return make_pipeline(embedding, KNeighborsClassifier(3))


CASES = {
    "mnist_neighbors": (mnist, mnist_neighbors),
    "mnist_neighbors_long": (mnist, mnist_neighbors_long),
    "mnist_classifier": (mnist, mnist_classifier),
    "fashion_neighbors": (fashion, fashion_neighbors),
    "fashion_classifier": (fashion, fashion_classifier),
    "digits_plane": (digits, digits_plane),
}


def run(name, seed):
    load, make = CASES[name]
    X, y, X_test, y_test = load()
    model = make(seed)
    elapsed, _ = seconds(lambda: model.fit(X, y))
    result = {"accuracy": model.score(X_test, y_test), "seconds": elapsed}
    print(name, seed, result, flush=True)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="models at once, one thread each")
    parser.add_argument("--only", default=",".join(CASES))
    args = parser.parse_args()
    path = RESULTS / "headline.json"
    cases = json.loads(path.read_text())["cases"] if path.exists() else {}
    for name in args.only.split(","):
        runs = Parallel(args.jobs)(delayed(run)(name, seed) for seed in range(args.seeds))
        errors = [100 * (1 - entry["accuracy"]) for entry in runs]
        cases[name] = {
            "model": repr(CASES[name][1](0)),
            "error_percent": errors,
            "mean_error_percent": statistics.mean(errors),
            "seconds": [entry["seconds"] for entry in runs],
        }
        print(name, f"{statistics.mean(errors):.2f} %", [round(error, 2) for error in errors], flush=True)
        # After each: a case takes many minutes.
        save("headline", {"command": sys.argv, "cases": cases})
