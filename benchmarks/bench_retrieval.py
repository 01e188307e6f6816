"""Retrieval measures: equal to a peer's, in the time of a product and a partition, in little memory.

``python benchmarks/bench_retrieval.py [--large]`` (extra `bench`; data: `SKMETRIC_DATA`)

On embeddings of MNIST's test rows: the measures against pytorch-metric-learning's `AccuracyCalculator`,
and the time of a whole `retrieval_report`, leave-one-out, against the matrix product and the partition
(`numpy.argpartition` at the size of the largest class) that any exact search needs, block by block. The
paired ratio of a few rounds counts. "near ties" is the time of the report on rows that are rounded to one
decimal, where many distances differ by rounding only and are computed again, exactly. `--large`: 60,000 x
60,000, time and memory. Writes ``results/retrieval.json``.
"""

import argparse
import sys

from common import Peak, interleaved, save, seconds, summary

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--large", action="store_true", help="all training rows of MNIST as well")
args = parser.parse_args()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from data import images  # noqa: E402
from pytorch_metric_learning.distances import LpDistance  # noqa: E402
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator  # noqa: E402
from pytorch_metric_learning.utils.inference import CustomKNN  # noqa: E402

from skmetric import TripletMetricTransformer  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402
from skmetric.metrics import retrieval_report  # noqa: E402

BLOCK = 500  # queries at a time
SAME_NAMES = ["precision_at_1", "r_precision", "mean_average_precision_at_r"]


def product_and_partition(Z, kth, dtype):
    Z = Z.astype(dtype)
    for start in range(0, len(Z), BLOCK):
        np.argpartition(Z[start : start + BLOCK] @ Z.T, kth, axis=1)


def of_peer(Z, y):
    search = CustomKNN(LpDistance(normalize_embeddings=False, power=1))
    calculator = AccuracyCalculator(
        include=tuple(SAME_NAMES), k="max_bin_count", knn_func=search, device=torch.device("cpu")
    )
    return calculator.get_accuracy(torch.tensor(Z), torch.tensor(y))


def measured(Z, y):
    with Peak() as peak:
        elapsed, report = seconds(lambda: retrieval_report(Z, y))
    overall = {name: value for name, value in report.items() if name != "classes"}
    return {"seconds": elapsed, "extra_mb": peak.extra_mb, "report": overall}


if __name__ == "__main__":
    X, y, X_test, y_test = images(fetch_mnist)
    model = TripletMetricTransformer(max_iter=5, input_weight=0, standardize=False, random_state=0).fit(
        X, y
    )
    Z = model.transform(X_test)
    kth = np.bincount(y_test).max()
    result = {"10,000": measured(Z, y_test)}
    times, _ = interleaved(
        {
            "retrieval_report": lambda: retrieval_report(Z, y_test),
            "product and partition, float64": lambda: product_and_partition(Z, kth, np.float64),
            "product and partition, float32": lambda: product_and_partition(Z, kth, np.float32),
        },
        args.rounds,
    )
    for dtype in ("float64", "float32"):
        table = summary(times, f"product and partition, {dtype}")
        result[f"against {dtype}"] = table["retrieval_report"]
    result["near ties"] = measured(np.round(Z.astype(np.float64), 1), y_test)
    elapsed, peer = seconds(lambda: of_peer(Z, y_test))
    report = result["10,000"]["report"]
    result["peer"] = {
        "seconds": elapsed,
        "values": peer,
        "largest_difference": max(abs(peer[name] - report[name]) for name in SAME_NAMES),
    }
    if args.large:
        result["60,000"] = measured(model.transform(X), y)
    for name, entry in result.items():
        print(name, entry, flush=True)
    save("retrieval", {"command": sys.argv, **result}, "pytorch-metric-learning", "torch")
