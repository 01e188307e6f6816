"""Questions that lead to an estimator."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

plt.style.use("skmetric.mplstyle")
STEPS = [
    (
        "Do you have triplets\ninstead of labels:\n$a$ is more like $p$ than $n$?",
        "Triplet\nMetricTransformer",
        "fit_triplets",
    ),
    (
        "Do you have pairs\ninstead of labels:\nthe same, or not?",
        "Contrastive\nMetricTransformer",
        "fit_pairs",
    ),
    ("Do you need class\nprobabilities, and\nno distances?", "SoftmaxMLP\nClassifier", "fit"),
    ("Do you need a linear\nmap or a Mahalanobis\nmatrix?", "Contrastive\nMetricTransformer", "fit"),
    (
        "Does a class have several\ngroups that should stay\napart?",
        "Neighborhood\nMetricTransformer",
        "fit",
    ),
]
QUESTION = {"facecolor": "white", "edgecolor": "#888888"}
ANSWER = {"facecolor": "#dcebf5", "edgecolor": "C0"}
ARROW = {"arrowstyle": "-|>", "color": "#555555", "shrinkA": 0, "shrinkB": 0}
LEFT, RIGHT = 1.05, 3.5  # centres of the columns
WIDTH, HEIGHT, STEP = 1.95, 0.82, 1.2

fig, ax = plt.subplots(figsize=(4.5, 7.0))


def box(x, y, colors):
    """Draw an empty box."""
    corner = (x - WIDTH / 2, y - HEIGHT / 2)
    ax.add_patch(
        FancyBboxPatch(corner, WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.08", **colors)
    )


def answer(x, y, name, method):
    """Draw the name of an estimator and the method that trains it."""
    box(x, y, ANSWER)
    ax.text(x, y + 0.11, name, ha="center", va="center", weight="bold", fontsize=9.5, linespacing=1.25)
    ax.text(x, y - 0.26, method, ha="center", va="center", fontsize=9.5)


for i, (question, name, method) in enumerate(STEPS):
    y = -STEP * i
    box(LEFT, y, QUESTION)
    ax.text(LEFT, y, question, ha="center", va="center", fontsize=9.5, linespacing=1.25)
    ax.annotate("", (RIGHT - WIDTH / 2, y), (LEFT + WIDTH / 2, y), arrowprops=ARROW)
    ax.text((LEFT + RIGHT) / 2, y + 0.07, "yes", ha="center", fontsize=9.5)
    ax.annotate("", (LEFT, y - STEP + HEIGHT / 2), (LEFT, y - HEIGHT / 2), arrowprops=ARROW)
    ax.text(LEFT + 0.08, y - STEP / 2, "no", va="center", fontsize=9.5)
    answer(RIGHT, y, name, method)
answer(LEFT, -STEP * len(STEPS), "Triplet\nMetricTransformer", "fit: begin here")
ax.set(xlim=(0, 4.55), ylim=(-STEP * len(STEPS) - 0.5, 0.5))
ax.axis("off")
