"""How often the nearest neighbour is of the same class, for classes that training has not seen."""

import json
from pathlib import Path
from statistics import fmean

import matplotlib.pyplot as plt

plt.style.use("skmetric.mplstyle")
results = Path("../../benchmarks/results/unseen.json")
rows = json.loads(results.read_text(encoding="utf-8"))["rows"]
METHODS = {
    "raw": ("k|", "rows as they are"),
    "LDA": ("C4v", "LDA"),
    "NCA": ("C3^", "NCA"),
    "Triplet, nothing kept": ("C1o", "Triplet, input_weight=0"),
    "Triplet": ("C0o", "Triplet, defaults"),
    "Neighborhood": ("C2s", "Neighborhood, defaults"),
}

fig, ax = plt.subplots(figsize=(5.2, 3.9))
sets = list(dict.fromkeys(row["set"] for row in rows))
for method, (style, label) in METHODS.items():
    found = [
        fmean(row["recall_at_1"] for row in rows if (row["set"], row["method"]) == (name, method))
        for name in sets
    ]
    size = 14 if method == "raw" else 7
    ax.plot(found, sets, style, markersize=size, markeredgewidth=2 if method == "raw" else 0, label=label)
ax.set(xlabel="recall@1 among rows of unseen classes", ylim=(len(sets) - 0.5, -0.5))
ax.grid(axis="y", color="0.9")
ax.set_axisbelow(True)
fig.legend(loc="outside upper center", ncols=2)
