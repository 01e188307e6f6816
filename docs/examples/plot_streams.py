"""
Streams: rows that come over time
=================================

Data often comes bit by bit: a few rows now, more tomorrow, and one day a class that nobody has seen
before. ``partial_fit`` learns from each bit once. This example follows an embedding and a classifier
through a stream of digits, in which three digits appear only after a third of the time.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.metrics import recall_at_k
from skmetric.plotting import EmbeddingDisplay

# %%
# A stream
# --------
#
# Each call brings 60 noisy digits. The digits 7, 8 and 9 come from call 100 on. The stream needs no
# memory: a row is never seen again with the same noise.

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
N_CALLS = 300
NEW_FROM = 100


def stream(rng):
    """Rows and classes of one call after the other."""
    for call in range(N_CALLS):
        there = np.flatnonzero(y < (10 if call >= NEW_FROM else 7))
        rows = rng.choice(there, 60)
        yield X[rows] + rng.normal(scale=2, size=(60, 64)), y[rows]


# %%
# Two models
# ----------
#
# An embedding takes new classes whenever they come; a plane is enough for a picture. A classifier has an
# output for each class, so its first call must name all of them. Every tenth call, we score both models
# on test rows without noise, the digits that come from the beginning and those that come later apart. The
# score of the embedding is its recall@1: how often the nearest of all other test rows is of the same
# class.

embedding = TripletMetricTransformer(
    2, (256, 256), learning_rate_init=0.001, dropout=0, random_state=0
)
classifier = SoftmaxMLPClassifier(random_state=0)
parts = {
    "digits 0 to 6": np.flatnonzero(y_test < 7),
    "digits 7 to 9": np.flatnonzero(y_test >= 7),
}
scored = np.arange(9, N_CALLS, 10)
curves = {(model, part): [] for model in ("embedding", "classifier") for part in parts}
pictures = {}
accuracy_before = []

for call, (rows, labels) in enumerate(stream(np.random.default_rng(0))):
    if call > 0:
        accuracy_before.append(classifier.score(rows, labels))
    embedding.partial_fit(rows, labels)
    classifier.partial_fit(rows, labels, classes=np.arange(10))
    if call in scored:
        Z = embedding.transform(X_test)
        for name, part in parts.items():
            curves["classifier", name].append(
                classifier.score(X_test[part], y_test[part])
            )
            gallery = {"Z_gallery": Z, "y_gallery": y_test, "query_index": part}
            curves["embedding", name].append(
                recall_at_k(Z[part], y_test[part], **gallery)
            )
    if call in (9, NEW_FROM - 1, NEW_FROM + 9, N_CALLS - 1):
        pictures[call + 1] = embedding.transform(X_test)

# %%
# Scores over time
# ----------------
#
# The dotted line is where the new digits begin. The classifier learns them within some ten calls; the
# embedding, which has to make room in the plane, takes longer. Neither forgets the others, because these
# keep coming. The embedding has some order among the new digits before it has learned from one of them,
# and the classifier cannot give an answer that it has not been taught.

figure, axes = plt.subplots(
    2, 1, sharex=True, sharey=True, figsize=(7, 6), layout="constrained"
)
for (model, part), scores in curves.items():
    ax = axes[("embedding", "classifier").index(model)]
    ax.plot(scored + 1, scores, label=part)
axes[0].set(ylabel="recall@1 of the embedding", ylim=(-0.03, 1.03))
axes[1].set(ylabel="accuracy of the classifier", xlabel="calls")
for ax in axes:
    ax.axvline(NEW_FROM, color="gray", linestyle=":")
_ = axes[0].legend(loc="lower right")

# %%
# Test, then learn
# ----------------
#
# Where there are no test rows, each call can serve as a test before the model learns from it: its rows
# are new to the model.

print("accuracy on the rows of the next call, mean over 50 calls")
for calls in np.array_split(np.arange(1, N_CALLS), 6):
    mean = np.mean([accuracy_before[call - 1] for call in calls])
    print(f"calls {calls[0] + 1:3d} to {calls[-1] + 1:3d}: {mean:.3f}")

# %%
# The plane
# ---------
#
# The test rows in the embedding, after as many calls as the titles say. The classes 7, 8 and 9 are
# unknown in the upper pictures.

figure, axes = plt.subplots(2, 2, figsize=(9, 8), layout="constrained")
for ax, (n_calls, Z) in zip(axes.flat, pictures.items()):
    EmbeddingDisplay.from_predictions(Z, y_test, ax=ax)
    ax.set_title(f"{n_calls} calls")
    if ax is not axes[0, 0]:
        ax.get_legend().remove()

# %%
# A call is no epoch of a plan: ``partial_fit`` stays at ``learning_rate_init``, because a stream has no
# end to anneal towards. The scale of the embedding comes from the rows of the first call, so these should
# be like those to come. The state of the optimizer is kept from call to call, also in a pickle.
