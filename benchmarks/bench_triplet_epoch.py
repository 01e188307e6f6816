"""One epoch of triplet training on MNIST, against PyTorch with its library.

``python benchmarks/bench_triplet_epoch.py [--threads 1] [--rows 60000] [--busy]`` (extra `bench`)

`--busy` adds a process on each core that competes for it. The peers are timed on the first tenth of the
rows, and their time is multiplied: all triplets cost the same in every batch; of semi-hard ones there are
most at the beginning, so that a whole epoch would take somewhat less than ten times that.
"""

import argparse
import sys

from common import busy_machine, interleaved, limit_threads, save, summary

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rows", type=int, default=60000)
parser.add_argument("--repeats", type=int, default=3)
parser.add_argument("--busy", action="store_true")
args = parser.parse_args()
limit_threads(args.threads)  # before any of them is imported

import warnings  # noqa: E402
from contextlib import nullcontext  # noqa: E402

import numpy as np  # noqa: E402

from skmetric import TripletMetricTransformer  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402
from skmetric.losses import MetricLoss, triplet  # noqa: E402

PART = 10
warnings.filterwarnings("ignore", "Nothing was learned")  # by the contestant without a loss


class NoLoss(MetricLoss):
    """A loss that costs nothing."""

    def __call__(self, Z, y):
        return 1.0, np.zeros_like(Z)


class WithoutLoss(TripletMetricTransformer):
    """The same with a loss that costs nothing: what is left is the network, the optimizer, the rest."""

    def _loss(self, comparison):
        return NoLoss(triplet, comparison)


def skmetric_epoch(X, y, hidden, batch, mining="all", Transformer=TripletMetricTransformer):
    def run():
        model = Transformer(
            64, (hidden,), margin=0.2, mining=mining, batch_size=batch, max_iter=1,
            learning_rate="constant", learning_rate_init=0.001, batch_sampler="shuffle", dropout=0,
            input_weight=0, standardize=False, n_networks=1, random_state=0,
        )  # fmt: skip
        return model.fit(X, y)

    return run


def torch_epoch(X, y, hidden, batch_size, mining):
    import torch
    from pytorch_metric_learning import distances, losses, miners

    torch.set_num_threads(args.threads)
    rows, labels = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))
    squared = distances.LpDistance(normalize_embeddings=False, p=2, power=2)
    loss = losses.TripletMarginLoss(margin=0.2, distance=squared)
    miner = miners.TripletMarginMiner(0.2, "semihard", distance=squared) if mining == "semihard" else None

    def run():
        torch.manual_seed(0)
        layers = torch.nn.Linear(784, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 64)
        model = torch.nn.Sequential(*layers)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch_size):
            batch = order[start : start + batch_size]
            Z, batch_labels = model(rows[batch]), labels[batch]
            value = loss(Z, batch_labels, miner(Z, batch_labels) if miner else None)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()

    return run


if __name__ == "__main__":
    X, y = fetch_mnist(return_X_y=True)
    X, y = X[: args.rows] / np.float32(255), y[: args.rows]
    few = len(X) // PART
    cases = {}
    for hidden, batch in ((256, 256), (1024, 512)):
        contestants = {
            "skmetric, all": skmetric_epoch(X, y, hidden, batch),
            "all but the loss": skmetric_epoch(X, y, hidden, batch, Transformer=WithoutLoss),
            "skmetric, semihard": skmetric_epoch(X, y, hidden, batch, "semihard"),
        }
        if batch == 256 and not args.busy:
            # Of 512 rows, all triplets take PyTorch a second for each batch.
            contestants["PyTorch, all"] = torch_epoch(X[:few], y[:few], hidden, batch, "all")
            contestants["PyTorch, semihard"] = torch_epoch(X[:few], y[:few], hidden, batch, "semihard")
        with busy_machine() if args.busy else nullcontext():
            times, _ = interleaved(contestants, args.repeats)
        for name in times:
            if name.startswith("PyTorch"):
                times[name] = [PART * t for t in times[name]]
        cases[f"{hidden} x {batch}"] = table = summary(times, "skmetric, all")
        for name, entry in table.items():
            ratio = entry["ratio_to_skmetric, all"][0]
            print(f"{hidden} x {batch} {name:20s} {entry['median_s']:8.2f} s, {ratio:6.2f} x", flush=True)
    name = f"triplet_epoch_{args.threads}_threads" + ("_busy" if args.busy else "")
    more = () if args.busy else ("torch", "pytorch-metric-learning")
    save(name, {"command": sys.argv, "cases": cases}, *more)
