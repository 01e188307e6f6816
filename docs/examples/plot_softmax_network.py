"""
A sigmoid-softmax network, watched while it learns
==================================================

The classic network for MNIST has 784 inputs, one hidden layer of 64 sigmoid units and a softmax over the
10 digits. This example trains it three times, with different settings, and compares the loss and the
accuracy on training images and on validation images after each epoch. The curves show which settings are
too slow, and which learn the training images by heart.
"""

# %%
# 10,000 images are used for training and 5,000 others for validation. A small training set makes
# overfitting easy to see.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, log_loss

from skmetric import SoftmaxMLPClassifier
from skmetric.datasets import fetch_mnist
from skmetric.plotting import WeightsDisplay

X, y = fetch_mnist(return_X_y=True)
X_train, y_train = X[:10000], y[:10000]
X_validation, y_validation = X[10000:15000], y[10000:15000]
X_test, y_test = fetch_mnist(subset="test", return_X_y=True)

# %%
# Three ways to train it
# ----------------------
#
# Plain gradient descent with a constant rate takes small steps. Adam fits the training images closely.
# The third network drops a fifth of the pixels in each step, at random, so that it cannot rely on single
# pixels.

common = {
    "hidden_layer_sizes": (64,),
    "activation": "logistic",
    "alpha": 0,
    "random_state": 0,
}
networks = {
    "gradient descent": SoftmaxMLPClassifier(
        solver="sgd", momentum=0, learning_rate_init=0.1, **common
    ),
    "Adam": SoftmaxMLPClassifier(learning_rate_init=0.01, **common),
    "Adam, input dropout": SoftmaxMLPClassifier(
        learning_rate_init=0.01, input_dropout=0.2, **common
    ),
}

# %%
# ``partial_fit`` goes over the images once, so that we can look at the network after each epoch.


def curves(network, n_epochs=30):
    """Loss and accuracy on training and validation images, after each epoch: (n_epochs, 2, 2)."""
    points = []
    for _ in range(n_epochs):
        network.partial_fit(X_train, y_train, classes=range(10))
        for rows, labels in [
            (X_train[:5000], y_train[:5000]),
            (X_validation, y_validation),
        ]:
            probabilities = network.predict_proba(rows)
            points.append(
                [
                    log_loss(labels, probabilities),
                    np.mean(probabilities.argmax(1) == labels),
                ]
            )
    return np.reshape(points, (n_epochs, 2, 2))


figure, (losses, accuracies) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for color, (name, network) in enumerate(networks.items()):
    points = curves(network)
    epochs = np.arange(1, len(points) + 1)
    for part, style in [(0, ":"), (1, "-")]:
        label = f"{name}, {['training', 'validation'][part]}"
        line = {"color": f"C{color}", "linestyle": style, "label": label}
        losses.plot(epochs, points[:, part, 0], **line)
        accuracies.plot(epochs, points[:, part, 1], **line)
    lowest = points[:, 1, 0].argmin()
    losses.plot(epochs[lowest], points[lowest, 1, 0], "o", color=f"C{color}")
    loss, accuracy = points[-1, 1]
    print(f"{name:20s} lowest validation loss in epoch {epochs[lowest]:2d}; ", end="")
    print(f"in the last: {loss:.3f}, accuracy {accuracy:.1%}")
losses.set(title="Log loss", xlabel="epoch", yscale="log")
accuracies.set(title="Accuracy", xlabel="epoch", ylim=(0.85, 1.002))
accuracies.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))

# %%
# The dot marks the lowest validation loss. From there on, a solid line that rises while its dotted line
# falls means overfitting: the network gets surer of the training images, and wrong about others.
#
# Early stopping does this bookkeeping by itself. It sets a part of the training images aside, ends the
# training after `n_iter_no_change` epochs without progress, and keeps the weights of the best epoch.

network = SoftmaxMLPClassifier(
    input_dropout=0.2,
    early_stopping=True,
    max_iter=50,
    n_iter_no_change=5,
    learning_rate_init=0.01,
    **common,
).fit(X_train, y_train)
print(
    f"{network.n_iter_} epochs, best validation accuracy {network.best_validation_score_:.1%}"
)
print(f"accuracy on the test images {network.score(X_test, y_test):.1%}")

# %%
# What it has learned
# -------------------
#
# The weights into a hidden unit are an image: red pixels switch the unit on, blue pixels switch it off.
# The confusion matrix counts the test images of each digit (rows) by the digit that was predicted
# (columns).

figure, (weights, confusion) = plt.subplots(
    1, 2, figsize=(11, 4.8), layout="constrained"
)
WeightsDisplay.from_estimator(network, image_shape=(28, 28), n_images=16, ax=weights)
ConfusionMatrixDisplay.from_estimator(
    network, X_test, y_test, ax=confusion, cmap="Blues", colorbar=False
)

# sphinx_gallery_thumbnail_number = 2
