"""A loss as springs: what `S` says of the pairs of a batch, and where the rows go."""

import matplotlib.pyplot as plt
import numpy as np

from skmetric.losses import contrastive, squared_distances, squared_distances_chain

plt.style.use("skmetric.mplstyle")
Z = np.array([[0.0, 0.0], [1.5, 1.1], [0.35, 1.5], [1.75, -0.25], [2.8, 0.9]])
y = np.array([0, 0, 0, 1, 1])

same = y[:, np.newaxis] == y
positive = same & ~np.eye(len(y), dtype=bool)
_, C, _, _ = contrastive(squared_distances(Z), positive, ~same, negative_margin=4.0)
S = C + C.T
steps = -0.06 * squared_distances_chain(Z, C)

fig, ax = plt.subplots(figsize=(5.2, 3.5))
for i, j in zip(*np.triu_indices(len(Z), 1)):
    if S[i, j] > 0:
        ax.plot(*Z[[i, j]].T, color="C0", linewidth=2, zorder=1)
    elif S[i, j] < 0:
        ax.plot(*Z[[i, j]].T, color="C1", linewidth=1.5, linestyle=(0, (3, 2)), zorder=1)
ax.plot([], [], color="C0", label="$S_{ij} > 0$: pulls")
ax.plot([], [], color="C1", linestyle=(0, (3, 2)), label="$S_{ij} < 0$: pushes")
ax.quiver(*Z.T, *steps.T, angles="xy", scale_units="xy", scale=1, width=0.009, zorder=2)
for label, marker in [(0, "o"), (1, "s")]:
    ax.scatter(
        *Z[y == label].T, s=110, marker=marker, facecolor="white", edgecolor="k", linewidth=1.5, zorder=3
    )
ax.set(aspect="equal", xticks=[], yticks=[])
ax.margins(0.12)
ax.spines[:].set_visible(False)
fig.legend(loc="outside lower center", ncols=2)
