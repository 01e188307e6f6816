"""The team of threads: what it runs, how it ends, and that it changes no bit."""

import os
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from shared import ESTIMATORS
from threadpoolctl import threadpool_limits

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer, _blas_threads, _team
from skmetric._engine import tiles
from skmetric._team import Team, share, team
from skmetric.losses import _blocks

THREADS = [1, 2, 3, 4, 8]
TINY = [(tiles, "PAYS", 1), (tiles, "LONG", 8), (_blocks, "PAIRS", 64)]


@pytest.fixture
def many_cpus(monkeypatch):
    """As many CPUs as threads are asked for."""
    monkeypatch.setattr(_blas_threads, "n_cpus", lambda: 64)


@pytest.fixture
def tiny_tiles(monkeypatch):
    """Tiles so small that small networks are cut too."""
    for module, name, value in TINY:
        monkeypatch.setattr(module, name, value)


def helpers():
    return [thread for thread in threading.enumerate() if thread.name == _team.NAME]


# --- tasks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", THREADS)
@pytest.mark.parametrize("n_tasks", [0, 1, 2, 5, 50])
def test_each_task_runs_once(n_threads, n_tasks):
    group, done = Team(n_threads), []
    for _ in range(3):
        group.run([lambda i=i: done.append(i) for i in range(n_tasks)])
    group.dismiss()
    assert sorted(done) == sorted(3 * list(range(n_tasks)))


def test_helpers_run_at_the_same_time():
    # Each task waits for the others: one thread alone would wait in vain.
    group, barrier = Team(3), threading.Barrier(3)
    group.run([lambda: barrier.wait(timeout=30)] * 3)
    group.dismiss()


@pytest.mark.parametrize("n_threads", THREADS)
def test_an_error_of_a_task_is_raised_after_all_have_ended(n_threads):
    group, done = Team(n_threads), []

    def fail():
        raise FloatingPointError("no")

    with pytest.raises(FloatingPointError, match="no"):
        group.run([*[lambda: (time.sleep(0.001), done.append(1))] * 5, fail])
    assert len(done) == 5
    group.run([lambda: done.append(1)] * 2)
    group.dismiss()
    assert len(done) == 7


def test_a_task_may_share_tasks_of_its_own():
    group, done = Team(3), []
    group.run([lambda: group.run([lambda: done.append(1)] * 4)] * 4)
    group.dismiss()
    assert len(done) == 16


def test_helpers_begin_when_there_is_something_to_share_and_end_with_the_team(many_cpus):
    with threadpool_limits(4, user_api="blas"), team():
        share([lambda: None])
        assert helpers() == []
        share([lambda: None] * 2)
        assert len(helpers()) == 3
    assert helpers() == []
    share([lambda: None] * 2)
    assert helpers() == []


@pytest.mark.parametrize("n_given", [0, 2])
def test_a_system_without_more_threads_is_no_error(n_given, monkeypatch):
    start, started, done = threading.Thread.start, [], []

    def limited(thread):
        if len(started) == n_given:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    group = Team(5)
    for _ in range(2):
        group.run([lambda: done.append(1)] * 10)
    group.dismiss()
    assert len(done) == 20
    assert len(started) == n_given


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_helpers_end_after_an_error_too(many_cpus, error):
    with pytest.raises(error), threadpool_limits(3, user_api="blas"), team():
        share([lambda: None] * 2)
        raise error
    assert helpers() == []


@pytest.mark.parametrize("n_threads", [1, 3])
def test_a_team_has_as_many_threads_as_blas_had(many_cpus, n_threads):
    with threadpool_limits(n_threads, user_api="blas"), team():
        assert _team._current.team.n_helpers == n_threads - 1
        with team():
            assert _team._current.team.n_helpers == n_threads - 1


def test_a_team_has_no_more_threads_than_the_process_has_cpus(monkeypatch):
    monkeypatch.setattr(_blas_threads, "n_cpus", lambda: 2)
    with threadpool_limits(8, user_api="blas"), team():
        assert _team._current.team.n_helpers == 1


def test_cpus_are_those_of_the_process():
    assert 1 <= _blas_threads.n_cpus() <= os.cpu_count()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_without_the_helpers_of_its_parent(many_cpus):
    with threadpool_limits(3, user_api="blas"), team():
        share([lambda: None] * 4)
        child = os.fork()
        if child == 0:
            done = []
            for _ in range(3):
                share([lambda: done.append(1)] * 4)
            os._exit(len(done))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 12


def test_no_warning_comes_from_a_helper(many_cpus, tiny_tiles):
    # Numbers that overflow are looked at by the training itself, in all threads alike.
    rng = np.random.default_rng(0)
    X, y = 1e18 * rng.normal(size=(600, 300)).astype(np.float32), np.arange(600) % 3
    model = SoftmaxMLPClassifier((300,), "relu", solver="sgd", standardize=False, max_iter=2)
    model.set_params(learning_rate_init=1e10, batch_size=128, random_state=0)
    with threadpool_limits(3, user_api="blas"), pytest.raises(ValueError, match="learning_rate_init"):
        model.fit(X, y)


# --- bits -------------------------------------------------------------------------------------------


def random_setting(seed):
    """An estimator with random parameters, and data for it; layers large enough to be cut."""
    rng = np.random.default_rng(seed)
    Estimator = ESTIMATORS[seed % len(ESTIMATORS)]
    draw = rng.choice
    hidden = [(), (300,), (260, 130)][seed // 4 % 3]
    options = {
        "hidden_layer_sizes": hidden,
        "activation": str(draw(["relu", "tanh", "logistic", "identity"])),
        "solver": str(draw(["adam", "sgd"])),
        "learning_rate_init": 1e-3,
        "batch_size": int(draw([64, 150, 256])),
        "dropout": float(draw([0.0, 0.3])),
        "input_dropout": float(draw([0.0, 0.2])),
        "batch_norm": bool(draw([False, True])) and hidden != (),
        "adversarial": float(draw([0.0, 0.2])),
        "n_networks": int(draw([1, 2, 3])),
        "alpha": float(draw([0.0, 1e-3])),
        "early_stopping": bool(draw([False, True])),
        "max_iter": 2,
        "random_state": seed,
    }
    if Estimator is TripletMetricTransformer:
        options["mining"] = str(draw(["all", "semihard", "hard"]))
    X = rng.random((400, int(draw([40, 300])))).astype(draw(["f4", "f8"]))
    return Estimator(**options), X, rng.integers(0, 4, 400)


def bits(model, X):
    has_probabilities = isinstance(model, SoftmaxMLPClassifier)
    outputs = model.predict_proba(X) if has_probabilities else model.transform(X)
    arrays = [*model.coefs_, *model.intercepts_, outputs]
    return b"".join(array.tobytes() for array in arrays)


def check_same_bits(model, X, y):
    found = set()
    for n_threads in THREADS:
        with threadpool_limits(n_threads, user_api="blas"):
            found.add(bits(model.fit(X, y), X))
    assert len(found) == 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(24))
def test_any_number_of_threads_gives_the_same_bits(seed, many_cpus, tiny_tiles):
    model, X, y = random_setting(seed)
    check_same_bits(model, X, y)


@pytest.mark.filterwarnings("ignore")
def test_a_large_fit_at_the_true_sizes_of_tiles_gives_the_same_bits(many_cpus):
    rng = np.random.default_rng(0)
    X, y = rng.random((1000, 600), dtype=np.float32), rng.integers(0, 5, 1000)
    model = TripletMetricTransformer(64, (512,), max_iter=1, batch_size=500, random_state=0)
    check_same_bits(model, X, y)


@pytest.mark.filterwarnings("ignore")
def test_rows_in_one_call_or_in_threads_get_the_same_embeddings(many_cpus, monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.random((3000, 300), dtype=np.float32), rng.integers(0, 5, 3000)
    model = TripletMetricTransformer(64, (512,), max_iter=1, random_state=0).fit(X[:600], y[:600])
    alone = model.transform(X)
    assert helpers() == []
    began = []
    monkeypatch.setattr(_team, "MANY", 1000)
    begin = Team._begin
    monkeypatch.setattr(Team, "_begin", lambda group: began.append(1) or begin(group))
    with threadpool_limits(3, user_api="blas"):
        assert_array_equal(model.transform(X), alone)
    assert began


def longest_wait(call):
    """Longest time between two beats of another thread during a call, as a fraction of the call."""
    beats, ended = [], threading.Event()

    def beat():
        while not ended.is_set():
            beats.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=beat)
    thread.start()
    began = time.perf_counter()
    call()
    seconds = time.perf_counter() - began
    ended.set()
    thread.join()
    during = [began, *(beat for beat in beats if began < beat < began + seconds), began + seconds]
    return max(np.diff(during)) / seconds


def test_other_threads_run_while_one_embeds():
    rng = np.random.default_rng(0)
    X, y = rng.random((1000, 1500), dtype=np.float32), rng.integers(0, 5, 1000)
    settings = {"max_iter": 1, "input_weight": 0, "n_networks": 1, "standardize": False}
    model = TripletMetricTransformer(64, (1500,), random_state=0, **settings).fit(X[:64], y[:64])
    # One product makes up for most of the call. The best of some calls, since the machine may be busy.
    assert min(longest_wait(lambda: model.transform(X)) for _ in range(10)) < 0.5
