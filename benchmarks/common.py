"""What all benchmarks share: interleaved repeats, paired ratios, the machine, and where results go."""

import functools
import json
import math
import multiprocessing
import os
import platform
import statistics
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import threadpoolctl

ALL_CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
PAUSE = 0.2  # seconds
RESULTS = Path(__file__).parent / "results"
PACKAGES = ["skmetric", "numpy", "scipy", "scikit-learn"]


def limit_threads(n_threads):
    """Give every library the same number of threads. Comes before the first of them is imported.

    Some take more threads than their settings say, so that the process keeps as many CPUs only, where
    the system can do that.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(n_threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_threads])


def seconds(function):
    """Wall time of one call, and what it returned."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def interleaved(contestants, repeats):
    """Time functions in turn, A B C A B C ..., after one round that does not count.

    Returns the times of each and what each returned last. In turn, since the speed of a machine drifts:
    the ratio of two times of the same round is worth more than that of two medians. Between two of them
    is a pause, since the idle threads of some libraries keep their CPUs busy for a while.
    """
    times, results = {name: [] for name in contestants}, {}
    for round_ in range(repeats + 1):
        for name, function in contestants.items():
            time.sleep(PAUSE)
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


def anonymous_memory():
    """Bytes of this process that are not pages of a file (Linux)."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])


class Peak:
    """Watch `anonymous_memory` in a thread; `extra_mb` is the highest less that at the beginning."""

    def __enter__(self):
        self.before = self.highest = anonymous_memory()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.over.wait(0.002):
            self.highest = max(self.highest, anonymous_memory())

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.extra_mb = (self.highest - self.before) / 2**20


def compete(cpu):
    os.sched_setaffinity(0, {cpu})
    while True:
        math.fsum(range(10000))


@contextmanager
def busy_machine():
    """A process on each CPU that competes for it."""
    rivals = [multiprocessing.Process(target=compete, args=(cpu,), daemon=True) for cpu in ALL_CPUS]
    for rival in rivals:
        rival.start()
    time.sleep(1)
    yield
    assert all(rival.is_alive() for rival in rivals)
    for rival in rivals:
        rival.kill()


def metric_learn_today():
    """metric-learn 0.7.0 as it would be for today's scikit-learn.

    Each of its `fit`s passes `force_all_finite`, which scikit-learn has renamed to `ensure_all_finite`:
    the argument is renamed on its way.
    """
    import metric_learn
    import sklearn.utils
    from metric_learn import _util

    def renamed(check):
        @functools.wraps(check)
        def checked(*args, force_all_finite=True, **options):
            return check(*args, ensure_all_finite=force_all_finite, **options)

        return checked

    _util.check_array = renamed(sklearn.utils.check_array)
    _util.check_X_y = renamed(sklearn.utils.check_X_y)
    return metric_learn


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


def earlier_rows(name):
    """Rows of ``results/name.json``, none if there is no such file."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text())["rows"] if path.exists() else []


def save(name, result, *more_packages):
    """Write a result as ``results/name.json``, with the environment."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**environment(*more_packages), **result}, indent=1) + "\n")
    print(f"written: {path}")
