"""Processes and threads that begin while fits run: none hangs, and all learn the same bits."""

import os
import threading
import time
from ast import literal_eval
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from fits_elsewhere import X, Y, bits, made
from fresh_process import output_of
from profiles import by_profile

from skmetric import _steps
from skmetric._blas_threads import SHARED_LIMIT, blas_libraries
from skmetric._steps import forks_wait, turns

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals and processes of POSIX")
WHILE_FITS_RUN = """
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from joblib.externals.loky import ProcessPoolExecutor

AT_ONCE = 4

def by_multiprocessing(method, n):
    "Tell of processes that are started one after the other, some of them running at the same time."
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(["fits_elsewhere"])
    running = []
    for i in range(n):
        time.sleep(0.02 * np.random.random())
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=fit_in_child, args=(there,), daemon=True)
        child.start()
        there.close()
        running.append((child, here))
        while len(running) == AT_ONCE or (running and i == n - 1):
            child, here = running.pop(0)
            assert here.poll(120), f"child {{child.pid}} hangs"
            yield here.recv()
            child.join()

def by_loky(method, n):
    pids = set()
    while len(pids) < n:
        with ProcessPoolExecutor(AT_ONCE) as executor:
            for told in executor.map(fit_and_stay, [None] * AT_ONCE):
                if told[0] not in pids:
                    yield told
                pids.add(told[0])

def by_threading(method, n):
    with ThreadPoolExecutor(8) as executor:
        yield from executor.map(fit_and_tell, range(n))

@contextmanager
def fits_in_threads():
    stop = threading.Event()

    def work():
        while not stop.is_set():
            fit_and_tell()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join()

START = {{"loky": by_loky, "threading": by_threading}}
_, expected, before, _ = fit_and_tell()
with fits_in_threads():
    told = list(START.get({method!r}, by_multiprocessing)({method!r}, {n}))
assert blas_threads() == before
assert threading.active_count() <= 2, threading.enumerate()  # the fork server has none, loky may have one
pids, found, *threads = zip(*told)
assert set(found) == {{expected}}
if {method!r} != "threading":
    assert all(n_threads == before for both in threads for n_threads in both), threads
    assert os.getpid() not in pids
print(len(found))
"""


@pytest.mark.parametrize(
    "method", ["fork", "threading", *by_profile([], ["spawn", "forkserver", "loky"])]
)
def test_whatever_begins_while_fits_run_ends_and_learns_the_same_bits(method, record_property):
    n = by_profile(12, 200)
    code = WHILE_FITS_RUN.format(method=method, n=n)
    n_ended = literal_eval(output_of(code, seconds=3600))
    assert n_ended >= n
    record_property("children", n_ended)


def test_a_fork_waits_while_the_number_of_threads_changes(monkeypatch):
    # A child that is forked during a change inherits OpenBLAS's lock as it is, and nobody unlocks it.
    waits = []
    for library in blas_libraries().lib_controllers:
        for name in {"set_num_threads", "_real_set_num_threads"} & set(dir(library)):
            change = getattr(library, name)

            def noted(n, change=change):
                waits.append(SHARED_LIMIT.lock.locked())
                change(n)

            monkeypatch.setattr(library, name, noted)
    made("TripletMetricTransformer").fit(X, Y).transform(X)
    assert waits and all(waits)


def fork():
    """Fork; the child ends at once."""
    pid = os.fork()
    if pid == 0:
        os._exit(not forks_wait.depths.keys() <= {threading.get_ident()})
    _, status = os.waitpid(pid, 0)
    assert status == 0, "the child has busy threads of its parent"


@contextmanager
def busy_thread():
    """A thread that is within BLAS for a moment, at most until the end of the context."""
    begun = threading.Event()
    ended = threading.Event()

    def work():
        with forks_wait:
            begun.set()
            ended.wait(0.2)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    try:
        yield thread
    finally:
        ended.set()
        thread.join()


def test_a_fork_waits_for_the_product_of_another_thread(monkeypatch):
    monkeypatch.setattr(_steps, "PATIENCE", 1000)
    with busy_thread() as thread:
        fork()
        assert thread.ident not in forks_wait.depths


def test_a_fork_does_not_wait_for_its_own_thread(monkeypatch):
    monkeypatch.setattr(_steps, "PATIENCE", 1000)
    with forks_wait:
        with forks_wait:
            fork()
        assert forks_wait.depths == {threading.get_ident(): 1}
    assert not forks_wait.depths


def test_a_child_leaves_the_contexts_in_which_it_was_forked():
    with forks_wait:
        pid = os.fork()
    if pid == 0:
        with forks_wait:
            os._exit(len(forks_wait.depths) - 1)
    _, status = os.waitpid(pid, 0)
    assert status == 0


def test_a_fork_does_not_wait_forever(monkeypatch):
    monkeypatch.setattr(_steps, "PATIENCE", 0.01)
    with busy_thread() as thread:
        fork()
        assert thread.ident in forks_wait.depths
        with forks_wait:
            assert threading.get_ident() in forks_wait.depths


def test_more_steps_of_training_than_cpus_take_turns(monkeypatch):
    monkeypatch.setattr(_steps, "n_cpus", lambda: 2)
    monkeypatch.setattr(_steps, "PATIENCE", 1000)
    at_once = []

    def work(_):
        for _ in range(20):
            with turns, turns:
                at_once.append(len(turns.depths))
                time.sleep(0.001)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert len(at_once) == 120
    assert max(at_once) == 2
    assert not turns.depths


def test_a_step_does_not_wait_forever_for_its_turn(monkeypatch):
    monkeypatch.setattr(_steps, "n_cpus", lambda: 1)
    monkeypatch.setattr(_steps, "PATIENCE", 0.01)
    with turns, ThreadPoolExecutor(1) as pool:
        model = pool.submit(made("TripletMetricTransformer").fit, X, Y).result()
    assert bits(model) == bits(made("TripletMetricTransformer").fit(X, Y))


def test_what_begins_during_a_fork_waits_for_it(monkeypatch):
    monkeypatch.setattr(_steps, "PATIENCE", 1000)
    with busy_thread():
        forking = threading.Thread(target=fork)
        forking.start()
        while not forks_wait.fork_waits:
            time.sleep(0.001)
        with forks_wait:
            assert not forks_wait.fork_waits
        forking.join()


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.fit(X, Y),
        lambda model: model.partial_fit(X, Y, classes=[0, 1, 2]),
        lambda model: model.transform(X),
        lambda model: model.score(X, Y),
    ],
    ids=["fit", "partial_fit", "transform", "score"],
)
def test_forks_wait_for_all_products(call, monkeypatch):
    model = made("TripletMetricTransformer", input_weight=1.0).fit(X, Y)
    alone = []
    product = np.matmul

    def noted(*arguments, **options):
        alone.append(not forks_wait.depths)
        return product(*arguments, **options)

    monkeypatch.setattr(np, "matmul", noted)
    call(model)
    assert alone and not any(alone)


SEARCHES = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

N = 8
POOLS = {{
    "threads": lambda: ThreadPoolExecutor(N),
    "processes": lambda: ProcessPoolExecutor(N, multiprocessing.get_context("spawn")),
}}
alone = [scores_of_search(None, seed) for seed in range(N)]
for workers, n_jobs in {cases}:
    with POOLS[workers]() as pool:
        assert list(pool.map(scores_of_search, [n_jobs] * N, range(N))) == alone
assert blas_threads() == before[0]
print(len(set(map(tuple, alone))))
"""


def test_searches_at_the_same_time_end_with_the_scores_of_one_after_another(record_property):
    cases = [("threads", None)]
    cases += by_profile([], [("threads", 2), ("processes", None), ("processes", 2)])
    n_different = literal_eval(output_of(SEARCHES.format(cases=cases), seconds=1800))
    assert n_different > 1
    record_property("searches", 8 * len(cases))
