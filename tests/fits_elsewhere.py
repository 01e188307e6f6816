"""Small fits, and what a process holds, for the processes of `fresh_process` and for their children."""

import faulthandler
import hashlib
import os
import threading
import time
import warnings

import numpy as np
from threadpoolctl import threadpool_info

import skmetric

RNG = np.random.default_rng(0)
X, Y = RNG.random((600, 50), dtype=np.float32), RNG.integers(0, 3, 600)
# Several networks are what a team of threads shares.
SETTINGS = {"max_iter": 3, "learning_rate": "constant", "n_networks": 2, "dropout": 0.1, "random_state": 0}


def made(name, **parameters):
    return getattr(skmetric, name)(**(SETTINGS | parameters))


def bits(model):
    """A digest of all that was learned."""
    digest = hashlib.sha256()
    for array in [*model.coefs_, *model.intercepts_]:
        digest.update(array.tobytes())
    return digest.hexdigest()


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def number_in(folder):
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0


def held():
    """Threads of BLAS, of Python and of the system, and open files."""
    return (
        blas_threads(),
        threading.active_count(),
        number_in("/proc/self/task"),
        number_in("/proc/self/fd"),
    )


def assert_held(before):
    """Assert that the process holds what it held before; a thread that is joined takes a moment to end."""
    for _ in range(1000):
        if held() == before:
            return
        time.sleep(0.01)
    raise AssertionError(f"held {before}, and now {held()}")


def fit_in_child(name="TripletMetricTransformer"):
    """Fit in a child process; return the bits, and the threads of BLAS before and after it."""
    faulthandler.dump_traceback_later(120, exit=True)
    warnings.simplefilter("ignore")
    before = blas_threads()
    found = bits(made(name).fit(X, Y))
    faulthandler.cancel_dump_traceback_later()
    return found, before, blas_threads()
