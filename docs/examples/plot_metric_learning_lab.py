"""
The metric-learning lab: from plain distances to a triplet loss
===============================================================

This example takes one set of images through the losses of metric learning, one after the other:

1. plain Euclidean distances, without any learning,
2. a loss that only pulls images of the same class together, and why it collapses,
3. a contrastive loss, which also pushes images of different classes apart,
4. a triplet loss, which only asks which of two images is the nearer one,

and ends with the choice of the margin by cross-validation. :doc:`/mathematics` derives the losses.
"""

# %%
# Images that plain distances do not understand
# ---------------------------------------------
#
# The digits of scikit-learn are centred and clean, so that nearest neighbours work well on the bare
# pixels. We make them harder: each digit is moved to a random place on a larger canvas, in front of a
# background that gets brighter in a random direction.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import (
    StratifiedKFold,
    ValidationCurveDisplay,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.pairs import make_pairs, paired_distances
from skmetric.plotting import PairDistanceDisplay

SIZE = 10  # pixels of the canvas in each direction; a digit has 8


def snapshots(digits, rng):
    """Digits at random places, in front of random backgrounds."""
    images = np.zeros((len(digits), SIZE, SIZE))
    places = rng.integers(0, SIZE - 8 + 1, (len(digits), 2))
    for image, digit, (top, left) in zip(images, digits.reshape(-1, 8, 8), places):
        image[top : top + 8, left : left + 8] = digit
    down, right = rng.normal(scale=5, size=(2, len(digits), 1, 1))
    ramp = np.linspace(-1, 1, SIZE)
    background = down * ramp[:, np.newaxis] + right * ramp
    return (images + background).reshape(len(digits), -1)


digits, y = load_digits(return_X_y=True)
X = snapshots(digits, np.random.default_rng(0))
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)

figure, axes = plt.subplots(2, 8, figsize=(8, 2.2), layout="constrained")
for ax, image in zip(axes.flat, X_train):
    ax.imshow(image.reshape(SIZE, SIZE), cmap="gray")
    ax.set_axis_off()

# %%
# Each method below is a transformer in front of the same nearest-neighbour classifier, and its score is
# the accuracy on the test images. ``input_weight=0`` asks for the learned embedding alone: the background
# is a large part of the images, and nothing of it is worth keeping (see
# :ref:`sphx_glr_gallery_plot_unseen_classes.py` for what the parameter is good for).

scores = {}


def evaluate(name, *steps):
    """Fit the steps in front of a nearest-neighbour classifier, and print the accuracy."""
    model = make_pipeline(*steps, KNeighborsClassifier(5)).fit(X_train, y_train)
    scores[name] = model.score(X_test, y_test)
    print(f"{name:12s} {scores[name]:.1%}")


evaluate("plain L2")

# %%
# Pull only: the loss falls, and everything collapses
# ---------------------------------------------------
#
# The simplest idea is to make the distances within each class small. The contrastive loss does this, and
# nothing else, when the weight of its negative pairs is 0. The loss is 0 if all images are mapped to the
# same point. skmetric allows this loss, but it warns.

pull_only = ContrastiveMetricTransformer(
    negative_weight=0, input_weight=0, random_state=0
)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    evaluate("pull only", pull_only)
print("Warning:", caught[0].message)

# %%
# Contrastive: pull and push
# --------------------------
#
# The full contrastive loss also pushes each pair of different classes apart, until the squared distance
# is at least ``negative_margin``. The model is still linear.

contrastive = ContrastiveMetricTransformer(input_weight=0, random_state=0)
evaluate("contrastive", contrastive)

# %%
# To see the difference, we train both once more, an epoch at a time (``partial_fit``), and look at the
# distances of 2,000 pairs of test images, half of them of the same class. The pull-only loss makes *all*
# distances small, and the two curves stay close to each other. The contrastive loss keeps the distances
# where ``negative_margin`` wants them.

pairs, is_same = make_pairs(y_test, 2000, rng=0)


def distances_by_epoch(embedding, n_epochs=30):
    """Mean distance of the pairs of the same class and of different classes, after each epoch."""
    means = []
    for _ in range(n_epochs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # each call warns of the collapse
            embedding.partial_fit(X_train, y_train)
        distances = paired_distances(embedding.transform(X_test), pairs)
        means.append([distances[is_same == 1].mean(), distances[is_same == 0].mean()])
    return np.array(means).T


figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for name, negative_weight, color in [("pull only", 0, "C3"), ("contrastive", 1, "C0")]:
    embedding = ContrastiveMetricTransformer(
        negative_weight=negative_weight,
        input_weight=0,
        learning_rate_init=0.01,
        random_state=0,
    )
    same, different = distances_by_epoch(embedding)
    epochs = np.arange(1, len(same) + 1)
    ax.plot(epochs, different, color=color, label=f"{name}, different classes")
    ax.plot(epochs, same, color=color, linestyle="--", label=f"{name}, same class")
ax.set(xlabel="epoch", ylabel="mean distance of test pairs", yscale="log")
ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))

# %%
# Triplets: only the order counts
# -------------------------------
#
# A contrastive loss pulls two images of a class together even if they look different and have no wrong
# neighbours. The triplet loss is content as soon as each image is nearer to those of its class than to
# others, by a margin. The transformer also has a hidden layer, by default.

triplet = TripletMetricTransformer(input_weight=0, n_networks=1, random_state=0)
evaluate("triplet", triplet)

# %%
# The histograms of the distances show why the accuracies differ. With plain distances and with the
# pull-only loss, both kinds of pairs look alike. The linear contrastive model makes some pairs of each
# class near: not all, but enough for nearest neighbours. The triplet model separates the two kinds.

transformers = {
    "plain L2": None,
    "pull only": pull_only,
    "contrastive": contrastive,
    "triplet": triplet,
}
# sphinx_gallery_thumbnail_number = 3
figure, axes = plt.subplots(2, 2, figsize=(9, 5.5), layout="constrained")
for ax, (name, transformer) in zip(axes.flat, transformers.items()):
    Z = X_test if transformer is None else transformer.transform(X_test)
    title = f"{name}: 5-NN accuracy {scores[name]:.1%}"
    PairDistanceDisplay.from_predictions(
        is_same, paired_distances(Z, pairs), ax=ax, name=title
    )

# %%
# The margin, by cross-validation
# -------------------------------
#
# The embedding and the classifier are one pipeline, so that scikit-learn's tools find the margin: here
# the validation curve, with three folds of the training images.

margins = np.geomspace(0.01, 100, 5)
display = ValidationCurveDisplay.from_estimator(
    make_pipeline(
        TripletMetricTransformer(
            input_weight=0, n_networks=1, max_iter=20, random_state=0
        ),
        KNeighborsClassifier(5),
    ),
    X_train,
    y_train,
    param_name="tripletmetrictransformer__margin",
    param_range=margins,
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
    n_jobs=2,
    score_type="test",
    score_name="5-NN accuracy",
    std_display_style="errorbar",
)
display.ax_.set(xlabel="margin", title="Mean and standard deviation over three folds")
best = margins[display.test_scores.mean(axis=1).argmax()]
print(f"best margin: {best:g}")

# %%
# The curve has a broad top, because skmetric scales the embedding to the margin before the first step:
# the margin is rarely the first parameter to search for.
#
# Where to go from here: :ref:`sphx_glr_gallery_plot_mining_side_by_side.py` compares the ways to choose
# triplets, and :doc:`/tuning` says more about folds and searches.
