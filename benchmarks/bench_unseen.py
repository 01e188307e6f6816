"""Unseen classes: train on some classes, then search, and learn from few examples, among others.

``python benchmarks/bench_unseen.py [--tune]`` (data: `SKMETRIC_DATA`)

Two thirds of the classes are known, the others are new; five splits. Embeddings are trained, at their
defaults, on rows of the known classes (12,000 of MNIST and Fashion-MNIST). On up to 4,000 rows of either
kind that no embedding has seen: recall@1 and MAP@R of the new classes, leave-one-out; accuracy of the
nearest centroid of 1 and of 5 examples of each new class, the mean of 200 draws; 5-NN accuracy of the
known classes. Rows are centred and divided by one number; those of "descriptions" have length 1 as they
come. NCA is fitted on 2,000 rows, since it needs arrays of rows x rows.

With ``--tune``, candidates of `input_weight` are compared on the training parts alone, with 4,000 rows
and three splits. Writes ``results/unseen.json`` or ``results/tuning_input_weight.json``; with ``--sets``
the rows of other sets stay.
"""

import argparse
import json
import sys
from functools import partial

import numpy as np
from common import RESULTS, save, seconds
from data import archive
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.preprocessing import FunctionTransformer

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    TripletMetricTransformer,
)
from skmetric.metrics import retrieval_report

N_DRAWS, N_JUDGED, N_NCA = 200, 4_000, 2_000
N_SPLITS = {"judge": 5, "tune": 3}
N_TRAIN = {"judge": 12_000, "tune": 4_000}
SETS = ["MNIST", "Fashion-MNIST", "flowers12", "digits", "descriptions"]


# --- data -------------------------------------------------------------------------------------------


def parts(name, aim):
    """Rows to train on and rows to judge on; the latter are of the training part too in tuning."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
    elif name == "descriptions":
        X, y = archive("descriptions", "X", "y")
    else:
        arrays = archive(name.lower().replace("-", "_"), "X_train", "y_train", "X_test", "y_test")
        if aim == "judge":
            return arrays
        X, y = arrays[:2]
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    # Tuning stays within the half that embeddings are trained on.
    if aim == "tune" and name in ("digits", "descriptions"):
        X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    return X, y, X_test, y_test


def class_split(name, seed, aim):
    """Training rows, known rows and new rows, each with labels."""
    X, y, X_test, y_test = parts(name, aim)
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.unique(y))
    known = classes[: round(2 / 3 * len(classes))]
    old, old_test = np.isin(y, known), np.isin(y_test, known)
    rows = rng.permutation(np.flatnonzero(old))[: N_TRAIN[aim]]
    X_train = X[rows].astype(np.float32)
    centre = X_train.mean(axis=0)
    unit = np.sqrt(np.mean((X_train - centre) ** 2))
    if name == "descriptions":
        centre, unit = 0.0, 1.0
    result = [(X_train - centre) / unit, y[rows]]
    for judged in (old_test, ~old_test):
        some = rng.permutation(np.flatnonzero(judged))[:N_JUDGED]
        result += [(X_test[some] - centre) / unit, y_test[some]]
    return result


# --- methods ----------------------------------------------------------------------------------------


class SmallNCA(NeighborhoodComponentsAnalysis):
    """On some of the rows."""

    def fit(self, X, y):
        return super().fit(X[:N_NCA], y[:N_NCA])


def methods(name):
    plain = {
        "raw": FunctionTransformer(),
        "PCA": PCA(64, random_state=0),
        "LDA": LinearDiscriminantAnalysis(),
        "NCA": SmallNCA(64, random_state=0, max_iter=50),
    }
    ours = {
        "Triplet": TripletMetricTransformer(),
        "Triplet, nothing kept": TripletMetricTransformer(input_weight=0),
        "Neighborhood": NeighborhoodMetricTransformer(),
        "Contrastive": ContrastiveMetricTransformer(),
    }
    if name == "descriptions":
        ours["Triplet, 384 columns"] = TripletMetricTransformer(384)
        ours["Triplet, 384 columns, weight 1"] = TripletMetricTransformer(384, input_weight=1)
    return plain | ours


WEIGHTS = [0.0, 0.25, 0.5, 0.7, 1.0, 1.4, 2.0]
CANDIDATES = {
    f"{Estimator.__name__}, {weight}": Estimator(input_weight=weight)
    for Estimator in (
        TripletMetricTransformer,
        NeighborhoodMetricTransformer,
        ContrastiveMetricTransformer,
    )
    for weight in WEIGHTS
}


# --- measures ---------------------------------------------------------------------------------------


def few_shot(Z, y, n_examples):
    """Accuracy of the nearest centroid of some examples of each class, on up to 1,000 other rows."""
    rng = np.random.default_rng(0)
    classes, y = np.unique(y, return_inverse=True)
    scores = []
    for _ in range(N_DRAWS):
        order = rng.permutation(len(y))
        examples = [order[y[order] == code][:n_examples] for code in range(len(classes))]
        centroids = np.array([Z[rows].mean(axis=0) for rows in examples])
        others = np.setdiff1d(order[:1000], np.concatenate(examples))
        # Squared distances to the centroids, but for what all centroids have in common.
        distances = (centroids**2).sum(axis=1) - 2 * Z[others] @ centroids.T
        scores.append(np.mean(distances.argmin(axis=1) == y[others]))
    return float(np.mean(scores))


def judged(model, X, y, X_old, y_old, X_new, y_new):
    elapsed, model = seconds(partial(model.fit, X, y))
    report = retrieval_report(model.transform(X_new), y_new)
    neighbors = KNeighborsClassifier(5).fit(model.transform(X), y)
    Z_new = model.transform(X_new)
    return {
        "seconds": elapsed,
        "recall_at_1": report["recall_at_1"],
        "mean_average_precision_at_r": report["mean_average_precision_at_r"],
        "one_shot": few_shot(Z_new, y_new, 1),
        "five_shot": few_shot(Z_new, y_new, 5),
        "old_accuracy": neighbors.score(model.transform(X_old), y_old),
    }


def rows_of(name, aim):
    for split in range(N_SPLITS[aim]):
        data = class_split(name, split, aim)
        for method, model in (CANDIDATES if aim == "tune" else methods(name)).items():
            if "random_state" in model.get_params():
                model.set_params(random_state=split)
            entry = {"set": name, "method": method, "split": split, **judged(model, *data)}
            print(entry, flush=True)
            yield entry


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--sets", default=";".join(SETS), help="with ; between")
    args = parser.parse_args()
    aim = "tune" if args.tune else "judge"
    chosen = args.sets.split(";")
    rows = [row for name in chosen for row in rows_of(name, aim)]
    path = RESULTS / ("tuning_input_weight.json" if args.tune else "unseen.json")
    before = json.loads(path.read_text())["rows"] if path.exists() else []
    rows += [row for row in before if row["set"] not in chosen]
    save(path.stem, {"command": sys.argv, "rows": rows})
