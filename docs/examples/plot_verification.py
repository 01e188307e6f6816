"""
Verification: are two rows of the same class?
=============================================

Verification answers a question about a pair: do these two images show the same thing? Nobody asks which
thing it is, and training has usually not seen it: think of faces, voices or signatures. A verifier is
an embedding and a threshold: it calls a pair the same if the distance of the two embeddings is at most
the threshold.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import DetCurveDisplay, RocCurveDisplay

from skmetric import TripletMetricTransformer
from skmetric.pairs import make_pairs, paired_distances
from skmetric.plotting import PairDistanceDisplay
from skmetric.verification import PairVerifier

# %%
# Leaves under a lamp
# -------------------
#
# We generate images of leaves. A plant is a class: all of its leaves have the same outline. Each
# photograph turns and moves the leaf a little, puts the lamp somewhere else and adds noise. What differs
# from one photograph to the next is larger than what differs between two plants, so that the distance of
# the pixels is a bad judge.

SIDE = 16
down, right = np.mgrid[-1.4 : 1.4 : SIDE * 1j, -1.4 : 1.4 : SIDE * 1j]


def photographs(n_plants, n_photographs, rng):
    """Images as rows, and the number of the plant of each."""
    y = np.repeat(np.arange(n_plants), n_photographs)
    waves = np.arange(2, 7)[:, np.newaxis, np.newaxis, np.newaxis]
    sizes = rng.normal(scale=0.14, size=(5, n_plants, 1, 1))[:, y]
    phases = rng.uniform(high=2 * np.pi, size=(5, n_plants, 1, 1))[:, y]
    move_down, move_right, turn = rng.normal(scale=0.07, size=(3, len(y), 1, 1))
    lamp_down, lamp_right = rng.normal(scale=0.6, size=(2, len(y), 1, 1))
    angle = np.arctan2(down - move_down, right - move_right) + turn
    outline = 0.8 + (sizes * np.cos(waves * angle + phases)).sum(axis=0)
    leaf = 1 / (
        1 + np.exp(10 * (np.hypot(down - move_down, right - move_right) - outline))
    )
    images = (
        leaf
        + lamp_down * down
        + lamp_right * right
        + rng.normal(scale=0.1, size=leaf.shape)
    )
    return images.reshape(len(y), -1).astype(np.float32), y


rng = np.random.default_rng(0)
X, y = photographs(150, 12, rng)
X_choose, y_choose = photographs(50, 12, rng)
X_test, y_test = photographs(50, 12, rng)

figure, axes = plt.subplots(4, 8, figsize=(8, 4.2), layout="constrained")
for plant, row in enumerate(axes):
    for ax, image in zip(row, X[y == plant]):
        ax.imshow(image.reshape(SIDE, SIDE), cmap="YlGn")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(f"plant {plant}")
_ = figure.suptitle("Eight photographs of each of four plants")

# %%
# Three sets of plants
# --------------------
#
# The embedding learns from 150 plants. Pairs of 50 other plants choose the threshold, and pairs of 50
# more plants test it. ``make_pairs`` draws as many pairs of the same class as pairs of different classes.
# A pair is two row numbers.
#
# The largest principal components of these images are the light of the lamp. By default, an embedding
# keeps the principal components of its input beside what it learns, because they usually help with new
# classes. Here they do not, so we turn this off with ``input_weight=0``. The curves below show what the
# choice is worth.

embedding = TripletMetricTransformer(
    32, input_weight=0, n_networks=1, random_state=0
).fit(X, y)
pairs_choose, same_choose = make_pairs(y_choose, 6000, rng=0)
pairs_test, same_test = make_pairs(y_test, 6000, rng=0)

# %%
# ``PairVerifier`` takes the fitted transformer. Its ``fit`` embeds the pairs and chooses a threshold, by
# default the one with the highest accuracy.

verifier = PairVerifier(embedding).fit(pairs_choose, same_choose, X=X_choose)
answers = verifier.predict(pairs_test, X=X_test)
print(f"threshold: {verifier.threshold_:.2f}")
print(f"accuracy on pairs of the test plants: {np.mean(answers == same_test):.3f}")

# %%
# The histogram shows the distances of the test pairs. To the left of the dashed line, the verifier calls
# a pair the same.

figure, ax = plt.subplots(layout="constrained")
PairDistanceDisplay.from_estimator(verifier, pairs_test, same_test, X=X_test, ax=ax)
_ = ax.set_title("Distances in pairs of new plants")

# %%
# All thresholds at once
# ----------------------
#
# The ROC curve shows the true positive rate against the false positive rate for every threshold. The DET
# curve shows both kinds of error, on axes that stretch the corner where good verifiers differ. Both
# displays are scikit-learn's; they take minus the distance as the score of a pair. For comparison, we
# verify by an embedding that keeps its input, and by the distance of the pixels.

keeping = TripletMetricTransformer(
    32, input_weight=1, n_networks=1, random_state=0
).fit(X, y)
scores = {
    "triplet, input_weight=0": verifier.decision_function(pairs_test, X=X_test),
    "triplet, input_weight=1": keeping.pair_score(pairs_test, X=X_test),
    "pixels": -paired_distances(X_test, pairs_test),
}
figure, (ax_roc, ax_det) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for name, score in scores.items():
    RocCurveDisplay.from_predictions(same_test, score, name=name, ax=ax_roc)
    DetCurveDisplay.from_predictions(same_test, score, name=name, ax=ax_det)
ax_roc.set_title("ROC: up and left is better")
ax_det.set_title("DET: down and left is better")
_ = ax_det.legend(loc="upper right")

# %%
# A threshold for a given rate
# ----------------------------
#
# Often one kind of error costs more than the other. Where a false match is expensive, use
# ``threshold="max_tpr"``: it finds the highest true positive rate at which at least ``min_rate`` of the
# different pairs are called different. ``calibrate`` chooses the threshold again, without a new verifier.

rates = (0.9, 0.99, 0.999)
thresholds = []
print("min_rate   threshold   true negative rate   true positive rate")
for rate in rates:
    verifier.calibrate(
        pairs_choose, same_choose, X=X_choose, threshold="max_tpr", min_rate=rate
    )
    thresholds.append(verifier.threshold_)
    answers = verifier.predict(pairs_test, X=X_test)
    of_different = np.mean(answers[same_test == 0] == 0)
    of_same = np.mean(answers[same_test == 1] == 1)
    print(
        f"{rate:8.3f}   {verifier.threshold_:9.2f}   {of_different:18.3f}   {of_same:18.3f}"
    )

# %%
# ``min_rate`` holds for the pairs that choose the threshold. For the test pairs, the rate comes out a
# little different. The threshold for 0.999 rests on the three nearest of 3,000 different pairs: to
# promise such a rate, use many pairs of many classes.
#
# The probability of a pair
# -------------------------
#
# ``predict_proba`` turns a distance into a probability, by Platt's sigmoid. The probability refers to
# data with as many same pairs as in ``fit``, here a half. Each dot is a twentieth of the test pairs.

distances = -scores["triplet, input_weight=0"]
probabilities = verifier.predict_proba(pairs_test, X=X_test)[:, 1]
order = np.argsort(distances)
groups = np.array_split(order, 20)

figure, ax = plt.subplots(layout="constrained")
ax.plot(distances[order], probabilities[order], label="predicted probability")
fractions = [same_test[group].mean() for group in groups]
ax.plot(
    [distances[group].mean() for group in groups],
    fractions,
    "o",
    label="fraction of same pairs",
)
for rate, threshold in zip(rates, thresholds):
    ax.axvline(threshold, color="gray", linestyle=":")
    ax.annotate(f" {rate:g}", (threshold, 0.05), color="gray", rotation=90)
ax.set(
    xlabel="distance",
    ylabel="probability that the plant is the same",
    ylim=(-0.03, 1.03),
)
_ = ax.legend(loc="upper right")

# %%
# The dotted lines are the thresholds for the three rates.
#
# Hard pairs
# ----------
#
# The different pairs that look most alike to the verifier, and the same pairs that look least alike:

different = np.flatnonzero(same_test == 0)
alike = np.flatnonzero(same_test == 1)
hard = {
    "different plants": different[np.argsort(distances[different])[:6]],
    "same plant": alike[np.argsort(-distances[alike])[:6]],
}
figure, axes = plt.subplots(2, 6, figsize=(10, 3), layout="constrained")
for (name, chosen), row in zip(hard.items(), axes):
    for ax, pair in zip(row, chosen):
        one, other = X_test[pairs_test[pair]].reshape(2, SIDE, SIDE)
        ax.imshow(np.hstack([one, np.full((SIDE, 1), np.nan), other]), cmap="YlGn")
        ax.set(xticks=[], yticks=[], title=f"distance {distances[pair]:.1f}")
    row[0].set_ylabel(name)
