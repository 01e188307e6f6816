"""The same embeddings under four losses: where one step of gradient descent moves each row."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np

from skmetric.losses import MetricLoss, contrastive, over_active, over_anchors, soft_neighbors, triplet

plt.style.use("skmetric.mplstyle")
rng = np.random.default_rng(4)
centres = np.array([[0, 0], [2.6, 0.4], [1.2, 2.2], [3.4, 2.2]])
Z = (centres[:, np.newaxis] + rng.normal(0, 0.45, (4, 5, 2))).reshape(-1, 2)
y = np.repeat([0, 1, 1, 0], 5)  # each class has two groups

LOSSES = {
    "contrastive": MetricLoss(partial(contrastive, negative_margin=4.0), reduction=over_active),
    "triplet, all": MetricLoss(partial(triplet, margin=2.0), reduction=over_active),
    "neighborhood components": MetricLoss(soft_neighbors, reduction=over_anchors),
    "supervised contrastive": MetricLoss(
        partial(soft_neighbors, loss="supervised_contrastive"), reduction=over_anchors
    ),
}

fig, axes = plt.subplots(2, 2, figsize=(5.4, 3.7))
for ax, (name, loss) in zip(axes.flat, LOSSES.items()):
    _, dZ = loss(Z, y)
    steps = -0.6 * dZ / np.linalg.norm(dZ, axis=1).max()
    for label, marker in [(0, "o"), (1, "s")]:
        rows = y == label
        color = f"C{label}"
        ax.scatter(*Z[rows].T, s=22, marker=marker, color=color)
        ax.quiver(
            *Z[rows].T, *steps[rows].T, angles="xy", scale_units="xy", scale=1, color=color, width=0.011
        )
    ax.set(title=name, aspect="equal", xticks=[], yticks=[])
    ax.margins(0.15)
    ax.spines[:].set_color("#cccccc")
    ax.spines[:].set_visible(True)
