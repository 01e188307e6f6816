"""
New classes from a few examples
===============================

A shop knows six kinds of clothes from thousands of photos. Four new kinds arrive, with a handful of
photos of each. There is no need to train again: an embedding that was trained on the known kinds
describes the new ones as well. Each new kind is represented by its *centroid*, the mean of its few
examples, and a photo is of the kind with the nearest centroid.

How many examples does it take, and how much does the embedding help?
"""

# %%
# Known and new classes
# ---------------------
#
# The embedding is trained on Fashion-MNIST without bags, sandals, shirts and trousers.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import ConfusionMatrixDisplay, pairwise_distances_argmin
from sklearn.preprocessing import FunctionTransformer

from skmetric import TripletMetricTransformer
from skmetric.datasets import fetch_fashion_mnist

train = fetch_fashion_mnist()
test = fetch_fashion_mnist(subset="test")
new_names = ["Trouser", "Sandal", "Shirt", "Bag"]

new = [list(train.target_names).index(name) for name in new_names]
is_known = np.isin(train.target, new, invert=True)
X_known, y_known = train.data[is_known][:6000], train.target[is_known][:6000]
is_new = np.isin(test.target, new)
X_new, y_new = test.data[is_new][:1000], test.target[is_new][:1000]
print("known:", ", ".join(train.target_names[np.unique(y_known)]))
print("new:  ", ", ".join(new_names))

# %%
# Four representations
# --------------------
#
# Raw pixels; their principal components; an embedding that keeps nothing of its input; and one with the
# default ``input_weight``, which keeps the principal components of the input beside what it learns.

settings = {"max_iter": 15, "random_state": 0}
representations = {
    "raw pixels": FunctionTransformer(),
    "PCA": PCA(64, random_state=0),
    "triplet, input_weight=0": TripletMetricTransformer(input_weight=0, **settings),
    "triplet": TripletMetricTransformer(**settings),
}
Z = {}
for name, transformer in representations.items():
    Z[name] = transformer.fit(X_known, y_known).transform(X_new).astype(np.float32)

# %%
# Accuracy against the number of examples
# ---------------------------------------
#
# In each of 50 rounds, some images of each new class are drawn as examples, and all others are classified
# by the nearest centroid. All representations see the same draws. The error bars are the standard
# deviation over the rounds: with one example, luck matters most.

SHOTS = [1, 2, 3, 5, 10, 20]
N_ROUNDS = 50


def draw(n_shots, rng):
    """Draw row numbers of examples, `n_shots` of each class."""
    return np.concatenate(
        [
            rng.choice(np.flatnonzero(y_new == label), n_shots, replace=False)
            for label in new
        ]
    )


def predict(rows, examples):
    """Predict the class of each row: that of the nearest mean of examples."""
    centroids = rows[examples].reshape(len(new), -1, rows.shape[1]).mean(axis=1)
    return np.array(new)[pairwise_distances_argmin(rows, centroids)]


accuracies = {name: np.empty((len(SHOTS), N_ROUNDS)) for name in Z}
rng = np.random.default_rng(0)
for i, n_shots in enumerate(SHOTS):
    for j in range(N_ROUNDS):
        examples = draw(n_shots, rng)
        others = np.setdiff1d(np.arange(len(y_new)), examples)
        for name, rows in Z.items():
            is_right = predict(rows, examples) == y_new
            accuracies[name][i, j] = is_right[others].mean()

print(f"{'examples of each class':24s}", *(f"{n_shots:6d}" for n_shots in SHOTS))
figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for shift, (name, values) in enumerate(accuracies.items()):
    mean, spread = values.mean(axis=1), values.std(axis=1)
    print(f"{name:24s}", *(f"{value:6.1%}" for value in mean))
    ax.errorbar(
        np.multiply(SHOTS, 1.03**shift), mean, spread, marker="o", capsize=3, label=name
    )
ax.set(
    xscale="log",
    xlabel="examples of each new class",
    ylabel="accuracy",
    title="Four new classes",
)
ax.set_xticks(SHOTS, SHOTS)
ax.minorticks_off()
ax.legend(loc="lower right")

# %%
# Which of the new classes are confused
# -------------------------------------
#
# One round with five examples of each class: these are the examples, and below is the share of each class
# (rows) that is assigned to each of the four (columns).

examples = draw(5, np.random.default_rng(0))
figure, axes = plt.subplots(4, 5, figsize=(5, 4.2), layout="constrained")
for ax, row in zip(axes.flat, examples):
    ax.imshow(X_new[row].reshape(28, 28), cmap="gray_r")
    ax.set(xticks=[], yticks=[])
for ax, name in zip(axes[:, 0], new_names):
    ax.set_ylabel(name)

figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
for ax, name in zip(axes, ["raw pixels", "triplet"]):
    style = {
        "normalize": "true",
        "values_format": ".0%",
        "cmap": "Blues",
        "colorbar": False,
    }
    predicted = predict(Z[name], examples)
    ConfusionMatrixDisplay.from_predictions(
        y_new, predicted, labels=new, display_labels=new_names, ax=ax, **style
    )
    ax.set_title(name)
