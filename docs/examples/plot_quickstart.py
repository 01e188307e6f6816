"""
Quick start: nearest neighbours before and after learning a metric
==================================================================

A metric transformer turns rows into embeddings whose Euclidean distances tell the classes apart. This
example puts raw rows, three classical projections and the estimators of skmetric in front of the same
nearest-neighbour classifier, in 2 and in 64 dimensions. Then it searches for the triplet margin, and
draws what was learned.

It is also a script. By default it uses the digits that come with scikit-learn::

    python docs/examples/plot_quickstart.py
    python docs/examples/plot_quickstart.py --data mnist
    python docs/examples/plot_quickstart.py --data fashion
"""

import argparse
import json
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import (
    ContrastiveMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist

parser = argparse.ArgumentParser(description="Quick start of skmetric.")
parser.add_argument("--data", choices=["digits", "mnist", "fashion"], default="digits")
parser.add_argument("--json", help="file to write the table to")
parser.add_argument(
    "--show", action="store_true", help="open a window, besides saving the figure"
)
args = parser.parse_args()
if not args.show:
    plt.switch_backend("agg")

# %%
# The data
# --------
#
# The digits have 64 features. Half of them are used for training. MNIST and Fashion-MNIST have 784
# features, 60,000 training rows and 10,000 test rows; skmetric is trained on them for 5 epochs.


def load(name):
    """Return training rows, test rows and their labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    fetch = {"mnist": fetch_mnist, "fashion": fetch_fashion_mnist}[name]
    X_train, y_train = fetch(return_X_y=True)
    X_test, y_test = fetch(subset="test", return_X_y=True)
    return X_train / np.float32(255), X_test / np.float32(255), y_train, y_test


try:
    X_train, X_test, y_train, y_test = load(args.data)
except OSError as error:  # no files and no network: the message says what to put where
    raise SystemExit(str(error)) from None
is_small = args.data == "digits"
scaler = StandardScaler() if is_small else None
settings = {"random_state": 0} if is_small else {"random_state": 0, "max_iter": 5}
n_features = X_train.shape[1]
n_classes = len(np.unique(y_train))
print(
    f"{args.data}: {len(X_train)} training rows, {len(X_test)} test rows, {n_features} features"
)

# %%
# The comparison
# --------------
#
# Each method is a transformer in a pipeline that ends in a nearest-neighbour classifier. The softmax
# network is a classifier itself. A plane has little room, so that the triplet network gets a second
# hidden layer and more epochs for it.

rows = []
models = {}


def measure(name, dimensions, *steps):
    """Fit a pipeline; keep and print its test accuracy and its seconds."""
    print(f"  fitting {name:12s} {dimensions:>3} ... ", end="", flush=True)
    start = time.perf_counter()
    model = make_pipeline(scaler, *steps).fit(X_train, y_train)
    accuracy = model.score(X_test, y_test)
    seconds = time.perf_counter() - start
    print(f"{accuracy:6.1%} in {seconds:5.1f} s")
    rows.append(
        {
            "method": name,
            "dimensions": dimensions,
            "accuracy": accuracy,
            "seconds": seconds,
        }
    )
    models[name, dimensions] = model


def transformers(n_components):
    """Return the transformers to compare, by name."""
    triplet = TripletMetricTransformer(n_components, **settings)
    if n_components == 2:
        wider = {"hidden_layer_sizes": (256, 256), "dropout": 0, "max_iter": 100}
        triplet.set_params(**wider | settings)
    found = {
        "PCA": PCA(min(n_components, n_features), random_state=0),
        "LDA": LinearDiscriminantAnalysis(
            n_components=min(n_components, n_classes - 1)
        ),
        "NCA": NeighborhoodComponentsAnalysis(
            min(n_components, n_features), random_state=0
        ),
        "Triplet": triplet,
        "Contrastive": ContrastiveMetricTransformer(n_components, **settings),
    }
    if not is_small:
        del found["NCA"]  # its arrays of rows x rows would not fit into memory
    return found


measure("raw", n_features, KNeighborsClassifier(5))
for n_components in (2, 64):
    n_neighbors = 3 if is_small and n_components == 2 else 5
    for name, transformer in transformers(n_components).items():
        measure(name, n_components, transformer, KNeighborsClassifier(n_neighbors))
measure("Softmax", "-", SoftmaxMLPClassifier(**settings))

# %%
# The margin, by cross-validation
# -------------------------------
#
# The ``score`` of a metric transformer is the leave-one-out recall@1: the fraction of rows that have the
# class of their nearest neighbour. So ``GridSearchCV`` needs no classifier behind the transformer. To
# save time, the search trains one network instead of three, for fewer epochs, on at most 6,000 rows.

margins = np.geomspace(0.1, 100, 7)
print("  searching the margin: ", end="", flush=True)
start = time.perf_counter()
search = GridSearchCV(
    make_pipeline(
        scaler, TripletMetricTransformer(n_networks=1, max_iter=20, random_state=0)
    ),
    {"tripletmetrictransformer__margin": margins},
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
    n_jobs=2,
).fit(X_train[:6000], y_train[:6000])
best_margin = search.best_params_["tripletmetrictransformer__margin"]
print(f"best margin {best_margin:.2g}, found in {time.perf_counter() - start:.1f} s")

# %%
# The table
# ---------

print(
    f"\n| method | dimensions | accuracy on {len(X_test)} test rows | seconds (fit and predict) |"
)
print("|---|---|---|---|")
for row in rows:
    print("| {method} | {dimensions} | {accuracy:.1%} | {seconds:.1f} |".format(**row))
if args.json:
    Path(args.json).write_text(
        json.dumps({"data": args.data, "rows": rows}, indent=1) + "\n"
    )

# %%
# The figure
# ----------
#
# On the left is the plane that the triplet loss found. The test rows (crosses) lie where the training
# rows of their class lie.
#
# In the middle is the training. With the default ``reduction="active"``, the loss is the mean over the
# *active* terms, those that are not zero. It need not fall while their number falls. The mean over all
# terms, which is the loss times the active fraction, shows the progress.
#
# On the right is the cross-validated error for each margin.

figure, axes = plt.subplot_mosaic(
    [["plane", "loss", "margin"], ["plane", "active", "margin"]],
    figsize=(15, 5),
    layout="constrained",
)
embedding = models["Triplet", 2][:-1]
for X, y, marker, label in [
    (X_train[:2000], y_train[:2000], ".", "training rows"),
    (X_test[:2000], y_test[:2000], "x", "test rows"),
]:
    Z = embedding.transform(X)
    points = axes["plane"].scatter(
        *Z.T, c=y, cmap="tab10", marker=marker, s=18, lw=0.8, label=label
    )
axes["plane"].set(title="Triplet embedding in 2 dimensions", xticks=[], yticks=[])
place = {
    "loc": "upper center",
    "bbox_to_anchor": (0.5, 0),
    "ncols": n_classes,
    "fontsize": 8,
}
classes = axes["plane"].legend(
    *points.legend_elements(), handletextpad=0, columnspacing=1, **place
)
axes["plane"].add_artist(classes)
axes["plane"].legend(fontsize=8)

for method in ("Triplet", "Contrastive"):
    for n_components, style in [(2, "--"), (64, "-")]:
        history = models[method, n_components][-2].history_
        active = np.array([epoch["active_fraction"] for epoch in history])
        mean = np.array([epoch["mean_loss"] for epoch in history])
        line = {"label": f"{method}, {n_components}-D", "linestyle": style}
        line["color"] = {"Triplet": "C0", "Contrastive": "C1"}[method]
        epochs = np.arange(1, len(history) + 1)
        axes["loss"].plot(epochs, mean / mean[0], **line)
        axes["active"].plot(epochs, active, **line)
axes["loss"].set(title="Mean over all terms, relative to the first epoch")
axes["loss"].set_yscale("symlog", linthresh=1e-5)
axes["loss"].tick_params(labelbottom=False)
axes["loss"].legend(fontsize=8)
axes["active"].set(title="Fraction of active terms", xlabel="epoch")
axes["active"].set_yscale("symlog", linthresh=1e-5)
axes["active"].locator_params(axis="x", integer=True)

errors = 100 * (1 - search.cv_results_["mean_test_score"])
spreads = 100 * search.cv_results_["std_test_score"]
axes["margin"].errorbar(margins, errors, spreads, marker="o", capsize=3)
axes["margin"].set(title="Leave-one-out error, 64-D, three folds", xlabel="margin")
axes["margin"].set(ylabel="error (%)", xscale="log", ylim=(0, None))

if "__file__" in globals():  # run as a script, and not by the gallery
    path = Path(__file__).with_name(f"quickstart_{args.data}.png")
    figure.savefig(path, dpi=100)
    print(f"\nfigure saved as {path}")
if args.show:
    plt.show()
