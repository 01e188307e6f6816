"""Margins over five orders of magnitude, in free space and on the unit sphere."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetric import TripletMetricTransformer

plt.style.use("skmetric.mplstyle")
X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X.astype(np.float32), y, test_size=0.5, random_state=0, stratify=y
)
MARGINS = np.array([0.001, 0.1, 1, 2, 4, 100])

fig, (scores, active) = plt.subplots(2, 1, figsize=(5.2, 4.9), sharex=True)
for normalize, marker in [(False, "o"), (True, "s")]:
    models = [
        TripletMetricTransformer(
            16,
            margin=margin,
            normalize=normalize,
            n_networks=1,
            input_weight=0,
            max_iter=10,
            random_state=0,
        ).fit(X, y)
        for margin in MARGINS
    ]
    label = f"normalize={normalize}"
    scores.plot(MARGINS, [model.score(X_test, y_test) for model in models], f"{marker}-", label=label)
    fractions = [model.history_[-1]["active_fraction"] for model in models]
    active.plot(MARGINS, fractions, f"{marker}-", label=label)
for ax in (scores, active):
    ax.axvline(4, color="#999999", linewidth=1, linestyle=":")
active.text(
    4.6, 0.5, "largest squared\ndistance on\nthe sphere", va="center", color="#666666", fontsize=9
)
scores.set(ylabel="recall@1, test rows", xscale="log")
active.set(ylabel="active fraction\nin the last epoch", xlabel="margin", ylim=(-0.05, 1.05))
scores.legend(loc="lower left")
