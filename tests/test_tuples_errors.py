import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_equal
from scipy import sparse
from shared import X, Y, fitted_attributes
from sklearn.base import clone
from tuple_kinds import PAIRS, SAME, TRIPLETS, Pairs, assert_same_training, each, learn

pytestmark = pytest.mark.filterwarnings("ignore:The embedding collapses")

EXPLODES = {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 1e308}  # with 1000 * X


# --- errors, one by one -------------------------------------------------------------------------------


def with_value(value):
    rows = X.copy()
    rows[PAIRS[0, 0], 2] = value
    return rows


WRONG_TUPLES = {
    "tuples of one": ((PAIRS[:, :1], X), "must have shape"),
    "tuples of four": ((np.hstack([PAIRS, PAIRS]), X), "must have shape"),
    "one dimension": ((PAIRS[:, 0], X), "must have shape"),
    "rows and X": ((X[PAIRS], X), "if X is given"),
    "numbers without X": ((PAIRS, None), "pass the matrix X"),
    "four dimensions": ((X[PAIRS][..., np.newaxis], None), "must have shape"),
}
WRONG_NUMBERS = {
    "too large": (
        lambda t: np.where(t == t[0, 0], 150, t),
        X,
        "row numbers from .* to 150, but .* 0 to 149",
    ),
    "negative": (lambda t: np.where(t == t[0, 0], -1, t), X, "row numbers from -1"),
    "floats": (lambda t: t.astype(float), X, "which are integers"),
    "bool": (lambda t: t > 75, X, "which are integers"),
    "few rows": (lambda t: t, X[:100], "0 to 99"),
    "NaN": (lambda t: t, with_value(np.nan), "NaN"),
    "infinity": (lambda t: t, with_value(np.inf), "infinity"),
    "NaN in CSR": (lambda t: t, sparse.csr_array(with_value(np.nan)), "NaN"),
    "NaN in a data frame": (lambda t: t, pd.DataFrame(with_value(np.nan)), "NaN"),
    "no features": (lambda t: t, X[:, :0], "0 feature"),
    "rows of one dimension": (lambda t: t, X[:, 0], "2D array"),
}
both_methods = pytest.mark.parametrize("incremental", [False, True])


@each
@both_methods
@pytest.mark.parametrize("data, message", WRONG_TUPLES.values(), ids=WRONG_TUPLES.keys())
def test_tuples_of_another_shape_are_refused(kind, incremental, data, message, make):
    with pytest.raises(ValueError, match=message):
        learn(kind, make(kind), *data, incremental=incremental)


@each
@both_methods
@pytest.mark.parametrize("form", ["numbers", "rows"])
def test_no_tuples_are_refused(kind, incremental, form, make):
    data = (kind.tuples[:0], X) if form == "numbers" else (X[kind.tuples[:0]], None)
    with pytest.raises(ValueError, match="must not be empty"):
        learn(kind, make(kind), *data, incremental=incremental)


@each
def test_pairs_are_no_triplets_and_triplets_no_pairs(kind, make):
    other = TRIPLETS if kind is Pairs else PAIRS
    with pytest.raises(ValueError, match=rf"\(n, {kind.size}\) if X is given, got"):
        learn(kind, make(kind), other)


@each
@both_methods
@pytest.mark.parametrize("change, rows, message", WRONG_NUMBERS.values(), ids=WRONG_NUMBERS.keys())
def test_wrong_numbers_and_wrong_rows_are_refused(kind, incremental, change, rows, message, make):
    with pytest.raises(ValueError, match=message):
        learn(kind, make(kind), change(kind.tuples), rows, incremental=incremental)


@each
@both_methods
@pytest.mark.parametrize("value, message", [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_rows_themselves_must_be_finite(kind, incremental, value, message, make):
    rows = X[kind.tuples]
    rows[-1, -1, 0] = value
    with pytest.raises(ValueError, match=message):
        learn(kind, make(kind), rows, None, incremental=incremental)


WRONG_LABELS = {
    "0 and 2": (2 * SAME, "0 and 1, or -1 and 1"),
    "-1, 0 and 1": (np.r_[-1, SAME[1:]], "0 and 1, or -1 and 1"),
    "classes": (np.arange(120) % 3, "0 and 1, or -1 and 1"),
    "text": (np.array(["no", "yes"])[SAME], "0 and 1, or -1 and 1"),
    "NaN": (np.where(SAME, 1, np.nan), "0 and 1, or -1 and 1"),
    "one too few": (SAME[:-1], "y has 119 labels, but there are 120 pairs"),
    "one for each row": (np.repeat(SAME, 2), "y has 240 labels, but there are 120 pairs"),
    "two columns": (np.column_stack([SAME, SAME]), "1d array"),
}


@both_methods
@pytest.mark.parametrize("y, message", WRONG_LABELS.values(), ids=WRONG_LABELS.keys())
def test_wrong_labels_of_pairs_are_refused(incremental, y, message, make):
    with pytest.raises(ValueError, match=message):
        learn(Pairs, make(Pairs), incremental=incremental, y=y)


@pytest.mark.parametrize("y", [np.zeros(120, int), np.ones(120, int), np.full(120, -1)])
def test_pairs_of_one_kind_are_refused_by_fit(y, make):
    with pytest.raises(ValueError, match="labels of same and of different pairs"):
        learn(Pairs, make(Pairs), y=y)


@each
@both_methods
def test_early_stopping_is_refused(kind, incremental, make):
    with pytest.raises(ValueError, match=r"early_stopping=True sets .* pairs or triplets have no labels"):
        learn(kind, make(kind, early_stopping=True), incremental=incremental)


@each
@both_methods
@pytest.mark.parametrize("missing", [1, 2])
def test_a_batch_must_hold_a_tuple(kind, incremental, missing, make):
    batch_size = kind.size - missing
    expected = "batch_size must be at least" if batch_size else "The 'batch_size' parameter"
    with pytest.raises(ValueError, match=expected):
        learn(kind, make(kind, batch_size=batch_size), incremental=incremental)


@each
def test_a_batch_may_hold_a_single_tuple(kind, make):
    model = learn(kind, make(kind, batch_size=kind.size, max_iter=1))
    assert np.isfinite(model.transform(X)).all()


@each
@both_methods
def test_wrong_parameters_are_refused(kind, incremental, make):
    with pytest.raises(ValueError, match="The 'max_iter' parameter"):
        learn(kind, make(kind, max_iter=0), incremental=incremental)


@each
@pytest.mark.parametrize("form", ["numbers", "rows"])
def test_a_pass_over_rows_of_another_width_is_refused(kind, form, make):
    for model in (learn(kind, make(kind)), make(kind).fit(X, Y)):
        data = (kind.tuples, X[:, :3]) if form == "numbers" else (X[:, :3][kind.tuples], None)
        with pytest.raises(ValueError, match="3 features"):
            learn(kind, model, *data, incremental=True)


@each
def test_a_warm_start_refuses_rows_of_another_width(kind, make):
    model = learn(kind, make(kind, warm_start=True))
    with pytest.raises(ValueError, match="warm_start"):
        learn(kind, model, rows=X[:, :3])


@each
def test_a_rate_that_explodes_is_named(kind, make):
    with pytest.raises(ValueError, match="learning_rate_init"):
        learn(kind, make(kind, **EXPLODES), rows=1000 * X)


FAILURES = {
    "shape": ({}, {"tuples": PAIRS[:, :1]}),
    "numbers": ({"max_iter": 2}, {"rows": X[:100]}),
    "NaN": ({}, {"rows": with_value(np.nan)}),
    "early stopping": ({"early_stopping": True}, {}),
    "batch size": ({"batch_size": 1}, {}),
    "bad layer": ({"hidden_layer_sizes": (3, -1)}, {"rows": X[:, :3]}),
    "diverging rate": (EXPLODES, {"rows": 1000 * X[:, :3]}),
    "late error": ({"learning_rate": lambda epoch: [1.0][epoch]}, {"rows": X[:, :3]}),
}


@each
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("begin", ["labels", "tuples"])
@pytest.mark.parametrize("parameters, data", FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_refit_leaves_the_model_as_it_was(kind, warm_start, begin, parameters, data, make):
    model = make(kind, warm_start=warm_start)
    model = model.fit(X, Y) if begin == "labels" else learn(kind, model)
    twin, old = copy.deepcopy(model), model.get_params()
    with pytest.raises((ValueError, IndexError)):
        learn(kind, model.set_params(**parameters), **data)
    model.set_params(**old)
    assert_equal(fitted_attributes(model), fitted_attributes(twin))
    assert hasattr(model, "classes_") == (begin == "labels")
    # What does not show is as it was, too: both go on alike.
    assert_same_training(learn(kind, model, incremental=True), learn(kind, twin, incremental=True))


@pytest.mark.parametrize("y", [1 + SAME, SAME[:-1], np.ones(120)])
def test_wrong_labels_leave_the_model_as_it_was(y, make):
    model = make(Pairs).fit(X, Y)
    before = copy.deepcopy(fitted_attributes(model))
    with pytest.raises(ValueError):
        learn(Pairs, model, rows=X[:, :3], y=y)
    assert_equal(fitted_attributes(model), before)


@each
@both_methods
@pytest.mark.parametrize("rows", [1000 * X, with_value(np.nan)], ids=["diverging", "NaN"])
def test_a_failed_first_fit_leaves_no_model(kind, incremental, rows, make):
    model = make(kind, **EXPLODES)
    with pytest.raises(ValueError):
        learn(kind, model, rows=rows, incremental=incremental)
    assert vars(model) == vars(clone(model))
