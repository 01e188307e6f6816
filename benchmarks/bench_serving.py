"""Threads that embed at the same time, as in a server; and how long they hold others up.

``python benchmarks/bench_serving.py [--seconds 3]``

Each thread calls `transform` with 1,000 rows again and again, as often as it can. The heartbeat is a
thread that wakes up every millisecond while another one embeds 1,000 rows of 2,500 features through 2,500
units: the longest time from one beat to the next is what a request of another thread may have to wait.
"""

import argparse
import statistics
import sys
import threading
import time

import numpy as np
from common import save

from skmetric import TripletMetricTransformer

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--repeats", type=int, default=5)
args = parser.parse_args()

rng = np.random.default_rng(0)
ROWS = rng.random((1000, 784), dtype=np.float32)
WIDE_ROWS = rng.random((1000, 2500), dtype=np.float32)


def fitted(X, hidden):
    settings = {"max_iter": 1, "input_weight": 0, "n_networks": 1, "random_state": 0}
    return TripletMetricTransformer(64, hidden, **settings).fit(X, np.arange(len(X)) % 5)


def rows_a_second(model, X, n_threads):
    """Of all threads together."""
    begin, end, n_calls = threading.Barrier(n_threads + 1), threading.Event(), []

    def work():
        begin.wait()
        while not end.is_set():
            model.transform(X)
            n_calls.append(1)

    workers = [threading.Thread(target=work) for _ in range(n_threads)]
    for worker in workers:
        worker.start()
    begin.wait()
    began = time.perf_counter()
    time.sleep(args.seconds)
    end.set()
    for worker in workers:
        worker.join()
    return len(n_calls) * len(X) / (time.perf_counter() - began)


def beats(model, X):
    """Milliseconds from one beat to the next, while another thread embeds."""
    end = threading.Event()

    def work():
        while not end.is_set():
            model.transform(X)

    worker = threading.Thread(target=work)
    worker.start()
    gaps, last = [], time.perf_counter()
    while sum(gaps) < 1000 * args.seconds:
        time.sleep(0.001)
        now = time.perf_counter()
        gaps.append(1000 * (now - last))
        last = now
    end.set()
    worker.join()
    return gaps


if __name__ == "__main__":
    model = fitted(ROWS, (512,))
    speeds = {1: [], 2: [], 4: []}
    for _ in range(args.repeats):
        for n_threads, found in speeds.items():
            found.append(rows_a_second(model, ROWS, n_threads))
    rows = []
    for n_threads, found in speeds.items():
        ratios = [a / b for a, b in zip(found, speeds[1])]
        row = {"threads": n_threads, "rows_a_second": statistics.median(found)}
        rows.append({**row, "ratio": [statistics.median(ratios), min(ratios), max(ratios)]})
        print(rows[-1], flush=True)
    gaps = beats(fitted(WIDE_ROWS, (2500,)), WIDE_ROWS)
    heartbeat = {"longest_ms": max(gaps), "median_ms": statistics.median(gaps), "beats": len(gaps)}
    print(heartbeat)
    save("serving", {"command": sys.argv, "rows": rows, "heartbeat": heartbeat})
