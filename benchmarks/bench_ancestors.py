"""The four projects that skmetric grew out of, at their settings and at better ones.

``python benchmarks/bench_ancestors.py [A B C D]`` (data: `SKMETRIC_DATA`)

Writes ``results/ancestor_A.json`` and so on, with pictures beside them. "Best" settings were chosen on
validation rows; test rows are looked at once, by the models named here.
"""

import sys
import time
import warnings

import matplotlib
import numpy as np
from common import RESULTS, save, seconds
from data import flowers, images
from sklearn.decomposition import PCA
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, PredefinedSplit, ShuffleSplit, ValidationCurveDisplay
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmetric import ContrastiveMetricTransformer, SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist

matplotlib.use("agg")
import matplotlib.pyplot as plt


def fitted(model, X, y, **parts):
    """Fit, time, and score on each of the named parts."""
    elapsed, _ = seconds(lambda: model.fit(X, y))
    return {"seconds": elapsed} | {part: model.score(*rows) for part, rows in parts.items()}


def in_front_of_neighbors(model, n_neighbors):
    return make_pipeline(model, KNeighborsClassifier(n_neighbors))


def show(name, entry):
    print(
        f"{name:45s}",
        {key: round(value, 4) if isinstance(value, float) else value for key, value in entry.items()},
        flush=True,
    )


# --- A: a triplet network on MNIST ------------------------------------------------------------------

A_ORIGINAL = {
    "margin": 1.0,
    "distance": "euclidean",
    "reduction": "mean",
    "solver": "sgd",
    "momentum": 0,
    "learning_rate_init": 0.01,
    "learning_rate": "inverse_time",
    "decay_rate": 0.001,
    "max_iter": 10,
    "n_iter_no_change": np.inf,
    "batch_sampler": "shuffle",
    "dropout": 0,
}
A_BEST = {
    "max_iter": 10,
    "dropout": 0.3,
    "learning_rate_init": 0.001,
    "input_weight": 0,
    "standardize": False,
}


def ancestor_A():
    X, y, X_test, y_test = images(fetch_mnist)
    rows = {}
    models = {
        "original settings": TripletMetricTransformer(
            64,
            (256,),
            input_weight=0,
            standardize=False,
            batch_size=32,
            random_state=0,
            verbose=True,
            **A_ORIGINAL,
        ),
        "best settings": TripletMetricTransformer(64, (1024,), random_state=0, **A_BEST),
    }
    for name, model in models.items():
        rows[name] = fitted(in_front_of_neighbors(model, 5), X, y, test=(X_test, y_test))
        rows[name]["last_loss"] = model.loss_
        show(f"A, {name}", rows[name])
    reported = {"original settings": "72.16 %, loss 0.9996 (test)"}
    return {"reported": reported, "rows": rows}


# --- B: a trainable distance on photos of flowers ---------------------------------------------------

B_SGD = {
    "standardize": False,
    "solver": "sgd",
    "momentum": 0,
    "learning_rate": "constant",
    "n_iter_no_change": np.inf,
    "batch_size": 50,
    "batch_sampler": "shuffle",
    "reduction": "grid",
    "dropout": 0,
    "input_dropout": 0,
    "random_state": 0,
}
B_REPORTED = {
    "L2": "52.0 % (validation, other photos)",
    "pull-only": "18.7 %",
    "contrastive, rate 0.05": "53.3 %",
    "triplet": "75 %, 65 s",
    "margin": "78 %",
}
MARGINS = np.linspace(0.1, 2, 15)


def b_contrastive(rate):
    return ContrastiveMetricTransformer(
        64, input_weight=0, positive_margin=0.1, negative_margin=0.95, negative_weight=0.75,
        learning_rate_init=rate, max_iter=100, **B_SGD,
    )  # fmt: skip


def b_triplet(margin):
    return TripletMetricTransformer(
        64, (256,), input_weight=0, margin=margin, learning_rate_init=0.05, max_iter=100, **B_SGD
    )


def ancestor_B():
    parts = flowers("train", "val", "test")
    train, validation, test = ((X / np.float32(127.5) - 1, y) for X, y in parts)
    scored = {"validation": validation, "test": test}
    models = {
        "pull-only": ContrastiveMetricTransformer(
            64, input_weight=0, positive_margin=0, negative_margin=0, negative_weight=0,
            learning_rate_init=0.01, max_iter=80, **B_SGD,
        ),
        # Without the standardisation, rows with a common offset let this rate diverge.
        "contrastive, rate 0.05": b_contrastive(0.05).set_params(standardize="auto"),
        "contrastive, rate 0.01": b_contrastive(0.01),
        "triplet": b_triplet(0.7),
    }  # fmt: skip
    rows = {"L2": fitted(KNeighborsClassifier(36), *train, **scored)}
    for name, model in models.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                rows[name] = fitted(in_front_of_neighbors(model, 36), *train, **scored)
            except ValueError as error:
                # The photos are not the notebook's, and what its rate is too high for is the photos'.
                rows[name] = {"failed": str(error)}
                continue
        rows[name]["last_loss"] = model.loss_
        rows[name]["warnings"] = [str(warning.message) for warning in caught]
    rows["margin"] = b_margin(train, validation, test)
    rows["best settings"] = fitted(b_best(), *train, **scored)
    for name, entry in rows.items():
        show(f"B, {name}", entry)
    b_pictures({name: model for name, model in models.items() if "failed" not in rows[name]})
    return {"reported": B_REPORTED, "rows": rows}


def b_best():
    """600 photos of 12,288 pixels: a few principal components of them leave less to learn by heart."""
    embedding = TripletMetricTransformer(input_weight=0, standardize=False, dropout=0.5, random_state=0)
    return make_pipeline(PCA(50, random_state=0), embedding, KNeighborsClassifier(36))


def b_margin(train, validation, test):
    """Row 5: the margin with the best validation accuracy."""
    X, y = np.concatenate([train[0], validation[0]]), np.concatenate([train[1], validation[1]])
    split = PredefinedSplit([-1] * len(train[1]) + [0] * len(validation[1]))
    model = in_front_of_neighbors(b_triplet(0.7), 36)
    name = "tripletmetrictransformer__margin"
    search = GridSearchCV(
        model, {name: MARGINS}, cv=split, refit=False, return_train_score=True, n_jobs=2
    )
    elapsed, _ = seconds(lambda: search.fit(X, y))
    results = search.cv_results_
    curves = [np.array(results[f"split0_{part}_score"])[:, np.newaxis] for part in ("train", "test")]
    display = ValidationCurveDisplay(
        param_name="margin", param_range=MARGINS, train_scores=curves[0], test_scores=curves[1],
        score_name="36-NN accuracy",
    )  # fmt: skip
    display.plot().figure_.savefig(RESULTS / "ancestor_B_margin.png", dpi=80)
    best = float(MARGINS[np.argmax(curves[1])])
    entry = fitted(in_front_of_neighbors(b_triplet(best), 36), *train, validation=validation, test=test)
    return {**entry, "best_margin": best, "search_seconds": elapsed}


def b_pictures(models):
    figure, (losses, weights) = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
    for name, model in models.items():
        losses.plot(np.array(model.loss_curve_) / model.loss_curve_[0], label=name)
        weights.hist(model.coefs_[0].ravel(), bins=200, histtype="step", density=True, label=name)
    losses.set(xlabel="epoch", ylabel="loss, as a fraction of the first", yscale="log")
    weights.set(xlabel="weight of the first layer", yscale="log")
    weights.legend()
    figure.savefig(RESULTS / "ancestor_B.png", dpi=80)


# --- C: a sigmoid-softmax network on MNIST ----------------------------------------------------------

C_MODEL = {"standardize": False, "activation": "logistic", "alpha": 0, "random_state": 0}
C_BEST = {**C_MODEL, "alpha": 3e-5, "input_dropout": 0.1, "batch_size": 32}


def ancestor_C():
    X, y, X_test, y_test = images(fetch_mnist)
    train, validation, test = (X[:45000], y[:45000]), (X[45000:], y[45000:]), (X_test, y_test)
    sgd = {"solver": "sgd", "momentum": 0, "learning_rate": "constant", **C_MODEL}
    models = {
        "rate 5, 30 epochs of mini-batches": SoftmaxMLPClassifier(
            (64,), learning_rate_init=5, batch_size=100, max_iter=30, **sgd
        ),
        "rate 1, 30 epochs of one batch": SoftmaxMLPClassifier(
            (64,), learning_rate_init=1, batch_size=45000, max_iter=30, **sgd
        ),
        "best settings": SoftmaxMLPClassifier((64,), max_iter=30, **C_BEST),
    }
    rows, curves = {}, {}
    for name, model in models.items():
        start = time.perf_counter()
        curves[name] = []
        # An epoch at a time, to look at the validation rows in between.
        for _ in range(model.max_iter):
            model.partial_fit(*train, classes=range(10))
            loss = log_loss(validation[1], model.predict_proba(validation[0]))
            curves[name].append([loss, model.score(*validation)])
        rows[name] = {
            "seconds": time.perf_counter() - start,
            "validation": curves[name][-1][1],
            "validation_loss": curves[name][-1][0],
            "test": model.score(*test),
        }
        show(f"C, {name}", rows[name])
    reported = {"rate 5, 30 epochs of mini-batches": "94.9 % after 230 epochs (test)"}
    return {"reported": reported, "rows": rows, "validation_curves": curves}


# --- D: a softmax network on Fashion-MNIST ----------------------------------------------------------

D_GRID = {
    "batch_size": [32, 64, 128],
    "learning_rate_init": [1e-3, 1e-4],
    "max_iter": [5, 10, 20],
    "alpha": [1e-3, 1.0],
    "hidden_layer_sizes": [(20,), (40,)],
}
D_WIDER = {
    "learning_rate_init": [0.001, 0.002],
    "alpha": [1e-5, 1e-4],
    "dropout": [0, 0.1],
    "input_dropout": [0, 0.1],
}
D_SPLIT = ShuffleSplit(1, test_size=10000, random_state=0)


def ancestor_D():
    X, y, X_test, y_test = images(fetch_fashion_mnist)
    sgd = {"solver": "sgd", "momentum": 0, "learning_rate": "constant", "n_iter_no_change": np.inf}
    models = {
        "original grid, 72 points": (
            SoftmaxMLPClassifier(standardize=False, random_state=0, **sgd),
            D_GRID,
        ),
        "wider search, 40 hidden": (
            SoftmaxMLPClassifier((40,), standardize=False, batch_size=128, max_iter=40, random_state=0),
            D_WIDER,
        ),
    }
    rows = {}
    for name, (model, grid) in models.items():
        # verbose=3 prints each fit as it ends.
        search = GridSearchCV(model, grid, cv=D_SPLIT, n_jobs=2, verbose=3)
        elapsed, _ = seconds(lambda search=search: search.fit(X, y))
        rows[name] = {
            "seconds": elapsed,
            "validation": search.best_score_,
            "test": search.score(X_test, y_test),
        }
        show(f"D, {name}", rows[name])
        rows[name]["best"] = {key: str(value) for key, value in search.best_params_.items()}
        if grid is D_GRID:
            d_heat_map(search.cv_results_)
    return {"reported": {}, "rows": rows}


def d_heat_map(results):
    """All 72 points: one cell each, hidden units and penalty down, the rest across."""
    scores = np.array(results["mean_test_score"])
    down, across = ["hidden_layer_sizes", "alpha"], ["learning_rate_init", "batch_size", "max_iter"]

    def keys(names):
        return [" / ".join(str(point[name]) for name in names) for point in results["params"]]

    rows, columns = keys(down), keys(across)
    row_names, column_names = list(dict.fromkeys(rows)), list(dict.fromkeys(columns))
    table = np.full((len(row_names), len(column_names)), np.nan)
    for row, column, score in zip(rows, columns, scores):
        table[row_names.index(row), column_names.index(column)] = score
    figure, ax = plt.subplots(figsize=(10, 3.6), layout="constrained")
    image = ax.imshow(table, aspect="auto")
    ax.set_xticks(range(len(column_names)), column_names, rotation=90)
    ax.set_yticks(range(len(row_names)), row_names)
    ax.set(xlabel=" / ".join(across), ylabel=" / ".join(down))
    figure.colorbar(image, label="validation accuracy")
    figure.savefig(RESULTS / "ancestor_D.png", dpi=80)


ANCESTORS = {"A": ancestor_A, "B": ancestor_B, "C": ancestor_C, "D": ancestor_D}

if __name__ == "__main__":
    for letter in sys.argv[1:] or ANCESTORS:
        save(f"ancestor_{letter}", {"command": sys.argv, **ANCESTORS[letter]()})
