"""
Hard, semi-hard and all triplets side by side
=============================================

The triplet loss compares an anchor with a positive of its class and a negative of another class. A
*miner* chooses which of the triplets of a batch count:

- ``"hard"``: one for each anchor, its farthest positive with its nearest negative;
- ``"semihard"``: those with the negative farther away than the positive, but within the margin;
- ``"all"``: all of them, the default of :class:`~skmetric.TripletMetricTransformer`.

This example trains with all three, once with correct labels and once with some wrong labels, and watches
what happens. :doc:`/mining` explains why.
"""

# %%
# Data with and without mistakes
# ------------------------------
#
# The second set of training labels has a random label in one of ten rows. The test labels are correct.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetric import TripletMetricTransformer
from skmetric.losses import MetricLoss, triplet

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)

rng = np.random.default_rng(0)
is_random = rng.random(len(y_train)) < 0.1
y_noisy = np.where(is_random, rng.integers(0, 10, len(y_train)), y_train)
print(f"{np.mean(y_noisy != y_train):.1%} of the noisy labels are wrong")

# %%
# What we look at after each epoch
# --------------------------------
#
# The ``active_fraction`` in the ``history_`` of an estimator refers to the triplets that its miner looks
# at: with ``"semihard"`` all of them have a loss, by definition. To compare the miners, we count the
# *violated* triplets among all triplets of the first 300 test rows: those with a loss above 0. The second
# measure is the leave-one-out recall@1 of the test rows, which is the ``score`` of the embedding.


def violated_fraction(Z, y):
    """Fraction of all triplets of the rows that have a loss above 0."""
    loss = MetricLoss(triplet)
    loss(Z, y)
    return loss.notes()["active_fraction"]


def watch(mining, labels, n_epochs=25):
    """Train an epoch at a time; return the embedding and both measures after each epoch."""
    embedding = TripletMetricTransformer(
        2, (256, 256), mining=mining, dropout=0, input_weight=0, random_state=0
    )
    curves = []
    for _ in range(n_epochs):
        embedding.partial_fit(X_train, labels)
        violated = violated_fraction(embedding.transform(X_test[:300]), y_test[:300])
        curves.append([violated, embedding.score(X_test, y_test)])
    return embedding, np.array(curves)


# %%
# Train
# -----
#
# ``partial_fit`` uses a constant learning rate. The embedding has two columns, so that it can be drawn.
# The only difference between the three is ``mining``.

MINERS = ["hard", "semihard", "all"]
results = {}
for noise, labels in {"correct labels": y_train, "wrong labels": y_noisy}.items():
    for mining in MINERS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            results[noise, mining] = watch(mining, labels)
        violated, recall = results[noise, mining][1][-1]
        print(f"{noise}, {mining:8s} violated {violated:6.1%}, recall@1 {recall:.1%}")
        if caught:
            print(
                "   ",
                str(caught[-1].message).partition(":")[0],
                f"({len(caught)} warnings)",
            )

# %%
# The test rows in the plane
# --------------------------
#
# In two dimensions, the hardest triplets are too hard. With correct labels, the classes do not come apart
# in the time that the others need. With wrong labels, the farthest positive of an anchor is often a row
# that does not belong to its class, and the embedding collapses.

figure, axes = plt.subplots(2, 3, figsize=(10, 6.6), layout="constrained")
for ax, ((noise, mining), (embedding, curves)) in zip(axes.flat, results.items()):
    ax.scatter(*embedding.transform(X_test).T, c=y_test, cmap="tab10", s=8)
    ax.set(title=f'"{mining}", {noise}\nrecall@1 {curves[-1, 1]:.1%}')
    ax.locator_params(nbins=4)

# %%
# Over the epochs
# ---------------

figure, axes = plt.subplots(
    2, 2, figsize=(9, 5.6), sharex=True, sharey="row", layout="constrained"
)
for (noise, mining), (_, curves) in results.items():
    column = int(noise == "wrong labels")
    for ax, values in zip(axes[:, column], curves.T):
        ax.plot(
            np.arange(1, len(values) + 1),
            values,
            color=f"C{MINERS.index(mining)}",
            label=f'"{mining}"',
        )
    axes[0, column].set(title=noise, yscale="log")
    axes[1, column].set(xlabel="epoch", ylim=(0, 1))
axes[0, 0].set_ylabel("violated triplets")
axes[1, 0].set_ylabel("recall@1")
figure.legend(
    *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3
)

# %%
# ``"all"`` is the place to begin. ``"semihard"`` is worth a try where labels are noisy: it leaves out the
# triplets with the negative nearer than the positive, and these are often the ones with a wrong label.
#
# A plane is the hard case. Set ``n_components`` to 64 in ``watch`` to see how much easier the problem is
# with more room.
