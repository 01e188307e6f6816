"""The layers of the package, and which way imports run."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

plt.style.use("skmetric.mplstyle")
#        x, y, width, colour, heading, lines below
LAYERS = [
    (0, 6.1, 10, "C0", "Estimators", "TripletMetricTransformer, ContrastiveMetricTransformer,\n"
     "NeighborhoodMetricTransformer, SoftmaxMLPClassifier"),
    (0, 4.0, 10, "C5", "What estimators share (_*.py)", "input and labels, from parameters to parts,\n"
     "kept input, validation rows, callbacks, failures"),
    (0, 1.9, 4.8, "C2", "losses", "comparisons, rules,\nminers, reductions"),
    (5.2, 1.9, 4.8, "C4", "_engine", "network, optimizers, schedules,\nsampling, the training loop"),
    (0, 0.2, 4.8, "0.6", "NumPy", ""),
    (5.2, 0.2, 4.8, "0.6", "NumPy and SciPy", ""),
    (10.8, 4.0, 4.6, "C3", "Uses", "metrics, verification,\npairs, plotting, datasets,\ntesting"),
]  # fmt: skip
ARROWS = [
    ((5, 6.1), (5, 5.5)),
    ((2.4, 4.0), (2.4, 3.4)),
    ((7.6, 4.0), (7.6, 3.4)),
    ((2.4, 1.9), (2.4, 1.1)),
    ((7.6, 1.9), (7.6, 1.1)),
    ((10, 4.7), (10.8, 4.7)),
]

fig, ax = plt.subplots(figsize=(6.4, 4.2))
for x, y, width, colour, heading, text in LAYERS:
    height = 0.9 if not text else 3.6 if heading == "Uses" else 1.5
    box = FancyBboxPatch((x, y), width, height, "round,pad=0,rounding_size=0.15", fc=colour, ec="none")
    box.set_alpha(0.22)
    ax.add_patch(box)
    top = y + height - 0.22 if text else y + height - 0.2
    ax.text(x + width / 2, top, heading, ha="center", va="top", fontsize=10, weight="bold")
    ax.text(x + width / 2, top - 0.46, text, ha="center", va="top", fontsize=8, linespacing=1.25)
style = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0}
for start, end in ARROWS:
    ax.annotate("", end, start, arrowprops=style)
ax.set(xlim=(-0.1, 15.6), ylim=(0, 7.8))
ax.axis("off")
