"""
A query and its neighbours
==========================

Search by example: given an image, find the images in a gallery that show the same thing. The answer is
a list of nearest neighbours, in the pixels or in an embedding. This example draws the answers to a few
queries, and measures the answers to all of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import FunctionTransformer

from skmetric import TripletMetricTransformer
from skmetric.metrics import recall_at_k, retrieval_report
from skmetric.plotting import NeighborsDisplay

# %%
# Digits anywhere in a frame
# --------------------------
#
# We put each digit somewhere in a frame of 12 x 12 pixels. The same digit at two places has few pixels in
# common: the distance of the pixels says more about the place than about the digit.

SIDE = 12


def placed(digits, rng):
    """Put each image of 8 x 8 pixels at a random place in a frame, and return the frames as rows."""
    frames = np.zeros((len(digits), SIDE, SIDE), dtype=np.float32)
    places = rng.integers(SIDE - 8 + 1, size=(len(digits), 2))
    for frame, digit, (top, left) in zip(frames, digits, places):
        frame[top : top + 8, left : left + 8] = digit.reshape(8, 8)
    return frames.reshape(len(digits), -1)


rng = np.random.default_rng(0)
digits, y = load_digits(return_X_y=True)
known, new, y_gallery, y_query = train_test_split(
    digits, y, test_size=0.25, stratify=y, random_state=0
)

# %%
# The gallery holds three quarters of the digits, and the queries are the others. For training, each digit
# of the gallery is put at six more places, so that the embedding learns to ignore the place. All classes
# are known and the principal components of the frames are mostly the place, so nothing is kept of the
# input (``input_weight=0``).

X_gallery = placed(known, rng)
X_query = placed(new, rng)
X = np.concatenate([placed(known, rng) for _ in range(6)])
embedding = TripletMetricTransformer(32, input_weight=0, max_iter=30, random_state=0)
_ = embedding.fit(X, np.tile(y_gallery, 6))

# %%
# One query
# ---------
#
# Behind ``transform``, use any method that works with Euclidean distances. Here scikit-learn's
# ``NearestNeighbors`` finds the five rows of the gallery that are nearest to the first query.

Z_gallery = embedding.transform(X_gallery)
Z_query = embedding.transform(X_query)
search = NearestNeighbors(n_neighbors=5).fit(Z_gallery)
distances, found = search.kneighbors(Z_query[:1])
print("class of the query:", y_query[0])
print("classes found:     ", y_gallery[found[0]])
print("distances:         ", distances[0].round(2))

# %%
# Six queries
# -----------
#
# ``NeighborsDisplay`` embeds, searches and draws. A row of the figure is a query and its neighbours, the
# nearest first. Neighbours of another class have a cross in their title and another frame. First, the
# neighbours in the pixels: ``FunctionTransformer()`` returns the rows as they are.

rows = [np.flatnonzero(y_query == label)[0] for label in (2, 3, 5, 7, 8, 9)]
pixels = FunctionTransformer()
display = NeighborsDisplay.from_estimator(
    pixels,
    X_query[rows],
    y_query[rows],
    X_gallery,
    y_gallery,
    image_shape=(SIDE, SIDE),
    cmap="gray_r",
)
_ = display.figure_.suptitle("In the pixels")

# %%
# The pixels find what lies at the same place. The embedding finds the same digit at other places:

display = NeighborsDisplay.from_estimator(
    embedding,
    X_query[rows],
    y_query[rows],
    X_gallery,
    y_gallery,
    image_shape=(SIDE, SIDE),
    cmap="gray_r",
)
_ = display.figure_.suptitle("In the embedding")

# %%
# All queries
# -----------
#
# ``retrieval_report`` makes one search and computes all measures, for each class and for all queries.
# ``recall_at_5`` is the fraction of the queries that find their class among the five nearest; MAP@R looks
# at as many neighbours as the gallery has rows of the class, and also asks for their order.

print("pixels")
print(retrieval_report(X_query, y_query, k=5, Z_gallery=X_gallery, y_gallery=y_gallery))
print("\nembedding")
print(retrieval_report(Z_query, y_query, k=5, Z_gallery=Z_gallery, y_gallery=y_gallery))

# %%
# Pixels are good enough if it suffices that one of the first neighbours is right. They are not if all
# rows of a class are wanted, or if the first one must be right.

figure, ax = plt.subplots(layout="constrained")
ks = np.arange(1, 11)
for name, queries, gallery in (
    ("embedding", Z_query, Z_gallery),
    ("pixels", X_query, X_gallery),
):
    recalls = [
        recall_at_k(queries, y_query, k=k, Z_gallery=gallery, y_gallery=y_gallery)
        for k in ks
    ]
    ax.plot(ks, recalls, "o-", label=name)
ax.set(xlabel="k", ylabel="recall at k", xticks=ks)
_ = ax.legend()
