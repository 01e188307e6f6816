import ast
import copy
import inspect
import io
import math
import os
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

import skmetric
from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)

EXPLODES = {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 1e308}  # with 1000 * X
ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

X, Y = load_iris(return_X_y=True)
DIGITS, DIGIT_LABELS = (part[:300] for part in load_digits(return_X_y=True))
DIGITS = DIGITS / 16

ESTIMATORS = [
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
]
TRANSFORMERS = ESTIMATORS[1:]
each = pytest.mark.parametrize("Estimator", ESTIMATORS)
each_transformer = pytest.mark.parametrize("Estimator", TRANSFORMERS)


def parameters_of(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same_parameters(model, other):
    for W, V in zip(parameters_of(model), parameters_of(other), strict=True):
        assert W.dtype == V.dtype
        assert_array_equal(W, V)


def assert_same_model(model, other):
    assert_same_parameters(model, other)
    assert model.loss_curve_ == other.loss_curve_
    assert model.n_iter_ == other.n_iter_


def passes(model, k, X=X, y=Y):
    for _ in range(k):
        model.partial_fit(X, y, classes=np.unique(Y))
    return model


def fitted_attributes(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


def assert_finite(model, values):
    assert all(np.isfinite(W).all() for W in parameters_of(model))
    assert np.isfinite(values).all()


# --- parts of scikit-learn --------------------------------------------------------------------------


@each
def test_grid_search_is_the_same_in_two_processes(Estimator, small):
    grid = {"hidden_layer_sizes": [(), (4,)], "alpha": [0.0, 0.01]}
    one, two = (GridSearchCV(small(Estimator), grid, cv=3, n_jobs=n).fit(X, Y) for n in (None, 2))
    assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert_same_model(one.best_estimator_, two.best_estimator_)


@each
def test_grid_search_leaves_out_a_rate_that_explodes(Estimator, small):
    grid = {"learning_rate_init": [0.01, 1e30]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = GridSearchCV(small(Estimator, solver="sgd"), grid, cv=3).fit(X, Y)
    assert search.best_params_ == {"learning_rate_init": 0.01}
    assert search.cv_results_["mean_test_score"][0] > 0.3


@each
def test_clone_has_the_parameters_and_no_model(Estimator, small):
    model = small(Estimator, alpha=0.25).fit(X, Y)
    assert clone(model).get_params() == model.get_params()
    assert fitted_attributes(clone(model)) == {}


@each
def test_fit_does_not_change_the_parameters(Estimator, small):
    model = small(Estimator)
    before = copy.deepcopy(model.get_params())
    assert model.fit(X, Y).get_params() == before


# --- pickles ----------------------------------------------------------------------------------------


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def dumped(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@each
@pytest.mark.parametrize("round_trip", [pickled, dumped])
def test_round_trip_keeps_every_bit(Estimator, round_trip, small, outputs):
    model = small(Estimator).fit(X, Y)
    other = round_trip(model)
    assert_equal(fitted_attributes(other), fitted_attributes(model))
    assert_array_equal(outputs(other, X), outputs(model, X))


@each
def test_a_round_trip_between_two_epochs_changes_nothing(Estimator, small):
    model = passes(small(Estimator, dropout=0.2), 1)
    other = pickled(model)
    assert_same_model(passes(model, 1), passes(other, 1))


@each
def test_pickle_holds_little_but_the_parameters(Estimator, small):
    model = small(Estimator, hidden_layer_sizes=(300,)).fit(DIGITS, DIGIT_LABELS)
    n_bytes = sum(W.nbytes for W in parameters_of(model))
    assert len(pickle.dumps(model)) < n_bytes + 20_000


@each
def test_pickle_does_not_grow_with_the_rows(Estimator, small):
    few, many = (
        len(pickle.dumps(small(Estimator).fit(np.tile(X, (n, 1)), np.tile(Y, n)))) for n in (1, 10)
    )
    assert many < few + 100


@each
@pytest.mark.parametrize("solver, n_more", [("adam", 2), ("sgd", 1)])
def test_optimizer_state_is_kept_only_where_training_may_go_on(Estimator, solver, n_more, small):
    plain, warm = (
        small(Estimator, hidden_layer_sizes=(300,), solver=solver, momentum=0.9, warm_start=warm_start)
        for warm_start in (False, True)
    )
    plain.fit(DIGITS, DIGIT_LABELS)
    warm.fit(DIGITS, DIGIT_LABELS)
    n_bytes = sum(W.nbytes for W in parameters_of(plain))
    without = len(pickle.dumps(plain))
    assert len(pickle.dumps(warm)) > without + 0.9 * n_more * n_bytes
    assert len(pickle.dumps(plain.partial_fit(DIGITS, DIGIT_LABELS))) > without + 0.9 * n_more * n_bytes
    assert len(pickle.dumps(plain.fit(DIGITS, DIGIT_LABELS))) < without + 1_000


# --- same bits --------------------------------------------------------------------------------------


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


# --- partial_fit and warm_start ---------------------------------------------------------------------

SOLVERS = {
    "adam": {"solver": "adam"},
    "adam, decay, dropout": {"solver": "adam", "alpha": 0.01, "dropout": 0.3},
    "momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "nesterov, dropout": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True, "dropout": 0.3},
    "plain descent": {"solver": "sgd", "momentum": 0.0},
}
each_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS.keys())
SCHEDULES = {
    "constant": {"learning_rate": "constant"},
    "inverse_time": {"learning_rate": "inverse_time", "decay_rate": 0.5},
    "cosine": {"learning_rate": "cosine"},
    "callable": {"learning_rate": lambda epoch: 0.5**epoch},
}


@each
@each_solver
def test_passes_over_all_rows_are_the_epochs_of_fit(Estimator, solver, small):
    model = small(Estimator, max_iter=4, **solver)
    assert_same_model(passes(clone(model), 4), model.fit(X, Y))


@each
@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_passes_follow_the_schedule(Estimator, schedule, small):
    model = small(Estimator, max_iter=4, **schedule)
    assert_same_model(passes(clone(model), 4), model.fit(X, Y))


@each
@each_solver
def test_a_pass_after_a_fit_is_one_more_epoch(Estimator, solver, small):
    model = small(Estimator, warm_start=True, max_iter=3, **solver).fit(X, Y)
    assert_same_model(model.partial_fit(X, Y), small(Estimator, max_iter=4, **solver).fit(X, Y))


@each
@each_solver
def test_a_warm_start_goes_on_where_fit_ended(Estimator, solver, small):
    model = small(Estimator, warm_start=True, max_iter=2, **solver)
    assert_same_model(model.fit(X, Y).fit(X, Y), small(Estimator, max_iter=4, **solver).fit(X, Y))


@each
def test_a_pass_after_a_plain_fit_keeps_its_weights(Estimator, small):
    model = small(Estimator, learning_rate_init=1e-6, solver="sgd").fit(X, Y)
    before = copy.deepcopy(parameters_of(model))
    model.partial_fit(X, Y)
    assert model.n_iter_ == 4
    for W, old in zip(parameters_of(model), before):
        assert_allclose(W, old, atol=1e-2)


@each
def test_a_plain_fit_begins_anew(Estimator, small):
    model = passes(small(Estimator), 2)
    assert_same_model(model.fit(X, Y), small(Estimator).fit(X, Y))


@each
def test_warm_start_lowers_the_loss_and_lengthens_the_history(Estimator, small):
    model = small(Estimator, warm_start=True, solver="sgd", momentum=0.0, batch_size=150).fit(X, Y)
    loss, curve = model.loss_, list(model.loss_curve_)
    model.fit(X, Y)
    assert model.loss_ < loss
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 6
    assert model.loss_curve_[:3] == curve


@each
@pytest.mark.parametrize("hidden", [(), (9,), (8, 8)])
def test_warm_start_refuses_another_architecture(Estimator, hidden, small):
    model = small(Estimator, warm_start=True).fit(X, Y).set_params(hidden_layer_sizes=hidden)
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(X, Y)


@each
def test_warm_start_refuses_rows_of_another_width(Estimator, small):
    model = small(Estimator, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(X[:, :3], Y)


@each
def test_warm_start_may_change_the_solver(Estimator, small, outputs):
    model = small(Estimator, warm_start=True).fit(X, Y).set_params(solver="sgd", learning_rate_init=1e-4)
    model.fit(X, Y)
    assert model.n_iter_ == 6
    assert_finite(model, outputs(model, X))


@each
def test_warm_start_of_a_new_estimator_is_a_fit(Estimator, small):
    assert_same_model(small(Estimator, warm_start=True).fit(X, Y), small(Estimator).fit(X, Y))


@each
def test_passes_over_blocks_learn(Estimator, small):
    order = np.random.default_rng(0).permutation(150)
    model = small(Estimator, hidden_layer_sizes=(16,))
    for _ in range(30):
        for rows in np.array_split(order, 3):
            passes(model, 1, X[rows], Y[rows])
    assert model.score(X, Y) > 0.9
    assert model.n_iter_ == len(model.loss_curve_) == 90


@each
def test_partial_fit_refuses_another_width(Estimator, small):
    model = passes(small(Estimator), 1)
    with pytest.raises(ValueError, match="3 features"):
        model.partial_fit(X[:, :3], Y)


@each
@pytest.mark.parametrize("fitted", [False, True])
def test_partial_fit_refuses_early_stopping(Estimator, fitted, small):
    model = small(Estimator, early_stopping=True)
    if fitted:
        model.fit(X, Y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        passes(model, 1)


# --- labels -----------------------------------------------------------------------------------------

LABELS = {
    "strings": np.array(["lily", "aster", "rose"]),
    "objects": np.array(["lily", "aster", "rose"], dtype=object),
    "gaps": np.array([40, -7, 1000]),
    "uint8": np.array([200, 3, 77], dtype=np.uint8),
    "floats": np.array([2.0, -1.0, 5.0]),
}
each_labels = pytest.mark.parametrize("names", LABELS.values(), ids=LABELS.keys())
FORMS = {"array": np.asarray, "list": list, "series": pd.Series}


@each
@each_labels
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_classes_are_the_sorted_labels(Estimator, names, form, small):
    model = small(Estimator).fit(X, form(names[Y]))
    assert_array_equal(model.classes_, np.sort(names))
    assert model.score(X, form(names[Y])) > 0.3


@each
def test_only_the_order_of_the_labels_matters(Estimator, small):
    named = small(Estimator).fit(X, np.array(["a", "b", "c"])[Y])
    assert_same_model(named, small(Estimator).fit(X, Y))


@each
def test_labels_may_be_bool(Estimator, small):
    model = small(Estimator).fit(X, Y == 1)
    assert_array_equal(model.classes_, [False, True])
    assert model.score(X, Y == 1) > 0.3


@each
def test_labels_may_be_categories(Estimator, small):
    y = pd.Series(pd.Categorical.from_codes(Y, ["p", "q", "r"]))
    assert_array_equal(small(Estimator).fit(X, y).classes_, ["p", "q", "r"])


# --- attributes -------------------------------------------------------------------------------------

ALWAYS = {"loss", "learning_rate", "seconds", "validation_score"}


@each
def test_shapes_of_the_parameters(Estimator, small):
    model = small(Estimator, hidden_layer_sizes=(7, 5)).fit(X, Y)
    n_outputs = 3 if Estimator is SoftmaxMLPClassifier else 4
    assert [W.shape for W in model.coefs_] == [(4, 7), (7, 5), (5, n_outputs)]
    assert [b.shape for b in model.intercepts_] == [(7,), (5,), (n_outputs,)]
    assert model.n_features_in_ == 4


@each
@pytest.mark.parametrize("hidden", [6, (6,), [6], np.array([6]), np.int64(6)], ids=repr)
def test_hidden_layers_may_be_given_as_a_number_or_a_sequence(Estimator, hidden, small):
    assert small(Estimator, hidden_layer_sizes=hidden).fit(X, Y).coefs_[0].shape == (4, 6)


@each
def test_history_has_an_entry_for_each_epoch(Estimator, small):
    model = small(Estimator, max_iter=5).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 5
    assert [entry["loss"] for entry in model.history_] == model.loss_curve_
    assert all(ALWAYS <= entry.keys() for entry in model.history_)
    assert all(entry["seconds"] > 0 for entry in model.history_)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)


@each
def test_history_has_the_rates(Estimator, small):
    model = small(Estimator, learning_rate=lambda epoch: 1 / (1 + epoch), learning_rate_init=0.5)
    rates = [entry["learning_rate"] for entry in model.set_params(solver="adam").fit(X, Y).history_]
    assert_allclose(rates, [0.5, 0.25, 0.5 / 3])


@each
@pytest.mark.parametrize("schedule", ["constant", "inverse_time", "cosine", "adaptive"])
def test_the_rate_never_rises(Estimator, schedule, small):
    model = small(Estimator, learning_rate=schedule, decay_rate=0.5, max_iter=6).fit(X, Y)
    rates = [entry["learning_rate"] for entry in model.history_]
    assert rates == sorted(rates, reverse=True)
    assert (rates[-1] < rates[0]) == (schedule in ("inverse_time", "cosine"))


@each
def test_the_adaptive_rate_falls_when_progress_stops(Estimator, small):
    model = small(Estimator, learning_rate="adaptive", tol=1e9, n_iter_no_change=1, max_iter=6).fit(X, Y)
    rates = [entry["learning_rate"] for entry in model.history_]
    assert rates == sorted(rates, reverse=True)
    assert_allclose(rates[-1], 0.01 / 5 ** (len(set(rates)) - 1))
    assert len(set(rates)) > 1


@each
def test_training_ends_when_the_loss_stands_still(Estimator, small):
    model = small(Estimator, max_iter=50, tol=1e9, n_iter_no_change=2).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) < 50


@each
def test_no_validation_without_early_stopping(Estimator, small):
    model = small(Estimator).fit(X, Y)
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None
    assert [entry["validation_score"] for entry in model.history_] == [None] * 3


@each
def test_validation_with_early_stopping(Estimator, small):
    model = small(Estimator, early_stopping=True, validation_fraction=0.2).fit(X, Y)
    assert len(model.validation_scores_) == model.n_iter_ == 3
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert [entry["validation_score"] for entry in model.history_] == model.validation_scores_
    assert all(0 <= score <= 1 for score in model.validation_scores_)


@each
def test_early_stopping_restores_the_best_epoch(Estimator, small):
    noisy = np.random.default_rng(0).permutation(Y)
    model = small(Estimator, early_stopping=True, max_iter=8, dropout=0.1).fit(X, noisy)
    n_best = int(np.argmax(model.validation_scores_)) + 1
    assert n_best < model.n_iter_, "the test needs a best epoch before the last"
    assert_same_parameters(model, clone(model).set_params(max_iter=n_best).fit(X, noisy))


@each
def test_early_stopping_stops_early(Estimator, small):
    model = small(Estimator, early_stopping=True, max_iter=50, n_iter_no_change=2, tol=1.0).fit(X, Y)
    assert model.n_iter_ == len(model.validation_scores_) < 10


@each
def test_a_refit_forgets_the_validation(Estimator, small):
    model = small(Estimator, early_stopping=True).fit(X, Y).set_params(early_stopping=False).fit(X, Y)
    plain = small(Estimator).fit(X, Y)
    assert fitted_attributes(model).keys() == fitted_attributes(plain).keys()
    assert model.validation_scores_ is None


# --- failures ---------------------------------------------------------------------------------------

FAILURES = {
    "NaN": ({}, (np.where(X > 7, np.nan, X), Y)),
    "another length of y": ({}, (X, Y[:-1])),
    "one dimension": ({}, (X[0], Y)),
    "one class": ({}, (X, np.zeros(150))),
    "one class of another width": ({}, (X[:, :2], np.zeros(150))),
    "continuous y": ({}, (X, X[:, 0] + 0.001)),
    "diverging rate": (EXPLODES, (1000 * X[:, :3], Y)),
    "late error": ({"learning_rate": lambda epoch: [1.0][epoch]}, (X[:, :3], Y)),
    "bad parameter": ({"max_iter": 0}, (X, Y)),
    "bad layer": ({"hidden_layer_sizes": (3, -1)}, (X[:, :3], Y)),
    "no rows to set aside": (
        {"early_stopping": True, "validation_fraction": 0.001},
        (X[:, :3], Y),
    ),
}


@each
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("parameters, data", FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_refit_leaves_the_model_as_it_was(
    Estimator, parameters, data, warm_start, small, outputs
):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = small(Estimator, warm_start=warm_start).fit(frame, Y)
    twin, old = copy.deepcopy(model), model.get_params()
    model.set_params(**parameters)
    with pytest.raises((ValueError, IndexError)):
        model.fit(*data)
    model.set_params(**old)
    assert_equal(fitted_attributes(model), fitted_attributes(twin))
    assert_array_equal(outputs(model, frame), outputs(twin, frame))
    # What does not show is as it was, too: both go on alike.
    assert_same_model(model.partial_fit(frame, Y), twin.partial_fit(frame, Y))


@each
def test_a_failed_first_fit_leaves_no_model(Estimator, small):
    model = small(Estimator, **EXPLODES)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit(1000 * X, Y)
    assert vars(model) == vars(clone(model))


@each
def test_a_failed_pass_leaves_the_model_as_it_was(Estimator, small):
    model = passes(small(Estimator, **(EXPLODES | {"learning_rate_init": 1e-3})), 2)
    twin = copy.deepcopy(model)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.set_params(**EXPLODES).partial_fit(1000 * X, Y)
    model.set_params(learning_rate_init=1e-3)
    assert_same_model(passes(model, 1), passes(twin, 1))


# --- interrupts -------------------------------------------------------------------------------------


def interrupted(at):
    def rate(epoch):
        if epoch == at:
            raise KeyboardInterrupt
        return 1.0

    return rate


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_keeps_the_epochs_before_it(Estimator, early_stopping, small):
    model = small(Estimator, max_iter=6, early_stopping=early_stopping, learning_rate=interrupted(3))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 3
    plain = small(Estimator, max_iter=3, early_stopping=early_stopping).fit(X, Y)
    assert_same_model(model, plain)


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_in_the_first_epoch_leaves_a_model(Estimator, early_stopping, small, outputs):
    model = small(Estimator, early_stopping=early_stopping, learning_rate=interrupted(0))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == 0
    assert math.isnan(model.loss_)
    assert_finite(model, outputs(model, X))
    assert 0 <= model.score(X, Y) <= 1


@each
def test_training_goes_on_after_an_interrupt(Estimator, small):
    model = small(Estimator, warm_start=True, learning_rate=interrupted(2))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    model.set_params(learning_rate="constant", max_iter=3).fit(X, Y)
    assert_same_model(model, small(Estimator, max_iter=5).fit(X, Y))


@each
def test_an_interrupted_pass_leaves_a_model(Estimator, small, outputs):
    model = small(Estimator, learning_rate=interrupted(1))
    with pytest.warns(UserWarning, match="interrupted"):
        passes(model, 2)
    assert model.n_iter_ == 1
    assert_finite(model, outputs(model, X))


# --- divergence -------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("rate", [1e2, 1e6, 1e12, 1e30, 1e300])
def test_a_rate_that_explodes_never_leaves_nan(Estimator, dtype, solver, rate, small, outputs):
    rows = (100 * X).astype(dtype)
    model = small(Estimator, solver=solver, learning_rate_init=rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            model.fit(rows, Y)
        except ValueError as error:
            assert "learning_rate_init" in str(error)
            assert fitted_attributes(model) == {}
            return
    assert_finite(model, outputs(model, rows))
    assert np.isfinite(model.loss_curve_).all()


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_a_rate_that_explodes_is_named(Estimator, dtype, hidden, small):
    model = small(Estimator, hidden_layer_sizes=hidden, **EXPLODES)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit((1000 * X).astype(dtype), Y)


@each
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_training_lowers_the_loss(Estimator, activation, small, outputs):
    model = small(Estimator, activation=activation, hidden_layer_sizes=(8, 8), max_iter=15).fit(X, Y)
    assert model.loss_ < model.loss_curve_[0]
    assert_finite(model, outputs(model, X))


# --- data that cannot be learned from ---------------------------------------------------------------


@each
@pytest.mark.parametrize("label", [3, "a", True])
def test_one_class_is_refused(Estimator, label, small):
    with pytest.raises(ValueError, match="class"):
        small(Estimator).fit(X, np.full(150, label))


@each_transformer
@pytest.mark.parametrize("batch_sampler", ["auto", "shuffle", "balanced"])
def test_classes_of_one_sample_each_are_refused(Estimator, batch_sampler, small):
    with pytest.raises(ValueError, match="one sample"):
        small(Estimator, batch_sampler=batch_sampler).fit(X, np.arange(150))


@each_transformer
@pytest.mark.parametrize("batch_sampler", ["auto", "shuffle", "balanced"])
@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_a_class_may_be_of_one_sample(Estimator, batch_sampler, batch_size, small, outputs):
    y = Y.copy()
    y[0] = 9
    model = small(Estimator, batch_sampler=batch_sampler, batch_size=batch_size).fit(X, y)
    assert_array_equal(model.classes_, [0, 1, 2, 9])
    assert_finite(model, outputs(model, X))


@each
def test_early_stopping_needs_two_samples_of_a_class(Estimator, small):
    y = Y.copy()
    y[0] = 9
    with pytest.raises(ValueError, match="validation_fraction"):
        small(Estimator, early_stopping=True).fit(X, y)


@each
@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_early_stopping_needs_enough_rows(Estimator, fraction, small):
    with pytest.raises(ValueError, match="validation_fraction"):
        small(Estimator, early_stopping=True, validation_fraction=fraction).fit(X, Y)


@each
@pytest.mark.parametrize(
    "y",
    [np.linspace(0, 1, 150), np.eye(3, dtype=int)[Y], np.where(Y == 0, np.nan, Y), np.full(150, None)],
    ids=["continuous", "multilabel", "NaN", "None"],
)
def test_what_are_not_labels_is_refused(Estimator, y, small):
    with pytest.raises(ValueError):
        small(Estimator).fit(X, y)


# --- parameters -------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("batch_size", [1, 2, 149, 150, 151, 10**9])
def test_any_batch_size_trains(Estimator, batch_size, small, outputs):
    model = small(Estimator, batch_size=batch_size, max_iter=2).fit(X, Y)
    assert_finite(model, outputs(model, X))
    assert model.n_iter_ == 2


@each
def test_a_batch_is_clipped_to_the_rows(Estimator, small):
    one, two = (small(Estimator, batch_size=size).fit(X, Y) for size in (150, 10**9))
    assert_same_model(one, two)


@each
@pytest.mark.parametrize("batch_size", ["auto", 64])
def test_more_batches_than_one_may_be_asked_for(Estimator, batch_size, small):
    model = small(Estimator, batch_size=batch_size, max_iter=20).fit(DIGITS, DIGIT_LABELS)
    assert model.loss_ < model.loss_curve_[0]


ALL = ESTIMATORS
METRIC = TRANSFORMERS
SOFTMAX, TRIPLET, CONTRASTIVE, NEIGHBORHOOD = ([Estimator] for Estimator in ESTIMATORS)
WRONG = [
    (ALL, "hidden_layer_sizes", 0, r"\[1, inf\)"),
    (ALL, "hidden_layer_sizes", -3, r"\[1, inf\)"),
    (ALL, "hidden_layer_sizes", 2.5, "int"),
    (ALL, "hidden_layer_sizes", None, "int"),
    (ALL, "activation", "gelu", "'relu'"),
    (ALL, "activation", np.tanh, "'tanh'"),
    (ALL, "solver", "lbfgs", "'adam'"),
    (ALL, "alpha", -1e-9, "inf"),
    (ALL, "dropout", 1.0, "0.0, 1.0|0, 1"),
    (ALL, "dropout", -0.1, "0.0, 1.0|0, 1"),
    (ALL, "input_dropout", 1.0, "0.0, 1.0|0, 1"),
    (ALL, "input_dropout", -0.1, "0.0, 1.0|0, 1"),
    (ALL, "batch_size", 0, "'auto'"),
    (ALL, "batch_size", 2.5, "'auto'"),
    (ALL, "batch_size", "all", "'auto'"),
    (ALL, "learning_rate", "step", "'cosine'"),
    (ALL, "learning_rate_init", 0.0, "inf"),
    (ALL, "learning_rate_init", -1.0, "inf"),
    (ALL, "decay_rate", -1.0, "inf"),
    (ALL, "max_iter", 0, r"\[1, inf\)"),
    (ALL, "max_iter", 2.5, "int"),
    (ALL, "shuffle", "yes", "bool"),
    (ALL, "random_state", "seed", "RandomState"),
    (ALL, "tol", -1.0, "inf"),
    (ALL, "warm_start", "yes", "bool"),
    (ALL, "momentum", 1.5, "1"),
    (ALL, "nesterovs_momentum", "yes", "bool"),
    (ALL, "early_stopping", "yes", "bool"),
    (ALL, "validation_fraction", 0.0, "1"),
    (ALL, "validation_fraction", 1.0, "1"),
    (ALL, "n_iter_no_change", 0, "inf"),
    (METRIC, "n_components", 0, r"\[1, inf\)"),
    (METRIC, "n_components", 2.5, "int"),
    (TRIPLET + CONTRASTIVE, "reduction", "sum", "'active'"),
    (METRIC, "normalize", "l2", "bool"),
    (METRIC, "batch_sampler", "random", "'balanced'"),
    (TRIPLET, "margin", 0.0, "inf"),
    (TRIPLET, "margin", -1.0, "inf"),
    (TRIPLET, "distance", "cosine", "'euclidean'"),
    (TRIPLET, "mining", "easy", "'semihard'"),
    (CONTRASTIVE, "positive_margin", -1.0, "inf"),
    (CONTRASTIVE, "negative_margin", -1.0, "inf"),
    (CONTRASTIVE, "negative_weight", -1.0, "inf"),
    (NEIGHBORHOOD, "loss", "log_loss", "'neighborhood_components'"),
    (NEIGHBORHOOD, "temperature", 0.0, "inf"),
    (NEIGHBORHOOD, "temperature", -1.0, "inf"),
    (NEIGHBORHOOD, "temperature", "auto", "float"),
    (SOFTMAX, "loss", "hinge", "'log_loss'"),
    (SOFTMAX, "class_weight", "even", "'balanced'"),
]


@pytest.mark.parametrize(
    "Estimator, name, value, allowed",
    [(Estimator, *rest) for estimators, *rest in WRONG for Estimator in estimators],
)
def test_a_wrong_parameter_is_refused_with_the_allowed_values(Estimator, name, value, allowed, small):
    model = small(Estimator, **{name: value})
    expected = f"The '{name}' parameter of {Estimator.__name__} must be .*({allowed})"
    with pytest.raises(ValueError, match=expected):
        model.fit(X, Y)
    with pytest.raises(ValueError, match=expected):
        model.partial_fit(X, Y)


@each
@pytest.mark.parametrize("hidden", [(4, 0), (-1,), (4, 2.5), ("a",), (None,), [4, -2]], ids=repr)
def test_a_wrong_layer_is_refused(Estimator, hidden, small):
    with pytest.raises(ValueError, match="hidden_layer_sizes must be"):
        small(Estimator, hidden_layer_sizes=hidden).fit(X, Y)


@each
def test_parameters_are_keywords_but_the_first_two(Estimator):
    names = list(inspect.signature(Estimator).parameters.values())
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in names[2:])
    assert not any(parameter.kind is parameter.KEYWORD_ONLY for parameter in names[:2])


# --- verbose ----------------------------------------------------------------------------------------

LINE = r"Epoch {}/3, Loss: [-+.e\d]+, Learning Rate: [-+.e\d]+(, Validation Score: [.\d]+)?"


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_a_line_an_epoch(Estimator, early_stopping, small, capsys):
    small(Estimator, verbose=True, early_stopping=early_stopping).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(LINE.format(number), line)


@each
def test_nothing_is_printed_otherwise(Estimator, small, capsys):
    passes(small(Estimator).fit(X, Y), 1).score(X, Y)
    assert capsys.readouterr() == ("", "")


@each
def test_verbose_changes_no_bit(Estimator, small, capsys):
    assert_same_model(small(Estimator, verbose=True).fit(X, Y), small(Estimator).fit(X, Y))
    assert "Epoch 3/3" in capsys.readouterr().out


def test_public_names():
    assert sorted(skmetric.__all__) == sorted(Estimator.__name__ for Estimator in ESTIMATORS)
    assert re.match(r"\d+\.\d+", skmetric.__version__)


@each
def test_far_clusters_are_told_apart(Estimator, small):
    rows, labels = make_blobs(200, centers=4, n_features=6, random_state=0)
    assert small(Estimator, max_iter=20).fit(rows, labels).score(rows, labels) > 0.95


@each
def test_weights_that_explode_but_stay_finite_are_refused(Estimator):
    model = Estimator(hidden_layer_sizes=(8,), learning_rate_init=1e30, max_iter=5, random_state=0)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit(X.astype(np.float64), Y)
