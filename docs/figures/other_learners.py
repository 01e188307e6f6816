"""Time, memory and error of learners of a metric against the number of training rows."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

plt.style.use("skmetric.mplstyle")
results = Path("../../benchmarks/results/peers.json")
rows = json.loads(results.read_text(encoding="utf-8"))["rows"]
measured = [row for row in rows if "failed" not in row]

fig, axes = plt.subplots(3, 1, figsize=(5.2, 7.6), sharex=True)
for method, style in zip(dict.fromkeys(row["method"] for row in rows), ["o-", "s-", "^-", "D"]):
    own = [row for row in measured if row["method"] == method]
    sizes = [row["n"] for row in own]
    axes[0].loglog(sizes, [row["seconds"] for row in own], style, label=method)
    axes[1].loglog(sizes, [row["extra_mb"] for row in own], style)
    axes[2].loglog(sizes, [100 * (1 - row["accuracy"]) for row in own], style)
axes[0].set_ylabel("seconds to fit")
axes[1].set_ylabel("extra memory, MB")
axes[2].set(ylabel="error of 5-NN, %", xlabel="training rows")
axes[2].set_yticks([2, 5, 10, 20], [2, 5, 10, 20])
axes[2].minorticks_off()
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
