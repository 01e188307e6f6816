"""Unseen classes: train on some, search and verify among others.

``python benchmarks/bench_unseen.py`` (data: `SKMETRIC_DATA`)

MNIST: trained on the training rows of the digits 0 to 6, judged on the test rows of 7, 8 and 9; the same
with the classes of Fashion-MNIST. Raw pixels, 64 principal components, and embeddings at their defaults,
10 epochs; recall@1 and MAP@R leave-one-out, and the area under the ROC curve of 60,000 pairs. Three
seeds. Writes ``results/unseen.json``.
"""

import sys
from functools import partial

from common import save, seconds
from data import images
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import FunctionTransformer

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist
from skmetric.metrics import retrieval_report
from skmetric.pairs import make_pairs, paired_distances

N_KNOWN, N_PAIRS = 7, 60000
SETS = {"MNIST": fetch_mnist, "Fashion-MNIST": fetch_fashion_mnist}
METHODS = {
    "raw": lambda seed: FunctionTransformer(),
    "PCA": lambda seed: PCA(64, random_state=seed),
    "Triplet": lambda seed: TripletMetricTransformer(max_iter=10, random_state=seed),
    "Triplet, on the sphere": lambda seed: TripletMetricTransformer(
        max_iter=10, normalize=True, random_state=seed
    ),
    "Neighborhood": lambda seed: NeighborhoodMetricTransformer(max_iter=10, random_state=seed),
    "Contrastive": lambda seed: ContrastiveMetricTransformer(max_iter=10, random_state=seed),
    "Softmax, hidden layer": lambda seed: SoftmaxMLPClassifier(max_iter=10, random_state=seed),
}


def judged(Z, y):
    report = retrieval_report(Z, y)
    pairs, same = make_pairs(y, N_PAIRS, 0)
    return {
        "recall_at_1": report["recall_at_1"],
        "mean_average_precision_at_r": report["mean_average_precision_at_r"],
        "auc": roc_auc_score(same, -paired_distances(Z, pairs)),
    }


def rows_of(set_name):
    X, y, X_test, y_test = images(SETS[set_name])
    known, unseen = y < N_KNOWN, y_test >= N_KNOWN
    X, y, X_test, y_test = X[known], y[known], X_test[unseen], y_test[unseen]
    for method, make in METHODS.items():
        for seed in range(1 if method in ("raw", "PCA") else 3):
            elapsed, model = seconds(partial(make(seed).fit, X, y))
            entry = judged(model.transform(X_test), y_test)
            print(set_name, method, seed, entry, flush=True)
            yield {"set": set_name, "method": method, "seed": seed, "seconds": elapsed, **entry}


if __name__ == "__main__":
    rows = [row for set_name in SETS for row in rows_of(set_name)]
    save("unseen", {"command": sys.argv, "rows": rows})
