"""Accuracy from five rows of each class."""

import json
from pathlib import Path
from statistics import fmean

import matplotlib.pyplot as plt

plt.style.use("skmetric.mplstyle")
results = Path("../../benchmarks/results/few_rows.json")
rows = json.loads(results.read_text(encoding="utf-8"))["rows"]
JUDGES = {"1-NN": "o", "centroid": "s"}

fig, ax = plt.subplots(figsize=(5.2, 3.4))
methods = list(dict.fromkeys(row["method"] for row in rows))
for judge, marker in JUDGES.items():
    means = [100 * fmean(row[judge] for row in rows if row["method"] == method) for method in methods]
    ax.plot(means, methods, marker, label=f"{judge} behind it")
ax.set(xlabel="accuracy, %", ylim=(len(methods) - 0.5, -0.5))
ax.grid(axis="y", color="0.9")
ax.set_axisbelow(True)
ax.legend(loc="lower left")
