"""Small fits, and what a process holds, for the processes of `fresh_process` and for their children."""

import faulthandler
import hashlib
import os
import signal
import threading
import time
import warnings

import numpy as np
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info

import skmetric
from skmetric._team import _current, team

RNG = np.random.default_rng(0)
X, Y = RNG.random((300, 50), dtype=np.float32), RNG.integers(0, 3, 300)
SETTINGS = {
    "hidden_layer_sizes": (32,),
    "batch_size": 32,
    "n_networks": 2,  # which a team of threads shares
    "dropout": 0.1,
    "max_iter": 3,
    "learning_rate": "constant",
    "random_state": 0,
}


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
    """Assert that BLAS has the threads of before, and that the process holds no more than before.

    A joined thread takes a moment to end, and what others have left may be collected at any time.
    """
    threads_before, *held_before = before
    for _ in range(1000):
        threads, *held_now = held()
        if threads == threads_before and all(now <= n for now, n in zip(held_now, held_before)):
            return
        time.sleep(0.01)
    raise AssertionError(f"held {before}, and now {held()}")


def end_after(seconds):
    """End this process, with the traceback of each thread, if it takes longer."""
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(seconds)


def fit_and_tell(*_):
    """Fit; return the process, the bits, and the threads of BLAS before and after it."""
    warnings.simplefilter("ignore")
    before = blas_threads()
    model = made("TripletMetricTransformer").fit(X, Y)
    return os.getpid(), bits(model), before, blas_threads()


def fit_in_child(connection=None):
    end_after(100)  # with a traceback, before the parent loses its patience
    told = fit_and_tell()
    signal.alarm(0)
    if connection is not None:
        connection.send(told)
    return told


def fit_and_stay(_):
    """Fit, and keep this worker of a pool busy, so that each worker gets one task."""
    told = fit_in_child()
    time.sleep(1)
    return told


def scores_of_search(n_jobs, seed):
    warnings.simplefilter("ignore")
    search = GridSearchCV(
        made("TripletMetricTransformer", random_state=seed), {"margin": [0.5, 1.0]}, cv=2, n_jobs=n_jobs
    )
    return search.fit(X, Y).cv_results_["mean_test_score"].tolist()


def threads_of_a_fit(_):
    with team():
        return 1 + _current.team.n_helpers


def noted_accuracy(model, X, y, folder):
    """Score of a pipeline; a file in the folder says what its embedding learned, in which process."""
    (folder / f"{bits(model[0])} {os.getpid()}").touch()
    return model.score(X, y)
