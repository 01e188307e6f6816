"""
Classes that training has not seen
==================================

A metric is often used for classes that did not exist when it was trained: new people, new products, new
topics. An embedding that keeps only what tells the known classes apart may throw away what the new
classes need. Therefore the transformers of skmetric keep the principal components of their input beside
what they learn, and ``input_weight`` says how much.

This example trains on six digits of MNIST, and searches among the other four.
"""

# %%
# Known and new classes
# ---------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer

from skmetric import TripletMetricTransformer
from skmetric.datasets import fetch_mnist
from skmetric.metrics import mean_average_precision_at_r, recall_at_k

X, y = fetch_mnist(return_X_y=True)
X_test, y_test = fetch_mnist(subset="test", return_X_y=True)
X, y, X_test, y_test = X[:4000], y[:4000], X_test[:2000], y_test[:2000]


def split(seed):
    """Draw six known classes: training rows, test rows of the known classes and of the new classes."""
    known = np.random.default_rng(seed).permutation(10)[:6]
    is_known = np.isin(y_test, known)
    train = np.isin(y, known)
    return (
        (X[train], y[train]),
        (X_test[is_known], y_test[is_known]),
        (X_test[~is_known], y_test[~is_known]),
    )


# %%
# Nothing kept, much kept
# -----------------------
#
# Raw pixels and their principal components are compared with embeddings that keep nothing of their input,
# half as much as they learn, as much (the default) and twice as much. In each, every test image searches
# the others of its kind, known or new. Recall@1 is the fraction of images with a nearest neighbour of
# their own class; MAP@R asks for all images of the class to come first. The numbers are means over three
# draws of the known classes.

weights = [0, 0.5, 1, 2]
settings = {"max_iter": 15, "n_networks": 1, "random_state": 0}
transformers = {"raw pixels": FunctionTransformer(), "PCA": PCA(64, random_state=0)}
for weight in weights:
    transformers[f"input_weight={weight}"] = TripletMetricTransformer(
        input_weight=weight, **settings
    )


def measures(transformer, seed):
    """Recall@1 and MAP@R of the known classes, and of the new classes."""
    train, known, new = split(seed)
    transformer.fit(*train)
    found = []
    for rows, labels in (known, new):
        Z = transformer.transform(rows)
        found.append([recall_at_k(Z, labels), mean_average_precision_at_r(Z, labels)])
    return np.array(found)


scores = {}
print(f"{'':18s}   known classes       new classes")
print(f"{'':18s}{'recall@1':>10s}{'MAP@R':>8s}{'recall@1':>12s}{'MAP@R':>8s}")
for name, transformer in transformers.items():
    scores[name] = np.mean([measures(transformer, seed) for seed in range(3)], axis=0)
    print("{:18s}{:10.3f}{:8.3f}{:12.3f}{:8.3f}".format(name, *scores[name].ravel()))

# %%
# The more of the input is kept, the less of the embedding is what was learned for the known classes:
# their MAP@R falls. New classes are served best if both are there. The dashed lines are the raw pixels.

curves = np.array([scores[f"input_weight={weight}"] for weight in weights])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for measure, (ax, name) in enumerate(zip(axes, ["recall@1", "MAP@R"])):
    for part, label in enumerate(["known classes", "new classes"]):
        ax.plot(weights, curves[:, part, measure], "o-", color=f"C{part}", label=label)
        ax.axhline(
            scores["raw pixels"][part, measure],
            color=f"C{part}",
            linestyle="--",
            linewidth=1,
        )
    ax.set(title=name, xlabel="input_weight", xticks=weights)
axes[0].legend()

# %%
# The new classes in the plane
# ----------------------------
#
# The first two principal components of the test images of the four new digits. Without the input, digits
# that the network has no use for fall on top of each other.

train, _, (X_new, y_new) = split(0)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for ax, name in zip(axes, ["raw pixels", "input_weight=0", "input_weight=1"]):
    Z = PCA(2, random_state=0).fit_transform(
        transformers[name].fit(*train).transform(X_new)
    )
    for digit in np.unique(y_new):
        ax.scatter(*Z[y_new == digit].T, s=6, label=digit)
    ax.set(title=name, xticks=[], yticks=[])
axes[0].legend(title="new digit", markerscale=2, fontsize=8)

# sphinx_gallery_thumbnail_number = 2
