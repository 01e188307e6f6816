"""
Quick start: nearest neighbours before and after learning a metric
==================================================================

Raw rows, three classical projections and the three skmetric estimators, each in front of the same
nearest-neighbour classifier, in 2 and in 64 dimensions; then a search for the triplet margin; then a
picture. On scikit-learn's embedded digits by default::

    python docs/examples/plot_quickstart.py
    python docs/examples/plot_quickstart.py --data mnist
    python docs/examples/plot_quickstart.py --data fashion
"""

import argparse
import json
import time
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmetric import (
    ContrastiveMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.datasets import fetch_fashion_mnist, fetch_mnist

# %%
# The data, and what scales it: digits are standardised; images of 28 x 28 pixels are divided by 255.


def to_unit_range(X):
    """Pixels from 0..255 to 0..1."""
    return X / np.float32(255)


def load(name):
    """Training and test rows, scaler, and number of epochs."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        parts = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
        return *parts, StandardScaler(), None
    fetch = fetch_mnist if name == "mnist" else fetch_fashion_mnist
    X_train, y_train = fetch(return_X_y=True)
    X_test, y_test = fetch(subset="test", return_X_y=True)
    return X_train, X_test, y_train, y_test, FunctionTransformer(to_unit_range), 5


parser = argparse.ArgumentParser(description="Quick start of skmetric.")
parser.add_argument("--data", choices=["digits", "mnist", "fashion"], default="digits")
parser.add_argument("--json", help="file to keep the table in")
parser.add_argument("--show", action="store_true", help="open a window besides saving the figure")
args = parser.parse_args()
if not args.show:
    matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

try:
    X_train, X_test, y_train, y_test, scaler, epochs = load(args.data)
except OSError as error:  # neither files nor a network: the message says what to put where
    raise SystemExit(str(error)) from None
settings = {"random_state": 0} | ({"max_iter": epochs} if epochs else {})
n_classes = len(np.unique(y_train))
print(f"{args.data}: {len(X_train)} training rows, {len(X_test)} test rows, {X_train.shape[1]} features")

# %%
# What is compared. A projection goes in front of the neighbours; the classifier answers by itself.


def projections(n_components):
    """Name and transformer (None for raw rows) of each method."""
    yield "PCA", PCA(min(n_components, X_train.shape[1]), random_state=0)
    yield "LDA", LinearDiscriminantAnalysis(n_components=min(n_components, n_classes - 1))
    if args.data == "digits":
        yield (
            "NCA",
            NeighborhoodComponentsAnalysis(min(n_components, X_train.shape[1]), random_state=0),
        )
    triplet = TripletMetricTransformer(n_components)
    if n_components == 2:
        # A plane is a narrow place: one more hidden layer, all of its units and more time help to fold
        # the data into it.
        triplet.set_params(hidden_layer_sizes=(256, 256), dropout=0, max_iter=100)
    yield "Triplet", triplet.set_params(**settings)
    yield "Contrastive", ContrastiveMetricTransformer(n_components, **settings)


def measure(name, dimensions, *steps):
    """Fit a pipeline, print and keep its accuracy on the test rows and its seconds."""
    print(f"  fitting {name:12s} {dimensions:>3} ... ", end="", flush=True)
    start = time.perf_counter()
    model = make_pipeline(scaler, *steps).fit(X_train, y_train)
    accuracy = model.score(X_test, y_test)
    seconds = time.perf_counter() - start
    print(f"{accuracy:6.1%} in {seconds:5.1f} s")
    rows.append((name, dimensions, accuracy, seconds))
    return model


rows = []
n_neighbors = 3 if args.data == "digits" else 5
measure("raw", X_train.shape[1], KNeighborsClassifier(5))
models = {}
for n_components in (2, 64):
    k = n_neighbors if n_components == 2 else 5
    for name, projection in projections(n_components):
        neighbors = KNeighborsClassifier(k)
        models[name, n_components] = measure(name, n_components, projection, neighbors)
measure("Softmax", "-", SoftmaxMLPClassifier(**settings))

# %%
# The margin, by cross-validation. ``score`` of the transformer is leave-one-out recall@1, so that it can
# be searched by itself, without a classifier behind it. Large sets are searched on 6,000 rows.

print("  searching the margin: ", end="", flush=True)
start = time.perf_counter()
some = slice(None, 6000)
margins = np.geomspace(0.1, 100, 7)
search = GridSearchCV(
    make_pipeline(scaler, TripletMetricTransformer(random_state=0, max_iter=20)),
    {"tripletmetrictransformer__margin": margins},
    cv=3,
    n_jobs=2,
    verbose=1,
).fit(X_train[some], y_train[some])
best_margin = search.best_params_["tripletmetrictransformer__margin"]
print(f"  best margin {best_margin:.2g}, found in {time.perf_counter() - start:.1f} s")

# %%
# The table.

print(f"\n| method | dimensions | accuracy on {len(X_test)} test rows | seconds (fit and predict) |")
print("|---|---|---|---|")
for name, dimensions, accuracy, seconds in rows:
    print(f"| {name} | {dimensions} | {accuracy:.1%} | {seconds:.1f} |")
if args.json:
    columns = ["method", "dimensions", "accuracy", "seconds"]
    table = [dict(zip(columns, row)) for row in rows]
    Path(args.json).write_text(json.dumps({"data": args.data, "rows": table}, indent=1) + "\n")

# %%
# The figure: the plane that the triplet loss found, the loss while it trained, the error against the
# margin.

figure, axes = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
embed = models["Triplet", 2][:-1]
shown = slice(None, 2000)
for X, y, marker, label in [
    (X_train[shown], y_train[shown], ".", "training rows"),
    (X_test[shown], y_test[shown], "x", "test rows"),
]:
    Z = embed.transform(X)
    points = axes[0].scatter(*Z.T, c=y, cmap="tab10", marker=marker, s=18, lw=0.8, label=label)
axes[0].set(title="Triplet embedding in 2 dimensions", xticks=[], yticks=[])
place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "ncols": n_classes, "fontsize": 8}
handles, labels = points.legend_elements()
axes[0].add_artist(axes[0].legend(handles, labels, handletextpad=0, columnspacing=1, **place))
axes[0].legend(fontsize=8)

for (name, n_components), model in models.items():
    if hasattr(model[-2], "loss_curve_"):
        curve = np.array(model[-2].loss_curve_)
        axes[1].plot(1 + np.arange(len(curve)), curve / curve[0], label=f"{name}, {n_components}-D")
axes[1].set(title="Training loss, relative to the first epoch", xlabel="epoch", yscale="symlog")
axes[1].set_yscale("symlog", linthresh=1e-3)
axes[1].legend(fontsize=8)

errors = 1 - search.cv_results_["mean_test_score"]
axes[2].errorbar(margins, 100 * errors, 100 * search.cv_results_["std_test_score"], marker="o", capsize=3)
axes[2].set(
    title="Leave-one-out error of the 64-D embedding", xlabel="margin", ylabel="error (%), 3 folds"
)
axes[2].set_xscale("log")

here = Path(__file__).parent if "__file__" in globals() else Path.cwd()
path = here / f"quickstart_{args.data}.png"
figure.savefig(path, dpi=100)
print(f"\nfigure saved as {path}")
if args.show:
    plt.show()
