"""Digits 0 to 4 in the plane while a loss that only pulls is minimised, and one that pushes too."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skmetric import ContrastiveMetricTransformer

plt.style.use("skmetric.mplstyle")
warnings.filterwarnings("ignore", message="The embedding collapses")
X, y = load_digits(n_class=5, return_X_y=True)
X = X.astype(np.float32)
EPOCHS = [1, 5, 40]
shown = np.random.default_rng(0).permutation(len(X))[:250]

fig, axes = plt.subplots(len(EPOCHS), 2, figsize=(5.2, 7.2), sharex=True, sharey=True)
for column, (name, negative_weight) in zip(axes.T, [("pull only", 0), ("pull and push", 1)]):
    for ax, epochs in zip(column, EPOCHS):
        model = ContrastiveMetricTransformer(
            2,
            (64,),
            negative_weight=negative_weight,
            input_weight=0,
            learning_rate="constant",
            learning_rate_init=0.003,
            input_dropout=0,
            max_iter=epochs,
            random_state=0,
        )
        model.fit(X, y)
        Z = model.transform(X)
        Z -= Z.mean(axis=0)
        for label in range(5):
            rows = shown[y[shown] == label]
            ax.scatter(*Z[rows].T, s=8, color=f"C{label}", rasterized=True)
        ax.set_title(f"{name}, epoch {epochs}\nrecall@1 {model.score(X, y):.3f}, loss {model.loss_:.2g}")
        ax.set(xlim=(-6, 6), ylim=(-6, 6), xticks=[], yticks=[], aspect="equal")
        ax.spines[:].set_color("#cccccc")
        ax.spines[:].set_visible(True)
