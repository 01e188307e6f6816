"""The first figures: MNIST and digits as in the README. ``python benchmarks/bench_first.py``.

Reports on the test parts, which played no part in the choice of any default.
"""

import time

import numpy as np
from bench_headline import digits_plane
from common import save
from data import digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.datasets import fetch_mnist

SEEDS = 3


def mnist():
    return *fetch_mnist(return_X_y=True), *fetch_mnist(subset="test", return_X_y=True)


def to_unit_range(X):
    return X / np.float32(255)


def triplet_5nn(seed):
    embedding = TripletMetricTransformer(64, (256,), max_iter=5, random_state=seed)
    return make_pipeline(FunctionTransformer(to_unit_range), embedding, KNeighborsClassifier(5))


def softmax(seed):
    network = SoftmaxMLPClassifier((64,), activation="logistic", max_iter=20, random_state=seed)
    return make_pipeline(FunctionTransformer(to_unit_range), network)


CASES = {
    "MNIST, TripletMetricTransformer(64, (256,), max_iter=5) on X/255 + 5-NN": (mnist, triplet_5nn),
    "MNIST, SoftmaxMLPClassifier((64,), activation='logistic', max_iter=20) on X/255": (mnist, softmax),
    "digits, TripletMetricTransformer(2, (256, 256), dropout=0, max_iter=100) + 3-NN": (
        digits,
        digits_plane,
    ),
}


def run(load, make):
    X_train, y_train, X_test, y_test = load()
    scores, seconds = [], []
    for seed in range(SEEDS):
        start = time.perf_counter()
        model = make(seed).fit(X_train, y_train)
        seconds.append(time.perf_counter() - start)
        scores.append(model.score(X_test, y_test))
    return {"accuracy": scores, "fit_seconds": seconds}


if __name__ == "__main__":
    results = {}
    for name, case in CASES.items():
        results[name] = run(*case)
        print(f"{name}: {np.mean(results[name]['accuracy']):.2%}", results[name], flush=True)
    save("first", {"cases": results})
