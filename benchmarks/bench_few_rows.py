"""Five rows of each class, judged in four ways.

``python benchmarks/bench_few_rows.py [--splits 5]`` (extra `bench`; data: `SKMETRIC_DATA`)

Five rows of each class are learned from, and up to 2,000 others are classified by the nearest one,
by five neighbours, by five neighbours weighted by 1 / distance, and by the nearest centroid. With five
rows of a class, five neighbours are of one class only where the classes lie far apart, so that 5-NN alone
says little. All methods are at their defaults; those of skmetric get rows as they come, and all others
have a ``StandardScaler`` in front, but for "raw scaled alike". Writes ``results/few_rows.json``.
"""

import argparse
import sys
import warnings

import numpy as np
from bench_defaults import SETS, ScaledAlike
from common import save
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    TripletMetricTransformer,
)

N_ROWS, N_JUDGED = 5, 2_000
CHOSEN = ["digits", "MNIST 2000", "Fashion 2000", "60 classes of 5", "200 classes"]
METHODS = {
    "raw": lambda seed: StandardScaler(),
    "raw scaled alike": lambda seed: ScaledAlike(),
    "PCA": lambda seed: make_pipeline(StandardScaler(), PCA(0.95, random_state=seed)),
    "LDA": lambda seed: make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()),
    "NCA": lambda seed: make_pipeline(
        StandardScaler(), NeighborhoodComponentsAnalysis(random_state=seed)
    ),
    "Triplet": lambda seed: TripletMetricTransformer(random_state=seed),
    "Neighborhood": lambda seed: NeighborhoodMetricTransformer(random_state=seed),
    "Contrastive": lambda seed: ContrastiveMetricTransformer(random_state=seed),
}
JUDGES = {
    "1-NN": KNeighborsClassifier(1),
    "5-NN": KNeighborsClassifier(5),
    "5-NN, weighted": KNeighborsClassifier(5, weights="distance"),
    "centroid": NearestCentroid(),
}


def split(y, seed):
    """Some rows of each class to learn from, and others."""
    order = np.random.default_rng(seed).permutation(len(y))
    train = np.concatenate([order[y[order] == label][:N_ROWS] for label in np.unique(y)])
    return train, np.setdiff1d(order, train, assume_unique=True)[:N_JUDGED]


def judged(X, y, method, seed):
    train, others = split(y, seed)
    model = METHODS[method](seed).fit(X[train], y[train])
    Z, Z_others = model.transform(X[train]), model.transform(X[others])
    return {judge: rule.fit(Z, y[train]).score(Z_others, y[others]) for judge, rule in JUDGES.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name in CHOSEN:
        X, y = SETS[name]()
        for method in METHODS:
            for seed in range(args.splits):
                entry = {"set": name, "method": method, "split": seed, **judged(X, y, method, seed)}
                print(entry, flush=True)
                rows.append(entry)
    save("few_rows", {"command": sys.argv, "rows": rows})
