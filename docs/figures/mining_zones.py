"""Hard, semi-hard and easy negatives of one anchor and one positive."""

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")
to_positive = 1.0
margin = 0.9
outer = to_positive + margin


def at(radius, degrees):
    """A place at some distance from the anchor."""
    return radius * np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


fig, ax = plt.subplots(figsize=(5.2, 3.5))
for radius, color in [(outer, "#faeac9"), (to_positive, "#f7ddcd")]:
    ax.add_patch(plt.Circle((0, 0), radius, facecolor=color, edgecolor="#555555", linestyle="--"))
positive = at(to_positive, 55)
ax.plot(*np.transpose([[0, 0], positive]), color="C0")
ax.scatter(*positive, s=90, color="C0", zorder=3)
ax.text(positive[0] + 0.1, positive[1] + 0.1, "positive", color="C0")
ax.scatter(0, 0, s=90, color="black", zorder=3)
ax.text(0.12, -0.26, "anchor")
arrow = {"arrowstyle": "<->", "color": "#333333", "shrinkA": 0, "shrinkB": 0}
ax.annotate("", at(outer, -35), at(to_positive, -35), arrowprops=arrow)
ax.text(*at(to_positive + 0.2 * margin, -20), "margin")

for place, text, height in [
    (at(0.6, 165), "hard negative:\nnearer than\nthe positive", 1.5),
    (at(1.5, 205), "semi-hard\nnegative: farther,\nwithin the margin", -1.5),
]:
    ax.scatter(*place, s=90, marker="s", color="C1", zorder=3)
    line = {"arrowstyle": "-", "color": "#777777", "linewidth": 0.8}
    ax.annotate(text, place, xytext=(-3.3, height), va="center", arrowprops=line)
ax.scatter(*at(2.3, 28), s=90, marker="s", color="C1")
ax.text(1.95, 1.35, "easy negative:\nloss 0")
ax.set(xlim=(-3.3, 3.1), ylim=(-2.0, 2.0), aspect="equal")
ax.axis("off")
