"""Time, memory and 5-NN accuracy on growing parts of MNIST: triplet against NCA, LMNN and ITML.

``python benchmarks/bench_peers.py [--limit 600] [--only NAME,NAME] [--rows N,N]`` (extra `bench`)

Each fit runs in a process of its own, at the defaults of its library but for 64 components (ITML has no
such choice), on rows in [0, 1]. A method that fails, takes more than 16 GB or longer than `--limit`
seconds is not asked for more rows. NCA is scikit-learn's; metric-learn 0.7.0 fails in every `fit` on
today's scikit-learn and gets one argument renamed at run time (`common.metric_learn_today`). Accuracy is
that on MNIST's test rows. The plot is `results/peers.png`.
"""

import argparse
import sys

from common import (
    RESULTS,
    Peak,
    earlier_rows,
    environment,
    limit_threads,
    metric_learn_today,
    save,
    seconds,
)

parser = argparse.ArgumentParser()
parser.add_argument("--limit", type=float, default=600)
parser.add_argument("--only", help="methods to measure anew; the others keep what they had")
parser.add_argument("--rows", help="numbers of rows to measure anew")
args = parser.parse_args()
limit_threads(1)  # before any library is imported

import multiprocessing  # noqa: E402
import resource  # noqa: E402

import numpy as np  # noqa: E402
from data import images  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis  # noqa: E402

from skmetric import TripletMetricTransformer  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402

MEMORY = 16 * 2**30  # that a fit may take
SIZES = [500, 1000, 2000, 5000, 10000, 20000, 60000]
METHODS = {
    "triplet (skmetric)": lambda: TripletMetricTransformer(
        64, input_weight=0, standardize=False, random_state=0
    ),
    "NCA (scikit-learn)": lambda: NeighborhoodComponentsAnalysis(64, random_state=0),
    "LMNN (metric-learn)": lambda: metric_learn_today().LMNN(n_components=64, random_state=0),
    "ITML (metric-learn)": lambda: metric_learn_today().ITML_Supervised(random_state=0),
}


def measured(pipe, name, n):
    X, y, X_test, y_test = images(fetch_mnist)
    rows = np.random.default_rng(0).permutation(len(X))[:n]
    X, y = X[rows], y[rows]
    model = METHODS[name]()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        with Peak() as peak:
            elapsed, _ = seconds(lambda: model.fit(X, y))
    except MemoryError:
        return pipe.send({"failed": f"more than {MEMORY / 2**30:g} GB"})
    neighbors = KNeighborsClassifier(5).fit(model.transform(X), y)
    accuracy = neighbors.score(model.transform(X_test), y_test)
    pipe.send({"seconds": elapsed, "extra_mb": peak.extra_mb, "accuracy": accuracy})


def case(name, n):
    """What came of it, or why nothing did."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=measured, args=(theirs, name, n))
    process.start()
    theirs.close()
    try:
        # Time to load and to look for neighbours comes on top.
        result = ours.recv() if ours.poll(args.limit + 60) else {"failed": f"more than {args.limit:g} s"}
    except EOFError:
        result = {"failed": "the process died, see its message above"}
    process.kill()
    process.join()
    return result


def plot(rows):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    labels = {
        "seconds": "seconds to fit",
        "extra_mb": "peak memory [MB]",
        "accuracy": "5-NN test accuracy",
    }
    for ax, (key, label) in zip(axes, labels.items()):
        for name in METHODS:
            own = [row for row in rows if row["method"] == name and key in row]
            ax.plot([row["n"] for row in own], [row[key] for row in own], "o-", label=name)
        ax.set(xscale="log", xlabel="training rows", ylabel=label)
        ax.set_yscale("linear" if key == "accuracy" else "log")
    axes[2].legend(fontsize="small")
    figure.savefig(RESULTS / "peers.png", dpi=100)


def merged(rows):
    """These rows, and from the file those that were not measured anew, in the order of `METHODS`."""
    anew = {(row["method"], row["n"]) for row in rows}
    rows = rows + [row for row in earlier_rows("peers") if (row["method"], row["n"]) not in anew]
    return sorted(rows, key=lambda row: (list(METHODS).index(row["method"]), row["n"]))


if __name__ == "__main__":
    sizes = [int(n) for n in args.rows.split(",")] if args.rows else SIZES
    rows = []
    for name in args.only.split(",") if args.only else METHODS:
        for n in sizes:
            rows.append({"method": name, "n": n, **case(name, n), "measured": environment()["date"]})
            print(rows[-1], flush=True)
            if "failed" in rows[-1] or rows[-1]["seconds"] > args.limit:
                break
    rows = merged(rows)
    save("peers", {"command": sys.argv, "limit_s": args.limit, "rows": rows}, "metric-learn")
    plot(rows)
