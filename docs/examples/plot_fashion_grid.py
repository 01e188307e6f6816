"""
A grid search for a softmax network on Fashion-MNIST
====================================================

Which learning rate, which L2 penalty, which width? skmetric's estimators have the parameters of a
scikit-learn estimator, so that its searches work: this example draws a full grid over two parameters as a
heat map, and then searches a larger space by successive halving.
"""

# %%
# A search does not need all images. 4,000 training images are enough to rank settings, and the winner is
# trained on more of them.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, StratifiedKFold

from skmetric import SoftmaxMLPClassifier
from skmetric.datasets import fetch_fashion_mnist

train = fetch_fashion_mnist()
X_test, y_test = fetch_fashion_mnist(subset="test", return_X_y=True)
X, y, names = train.data[:4000], train.target[:4000], train.target_names

figure, axes = plt.subplots(2, 10, figsize=(10, 2.6), layout="constrained")
for label, column in enumerate(axes.T):
    column[0].set_title(names[label], fontsize=8)
    for ax, image in zip(column, X[y == label]):
        ax.imshow(image.reshape(28, 28), cmap="gray_r")
        ax.set_axis_off()

# %%
# A grid over two parameters
# --------------------------
#
# Four learning rates and four strengths of the L2 penalty, two folds each. ``n_jobs=2`` fits two networks
# at a time; the result is the same with any number of jobs.

rates = [0.001, 0.003, 0.01, 0.03]
penalties = [0, 1e-3, 1e-2, 1e-1]
folds = StratifiedKFold(2, shuffle=True, random_state=0)
network = SoftmaxMLPClassifier((40,), max_iter=10, random_state=0)
grid = GridSearchCV(
    network,
    {"alpha": penalties, "learning_rate_init": rates},
    cv=folds,
    n_jobs=2,
    refit=False,
).fit(X, y)
print(
    f"best of {len(grid.cv_results_['params'])}: {grid.best_params_}, accuracy {grid.best_score_:.1%}"
)

# %%
# The last parameter of the grid varies fastest, so that the scores form a table of penalties and rates.

scores = grid.cv_results_["mean_test_score"].reshape(len(penalties), len(rates))
figure, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
image = ax.imshow(scores, cmap="viridis", vmin=np.quantile(scores, 0.2))
for (row, column), score in np.ndenumerate(scores):
    color = "black" if image.norm(score) > 0.6 else "white"
    ax.text(column, row, f"{score:.3f}", ha="center", va="center", color=color)
ax.set_xticks(range(len(rates)), rates)
ax.set_yticks(range(len(penalties)), penalties)
ax.set(
    xlabel="learning_rate_init",
    ylabel="alpha (L2 penalty)",
    title="Accuracy, mean of two folds",
)
figure.colorbar(image, extend="min")

# %%
# Successive halving: a larger space in less time
# -----------------------------------------------
#
# The search begins with all candidates on few images, keeps the best third, gives them three times as
# many images, and so on.

space = {
    "hidden_layer_sizes": [(20,), (40,), (100,)],
    "batch_size": [32, 128],
    "learning_rate_init": [0.003, 0.01],
    "alpha": [1e-3, 1e-2],
    "input_dropout": [0, 0.1],
}
halving = HalvingGridSearchCV(
    network, space, factor=3, cv=folds, n_jobs=2, random_state=0
).fit(X, y)

results = halving.cv_results_
n_images = np.array(results["n_resources"])
figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
candidates = np.array([str(candidate) for candidate in results["params"]])
for candidate in np.unique(candidates):
    rounds = candidates == candidate
    is_best = candidate == str(halving.best_params_)
    style = (
        {"color": "C3", "zorder": 3, "linewidth": 2}
        if is_best
        else {"color": "0.7", "linewidth": 1}
    )
    ax.plot(n_images[rounds], results["mean_test_score"][rounds], marker=".", **style)
ax.set_xscale("log")
ax.set_xticks(halving.n_resources_, halving.n_resources_)
ax.minorticks_off()
ax.set(xlabel="images", ylabel="accuracy", title="Each candidate, as far as it came")
print(
    f"images in each round: {halving.n_resources_}, candidates: {halving.n_candidates_}"
)
print(f"best: {halving.best_params_}")

# %%
# The winner, on more images
# --------------------------
#
# The confusion matrix shows what is left: shirts, T-shirts, pullovers and coats look alike at this size.

winner = SoftmaxMLPClassifier(**halving.best_params_, max_iter=10, random_state=0)
winner.fit(train.data[:20000], train.target[:20000])
print(f"accuracy on the 10,000 test images: {winner.score(X_test, y_test):.1%}")

figure, ax = plt.subplots(figsize=(7, 6.2), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    winner,
    X_test,
    y_test,
    display_labels=names,
    xticks_rotation=60,
    cmap="Blues",
    ax=ax,
    colorbar=False,
)
ax.set_title("Fashion-MNIST, test images")

# sphinx_gallery_thumbnail_number = 2
