"""
A triplet network on MNIST
==========================

A triplet network maps images of the same digit near to each other, and images of different digits farther
apart. This example trains one on the 60,000 training images of MNIST, classifies the test images by their
nearest neighbours, looks at the images that it gets wrong, and draws a second embedding that lives in the
plane.

The images are read from the folder that the environment variable ``SKMETRIC_DATA`` names, or downloaded
once.
"""

# %%
# The images stay bytes
# ---------------------
#
# There is nothing to prepare. The images are of type ``uint8``, and skmetric converts and scales a batch
# at a time.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from skmetric import TripletMetricTransformer
from skmetric.datasets import fetch_mnist
from skmetric.metrics import retrieval_report
from skmetric.plotting import EmbeddingDisplay, NeighborsDisplay, TrainingCurveDisplay

X_train, y_train = fetch_mnist(return_X_y=True)
X_test, y_test = fetch_mnist(subset="test", return_X_y=True)
print(X_train.shape, X_train.dtype)

# %%
# Train
# -----
#
# One hidden layer of 256 units, an embedding of 64 columns, and three passes over the images. Each batch
# has 256 images and many more triplets of them, and the loss looks at every one.

embedding = TripletMetricTransformer(
    64, (256,), max_iter=3, verbose=True, random_state=0
)
Z_train = embedding.fit_transform(X_train, y_train)
Z_test = embedding.transform(X_test)

# %%
# Nearest neighbours
# ------------------
#
# Any method that uses Euclidean distances can work with the embedding: here a nearest-neighbour
# classifier. The rows of :func:`~skmetric.metrics.retrieval_report` say how well the test images find
# images of their digit among 10,000 training images.

classifier = KNeighborsClassifier(5).fit(Z_train, y_train)
y_predicted = classifier.predict(Z_test)
print(f"5-NN accuracy on the test images: {np.mean(y_predicted == y_test):.2%}\n")
print(
    retrieval_report(
        Z_test[:2000],
        y_test[:2000],
        Z_gallery=Z_train[:10000],
        y_gallery=y_train[:10000],
    )
)

# %%
# What it gets wrong
# ------------------
#
# Each row shows a test image that was classified wrongly, and its nearest neighbours among the training
# images. Neighbours of another digit have a cross.

wrong = np.flatnonzero(y_predicted != y_test)[:5]
NeighborsDisplay.from_estimator(
    embedding,
    X_test[wrong],
    y_test[wrong],
    X_train,
    y_train,
    image_shape=(28, 28),
    n_neighbors=7,
    cmap="gray_r",
)

# %%
# In the plane
# ------------
#
# An embedding of two columns can be drawn as it is. The plane has little room for ten digits: a second
# hidden layer and no dropout help. This one is trained on 20,000 images, and the crosses are test images.

plane = TripletMetricTransformer(2, (256, 256), dropout=0, max_iter=15, random_state=0)
plane.fit(X_train[:20000], y_train[:20000])
figure, ax = plt.subplots(figsize=(7.5, 6), layout="constrained")
EmbeddingDisplay.from_estimator(
    plane,
    X_train[:2000],
    y_train[:2000],
    X_test=X_test[:2000],
    y_test=y_test[:2000],
    ax=ax,
    linewidth=0.7,
)
ax.set(title="MNIST in the plane", aspect="equal")
accuracy = (
    KNeighborsClassifier(5)
    .fit(plane.transform(X_train), y_train)
    .score(plane.transform(X_test), y_test)
)
print(f"5-NN accuracy in the plane: {accuracy:.2%}")

# %%
# The training can be drawn as well. The active fraction is the share of the triplets that still have a
# loss above 0: it tells more about the progress than the loss, which is the mean over these triplets
# alone.
TrainingCurveDisplay.from_estimator(plane)

# sphinx_gallery_thumbnail_number = 2
