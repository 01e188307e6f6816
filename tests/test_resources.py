"""Hundreds of fits in one process, failing ones too, keep no memory, threads and files."""

import os
from ast import literal_eval

import pytest
from fresh_process import output_of
from profiles import by_profile

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux's /proc")
MANY_FITS = """
from shared import ESTIMATORS

class OfTheUser(Exception):
    pass

def late_failure(epoch):
    if epoch == 2:
        raise OfTheUser
    return 1.0

class Watcher:
    "A callback that asks for a fitted estimator after each epoch."
    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.shown = fitted_estimator

def made_in_turn(i, **parameters):
    return made(ESTIMATORS[i % 4].__name__, **parameters)

def fits(i):
    "Three fits."
    made_in_turn(i).fit(X, Y)
    made_in_turn(i + 1, early_stopping=True).fit(X, Y)
    watched = made_in_turn(i + 2)
    if hasattr(watched, "_init_callback_context"):
        watched.set_callbacks(Watcher())
    watched.fit(X, Y)

def partial_fits(i):
    "Ten passes, in two of which a model begins."
    for k in range(2):
        model = made_in_turn(i + k)
        for _ in range(5):
            model.partial_fit(X, Y, classes=[0, 1, 2])

def failing_fits(i):
    "Five fits that fail, at the beginning, in the first epoch and in the last."
    divergent = made_in_turn(i + 1, solver="sgd", learning_rate_init=1e30, standardize=False)
    late = made_in_turn(i + 2, learning_rate=late_failure)
    calls = [
        lambda: made_in_turn(i).fit(np.where(X > 0.9, np.nan, X), Y),
        lambda: made_in_turn(i, max_iter=0).fit(X, Y),
        lambda: divergent.fit(1e10 * X, Y),
        lambda: late.fit(X, Y),
        lambda: late.fit(X, Y),
    ]
    for call in calls:
        try:
            call()
        except (ValueError, OfTheUser):
            continue
        raise AssertionError("a fit has not failed")

def resident():
    "Resident memory of this process in MB."
    gc.collect()
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

def growths(call, n_warm, n):
    "MB that the process holds after each of n calls, more than after the first ones, which warm up."
    for i in range(n_warm):
        call(i)
    before, held_before = resident(), held()
    for i in range(n):
        call(i)
        yield resident() - before
        if i % 10 == 0 or i == n - 1:
            assert_held(held_before)

print([max(growths(call, {n_warm}, {n})) for call in (fits, partial_fits, failing_fits)])
"""


def test_hundreds_of_fits_keep_no_memory_threads_and_files(record_property):
    n = by_profile(5, 100)
    code = MANY_FITS.format(n_warm=by_profile(4, 20), n=n)
    growths = literal_eval(output_of(code, seconds=1800))
    record_property("fits", 3 * n)
    record_property("partial_fits", 10 * n)
    record_property("failing_fits", 5 * n)
    record_property("memory_growth_mb", max(growths))
    assert max(growths) < 5, growths
