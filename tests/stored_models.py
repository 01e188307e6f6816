"""Models that versions of skmetric have stored in tests/data, and what they answered then.

``python tests/stored_models.py`` stores those of the current version. Run it with the lowest versions of
.ci/lowest.txt: newer NumPy reads pickles of older NumPy, but not the other way round.

A model has a pickle, a file of skops, and a file npz that says what was called and what came back. There,
an array without a space in its name is an input; "0 transform rows" is what ``model.transform(rows)``
returned as the first call. Where a method trains and returns the model itself, its loss curve is stored.
"""

import pickle
import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris

import skmetric
from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.model_selection import PairLearner, TripletLearner
from skmetric.pairs import make_pairs, make_triplets
from skmetric.verification import PairVerifier

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data"

X, CODES = load_iris(return_X_y=True)
Y = np.array(["setosa", "versicolor", "virginica"])[CODES]
PAIRS, SAME = make_pairs(Y, 60, 0)
TRIPLETS = make_triplets(Y, 60, 0)
SOME = slice(None, None, 10)  # 15 rows, 5 of each class
INPUTS = {
    "rows": X[SOME],
    "floats": X[SOME].astype(np.float32),
    "labels": Y[SOME],
    "all_rows": X,
    "all_labels": Y,
    "pairs": X[PAIRS[:8]],
    "same": SAME[:8],
    "triplets": X[TRIPLETS[:8]],
}
SMALL = {"hidden_layer_sizes": (3,), "max_iter": 3, "learning_rate_init": 0.01, "random_state": 0}
EMBEDDING = {**SMALL, "n_components": 2}


def classifier():
    options = {"batch_norm": True, "dropout": 0.2, "warm_start": True}
    return SoftmaxMLPClassifier(**SMALL, **options).fit(X, Y)


def stopped_classifier():
    options = {"standardize": False, "solver": "sgd", "loss": "binary_log_loss", "warm_start": True}
    return SoftmaxMLPClassifier(**SMALL, **options, n_networks=2, early_stopping=True).fit(X, Y)


def triplet():
    options = {"n_networks": 2, "learning_rate": "cosine", "input_weight": 1.0}
    model = TripletMetricTransformer(**EMBEDDING, **options)
    return model.partial_fit(X, Y).partial_fit(X, Y)


def contrastive():
    options = {"standardize": "features", "normalize": True, "adversarial": 0.1, "warm_start": True}
    return ContrastiveMetricTransformer(**EMBEDDING, **options).fit_pairs(PAIRS, SAME, X=X)


def neighborhood():
    options = {"head_weight": 1.0, "learning_rate": "adaptive", "warm_start": True}
    return NeighborhoodMetricTransformer(**EMBEDDING, **options, input_weight=0.0).fit(X, Y)


def sigmoid_verifier():
    return PairVerifier(contrastive()).fit(PAIRS, SAME, X=X)


def isotonic_verifier():
    model = PairVerifier(contrastive(), threshold="max_tnr", min_rate=0.9, calibration="isotonic")
    return model.fit(PAIRS, 2 * SAME - 1, X=X)


def pair_learner():
    return PairLearner(ContrastiveMetricTransformer(**EMBEDDING)).fit(PAIRS, SAME, X=X)


def triplet_learner():
    model = TripletLearner(TripletMetricTransformer(**EMBEDDING))
    return model.fit(TRIPLETS, X=X.astype(np.float32))


# Steps on float32 rows are left out: a rounding of another BLAS grows to 1e-3 in a pass.
CALLS = {
    classifier: [
        *["predict rows", "predict_proba rows", "transform rows"],
        *["partial_fit rows labels", "decision_function rows"],
    ],
    stopped_classifier: ["predict_proba rows", "fit all_rows all_labels", "predict_proba rows"],
    triplet: ["transform rows", "partial_fit rows labels", "transform rows"],
    contrastive: ["pair_distance pairs", "partial_fit_pairs pairs same", "transform rows"],
    neighborhood: ["pairwise_distance rows", "partial_fit rows labels", "transform rows"],
    sigmoid_verifier: ["decision_function pairs", "predict pairs", "predict_proba pairs"],
    isotonic_verifier: ["decision_function pairs", "predict pairs", "predict_proba pairs"],
    pair_learner: ["decision_function pairs", "transform rows"],
    triplet_learner: ["decision_function triplets", "transform floats"],
}


def answer(model, call, inputs):
    """Call a method, and return what it returned, or the loss curve if it has trained the model."""
    method, *names = call.split()
    result = getattr(model, method)(*(inputs[name] for name in names))
    return model.loss_curve_ if result is model else result


def released():
    """Versions that the list of changes calls released."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changes, re.MULTILINE)


def store(folder):
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    for make, calls in CALLS.items():
        model = make()
        path = folder / make.__name__
        path.with_suffix(".pkl").write_bytes(pickle.dumps(model, protocol=4))
        skops.io.dump(model, path.with_suffix(".skops"), compression=zipfile.ZIP_DEFLATED)
        used = {name for call in calls for name in call.split()[1:]}
        answers = {f"{number} {call}": answer(model, call, INPUTS) for number, call in enumerate(calls)}
        inputs = {name: INPUTS[name] for name in sorted(used)}
        np.savez_compressed(path.with_suffix(".npz"), **inputs, **answers)


def is_tagged(version):
    tags = ["git", "tag", "--list", f"v{version}"]
    return bool(subprocess.run(tags, cwd=ROOT, capture_output=True, check=True).stdout)


if __name__ == "__main__":
    if is_tagged(skmetric.__version__):
        raise SystemExit(f"skmetric {skmetric.__version__} is released: what it stored stays as it is.")
    store(DATA / skmetric.__version__)
