"""Measured time of the triplet loss against the size of the batch."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")
results = Path("../../benchmarks/results/triplet_loss_1_threads.json")
measured = json.loads(results.read_text(encoding="utf-8"))

fig, ax = plt.subplots(figsize=(5.2, 3.9))
growth = measured["growth"]["all"]
sizes = np.array(growth["sizes"])
seconds = np.array(growth["median_s"])
ax.loglog(sizes, seconds, "o-", label="skmetric, all triplets")
law = sizes**2 * np.log(sizes)
ax.loglog(sizes, seconds[0] * law / law[0], color="#999999", linewidth=1, linestyle="--")
ax.annotate(
    "$B^2 \\log B$", (sizes[-2], 1.35 * seconds[0] * law[-2] / law[0]), ha="right", color="#666666"
)
for name, style in [("pytorch-metric-learning", "s"), ("JAX, dense", "^")]:
    peers = {int(size): peer[name]["median_s"] for size, peer in measured["peers"].items()}
    ax.loglog(list(peers), list(peers.values()), f"{style}-", label=f"{name}, all triplets")
ax.set(
    xlabel="rows in the batch, $B$", ylabel="seconds", xticks=sizes, xticklabels=sizes, ylim=(1e-3, 20)
)
ax.minorticks_off()
ax.legend(loc="upper left", bbox_to_anchor=(0, 1.04))
