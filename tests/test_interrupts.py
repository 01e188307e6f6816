"""Ctrl-C and fork at any moment: models stay whole, and BLAS gets its threads back.

Each test runs in a process of its own, which takes the place of a user at a keyboard.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared import ESTIMATORS

ROOT = Path(__file__).parents[1]
SETTING = """
import os, signal, threading, time, warnings
import numpy as np
from threadpoolctl import threadpool_info
import skmetric

warnings.simplefilter("ignore")
# A process that a shell has started in the background ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
X, y = rng.random((600, 50), dtype=np.float32), rng.integers(0, 3, 600)

def n_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

def make(name):
    return getattr(skmetric, name)(max_iter=3, random_state=0)

before = n_threads()
"""
AT_MANY_MOMENTS = """
name = {name!r}
make(name).fit(X, y)
began = time.perf_counter()
whole = make(name).fit(X, y)
seconds = time.perf_counter() - began
outcomes = []
for i in range(30):
    model = make(name)

    def press():
        time.sleep(1.2 * seconds * i / 30)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    raised = False
    try:
        presser.start()
        model.fit(X, y)
        presser.join()
        time.sleep(0.001)
    except KeyboardInterrupt:
        raised = True
        presser.join()
    assert n_threads() == before, i
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, i
    assert raised or hasattr(model, "coefs_"), "neither a model nor an interrupt"
    if hasattr(model, "coefs_"):
        assert np.isfinite(model.transform(X[:5])).all()
        if model.n_iter_ == 3:
            assert all(np.array_equal(*pair) for pair in zip(model.coefs_, whole.coefs_))
    outcomes.append((raised, getattr(model, "n_iter_", None)))
print(outcomes)
"""
FORKS = """
stop = False

def work():
    while not stop:
        make("TripletMetricTransformer").fit(X, y)

worker = threading.Thread(target=work)
worker.start()
statuses = []
for _ in range(25):
    time.sleep(rng.random() * 0.02)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        status = 3
        if n_threads() == before:
            make("TripletMetricTransformer").fit(X, y)
            status = 0 if n_threads() == before else 4
        os._exit(status)
    statuses.append(os.waitpid(child, 0)[1])
stop = True
worker.join()
assert n_threads() == before
print(statuses)
"""


def output_of(code):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SETTING + code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal of POSIX")
@pytest.mark.parametrize("name", [Estimator.__name__ for Estimator in ESTIMATORS])
def test_ctrl_c_at_any_moment_leaves_a_model_or_none(name):
    outcomes = eval(output_of(AT_MANY_MOMENTS.format(name=name)))
    assert len(outcomes) == 30
    # The moments are not all alike, however fast or busy the machine is.
    assert len(set(outcomes)) > 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_another_thread_fits_has_its_threads_and_fits():
    assert output_of(FORKS) == str([0] * 25)


def test_a_second_ctrl_c_is_raised_at_once():
    code = """
from skmetric._engine.interrupts import deferred_interrupts, raise_if_interrupted

raised = []
try:
    with deferred_interrupts():
        signal.raise_signal(signal.SIGINT)
        raised.append("not yet")
        signal.raise_signal(signal.SIGINT)
        raised.append("never")
except KeyboardInterrupt:
    raised.append("at once")
try:
    with deferred_interrupts():
        signal.raise_signal(signal.SIGINT)
        raised.append("not yet")
except KeyboardInterrupt:
    raised.append("at the end")
with deferred_interrupts():
    signal.raise_signal(signal.SIGINT)
    try:
        raise_if_interrupted()
    except KeyboardInterrupt:
        raised.append("where asked")
    raise_if_interrupted()
print(raised)
"""
    expected = ["not yet", "at once", "not yet", "at the end", "where asked"]
    assert output_of(code) == str(expected)


def test_a_handler_of_the_user_is_left_alone():
    code = """
noted = []
signal.signal(signal.SIGINT, lambda *_: noted.append("mine"))
model = make("SoftmaxMLPClassifier").set_params(
    learning_rate=lambda epoch: signal.raise_signal(signal.SIGINT) or 1.0
).fit(X, y)
print(noted, model.n_iter_)
"""
    assert output_of(code) == "['mine', 'mine', 'mine'] 3"
