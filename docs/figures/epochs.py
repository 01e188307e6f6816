"""Time of an epoch of a classifier, over the time of the same epoch elsewhere."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")
PEERS = {"floor": "k|", "MLPClassifier": "C1o", "PyTorch": "C2s", "JAX": "C3^"}

fig, axes = plt.subplots(2, 1, figsize=(5.2, 6.4), sharex=True)
for ax, n_threads, title in zip(axes, (1, 2), ("one CPU", "two CPUs")):
    results = Path(f"../../benchmarks/results/epoch_{n_threads}_threads.json")
    rows = json.loads(results.read_text(encoding="utf-8"))["rows"]
    cases = [f"{'-'.join(map(str, row['hidden']))} x {row['batch']}, {row['solver']}" for row in rows]
    heights = np.arange(len(rows))[::-1]
    for peer, style in PEERS.items():
        ratios = [row["contestants"][peer]["skmetric_over_this"] for row in rows]
        ax.semilogx(ratios, heights, style, markersize=10 if peer == "floor" else 6, label=peer)
    ax.axvline(1, color="0.6", linewidth=1, zorder=0)
    ax.set(yticks=heights, yticklabels=cases, title=title)
    ticks = [0.3, 0.5, 1, 2, 3]
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
axes[1].set(xlabel="time of skmetric / time of the other")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
