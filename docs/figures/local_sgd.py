"""Accuracy of five neighbours against rounds of local SGD, for several numbers of workers."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")

results = Path("../../benchmarks/results/local_sgd.json")
curves = json.loads(results.read_text(encoding="utf-8"))["parts"]["workers"]["curves"]

fig, ax = plt.subplots()
colors = plt.colormaps["viridis"](np.linspace(0, 0.9, len(curves)))
for (n_workers, accuracies), color in zip(curves.items(), colors):
    ax.plot(accuracies, color=color, marker=".", label=n_workers)
ax.set(xlabel="rounds of 20 steps", ylabel="accuracy of 5 neighbours")
ax.legend(title="workers", ncols=2)
