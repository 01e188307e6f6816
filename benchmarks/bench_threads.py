"""Training in one thread and in two, on a quiet and on a busy machine; with more, by a model.

``python benchmarks/bench_threads.py [--repeats 5]``

An epoch of MNIST, in turn with one thread and with two; "busy" adds a process on each core that competes
for it. The model of n threads: what is done by one thread alone, plus ``ceil(tiles / n) / tiles`` of the
time of what is shared, plus a cost each time that something is shared, chosen so that the model of
two threads gives what was measured.
"""

import argparse
import math
import sys
import time
from contextlib import nullcontext
from functools import partial

from common import busy_machine, interleaved, save, summary

parser = argparse.ArgumentParser()
parser.add_argument("--repeats", type=int, default=5)
args = parser.parse_args()

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer, _team  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402

X, Y = fetch_mnist(return_X_y=True)
X = X / np.float32(255)
SAME = {"max_iter": 1, "learning_rate": "constant", "standardize": False, "random_state": 0, "dropout": 0}
TRIPLET = {"margin": 0.2, "input_weight": 0, "n_networks": 1, "batch_sampler": "shuffle"}
CASES = {
    "64 x 32, SGD": (SoftmaxMLPClassifier((64,), solver="sgd", batch_size=32, **SAME), 60000),
    "256 x 128, SGD": (SoftmaxMLPClassifier((256,), solver="sgd", batch_size=128, **SAME), 60000),
    "256 x 128, Adam": (SoftmaxMLPClassifier((256,), batch_size=128, **SAME), 60000),
    "1024 x 256, SGD": (SoftmaxMLPClassifier((1024,), solver="sgd", batch_size=256, **SAME), 60000),
    "1024 x 256, Adam": (SoftmaxMLPClassifier((1024,), batch_size=256, **SAME), 60000),
    "2048-2048 x 512, Adam": (SoftmaxMLPClassifier((2048, 2048), batch_size=512, **SAME), 10000),
    "triplet 784-1024-64 x 512": (
        TripletMetricTransformer(64, (1024,), batch_size=512, **TRIPLET, **SAME),
        30000,
    ),
}
MORE = [4, 8, 16]


def fit(model, n_rows, n_threads):
    with threadpool_limits(n_threads, user_api="blas"):
        model.fit(X[:n_rows], Y[:n_rows])


def shared_times(model, n_rows):
    """Calls and seconds of what is shared, by the number of tasks, in one thread; and all seconds."""
    times = {}

    class Watched(_team.Team):
        def run(self, tasks):
            began = time.perf_counter()
            super().run(tasks)
            n_calls, seconds = times.get(len(tasks), (0, 0.0))
            times[len(tasks)] = (n_calls + 1, seconds + time.perf_counter() - began)

    plain, _team.Team = _team.Team, Watched
    began = time.perf_counter()
    fit(model, n_rows, 1)
    whole = time.perf_counter() - began
    _team.Team = plain
    return times, whole


def model_of_threads(times, whole, ratio):
    """Ratios to one thread, such that two take `ratio` of its time."""
    alone = whole - sum(seconds for _, seconds in times.values())
    n_calls = sum(n for n, _ in times.values())

    def without_cost(n):
        return alone + sum(seconds * math.ceil(k / n) / k for k, (_, seconds) in times.items())

    cost = (ratio * whole - without_cost(2)) / n_calls if n_calls else 0.0
    curve = {n: (without_cost(n) + n_calls * cost) / whole for n in MORE}
    return {"alone": alone / whole, "cost_us": 1e6 * cost, "calls": n_calls, "ratio_to_one_thread": curve}


def measured(busy):
    rows = []
    for name, (model, n_rows) in CASES.items():
        contestants = {f"{n} threads": partial(fit, model, n_rows, n) for n in (1, 2)}
        with busy_machine() if busy else nullcontext():
            times, _ = interleaved(contestants, args.repeats)
        table = summary(times, "1 threads")
        two = table["2 threads"]["ratio_to_1 threads"]
        row = {"case": name, "two_over_one": two, "times": table}
        if not busy:
            row["model"] = model_of_threads(*shared_times(model, n_rows), two[0])
        print("busy" if busy else "quiet", name, [round(r, 2) for r in two], row.get("model"), flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    quiet = measured(busy=False)
    save("threads", {"command": sys.argv, "quiet": quiet, "busy": measured(busy=True)})
