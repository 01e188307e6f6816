import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from shared import (
    X,
    Y,
    assert_same_model,
    each,
)
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

EXPLODES = {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 1e308}  # with 1000 * X
ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)


def digests(n_features=400, hidden=300):
    """Of models large enough for threads to matter; of float32 and of float64."""
    import hashlib

    import numpy as np

    import skmetric

    rng = np.random.default_rng(0)
    rows, labels = rng.random((300, n_features)), rng.integers(0, 3, 300)
    found = []
    for name in skmetric.__all__:
        for dtype in ("f4", "f8"):
            model = getattr(skmetric, name)(
                hidden_layer_sizes=(hidden,), max_iter=2, batch_size=128, dropout=0.1, random_state=0
            ).fit(rows.astype(dtype), labels)
            together = b"".join(W.tobytes() for W in [*model.coefs_, *model.intercepts_])
            found.append((name, dtype, hashlib.sha256(together).hexdigest()))
    return found


@pytest.fixture(scope="module")
def digests_here():
    return digests()


def in_another_process(function, **environment):
    source = f"{inspect.getsource(function)}\nprint({function.__name__}())"
    inherited = {k: v for k, v in os.environ.items() if k != "SCIPY_ARRAY_API"}
    environment = inherited | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("n_threads", [1, 2])
def test_another_process_with_any_number_of_threads_gives_the_same_bits(n_threads, digests_here):
    assert in_another_process(digests, OPENBLAS_NUM_THREADS=str(n_threads)) == str(digests_here)


def test_parallel_jobs_give_the_same_bits(digests_here):
    jobs = joblib.Parallel(n_jobs=2)(joblib.delayed(digests)() for _ in range(2))
    assert jobs == [digests_here] * 2


def n_blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@each
def test_training_leaves_the_number_of_threads_alone(Estimator, small):
    with threadpool_limits(2, user_api="blas"):
        before = n_blas_threads()
        small(Estimator).fit(X, Y)
        assert n_blas_threads() == before
        with pytest.raises(ValueError, match="learning_rate_init"):
            small(Estimator, **EXPLODES).fit(1000 * X, Y)
        assert n_blas_threads() == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_limit_on_threads_around_a_fit_changes_no_bit(n_threads, digests_here):
    with threadpool_limits(n_threads, user_api="blas"):
        assert digests() == digests_here


def overlapping_fits():
    """Whether a long fit beside a short one gives the bits of one alone; threads before and after."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    from threadpoolctl import threadpool_info

    import skmetric

    rng = np.random.default_rng(0)
    rows, labels = rng.random((300, 400), dtype=np.float32), rng.integers(0, 3, 300)

    def fit(name, n_epochs):
        settings = {"hidden_layer_sizes": (300,), "batch_size": 128, "random_state": 0}
        model = getattr(skmetric, name)(max_iter=n_epochs, learning_rate="constant", **settings)
        return model.fit(rows, labels).coefs_[0]

    same, n_threads = [], [[info["num_threads"] for info in threadpool_info()]]
    for name in skmetric.__all__:
        alone = fit(name, 25)
        with ThreadPoolExecutor(2) as pool:
            beside = list(pool.map(fit, [name] * 2, [8, 25]))
        same.append(np.array_equal(beside[1], alone))
    n_threads.append([info["num_threads"] for info in threadpool_info()])
    return all(same), n_threads


def test_fits_in_two_threads_at_once_do_not_disturb_each_other():
    same, n_threads = ast.literal_eval(in_another_process(overlapping_fits, OPENBLAS_NUM_THREADS="2"))
    assert same
    assert n_threads[0] == n_threads[1]


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_same_seed_gives_the_same_bits(Estimator, early_stopping, small):
    model = small(Estimator, dropout=0.2, early_stopping=early_stopping)
    assert_same_model(clone(model).fit(X, Y), model.fit(X, Y))
    assert_same_model(clone(model).fit(X, Y), model.fit(X, Y))


@each
def test_random_state_may_be_a_generator_of_numpy(Estimator, small):
    one, two = (small(Estimator, random_state=np.random.RandomState(5)).fit(X, Y) for _ in range(2))
    assert_same_model(one, two)


@each
def test_other_seeds_give_other_models(Estimator, small):
    one, two = (small(Estimator, random_state=seed).fit(X, Y) for seed in (0, 1))
    assert not np.array_equal(one.coefs_[0], two.coefs_[0])


@each
def test_global_random_state_is_left_alone(Estimator, small):
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    small(Estimator, dropout=0.2, early_stopping=True).fit(X, Y)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
