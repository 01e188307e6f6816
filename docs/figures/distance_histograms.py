"""Distances of test pairs: the input, a good embedding, a collapsed one."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer

from skmetric import ContrastiveMetricTransformer
from skmetric.pairs import make_pairs, paired_distances
from skmetric.plotting import PairDistanceDisplay

plt.style.use("skmetric.mplstyle")
warnings.filterwarnings("ignore", message="The embedding collapses")
X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X.astype(np.float32), y, test_size=0.5, random_state=0, stratify=y
)
pairs, same = make_pairs(y_test, 4000, 0)
parameters = {"hidden_layer_sizes": (64,), "input_weight": 0, "max_iter": 40, "random_state": 0}
models = {
    "input": FunctionTransformer(),
    "good embedding": ContrastiveMetricTransformer(16, **parameters),
    "collapsed embedding": ContrastiveMetricTransformer(16, negative_weight=0, **parameters),
}

fig, axes = plt.subplots(3, 1, figsize=(5.2, 5.6))
for ax, (name, model) in zip(axes, models.items()):
    distances = paired_distances(model.fit(X, y).transform(X_test), pairs)
    PairDistanceDisplay.from_predictions(same, distances, ax=ax, name=name, bins=60)
    ax.set(xlim=(0, None), xlabel="", ylabel="", yticks=[])
axes[2].set(xlim=axes[1].get_xlim(), xlabel="distance")
for ax in axes[1:]:
    ax.get_legend().remove()
