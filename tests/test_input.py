import tracemalloc
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from shared import each
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from skmetric import (
    SoftmaxMLPClassifier,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

# Whole numbers from 0 to 16: every dtype holds them exactly.
X, Y = (part[:200] for part in load_digits(return_X_y=True))
NAMES = [f"pixel {i}" for i in range(64)]
RATE = {"learning_rate_init": 1e-3}


def assert_same_parameters(model, other):
    for W, V in zip([*model.coefs_, *model.intercepts_], [*other.coefs_, *other.intercepts_]):
        assert W.dtype == V.dtype
        assert_array_equal(W, V)


# --- kinds ------------------------------------------------------------------------------------------


def read_only(rows):
    rows = rows.copy()
    rows.setflags(write=False)
    return rows


def every_other_column(rows):
    return np.repeat(rows, 2, axis=1)[:, ::2]


def every_other_row(rows):
    return np.repeat(rows, 2, axis=0)[::2]


def backwards(rows):
    return rows[::-1, ::-1].copy()[::-1, ::-1]


def unaligned(rows):
    raw = np.empty(rows.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(rows.dtype).reshape(rows.shape)
    view[...] = rows
    return view


def big_endian(rows):
    return rows.astype(rows.dtype.newbyteorder(">"))


def unsorted_csr(rows):
    """Columns of each row in descending order, with a duplicate that makes up a sum."""
    matrix = sparse.csr_array(rows)
    shape = matrix.shape
    row, column = matrix.nonzero()
    order = np.lexsort((-column, row))
    row, column, value = row[order], column[order], matrix.toarray()[row[order], column[order]]
    row, column, value = np.repeat(row, 2), np.repeat(column, 2), np.repeat(value / 2, 2)
    starts = np.searchsorted(row, np.arange(shape[0] + 1))
    return sparse.csr_array((value, column, starts), shape=shape)


KINDS = {
    "Fortran order": np.asfortranarray,
    "every other column": every_other_column,
    "every other row": every_other_row,
    "backwards": backwards,
    "unaligned": unaligned,
    "read-only": read_only,
    "big-endian": big_endian,
    "object": lambda rows: rows.astype(object),
    "list": lambda rows: rows.tolist(),
    "CSR matrix": sparse.csr_matrix,
    "CSR array": sparse.csr_array,
    "CSC matrix": sparse.csc_matrix,
    "CSC array": sparse.csc_array,
    "COO array": sparse.coo_array,
    "unsorted CSR": unsorted_csr,
    "pandas": lambda rows: pd.DataFrame(rows, columns=NAMES),
    "polars": lambda rows: pl.DataFrame(rows, schema=NAMES),
}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@each
@each_kind
def test_every_kind_of_rows_trains_alike(Estimator, kind, small, outputs):
    model, other = small(Estimator, **RATE).fit(X, Y), small(Estimator, **RATE).fit(kind(X), Y)
    assert_same_parameters(model, other)
    assert_array_equal(outputs(model, X), outputs(other, kind(X)))
    assert model.score(X, Y) == other.score(kind(X), Y)


@each
@pytest.mark.parametrize("kind", ["Fortran order", "unaligned", "big-endian", "CSR array", "CSC matrix"])
def test_every_kind_of_float32_rows_trains_alike(Estimator, kind, small, outputs):
    rows = X.astype(np.float32)
    model, other = (small(Estimator, **RATE).fit(some, Y) for some in (rows, KINDS[kind](rows)))
    assert model.coefs_[0].dtype == np.float32
    assert_same_parameters(model, other)
    assert_array_equal(outputs(model, rows), outputs(other, KINDS[kind](rows)))


@each
@pytest.mark.parametrize("kind", ["Fortran order", "CSR array", "pandas", "list"])
@pytest.mark.parametrize("settings", [{"early_stopping": True}, {"batch_size": 10**6}], ids=str)
def test_kinds_train_alike_with_other_settings(Estimator, kind, settings, small):
    settings = RATE | settings
    model, other = (small(Estimator, **settings).fit(rows, Y) for rows in (X, KINDS[kind](X)))
    assert_same_parameters(model, other)


@each
@pytest.mark.parametrize("kind", ["Fortran order", "list", "CSC array", "pandas"])
def test_a_pass_over_every_kind_of_rows_is_the_same(Estimator, kind, small):
    model, other = (
        small(Estimator, **RATE).partial_fit(rows, Y, classes=np.unique(Y))
        for rows in (X, KINDS[kind](X))
    )
    assert_same_parameters(model, other)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_a_memory_map_trains_alike(Estimator, dtype, small, outputs, tmp_path):
    rows = X.astype(dtype)
    rows.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", dtype=dtype, mode="r", shape=rows.shape)
    model, other = (small(Estimator, **RATE).fit(some, Y) for some in (rows, mapped))
    assert_same_parameters(model, other)
    assert_array_equal(outputs(model, rows), outputs(other, mapped))


@each
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_a_data_frame_gives_its_names(Estimator, kind, small):
    frame = KINDS[kind](X)
    # Not every version of scikit-learn knows the names of every version of polars.
    known = getattr(StandardScaler().fit(frame), "feature_names_in_", None)
    model = small(Estimator, **RATE).fit(frame, Y)
    assert_array_equal(getattr(model, "feature_names_in_", None), known)
    assert kind == "polars" or list(known) == NAMES
    assert not hasattr(model.fit(X, Y), "feature_names_in_")


@each
def test_other_names_are_refused(Estimator, small, outputs):
    model = small(Estimator, **RATE).fit(KINDS["pandas"](X), Y)
    with pytest.raises(ValueError, match="feature names"):
        outputs(model, pd.DataFrame(X, columns=NAMES[::-1]))


# --- dtypes -----------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f2", ">f4", "u1", "i1", "u2", "i2", ">i2"])
def test_small_types_compute_in_float32(Estimator, dtype, small, outputs):
    model, other = (
        small(Estimator, **RATE).fit(rows, Y) for rows in (X.astype(np.float32), X.astype(dtype))
    )
    assert_same_parameters(model, other)
    assert {W.dtype for W in [*other.coefs_, *other.intercepts_]} == {np.dtype(np.float32)}
    Z = outputs(other, X.astype(dtype))
    assert Z.dtype == np.float32
    assert_array_equal(Z, outputs(model, X.astype(np.float32)))


@each
@pytest.mark.parametrize("dtype", ["f8", ">f8", "i4", "i8", "u8", ">i8", "longdouble"])
def test_large_types_compute_in_float64(Estimator, dtype, small, outputs):
    model, other = (small(Estimator, **RATE).fit(rows, Y) for rows in (X, X.astype(dtype)))
    assert_same_parameters(model, other)
    assert {W.dtype for W in [*other.coefs_, *other.intercepts_]} == {np.dtype(np.float64)}
    assert_array_equal(outputs(other, X.astype(dtype)), outputs(model, X))


@each
def test_bool_rows_compute_in_float32(Estimator, small, outputs):
    rows = X > 8
    model, other = (small(Estimator).fit(some, Y) for some in (rows, rows.astype(np.float32)))
    assert_same_parameters(model, other)
    assert_array_equal(outputs(model, rows), outputs(other, rows.astype(np.float32)))


@each
@pytest.mark.parametrize("dtype", ["f4", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_counts_compute_in_float32(Estimator, dtype, form, small, outputs):
    rows = X.astype(np.float32)
    counts = form(X.astype(dtype))
    model, other = (small(Estimator, **RATE).fit(some, Y) for some in (rows, counts))
    assert_same_parameters(model, other)
    assert_array_equal(outputs(model, rows), outputs(other, counts))
    assert counts.dtype == dtype


@each
@pytest.mark.parametrize("sign", [-1, 1])
def test_sparse_integers_that_float32_has_not_compute_in_float64(Estimator, sign, small):
    rows = sign * X.astype(np.int64)
    for largest, dtype in [(2**24, np.float32), (2**24 + 1, np.float64)]:
        rows[0, 0] = sign * largest
        model, other = (small(Estimator).fit(some.astype(dtype), Y) for some in (rows, rows))
        assert_same_parameters(model, other.fit(sparse.csr_array(rows), Y))


@each
def test_a_model_keeps_its_type(Estimator, small, outputs):
    model = small(Estimator, warm_start=True, **RATE).fit(X.astype(np.float32), Y)
    assert outputs(model, X).dtype == np.float32
    model.fit(X, Y).partial_fit(X.astype(np.uint8), Y)
    assert {W.dtype for W in [*model.coefs_, *model.intercepts_]} == {np.dtype(np.float32)}


@each
def test_float32_is_near_float64(Estimator, small, outputs):
    single = small(Estimator, **RATE).fit(X.astype(np.float32), Y)
    double = small(Estimator, **RATE).fit(X, Y)
    assert_allclose(outputs(single, X), outputs(double, X), rtol=0.05, atol=0.05)


# --- rows are taken as they are ---------------------------------------------------------------------


@each
@pytest.mark.parametrize("kind", ["Fortran order", "every other row", "CSR array", "pandas"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_rows_and_labels_are_not_changed(Estimator, kind, dtype, small, outputs):
    rows, labels = KINDS[kind](X.astype(dtype)), Y.copy()
    model = small(Estimator, dropout=0.2, early_stopping=True, **RATE).fit(rows, labels)
    outputs(model, rows)
    model.score(rows, labels)
    assert_array_equal(rows.toarray() if sparse.issparse(rows) else rows, X)
    assert_array_equal(labels, Y)


@each
def test_outputs_are_not_a_view_of_a_buffer(Estimator, small, outputs):
    model = small(Estimator, **RATE).fit(X, Y)
    Z = outputs(model, X)
    before = Z.copy()
    outputs(model, X[::-1])
    model.partial_fit(X, Y)
    assert_array_equal(Z, before)


N, WIDTH = 20_000, 300
FLOAT32_BYTES = 4 * N * WIDTH


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (N, WIDTH), dtype=np.uint8)
    path = tmp_path_factory.mktemp("large") / "rows"
    rows.astype(np.float32).tofile(path)
    mapped = np.memmap(path, dtype=np.float32, mode="r", shape=rows.shape)
    return {
        "uint8": rows,
        "float16": rows.astype(np.float16),
        "float32": rows.astype(np.float32),
        "Fortran float32": np.asfortranarray(rows, dtype=np.float32),
        "big-endian float32": rows.astype(">f4"),
        "memory map": mapped,
        "CSR": sparse.random(N, WIDTH, density=0.02, format="csr", dtype=np.float32, random_state=0),
    }


def less_than_a_copy(rows):
    """Three quarters of the rows as they are or in float32, whichever is less; for CSR a quarter."""
    return FLOAT32_BYTES / 4 if sparse.issparse(rows) else 0.75 * min(rows.nbytes, FLOAT32_BYTES)


def peak_of(call, *arguments):
    tracemalloc.start()
    try:
        call(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LARGE = ["uint8", "float16", "float32", "Fortran float32", "big-endian float32", "memory map", "CSR"]


@each
@pytest.mark.parametrize("kind", LARGE)
def test_rows_are_never_copied_or_converted_whole(Estimator, kind, large, small, outputs):
    rows, labels = large[kind], np.arange(N) % 3
    model = small(Estimator, max_iter=1, batch_size=128, learning_rate_init=1e-6)
    assert peak_of(model.fit, rows, labels) < less_than_a_copy(rows)
    assert peak_of(outputs, model, rows) < less_than_a_copy(rows)


@each
@pytest.mark.parametrize("kind", ["uint8", "Fortran float32"])
def test_nor_with_early_stopping_or_in_a_pass(Estimator, kind, large, small):
    rows, labels = large[kind], np.arange(N) % 3
    settings = {"max_iter": 1, "batch_size": 128, "learning_rate_init": 1e-6}
    early = small(Estimator, early_stopping=True, validation_fraction=0.01, **settings)
    assert peak_of(early.fit, rows, labels) < less_than_a_copy(rows)
    passing = small(Estimator, **settings)
    assert peak_of(passing.partial_fit, rows, labels, [0, 1, 2]) < less_than_a_copy(rows)


def test_prediction_does_not_copy_rows(large, small):
    model = small(SoftmaxMLPClassifier).fit(large["uint8"][:300], np.arange(300) % 3)
    for method in (model.predict, model.predict_proba, model.predict_log_proba, model.transform):
        assert peak_of(method, large["Fortran float32"]) < FLOAT32_BYTES / 4


def test_the_measure_sees_a_copy(large):
    assert peak_of(np.array, large["float32"]) >= FLOAT32_BYTES


# --- values that are refused ------------------------------------------------------------------------

SPOILED = ["f8", "f4", "f2", ">f4", ">f8", "CSR", "CSC", "list", "object", "pandas"]


def spoiled(kind, value, at=(-1, 5)):
    rows = X.copy()
    rows[at] = value
    forms = {"CSR": sparse.csr_matrix, "CSC": sparse.csc_array, "list": np.ndarray.tolist}
    forms |= {"object": KINDS["object"], "pandas": KINDS["pandas"]}
    return forms[kind](rows) if kind in forms else rows.astype(kind)


@each
@pytest.mark.parametrize("kind", SPOILED)
@pytest.mark.parametrize("value, word", [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_values_that_are_not_finite_are_refused(Estimator, kind, value, word, small, outputs):
    rows = spoiled(kind, value)
    with pytest.raises(ValueError, match=word):
        small(Estimator, **RATE).fit(rows, Y)
    with pytest.raises(ValueError, match=word):
        small(Estimator, **RATE).partial_fit(rows, Y, classes=np.unique(Y))
    model = small(Estimator, **RATE).fit(KINDS["pandas"](X) if kind == "pandas" else X, Y)
    with pytest.raises(ValueError, match=word):
        outputs(model, rows)
    with pytest.raises(ValueError, match=word):
        model.score(rows, Y)


@each
@pytest.mark.parametrize("dtype", ["f4", "f2", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_not_a_single_value_is_overlooked_in_many_rows(Estimator, dtype, order, large, small):
    rows = np.array(large["uint8"][:8000], dtype=dtype, order=order)
    rows[7999, 299] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        small(Estimator).fit(rows, np.arange(8000) % 3)


@each
@pytest.mark.parametrize("dtype, size", [("f2", 60_000), ("f4", 1e36)])
def test_large_values_are_not_taken_for_infinite(Estimator, dtype, size, small, outputs):
    rows = np.where(X > 8, size, 0).astype(dtype)
    Z = outputs(small(Estimator).fit(X.astype(dtype), Y), rows)
    assert Z.shape[0] == 200 and np.isfinite(Z).all()


@each
def test_rows_whose_sum_overflows_are_refused_without_a_warning_of_numpy(Estimator, small):
    """scikit-learn looks at the sum of X first, here infinity minus infinity."""
    rows = np.where(np.arange(40)[:, np.newaxis] % 2, 1.5e308, -1.5e308) * np.ones(4)
    with warnings.catch_warnings(), pytest.raises(ValueError, match="scale X"):
        warnings.simplefilter("error", RuntimeWarning)
        small(Estimator).fit(rows, np.arange(40) % 2)


METHODS = ["transform", "predict", "predict_proba", "predict_log_proba", "decision_function", "score"]
METHODS += ["pairwise_distance", "pair_distance", "pair_score", "partial_fit", "warm fit"]


def called(model, method, rows):
    if method == "warm fit":
        return model.set_params(warm_start=True).fit(rows, Y)
    if method in ("score", "partial_fit"):
        return getattr(model, method)(rows, Y)
    if method in ("pair_distance", "pair_score"):
        return getattr(model, method)(np.stack([rows[:100], rows[100:]], axis=1))
    return getattr(model, method)(rows)


@each
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_rows_beyond_the_dtype_of_the_model_are_refused(Estimator, method, form, small):
    model = small(Estimator).fit(X.astype(np.float32), Y)
    if method.startswith("pair_") and form is not np.asarray:
        return
    if method != "warm fit" and not hasattr(model, method):
        return
    before = [W.copy() for W in model.coefs_]
    with pytest.raises(ValueError, match=r"X has a value of size 1\.6e\+41, too large for float32"):
        called(model, method, form(1e40 * X))
    for W, W_before in zip(model.coefs_, before):
        assert_array_equal(W, W_before)


@each
def test_rows_whose_outputs_overflow_are_refused(Estimator, small, outputs):
    model = small(Estimator).fit(X.astype(np.float32), Y)
    model.coefs_[0] *= 100
    with pytest.raises(ValueError, match=r"X is too far from the rows of fit.*float32"):
        outputs(model, 1e37 * X)


@each
@pytest.mark.parametrize(
    "rows",
    [X[0], X[:, :0], X[:0], X.reshape(-1, 8, 8), X + 0j, np.full((200, 64), "a")],
    ids=["1d", "no features", "no rows", "3d", "complex", "text"],
)
def test_what_are_not_rows_is_refused(Estimator, rows, small):
    with pytest.raises(ValueError):
        small(Estimator).fit(rows, Y[: len(rows)])


@each
def test_rows_and_labels_must_be_of_one_length(Estimator, small):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small(Estimator).fit(X, Y[:-1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small(Estimator, **RATE).fit(X, Y).score(X, Y[:1])
