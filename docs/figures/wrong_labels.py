"""The same training with some labels drawn at random: how each mining copes."""

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
rng = np.random.default_rng(0)
chance = rng.random(len(y))
drawn = rng.integers(0, 10, len(y))
fractions = np.array([0, 0.05, 0.1, 0.2, 0.3])

fig, ax = plt.subplots()
for mining, marker in [("all", "o"), ("semihard", "s"), ("hard", "^")]:
    model = TripletMetricTransformer(
        16, mining=mining, n_networks=1, input_weight=0, max_iter=15, random_state=0
    )
    scores = [
        model.fit(X, np.where(chance < fraction, drawn, y)).score(X_test, y_test)
        for fraction in fractions
    ]
    ax.plot(100 * fractions, scores, f"{marker}-", label=mining)
ax.set(xlabel="labels drawn at random, %", ylabel="recall@1, test rows", ylim=(None, 1.02))
ax.legend(title="mining")
