"""The terms of the contrastive and of the triplet loss, as functions of distances."""

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")
fig, (pairs, triplets) = plt.subplots(2, 1, figsize=(5.2, 5.2))

positive_margin = 1
negative_margin = 4
D = np.linspace(0, 6, 200)
pairs.plot(D, np.maximum(0, D - positive_margin), label="positive pair")
pairs.plot(D, np.maximum(0, negative_margin - D), label="negative pair", linestyle="--")
pairs.set(
    title="Contrastive loss of a pair",
    xlabel="squared distance $D$",
    ylabel="loss",
    xticks=[0, positive_margin, negative_margin],
    xticklabels=["0", "positive\nmargin", "negative\nmargin"],
    yticks=[0],
)
pairs.legend(loc="upper center")

margin = 2
difference = np.linspace(-3, 4, 200)
triplets.plot(difference, np.maximum(0, margin - difference), color="C2")
triplets.axvspan(-3, 0, color="C1", alpha=0.15, linewidth=0)
triplets.axvspan(0, margin, color="C4", alpha=0.2, linewidth=0)
for x, word in [(-1.5, "hard"), (margin / 2, "semi-hard"), (3, "easy")]:
    triplets.text(x, 4.55, word, ha="center")
triplets.set(
    title="Triplet loss of an anchor $a$, a positive $p$, a negative $n$",
    xlabel="$D_{an} - D_{ap}$: how much farther away the negative is",
    ylabel="loss",
    xticks=[0, margin],
    xticklabels=["0", "margin"],
    yticks=[0],
    xlim=(-3, 4),
)
