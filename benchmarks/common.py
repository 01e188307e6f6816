"""What all benchmarks share: interleaved repeats, paired ratios, the machine, and where results go."""

import json
import os
import platform
import statistics
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import threadpoolctl

RESULTS = Path(__file__).parent / "results"
PACKAGES = ["skmetric", "numpy", "scipy", "scikit-learn"]


def limit_threads(n_threads):
    """Give every library the same number of threads. Comes before the first of them is imported."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(n_threads)
    one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["XLA_FLAGS"] = one if n_threads == 1 else ""


def seconds(function):
    """Wall time of one call, and what it returned."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def interleaved(contestants, repeats):
    """Time functions in turn, A B C A B C ..., after one round that does not count.

    Returns the times of each and what each returned last. In turn, since the speed of a machine drifts:
    the ratio of two times of the same round is worth more than that of two medians.
    """
    times, results = {name: [] for name in contestants}, {}
    for round_ in range(repeats + 1):
        for name, function in contestants.items():
            elapsed, results[name] = seconds(function)
            if round_:
                times[name].append(elapsed)
    return times, results


def summary(times, against):
    """Median seconds of each, and median, smallest and largest ratio to `against` in the same round."""
    table = {}
    for name, own in times.items():
        ratios = [a / b for a, b in zip(own, times[against])]
        table[name] = {
            "median_s": statistics.median(own),
            f"ratio_to_{against}": [statistics.median(ratios), min(ratios), max(ratios)],
        }
    return table


def environment(*more_packages):
    """Machine, versions and BLAS threads."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in (*PACKAGES, *more_packages)},
        "blas": [
            {key: pool[key] for key in ("internal_api", "version", "num_threads")}
            for pool in threadpoolctl.threadpool_info()
            if pool["user_api"] == "blas"
        ],
    }


def save(name, result, *more_packages):
    """Write a result as ``results/name.json``, with the environment."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**environment(*more_packages), **result}, indent=1) + "\n")
    print(f"written: {path}")
