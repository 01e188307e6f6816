"""Local SGD: against `fit` on MNIST, and how it scales to 64 workers.

``python benchmarks/bench_local_sgd.py [--parts mnist workers variants steps]``

- mnist: accuracy of five neighbours after `fit`, and after `skmetric.dask.fit` in a cluster of two
  processes of this machine that see each row as often.
- workers: the same after each round, for 1 to 64 workers, which are simulated one after another.
- variants: the same with slow momentum (J. Wang et al., "SlowMo", ICLR 2020), and after rounds of one
  step (T. Lin et al., "Don't use large mini-batches, use local SGD", ICLR 2020).
- steps: seconds of a step, bytes that a worker sends and gets in a round, and how long a round must be
  for 10 % of its time to be communication at 10 Gbit/s.

Parts that are not named keep their earlier result.
"""

import argparse
import json
import pickle
import statistics
import sys

from common import RESULTS, limit_threads, save, seconds

PARTS = ["mnist", "workers", "variants", "steps"]
GIGABITS = 10
parser = argparse.ArgumentParser()
parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
parser.add_argument("--rounds", type=int, default=10, help="of workers")
parser.add_argument("--steps", type=int, default=20, help="a round, of workers")
parser.add_argument("--seeds", type=int, default=3, help="of mnist")
args = parser.parse_args()
if __name__ == "__main__":
    limit_threads(1 if "steps" in args.parts else 2)  # before any library is imported

import numpy as np  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier  # noqa: E402

import skmetric.dask  # noqa: E402
from skmetric import TripletMetricTransformer  # noqa: E402
from skmetric._local_sgd import LocalSGD, Shard, average, place  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402


def accuracy(model, rows=slice(None)):
    X, y = fetch_mnist(return_X_y=True)
    X_test, y_test = fetch_mnist(subset="test", return_X_y=True)
    neighbors = KNeighborsClassifier(5).fit(model.transform(X[rows]), y[rows])
    return neighbors.score(model.transform(X_test[rows]), y_test[rows])


def mnist():
    import dask.array as da
    from distributed import Client, LocalCluster

    X, y = fetch_mnist(return_X_y=True)
    found = {"fit": [], "cluster": []}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        rows, labels = da.from_array(X, chunks=(10_000, -1)), da.from_array(y, chunks=10_000)
        for seed in range(args.seeds):
            settings = {"max_iter": 10, "random_state": seed}
            found["fit"].append(accuracy(TripletMetricTransformer(**settings).fit(X, y)))
            model = skmetric.dask.fit(TripletMetricTransformer(**settings), rows, labels)
            found["cluster"].append(accuracy(model))
            print(seed, model.n_iter_, found, flush=True)
    means = {name: statistics.mean(values) for name, values in found.items()}
    return {"accuracy": found, "means": means, "rounds": model.n_iter_, "steps_per_round": 100}


class Simulated:
    """Workers of one process, one after another."""

    def __init__(self, n_workers, n_rows):
        X, y = fetch_mnist(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(X))
        parts = [(X[rows], y[rows]) for rows in np.array_split(order, n_workers)]
        self.shards = [Shard([part], np.unique(y), [0, k]) for k, part in enumerate(parts)]
        self.weights = [len(part[1]) for part in parts]
        self.n_rows = n_rows

    def learn(self, model, rate, number):
        return [shard.learn(model, rate, number, self.n_rows) for shard in self.shards]


class Noted(Simulated):
    """Workers whose model is judged after each round."""

    def __init__(self, sample, *arguments):
        super().__init__(*arguments)
        self.sample = sample
        self.accuracies = []

    def learn(self, model, rate, number):
        self.note(model)
        return super().learn(model, rate, number)

    def note(self, model):
        place(model, self.sample)
        self.accuracies.append(accuracy(model, slice(5000)))


def begun(seed=0):
    X, y = fetch_mnist(return_X_y=True)
    settings = {"batch_size": 256, "learning_rate": "constant", "random_state": seed}
    return TripletMetricTransformer(**settings).partial_fit(X[:10_000], y[:10_000]), X[:10_000]


def workers():
    curves = {}
    for n_workers in (1, 2, 4, 8, 16, 32, 64):
        model, sample = begun()
        noted = Noted(sample, n_workers, 256 * args.steps)
        LocalSGD(model, sample).train(noted, args.rounds)
        noted.note(model)
        curves[n_workers] = noted.accuracies
        print(n_workers, curves[n_workers], flush=True)
    return {"steps_per_round": args.steps, "rows": 5000, "curves": curves}


class WithSlowMomentum(Simulated):
    """Workers whose average the model reaches, and passes by a part of what it moved before."""

    def __init__(self, momentum, *arguments):
        super().__init__(*arguments)
        self.momentum = momentum
        self.moved = None
        self.shares = self.weights
        self.weights = [1]  # of the one result of `learn`

    def learn(self, model, rate, number):
        mean = average(super().learn(model, rate, number), self.shares)
        names = ["coefs_", "intercepts_", "_as_trained"]
        pairs = [pair for name in names for pair in zip(getattr(model, name), mean[name])]
        if self.moved is None:
            self.moved = [np.zeros_like(before) for before, _ in pairs]
        for moved, (before, after) in zip(self.moved, pairs):
            moved *= self.momentum
            moved += after - before
            after[...] = before + moved
        return [mean]


class AfterRoundsOfOneStep(Simulated):
    """Workers that take one step in each of the first rounds."""

    def __init__(self, n_first, *arguments):
        super().__init__(*arguments)
        self.n_first = n_first
        self.n_later = self.n_rows

    def learn(self, model, rate, number):
        self.n_rows = 256 if number < self.n_first else self.n_later
        return super().learn(model, rate, number)


def variants():
    kinds = {
        "average": (Simulated,),
        "slow momentum 0.3": (WithSlowMomentum, 0.3),
        "slow momentum 0.6": (WithSlowMomentum, 0.6),
        "after 20 rounds of one step": (AfterRoundsOfOneStep, 20),
    }
    found = {}
    for n_workers in (4, 16):
        for name, (kind, *options) in kinds.items():
            # 20 rounds of one step are as many steps as one of the others.
            n_rounds = args.rounds + 19 if kind is AfterRoundsOfOneStep else args.rounds
            final = []
            for seed in range(args.seeds):
                model, sample = begun(seed)
                simulated = kind(*options, n_workers, 256 * args.steps)
                LocalSGD(model, sample).train(simulated, n_rounds)
                final.append(accuracy(model))
            found[f"{n_workers} workers, {name}"] = {"rounds": n_rounds, "accuracy": final}
            print(n_workers, name, n_rounds, final, flush=True)
    return {"steps_per_round": args.steps, "variants": found}


def steps():
    model, _ = begun()
    shard = Simulated(64, 0).shards[0]
    shard.learn(model, 1e-3, 0, 256 * 50)
    times = [seconds(lambda: shard.learn(model, 1e-3, 0, 256 * 50)) for _ in range(7)]
    a_step = statistics.median(elapsed for elapsed, _ in times) / 50
    sent = len(pickle.dumps(times[0][1])) + len(pickle.dumps(model))
    communication = 8 * sent / (GIGABITS * 1e9)
    return {
        "seconds_a_step": a_step,
        "bytes_a_round": sent,
        "seconds_of_communication": communication,
        "steps_for_10_percent": int(np.ceil(communication / 0.1 / a_step)),
    }


if __name__ == "__main__":
    path = RESULTS / "local_sgd.json"
    result = json.loads(path.read_text())["parts"] if path.exists() else {}
    for part in args.parts:
        result[part] = globals()[part]()
        print(part, result[part], flush=True)
        save("local_sgd", {"command": sys.argv, "parts": result}, "dask", "distributed")
