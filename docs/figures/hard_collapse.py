"""Hard, semi-hard and all triplets at a rate that is too large: loss, distances and neighbours."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetric import TripletMetricTransformer

plt.style.use("skmetric.mplstyle")
warnings.filterwarnings("ignore", message="The embedding collapses")
EPOCHS = np.arange(1, 21)
X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=0, stratify=y)


def curves_of(mining):
    """Loss, mean distance of test rows and recall@1 after each epoch."""
    model = TripletMetricTransformer(
        16,
        mining=mining,
        normalize=True,
        learning_rate_init=0.1,
        learning_rate="constant",
        n_networks=1,
        input_weight=0,
        warm_start=True,
        max_iter=1,
        random_state=0,
    )
    after_each = []
    for _ in EPOCHS:
        model.fit(X, y)
        distance = model.pairwise_distance(X_test).mean()
        after_each.append((model.loss_, distance, model.score(X_test, y_test)))
    return np.transpose(after_each)


fig, axes = plt.subplots(3, 1, figsize=(5.2, 6.0), sharex=True)
for mining, style in [("all", "-"), ("semihard", "--"), ("hard", "-")]:
    for ax, curve in zip(axes, curves_of(mining)):
        ax.plot(EPOCHS, curve, style, label=mining)
axes[0].axhline(1, color="#999999", linewidth=1, linestyle=":")
axes[0].text(EPOCHS[-1], 1.03, "margin", ha="right", va="bottom", color="#666666")
axes[0].set(ylabel="loss, mean\nof the active", ylim=(0, 1.35))
axes[1].set(ylabel="mean distance,\ntest rows", ylim=(0, 1.5))
axes[2].set(ylabel="recall@1,\ntest rows", xlabel="epoch", xticks=[1, 5, 10, 15, 20])
axes[0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
fig.align_ylabels()
