"""One anchor of the triplet loss: its row is sorted, and running counts give all of C."""

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")
margin = 1.5
d = np.array([0.5, 1.3, 2.6, 3.9, 1.1, 2.35, 3.4, 4.8, 6.1])
positive = np.arange(len(d)) < 4

key = d + margin * positive
order = np.argsort(key)
d, key, positive = d[order], key[order], positive[order]
negatives_before = np.cumsum(~positive)
positives_after = positive.sum() - np.cumsum(positive)
C = np.where(positive, negatives_before, -positives_after)

fig, (row, table) = plt.subplots(2, 1, figsize=(5.4, 3.9), height_ratios=[0.85, 1.15])
colors = np.where(positive, "C0", "C1")
for x, moved, is_positive in zip(d, key, positive):
    if is_positive:
        arrow = {"arrowstyle": "->", "color": "C0", "connectionstyle": "arc3,rad=-0.35"}
        row.annotate("", (moved, 0.06), (x, 0.06), arrowprops=arrow)
row.scatter(d[positive], 0 * d[positive], s=60, facecolor="white", edgecolor="C0", zorder=3)
row.scatter(
    key[positive], 0 * d[positive], s=60, color="C0", zorder=3, label="positive, moved by the margin"
)
row.scatter(d[~positive], 0 * d[~positive], s=60, color="C1", marker="s", zorder=3, label="negative")
row.set(ylim=(-0.3, 0.9), yticks=[], xlabel="distance from the anchor", xlim=(0, 6.5))
row.spines["left"].set_visible(False)
row.legend(loc="upper left", bbox_to_anchor=(-0.02, 1.05), ncols=2, columnspacing=1, handletextpad=0.3)

ranks = np.arange(len(d))
lines = [
    ("negatives so far", negatives_before, "#777777"),
    ("positives to come", positives_after, "#777777"),
    ("C", C, None),
]
table.scatter(ranks[positive], 3 + 0 * ranks[positive], s=60, color="C0")
table.scatter(ranks[~positive], 3 + 0 * ranks[~positive], s=60, color="C1", marker="s")
table.text(-0.8, 3, "in order", ha="right", va="center")
for height, (name, counts, color) in zip([2.1, 1.2, 0.2], lines):
    table.text(-0.8, height, name, ha="right", va="center", weight="bold" if name == "C" else "normal")
    for rank, count in enumerate(counts):
        style = {"color": color or colors[rank], "weight": "normal" if color else "bold"}
        table.text(
            rank,
            height,
            f"${count}$" if color else f"$\\mathbf{{{count}}}$",
            ha="center",
            va="center",
            **style,
        )
table.axhline(0.7, color="#bbbbbb", linewidth=1)
table.set(xlim=(-4.2, len(d) - 0.5), ylim=(-0.3, 3.5))
table.axis("off")
