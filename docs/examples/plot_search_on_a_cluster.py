"""
A search on a cluster
=====================

A search trains many models that do not wait for each other. `Dask <https://docs.dask.org>`_ spreads them
over the processes of a machine or over the machines of a cluster. The search itself stays the one of
scikit-learn. This example searches for the margin with two workers, and then trains the best embedding
on an array that Dask cuts into blocks. It needs ``pip install "skmetric[dask]" dask-ml``.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import dask.array as da
import joblib
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client
from dask_ml.wrappers import Incremental
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmetric import TripletMetricTransformer

# %%
# A search as it always is
# ------------------------
#
# Seven margins and two folds. The scorer also notes the number of the process that it runs in, so that
# we see later which worker trained which model.

X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
margins = np.logspace(-3, 3, 7)


def accuracy_and_process(model, X, y):
    """Accuracy of the model, and which process asks for it."""
    return {"accuracy": model.score(X, y), "process": os.getpid()}


embedding = TripletMetricTransformer(max_iter=10, n_networks=1, random_state=0)
search = GridSearchCV(
    make_pipeline(embedding, KNeighborsClassifier(5)),
    {"tripletmetrictransformer__margin": margins},
    cv=StratifiedKFold(2, shuffle=True, random_state=0),
    scoring=accuracy_and_process,
    refit="accuracy",
)

# %%
# A cluster
# ---------
#
# A cluster of Dask is a scheduler and workers. We start it as one does on several machines, where each
# command runs on a machine of its own. A file tells the others where the scheduler is. If they lose each
# other, all of them end after a minute. (For one machine alone, ``LocalCluster()`` of Dask is shorter. In
# a script, it must stand below ``if __name__ == "__main__"``, because its workers import the script.)

folder = tempfile.TemporaryDirectory()
file = Path(folder.name) / "scheduler.json"
address = ["--host", "127.0.0.1", "--scheduler-file", str(file)]
commands = {
    "scheduler": "--port 0 --dashboard-address :0 --idle-timeout 60",
    "worker": "--nworkers 2 --nthreads 1 --death-timeout 60",
}
running = [
    subprocess.Popen(
        [sys.executable, "-m", "dask", command, *address, *options.split()],
        stderr=subprocess.DEVNULL,
    )
    for command, options in commands.items()
]
client = Client(scheduler_file=str(file))
client.wait_for_workers(2)
print(client)

# %%
# The same search, there
# ----------------------
#
# One line is new. How far is the search? ``verbose`` tells how many fits are done. The dashboard of Dask,
# a web page at ``client.dashboard_link``, shows what each worker is doing (it needs ``bokeh``).

with joblib.parallel_config("dask", verbose=51):
    search.fit(X, y)
margin = search.best_params_["tripletmetrictransformer__margin"]
print(f"best margin: {margin:g}")

# %%
# Score against margin
# --------------------
#
# A marker is a fit, and its colour is the worker. The line is the mean of both folds. The margin hardly
# matters here, because training begins with distances that suit it. Which worker had a fit does not
# matter at all: a search in one process has the same scores to the last digit.

results = search.cv_results_
figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ax.semilogx(margins, results["mean_test_accuracy"], color="0.6", zorder=1)
for number, process in enumerate(client.run(os.getpid).values()):
    for fold, marker in enumerate("os"):
        there = results[f"split{fold}_test_process"] == process
        scores = results[f"split{fold}_test_accuracy"][there]
        style = {"color": f"C{number}", "marker": marker}
        label = f"worker {number}, fold {fold}"
        ax.scatter(margins[there], scores, label=label, **style)
ax.set(xlabel="margin", ylabel="5-NN accuracy", title="Each fit of the search")
_ = ax.legend()

# %%
# An array in blocks
# ------------------
#
# The rows of a Dask array may lie in many files, or be computed when they are needed. ``Incremental`` of
# dask-ml gives its blocks to ``partial_fit``, one after the other, in the workers: none needs the
# whole array. The model is the one that a loop over the blocks learns. ``transform`` is lazy: a block is
# computed when it is asked for.

rows = da.from_array(X[:1500], chunks=(250, 64))
labels = da.from_array(y[:1500], chunks=250)
embedding = TripletMetricTransformer(
    margin=margin, learning_rate="constant", learning_rate_init=0.001, random_state=0
)
incremental = Incremental(embedding, shuffle_blocks=False)
for epoch in range(3):
    incremental.partial_fit(rows, labels)
    recall = incremental.estimator_.score(X[1500:], y[1500:])
    print(f"{epoch + 1} times all blocks: recall@1 of later rows {recall:.3f}")
print(incremental.transform(rows))

# %%
# The cluster ends when the scheduler is told to shut down.

client.shutdown()
for process in running:
    process.wait()
