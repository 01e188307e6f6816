"""Mean rank of each method on the fifteen data sets, at its defaults."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

plt.style.use("skmetric.mplstyle")
results = Path("../../benchmarks/results/defaults.json")
table = json.loads(results.read_text(encoding="utf-8"))["table"]
CLASSIFIERS = ["SoftmaxMLPClassifier", "MLPClassifier"]
OURS = ["Triplet", "Contrastive", "Neighborhood", "SoftmaxMLPClassifier"]

fig, axes = plt.subplots(2, 1, figsize=(5.2, 4.6), height_ratios=[10, 2], sharex=True)
groups = [[name for name in table if name not in CLASSIFIERS], CLASSIFIERS]
for ax, names in zip(axes, groups):
    names = sorted(names, key=lambda name: table[name]["mean_rank"], reverse=True)
    ranks = [table[name]["mean_rank"] for name in names]
    bars = ax.barh(names, ranks, color=["C0" if name in OURS else "0.7" for name in names])
    ax.bar_label(bars, fmt=" %.1f", fontsize=9)
axes[0].set(xlim=(0, 9.5), title="embeddings in front of five nearest neighbours")
axes[1].set(xlabel="mean rank, 1 is best", title="classifiers")
