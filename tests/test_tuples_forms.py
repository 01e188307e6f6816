import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from shared import X, Y, over_seeds
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from tuple_kinds import SAME, STILL, Pairs, assert_same_training, each, learn

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.pairs import make_pairs, make_triplets

pytestmark = pytest.mark.filterwarnings("ignore:The embedding collapses")


# --- both forms, all kinds of rows --------------------------------------------------------------------


@each
def test_rows_themselves_and_their_numbers_are_the_same(kind, make):
    by_number = learn(kind, make(kind, dropout=0.2))
    assert_same_training(by_number, learn(kind, make(kind, dropout=0.2), X[kind.tuples], None))
    assert by_number.n_features_in_ == 4


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.float16])
def test_both_forms_keep_the_type_of_the_rows(kind, dtype, make):
    rows = X.astype(dtype)
    by_number = learn(kind, make(kind), rows=rows)
    assert_same_training(by_number, learn(kind, make(kind), rows[kind.tuples], None))
    assert by_number.coefs_[0].dtype == (np.float64 if dtype is np.float64 else np.float32)


def memory_map(rows, path):
    rows.tofile(path / "rows")
    return np.memmap(path / "rows", dtype=rows.dtype, mode="r", shape=rows.shape)


ROWS = {
    "memory map": memory_map,
    "CSR matrix": lambda rows, path: sparse.csr_matrix(rows),
    "CSR array": lambda rows, path: sparse.csr_array(rows),
    "CSC array": lambda rows, path: sparse.csc_array(rows),
    "Fortran order": lambda rows, path: np.asfortranarray(rows),
    "list": lambda rows, path: rows.tolist(),
    "pandas": lambda rows, path: pd.DataFrame(rows, columns=list("abcd")),
}


@each
@pytest.mark.parametrize("form", ROWS.values(), ids=ROWS.keys())
def test_numbers_may_be_of_rows_of_any_kind(kind, form, make, tmp_path):
    model = learn(kind, make(kind))
    rows = form(X, tmp_path)
    assert_same_training(model, learn(kind, make(kind), rows=rows))
    by_passes = learn(kind, make(kind), rows=rows, incremental=True)
    assert_same_training(by_passes, learn(kind, make(kind), incremental=True))


@each
@pytest.mark.parametrize("form", ["memory map", "CSR array", "Fortran order"])
def test_numbers_may_be_of_float32_rows_of_any_kind(kind, form, make, tmp_path):
    rows = X.astype(np.float32)
    model = learn(kind, make(kind), rows=ROWS[form](rows, tmp_path))
    assert model.coefs_[0].dtype == np.float32
    assert_same_training(model, learn(kind, make(kind), rows=rows))


@each
@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "u8", ">i8"])
def test_numbers_may_be_of_any_integer_type(kind, dtype, make):
    tuples = np.where(kind.tuples > 100, kind.tuples - 100, kind.tuples)
    model = learn(kind, make(kind), tuples)
    assert_same_training(model, learn(kind, make(kind), tuples.astype(dtype)))
    assert_same_training(model, learn(kind, make(kind), tuples.tolist()))


LAYOUTS = {
    "list": np.ndarray.tolist,
    "Fortran order": np.asfortranarray,
    "backwards": lambda rows: rows[::-1, ::-1].copy()[::-1, ::-1],
    "of a wider array": lambda rows: np.repeat(rows, 2, axis=2)[:, :, ::2],
}


@each
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_rows_themselves_may_lie_in_any_order(kind, layout, make):
    rows = X[kind.tuples]
    assert_same_training(learn(kind, make(kind), layout(rows), None), learn(kind, make(kind), rows, None))


@each
def test_names_of_a_data_frame_are_kept_and_asked_for(kind, make):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = learn(kind, make(kind), rows=frame)
    assert list(model.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        learn(kind, model, rows=frame[list("dcba")], incremental=True)


@each
def test_arguments_are_left_as_they_are(kind, make):
    tuples, rows = kind.tuples.copy(), X.copy()
    options = {name: value.copy() for name, value in kind.options.items()}
    for array in (tuples, rows, *options.values()):
        array.flags.writeable = False
    learn(kind, make(kind, input_dropout=0.2), tuples, rows, **options)
    learn(kind, make(kind, input_dropout=0.2), rows[tuples], None, **options)
    assert_array_equal(rows, X)


LABELS = {
    "-1 and 1": 2 * SAME - 1,
    "bool": SAME == 1,
    "float": SAME.astype(float),
    "-1.0 and 1.0": 2.0 * SAME - 1,
    "uint8": SAME.astype(np.uint8),
    "int8 of -1 and 1": (2 * SAME - 1).astype(np.int8),
    "list": SAME.tolist(),
    "series": pd.Series(SAME, index=np.arange(120) + 5),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS.keys())
def test_labels_of_pairs_have_many_forms(y, make):
    model = learn(Pairs, make(Pairs))
    assert_same_training(model, learn(Pairs, make(Pairs), y=y))
    passing = learn(Pairs, make(Pairs), incremental=True)
    assert_same_training(passing, learn(Pairs, make(Pairs), incremental=True, y=y))


# --- quality ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    rows, labels = load_digits(return_X_y=True)
    rows = StandardScaler().fit(rows[:600]).transform(rows).astype(np.float32)
    return rows[:600], labels[:600], rows[600:], labels[600:]


def accuracy(model, digits):
    rows, labels, others, other_labels = digits
    neighbours = KNeighborsClassifier(3).fit(model.transform(rows), labels)
    return neighbours.score(model.transform(others), other_labels)


@over_seeds(10)
def test_pairs_teach_nearly_as_much_as_labels(digits, seed):
    rows, labels = digits[:2]
    pairs, same = make_pairs(labels, 20 * len(rows), rng=seed)
    by_labels = ContrastiveMetricTransformer(12, random_state=seed).fit(rows, labels)
    untrained = clone(by_labels).set_params(**STILL).fit(rows, labels)
    by_pairs = clone(by_labels).set_params(negative_weight=3, max_iter=10)
    by_pairs.fit_pairs(pairs, same, X=rows)
    assert accuracy(by_pairs, digits) > accuracy(by_labels, digits) - 0.03
    assert accuracy(by_pairs, digits) > accuracy(untrained, digits) + 0.05


@over_seeds(10)
def test_triplets_teach_nearly_as_much_as_labels(digits, seed):
    rows, labels = digits[:2]
    triplets = make_triplets(labels, 10 * len(rows), rng=seed)
    by_labels = TripletMetricTransformer(12, (64,), max_iter=20, random_state=seed).fit(rows, labels)
    untrained = clone(by_labels).set_params(**STILL).fit(rows, labels)
    by_triplets = clone(by_labels).set_params(max_iter=8).fit_triplets(triplets, X=rows)
    assert accuracy(by_triplets, digits) > accuracy(by_labels, digits) - 0.03
    assert accuracy(by_triplets, digits) > accuracy(untrained, digits) + 0.05


@each
@over_seeds()
def test_tuples_are_learned_and_classes_stay_apart(kind, make):
    start = learn(kind, make(kind, hidden_layer_sizes=(), **STILL))
    model = learn(kind, make(kind, hidden_layer_sizes=(), max_iter=40))
    assert model.score(X, Y) > start.score(X, Y) - 0.05
    assert model.loss_ < 0.8 * model.loss_curve_[0]


# --- memory -------------------------------------------------------------------------------------------


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


N, WIDTH = 2000, 500
THRIFTY = {"max_iter": 1, "hidden_layer_sizes": (), "batch_size": 256, "learning_rate_init": 1e-6}


def labels_of(kind, n):
    return {name: np.arange(n) % 2 for name in kind.options}


@each
@pytest.mark.parametrize("form", ["C order", "Fortran order", "CSR"])
def test_numbers_do_not_copy_a_row_for_each_tuple(kind, form, make):
    n = 80_000 // kind.size
    rows = np.random.default_rng(0).random((N, WIDTH), dtype=np.float32)
    rows = {"Fortran order": np.asfortranarray, "CSR": sparse.csr_array}.get(form, np.asarray)(rows)
    tuples = np.random.default_rng(0).integers(0, N, (n, kind.size))
    model, options = make(kind, **THRIFTY), labels_of(kind, n)
    gathered = n * kind.size * WIDTH * 4
    peak = peak_of(lambda: learn(kind, model, tuples, rows, incremental=True, **options))
    assert peak < 0.1 * gathered


@each
def test_rows_themselves_are_not_copied(kind, make):
    rows = np.random.default_rng(0).random((4000, kind.size, WIDTH), dtype=np.float32)
    model, options = make(kind, **THRIFTY), labels_of(kind, 4000)
    assert peak_of(lambda: learn(kind, model, rows, None, **options)) < 0.3 * rows.nbytes
