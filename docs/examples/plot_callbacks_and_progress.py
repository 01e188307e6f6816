"""
Callbacks and progress
======================

How far is the training, and is it getting better? scikit-learn 1.9 and later has callbacks that answer
while ``fit`` runs. This example sets its progress bar and its scoring monitor on an embedding, in a
pipeline and in a search, and draws what every estimator of skmetric notes about its training.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import TripletMetricTransformer
from skmetric.metrics import make_retrieval_scorer
from skmetric.plotting import TrainingCurveDisplay

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:
    message = "This example needs the callbacks of scikit-learn 1.9. Before: verbose=True and history_."
    raise SystemExit(message) from None

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)

# %%
# A progress bar
# --------------
#
# ``set_callbacks`` sets callbacks on an estimator. If the estimator is a pipeline, the progress bar also
# shows the fits of its steps, and for an embedding the epochs: each estimator is a line below the one
# that called it. In a terminal the bars move; here we see the last state. (``COLUMNS`` is the width that
# the bars are drawn in where there is no terminal.)

os.environ["COLUMNS"] = "140"
embedding = TripletMetricTransformer(32, max_iter=20, random_state=0)
model = make_pipeline(StandardScaler(), embedding)
_ = model.set_callbacks(ProgressBar()).fit(X_train, y_train)

# %%
# A scoring monitor
# -----------------
#
# ``ScoringMonitor`` scores the estimator after each epoch. ``scoring`` is the name of a scorer, a scorer,
# or a function of the fitted estimator and the rows of ``fit`` that returns a dictionary of scores. Since
# a function may score other rows as well, we see training and test rows side by side.


def recalls(model, rows, labels):
    """Recall@1 of the embedding in training and test rows."""
    return {
        "training rows": model.score(rows, labels),
        "test rows": model.score(X_test, y_test),
    }


monitor = ScoringMonitor(scoring=recalls)
embedding = TripletMetricTransformer(2, (256, 256), max_iter=40, random_state=0)
embedding.set_callbacks(monitor).fit(X_train, y_train)
log = pd.DataFrame(monitor.get_logs().data)
print(
    log[["estimator_name", "task_name", "training rows", "test rows"]]
    .tail(4)
    .to_string(index=False)
)

# %%
# The entries of the task "epoch" are a learning curve:

figure, ax = plt.subplots(layout="constrained")
epochs = log[log["task_name"] == "epoch"]
for name in ("training rows", "test rows"):
    ax.plot(np.arange(1, 41), epochs[name], label=name)
ax.legend()
_ = ax.set(xlabel="epoch", ylabel="recall@1", title="An embedding in a plane")

# %%
# What is there without callbacks
# -------------------------------
#
# With every version of scikit-learn, an estimator notes the loss, the rate and the fraction of active
# triplets of each epoch in ``history_``, and ``TrainingCurveDisplay`` draws them. With
# ``early_stopping=True`` there is also the score of validation rows. ``verbose=True`` prints the same
# while ``fit`` runs.

stopped = TripletMetricTransformer(
    2, (256, 256), early_stopping=True, max_iter=40, random_state=0
)
_ = TrainingCurveDisplay.from_estimator(stopped.fit(X_train, y_train))

# %%
# In a search
# -----------
#
# A bar on a ``GridSearchCV`` shows its fits. ``max_propagation_depth`` says how deep it looks: 1 stands
# for the search and its fits, without the epochs. A monitor on the estimator inside follows all fits,
# here two margins and three folds, and the last one with the best margin.

monitor = ScoringMonitor(scoring=make_retrieval_scorer("mean_average_precision_at_r"))
watched = TripletMetricTransformer(
    2, (256, 256), max_iter=20, random_state=0
).set_callbacks(monitor)
folds = StratifiedKFold(3, shuffle=True, random_state=0)
search = GridSearchCV(watched, {"margin": [0.01, 1]}, cv=folds)
_ = search.set_callbacks(ProgressBar(max_propagation_depth=1)).fit(X_train, y_train)

# %%
# The log has a path of task numbers. Below the search, the fits are numbered margin by margin and fold by
# fold, and the last number is that of the epoch.

log = pd.DataFrame(monitor.get_logs().data)
epochs = log[(log["task_name"] == "epoch") & (log["task_id_path"].str.len() == 4)]
paths = np.array(epochs["task_id_path"].tolist())
figure, ax = plt.subplots(layout="constrained")
for fit in range(6):
    margin = search.cv_results_["params"][fit // 3]["margin"]
    label = f"margin {margin}" if fit % 3 == 0 else None
    scores = epochs["score"][paths[:, 2] == fit]
    ax.plot(np.arange(1, 21), scores, color=f"C{fit // 3}", label=label)
ax.set(
    xlabel="epoch",
    ylabel="MAP@R of the training rows of a fold",
    xticks=[1, 5, 10, 15, 20],
)
_ = ax.legend()

# %%
# A callback of your own
# ----------------------
#
# A callback is any object with these four methods. If ``on_fit_task_end`` returns True, the training ends
# after the epoch. It is given what it asks for by name: here, the estimator as it is at the end of the
# epoch.


class GoodEnough:
    """End a training as soon as the recall@1 of the training rows is high enough."""

    def __init__(self, recall):
        self.recall = recall

    def setup(self, estimator, context):
        """Before ``fit``."""

    def teardown(self, estimator, context):
        """After ``fit``, also if it fails."""

    def on_fit_task_begin(self, estimator, context):
        """Before ``fit`` and before each epoch."""

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        """After each epoch and after ``fit``; True ends the training."""
        return (
            context.task_name == "epoch" and fitted_estimator.score(X, y) >= self.recall
        )


embedding = TripletMetricTransformer(2, (256, 256), max_iter=40, random_state=0)
embedding.set_callbacks(GoodEnough(0.95)).fit(X_train, y_train)
print(f"{embedding.n_iter_} epochs, recall@1 {embedding.score(X_train, y_train):.3f}")
