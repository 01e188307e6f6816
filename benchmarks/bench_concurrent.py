"""Eight searches at the same time against the same searches one after another.

``python benchmarks/bench_concurrent.py [threads] [processes] [--repeats 5]``

Each search is a ``GridSearchCV`` over three margins and three folds, of 500 digits. The searches run in
threads of one process or in a process each, and each of them with ``n_jobs=None`` or with ``n_jobs=2``.
One after another, they run in the same threads or processes, which have begun before the time does. The
scores must be the same. Writes ``results/concurrent.json``, where the rows of workers that are not named
stay.
"""

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

from common import earlier_rows, interleaved, save, summary

N_SEARCHES = 8
KINDS = ["threads", "processes"]


def search(n_jobs, seed):
    """Scores of one search. The imports are here, for the processes."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV

    from skmetric import TripletMetricTransformer

    X, y = (part[:500] for part in load_digits(return_X_y=True))
    model = TripletMetricTransformer(32, (128,), max_iter=3, random_state=seed)
    grid = {"margin": [0.5, 1.0, 2.0]}
    return (
        GridSearchCV(model, grid, cv=3, n_jobs=n_jobs).fit(X, y).cv_results_["mean_test_score"].tolist()
    )


def one_after_another(pool, n_jobs):
    return [pool.submit(search, n_jobs, seed).result() for seed in range(N_SEARCHES)]


def at_the_same_time(pool, n_jobs):
    return list(pool.map(partial(search, n_jobs), range(N_SEARCHES)))


def pool_of(kind, n_jobs):
    """Workers, as many as there are searches; each begins with a search that does not count."""
    first = {"initializer": search, "initargs": (n_jobs, 0)}
    if kind == "threads":
        return ThreadPoolExecutor(N_SEARCHES, **first)
    return ProcessPoolExecutor(N_SEARCHES, multiprocessing.get_context("spawn"), **first)


def measured(kind, n_jobs, repeats):
    with pool_of(kind, n_jobs) as pool:
        contestants = {
            "one after another": partial(one_after_another, pool, n_jobs),
            "at the same time": partial(at_the_same_time, pool, n_jobs),
        }
        times, scores = interleaved(contestants, repeats)
    assert scores["one after another"] == scores["at the same time"]
    table = summary(times, "one after another")
    ratio = table["at the same time"]["ratio_to_one after another"]
    row = {"workers": kind, "n_jobs": n_jobs, "ratio": ratio, "times": table}
    print(kind, f"n_jobs={n_jobs}", [round(r, 2) for r in ratio], flush=True)
    return row


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("workers", nargs="*", choices=[[], *KINDS], metavar="WORKERS")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    named = args.workers or KINDS
    rows = [row for row in earlier_rows("concurrent") if row["workers"] not in named]
    for kind in named:
        rows += [measured(kind, n_jobs, args.repeats) for n_jobs in (None, 2)]
        save("concurrent", {"command": sys.argv, "searches": N_SEARCHES, "rows": rows})
