"""The triplet loss with its gradient, against the same loss elsewhere; how time and memory grow.

``python benchmarks/bench_triplet_loss.py [--threads 1]`` (extra `bench`)

64 components, 10 classes, float32, margin 0.2, squared distances, mean over the active triplets. Peers
compute the same value, which is printed beside the time.
"""

import argparse
import sys

from common import interleaved, limit_threads, save, summary

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
args = parser.parse_args()
limit_threads(args.threads)  # before any of them is imported

import tracemalloc  # noqa: E402
from functools import partial  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from pytorch_metric_learning.distances import LpDistance  # noqa: E402
from pytorch_metric_learning.losses import TripletMarginLoss  # noqa: E402
from pytorch_metric_learning.reducers import AvgNonZeroReducer  # noqa: E402

from skmetric.losses import MINERS, MetricLoss, over_active, triplet  # noqa: E402

torch.set_num_threads(args.threads)
MARGIN = 0.2


def batch(n):
    rng = np.random.default_rng(0)
    return 0.3 * rng.normal(size=(n, 64)).astype(np.float32), rng.integers(10, size=n)


def skmetric_loss(Z, y, mining="all"):
    loss = MetricLoss(partial(triplet, margin=MARGIN, mining=mining), reduction=over_active)
    return partial(loss, Z, y)


def torch_loss(Z, y):
    squared = LpDistance(normalize_embeddings=False, p=2, power=2)
    loss = TripletMarginLoss(margin=MARGIN, distance=squared, reducer=AvgNonZeroReducer())
    labels = torch.from_numpy(y)

    def run():
        embeddings = torch.from_numpy(Z).requires_grad_()
        value = loss(embeddings, labels)
        value.backward()
        return float(value.detach()), embeddings.grad.numpy()

    return run


@jax.jit
@jax.value_and_grad
def dense(Z, y):
    squares = jnp.sum(Z * Z, axis=1)
    D = jnp.maximum(squares[:, None] + squares - 2 * Z @ Z.T, 0)
    same = y[:, None] == y
    positive = same & ~jnp.eye(len(y), dtype=bool)
    terms = jnp.maximum(D[:, :, None] - D[:, None, :] + MARGIN, 0)
    terms = jnp.where(positive[:, :, None] & ~same[:, None, :], terms, 0)
    return terms.sum() / jnp.maximum((terms > 0).sum(), 1)


def jax_loss(Z, y):
    def run():
        value, gradient = dense(jnp.asarray(Z), jnp.asarray(y))
        return float(value), np.asarray(gradient)

    return run


def against_peers(n, repeats):
    Z, y = batch(n)
    contestants = {
        "skmetric": skmetric_loss(Z, y),
        "pytorch-metric-learning": torch_loss(Z, y),
        "JAX, dense": jax_loss(Z, y),
    }
    times, results = interleaved(contestants, repeats)
    # A single call is too short to be timed by itself.
    quick, _ = interleaved({"skmetric": lambda: [contestants["skmetric"]() for _ in range(20)]}, repeats)
    times["skmetric"] = [t / 20 for t in quick["skmetric"]]
    table = summary(times, "skmetric")
    for name, entry in table.items():
        entry["value"] = results[name][0]
        entry["gradient_norm"] = float(np.linalg.norm(results[name][1]))
        print(
            f"B={n} {name:24s} {1e3 * entry['median_s']:9.2f} ms, {entry['ratio_to_skmetric'][0]:7.1f} x "
            f"skmetric's, value {entry['value']:.6f}, |dZ| {entry['gradient_norm']:.6f}",
            flush=True,
        )
    return table


def growth(mining):
    sizes, medians = [256, 512, 1024, 2048, 4096], []
    for n in sizes:
        run = skmetric_loss(*batch(n), mining)
        calls = max(1, 2**20 // n**2)
        times, _ = interleaved({"run": lambda run=run, calls=calls: [run() for _ in range(calls)]}, 5)
        medians.append(float(np.median(times["run"])) / calls)
    exponent = float(np.polyfit(np.log(sizes), np.log(medians), 1)[0])
    run = skmetric_loss(*batch(1024), mining)
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1] / (4 * 1024**2)
    tracemalloc.stop()
    print(f"{mining}: exponent {exponent:.2f}, peak at B=1024 {peak:.1f} B x B arrays", end=", ")
    print(", ".join(f"B={n} {1e3 * t:.1f} ms" for n, t in zip(sizes, medians)), flush=True)
    return {"sizes": sizes, "median_s": medians, "exponent": exponent, "peak_arrays_at_1024": peak}


if __name__ == "__main__":
    result = {
        "command": sys.argv,
        "peers": {n: against_peers(n, repeats) for n, repeats in ((256, 5), (512, 3))},
        "growth": {mining: growth(mining) for mining in MINERS},
    }
    name = f"triplet_loss_{args.threads}_threads"
    save(name, result, "torch", "jax", "pytorch-metric-learning")
