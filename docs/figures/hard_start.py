"""Hard, semi-hard and all triplets from the same bad start: loss and neighbours of each epoch."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skmetric import TripletMetricTransformer

plt.style.use("skmetric.mplstyle")
X, y = load_digits(return_X_y=True)
fig, (losses, scores) = plt.subplots(2, 1, figsize=(5.2, 4.9), sharex=True)
for mining, style in [("all", "-"), ("semihard", "--"), ("hard", "-")]:
    model = TripletMetricTransformer(
        16,
        mining=mining,
        normalize=True,
        learning_rate_init=0.1,
        learning_rate="constant",
        n_networks=1,
        input_weight=0,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=np.inf,
        max_iter=30,
        random_state=0,
    ).fit(X.astype(np.float32), y)
    epochs = np.arange(1, model.n_iter_ + 1)
    losses.plot(epochs, model.loss_curve_, style, label=mining)
    scores.plot(epochs, model.validation_scores_, style, label=mining)
losses.axhline(1, color="#999999", linewidth=1, linestyle=":")
losses.text(30, 1.02, "margin", ha="right", va="bottom", color="#666666")
losses.set(ylabel="loss (mean of the active)", ylim=(0, None))
scores.set(xlabel="epoch", ylabel="recall@1, validation rows")
losses.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
