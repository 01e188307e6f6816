"""Rows outside memory: read in blocks, checked as they are read, mixed in groups of blocks."""

import tempfile
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr
from numpy.testing import assert_allclose, assert_array_equal
from recorders import Recorder, needs_callbacks
from shared import assert_same_model, assert_same_parameters, each, each_transformer, peak_of
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer, _stored_arrays
from skmetric._stored_rows import StoredRows
from skmetric.callbacks import Checkpoint, load_checkpoint
from skmetric.verification import PairVerifier

X, Y = load_digits(return_X_y=True)
X, Y = X[:600].astype(np.float32), Y[:600]
ROW_BYTES = X[:1].nbytes
RATE = {"learning_rate_init": 1e-3}


FIRST = slice(None, 1)  # to check the kind of the values


class Stored:
    """An array of which only runs of rows can be read, and that notes which."""

    def __init__(self, values, chunks=None):
        self.values = values
        self.shape = values.shape
        self.dtype = values.dtype
        self.chunks = chunks
        self.reads = []

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        if rows != FIRST:
            self.reads.append((rows.start, rows.stop))
        return self.values[rows]


@pytest.fixture
def blocks(monkeypatch):
    """Set the number of digits in a block, and of blocks that are held."""

    def divide(n_rows, n_held):
        monkeypatch.setattr(_stored_arrays, "BLOCK_BYTES", n_rows * ROW_BYTES)
        monkeypatch.setattr(_stored_arrays, "HELD_BYTES", n_held * n_rows * ROW_BYTES)

    return divide


def in_zarr(values, chunks=(100, 64)):
    path = Path(tempfile.mkdtemp()) / "rows.zarr"
    array = zarr.open_array(str(path), mode="w", shape=values.shape, dtype=values.dtype, chunks=chunks)
    array[:] = values
    return array


def in_hdf5(values, chunks=(100, 64)):
    file = h5py.File(Path(tempfile.mkdtemp()) / "rows.h5", "w")
    return file.create_dataset("rows", data=values, chunks=chunks)


def in_contiguous_hdf5(values):
    return in_hdf5(values, chunks=None)


def dask_array(values):
    return pytest.importorskip("dask.array").from_array(values, chunks=(100, 64))


FORMATS = pytest.mark.parametrize("store", [Stored, in_zarr, in_hdf5, in_contiguous_hdf5])


# --- the same model as in memory --------------------------------------------------------------------


@each
@FORMATS
def test_stored_rows_train_as_rows_that_are_shuffled_in_blocks(Estimator, store, small, outputs):
    model, other = small(Estimator, **RATE).fit(store(X), Y), small(Estimator, shuffle="blocks", **RATE)
    assert_same_model(model, other.fit(X, Y))
    assert_array_equal(outputs(model, store(X)), outputs(other, X))
    assert model.score(store(X), Y) == other.score(X, Y)
    assert model.n_features_in_ == 64


@each
@pytest.mark.parametrize(
    "settings",
    [
        {"early_stopping": True},
        {"early_stopping": True, "scoring": "recall_at_k"},
        {"batch_norm": True, "hidden_layer_sizes": (8,)},
        {"shuffle": False},
        {"batch_size": 10**6},
        {"n_networks": 2},
    ],
    ids=str,
)
def test_stored_rows_train_alike_with_other_settings(Estimator, settings, small):
    if Estimator is SoftmaxMLPClassifier and "scoring" in settings:
        settings = settings | {"scoring": "accuracy"}
    settings = {"shuffle": "blocks"} | RATE | settings
    assert_same_model(
        small(Estimator, **settings).fit(Stored(X), Y), small(Estimator, **settings).fit(X, Y)
    )


@each
def test_training_goes_on_with_stored_rows(Estimator, small):
    models = []
    for rows in (X, Stored(X)):
        model = small(Estimator, shuffle="blocks", warm_start=True, **RATE).fit(rows, Y).fit(rows, Y)
        models.append(model.partial_fit(rows, Y))
    assert_same_model(*models)


@needs_callbacks
@each
def test_a_checkpoint_of_stored_rows_goes_on(Estimator, small, tmp_path):
    path = tmp_path / "model"
    model = small(Estimator, max_iter=3, **RATE).set_callbacks(Checkpoint(path)).fit(Stored(X), Y)
    assert_same_parameters(load_checkpoint(path).fit(Stored(X), Y), model)
    with pytest.raises(ValueError, match="Pass the same data"):
        load_checkpoint(path).fit(Stored(X + 1), Y)


def test_triplets_may_name_stored_rows(small, blocks):
    blocks(50, 4)
    triplets = np.random.default_rng(0).integers(0, 600, (40, 3))
    stored, known = (
        small(TripletMetricTransformer, standardize=False, input_weight=0).fit_triplets(triplets, X=rows)
        for rows in (Stored(X), X)
    )
    assert_same_parameters(stored, known)


def test_labels_may_be_stored_too(small):
    models = [small(TripletMetricTransformer).fit(Stored(X), labels) for labels in (Y, in_hdf5(Y, None))]
    assert_same_model(*models)


def test_scorers_get_the_validation_rows_in_memory(small):
    seen = []

    def score(model, X, y):
        seen.append((type(X), len(X)))
        return model.score(X, y)

    small(TripletMetricTransformer, early_stopping=True, scoring=score).fit(Stored(X), Y)
    assert set(seen) == {(np.ndarray, 60)}


@needs_callbacks
def test_callbacks_get_the_array_itself(small):
    class Shown(Recorder):
        def on_fit_task_end(self, estimator, context, *, X=None):
            self.notes.append(X)

    rows = Stored(X)
    callback = Shown()
    small(TripletMetricTransformer, max_iter=2).set_callbacks(callback).fit(rows, Y)
    assert sum(note is rows for note in callback.notes) >= 2


@pytest.mark.parametrize("make", [in_hdf5, dask_array], ids=["HDF5", "Dask"])
def test_a_search_takes_rows_of_a_stored_array_by_number(make, small):
    model = small(TripletMetricTransformer, **RATE)
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    scores = [cross_val_score(model, rows, Y, cv=cv, error_score="raise") for rows in (make(X), X)]
    assert_array_equal(*scores)


def test_a_dask_array_is_a_stored_array(small):
    models = [
        small(TripletMetricTransformer, shuffle="blocks", **RATE).fit(rows, Y)
        for rows in (dask_array(X), X)
    ]
    assert_same_model(*models)


def test_distances_of_pairs_read_the_rows_that_occur(small, blocks):
    model = small(TripletMetricTransformer).fit(X, Y)
    verifier = PairVerifier(model).fit([[0, 1], [0, 10]], [0, 1], X=X)
    blocks(50, 4)
    pairs = np.array([[7, 120], [599, 8], [120, 120]])
    expected = model.pair_distance(pairs, X=X)
    rows = Stored(X)
    assert_array_equal(model.pair_distance(pairs, X=rows), expected)
    assert_array_equal(verifier.decision_function(pairs, X=rows), -expected)
    assert rows.reads == 2 * [(0, 50), (100, 150), (550, 600)]


@pytest.mark.parametrize("dtype", ["u1", "f2", ">f4", "i4", "?"])
def test_stored_rows_of_any_numbers_train_alike(dtype, small):
    values = (X > 7 if dtype == "?" else X).astype(dtype)
    models = [
        small(TripletMetricTransformer, shuffle="blocks", **RATE).fit(rows, Y)
        for rows in (values, Stored(values))
    ]
    assert_same_model(*models)


# --- blocks -----------------------------------------------------------------------------------------


def reads_of_blocks(reads, n_rows):
    return Counter(start // n_rows for start, _ in reads)


@each
@pytest.mark.parametrize("shuffle", [True, False])
def test_an_epoch_reads_each_block_once_at_most_and_as_a_whole(Estimator, shuffle, small, blocks):
    blocks(50, 4)

    def reads(n_epochs):
        rows = Stored(X)
        small(Estimator, shuffle=shuffle, max_iter=n_epochs, batch_size=32).fit(rows, Y)
        assert {stop - start for start, stop in rows.reads} == {50}
        return reads_of_blocks(rows.reads, 50)

    # What is read before and after the epochs is the same. Blocks of the epoch before may still be held.
    more = reads(5) - reads(3)
    assert max(more.values()) <= 2
    assert 2 * (12 - 4) <= more.total() <= 2 * 12


def test_validation_reads_each_block_once(small, blocks):
    blocks(500, 4)

    def reads(n_epochs):
        rows = Stored(np.tile(X, (20, 1)))
        settings = {"early_stopping": True, "max_iter": n_epochs, "hidden_layer_sizes": (4,)}
        small(SoftmaxMLPClassifier, **settings).fit(rows, np.tile(Y, 20))
        return reads_of_blocks(rows.reads, 500)

    # In an epoch, each block is read for the training and for the validation.
    assert (reads(4) - reads(2)).total() <= 2 * (24 + 24 + 1)


@each
def test_a_result_reads_each_block_once(Estimator, small, blocks, outputs):
    model = small(Estimator).fit(X, Y)
    blocks(50, 4)
    rows = Stored(X)
    outputs(model, rows)
    assert rows.reads == [(start, start + 50) for start in range(0, 600, 50)]


def test_a_block_is_made_of_whole_chunks(small, blocks):
    blocks(50, 4)
    rows = Stored(X, chunks=(30, 64))
    small(TripletMetricTransformer).fit(rows, Y)
    assert {(start % 60, stop - start) for start, stop in rows.reads} == {(0, 60)}
    unequal = Stored(X, chunks=((200, 200, 200), (64,)))  # as dask has them
    small(TripletMetricTransformer).fit(unequal, Y)
    assert {(start % 200, stop - start) for start, stop in unequal.reads} == {(0, 200)}


@pytest.mark.parametrize("n_rows, n_held", [(1, 4), (7, 5), (50, 4), (599, 4), (1000, 4)])
def test_any_rows_are_those_of_the_array(n_rows, n_held, blocks):
    blocks(n_rows, n_held)
    rows = StoredRows(Stored(X), TripletMetricTransformer(), None)
    rng = np.random.default_rng(0)
    for n in (0, 1, 30, 600, 2000):
        some = rng.integers(0, 600, n)
        assert_array_equal(rows[some], X[some])
    for some in (slice(None), slice(3, 90), slice(590, 700)):
        assert_array_equal(rows[some], X[some])


def test_rows_sorted_by_class_are_mixed(blocks):
    blocks(20, 15)
    order = np.argsort(Y, kind="stable")
    model = TripletMetricTransformer(max_iter=10, random_state=0)
    scores = [
        cross_val_score(make_pipeline(model.set_params(shuffle=shuffle), KNeighborsClassifier()), X, Y)
        for X, Y in [(X[order], Y[order])]
        for shuffle in (True, "blocks")
    ]
    assert np.mean(scores[1]) > np.mean(scores[0]) - 0.02
    stored = model.fit(Stored(X[order]), Y[order])
    assert stored.score(X, Y) > 0.97


def test_stored_rows_take_little_memory(small, blocks):
    values = np.zeros((20_000, 64), np.float32)
    values[::2, 0] = 1
    labels = np.arange(20_000) % 2
    blocks(50, 20)
    model = small(TripletMetricTransformer, max_iter=1, input_weight=0)
    needed_for_labels = 40 * labels.nbytes
    used = peak_of(model.fit, Stored(values), labels)
    assert used < values.nbytes / 4 + needed_for_labels
    assert peak_of(model.fit, Stored(np.repeat(values, 8, axis=1)), labels) < used + values.nbytes


# --- values and errors ------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("value, word", [(np.nan, "NaN"), (np.inf, "infinity")])
def test_values_that_are_not_finite_are_found_when_they_are_read(
    Estimator, value, word, small, outputs, blocks
):
    blocks(50, 4)
    model = small(Estimator, **RATE).fit(X, Y)
    before = [W.copy() for W in model.coefs_]
    values = X.copy()
    values[333, 5] = value
    for call in (model.fit, model.partial_fit, model.score):
        with pytest.raises(ValueError, match=f"Rows 300 to 349 of X: Input X contains {word}"):
            call(Stored(values), Y)
    with pytest.raises(ValueError, match="Rows 300 to 349 of X"):
        outputs(model, Stored(values))
    for W, W_before in zip(model.coefs_, before):
        assert_array_equal(W, W_before)


@each
def test_stored_rows_beyond_the_dtype_of_the_model_are_refused(Estimator, small, outputs):
    model = small(Estimator).fit(X, Y)
    with pytest.raises(ValueError, match=r"X has a value of size 1\.6e\+41, too large for float32"):
        outputs(model, Stored(1e40 * X.astype(np.float64)))


@each
def test_an_error_of_the_file_leaves_the_model_before(Estimator, small):
    model = small(Estimator).fit(X, Y)
    before = [W.copy() for W in model.coefs_]
    rows = Stored(X)
    rows.values = None
    with pytest.raises(TypeError, match="NoneType"):
        model.fit(rows, Y)
    for W, W_before in zip(model.coefs_, before):
        assert_array_equal(W, W_before)


@each
@pytest.mark.parametrize(
    "values, words",
    [
        (X[:0], "0 sample"),
        (X[:, :0], "0 feature"),
        (X + 0j, "Complex data"),
        (np.full((600, 64), "a"), "text"),
        (X.astype("M8[s]"), "stored as datetime64"),
        (X[:, :5].astype(object), "stored as object"),
        (X[:100], "inconsistent numbers of samples"),
    ],
    ids=["no rows", "no features", "complex", "text", "dates", "objects", "too few"],
)
def test_what_is_stored_must_be_rows_of_numbers(Estimator, values, words, small):
    with pytest.raises(ValueError, match=words):
        small(Estimator).fit(Stored(values), Y)


@each
def test_rows_need_labels_and_as_many_features_as_before(Estimator, small, outputs):
    with pytest.raises(ValueError, match="requires y"):
        small(Estimator).fit(Stored(X))
    with pytest.raises(ValueError, match="X has 63 features, but"):
        outputs(small(Estimator).fit(Stored(X), Y), Stored(X[:, 1:]))


def test_a_number_of_rows_that_is_not_known_is_refused_in_words(small):
    rows = Stored(X)
    rows.shape = (np.nan, 64)
    with pytest.raises(ValueError, match=r"known shape, got \(nan, 64\).*compute_chunk_sizes"):
        small(TripletMetricTransformer).fit(rows, Y)


def test_images_are_refused_before_they_are_read(small):
    rows = Stored(X.reshape(600, 8, 8))
    with pytest.raises(ValueError, match="Found array with dim 3"):
        small(TripletMetricTransformer).fit(rows, Y)
    assert rows.reads == []


def test_an_array_that_returns_other_rows_is_refused(small):
    rows = Stored(X)
    rows.values = X[:, 1:]
    with pytest.raises(ValueError, match=r"X has 63 features"):
        small(TripletMetricTransformer).fit(X, Y).transform(rows)
    rows.values = X[:300]
    with pytest.raises(ValueError, match=r"X\[0:600\] must have shape \(600, 64\), got \(300, 64\)"):
        small(TripletMetricTransformer).fit(X, Y).transform(rows)


def test_other_orders_are_refused(small):
    with pytest.raises(ValueError, match=r"'shuffle'.*'blocks'.*Got 'block'"):
        small(TripletMetricTransformer, shuffle="block").fit(X, Y)


# --- out --------------------------------------------------------------------------------------------


def width(model):
    return model.transform(X[:1]).shape[1]


def mapped(values):
    path = Path(tempfile.mkdtemp()) / "result.npy"
    return np.lib.format.open_memmap(path, mode="w+", dtype=values.dtype, shape=values.shape)


@each
@pytest.mark.parametrize("make", [np.zeros_like, mapped, in_zarr, in_hdf5])
@pytest.mark.parametrize("n_rows", [100, 600])
def test_a_result_is_written_to_out(Estimator, make, n_rows, small, monkeypatch):
    monkeypatch.setattr("skmetric._out.MULTIPLE", 128)
    monkeypatch.setattr("skmetric._out.MOST_ROWS", 256)
    model = small(Estimator).fit(X, Y)
    expected = model.transform(X[:n_rows])
    out = make(np.zeros_like(expected)) if make in (np.zeros_like, mapped) else make(0 * expected, None)
    assert model.transform(X[:n_rows], out=out) is out
    np.testing.assert_allclose(out[:], expected, rtol=1e-5, atol=1e-6)
    out[:] = 0
    model.transform(Stored(X[:n_rows]), out=out)
    np.testing.assert_allclose(out[:], expected, rtol=1e-5, atol=1e-6)


def test_out_is_written_in_whole_chunks(small):
    class Chunked(Stored):
        def __setitem__(self, rows, values):
            assert isinstance(rows, slice)
            self.reads.append(rows.start)
            self.values[rows] = values

    model = small(TripletMetricTransformer).fit(X, Y)
    many = np.tile(X, (60, 1))
    out = Chunked(np.zeros((36_000, width(model)), np.float32), chunks=(10_000, 64))
    model.transform(many, out=out)
    assert out.reads == [0, 20_000]
    # How a product rounds depends on where a row lies in its block.
    assert_allclose(out.values[:600], out.values[-600:], rtol=1e-4, atol=1e-5)
    assert out.values.any(axis=1).all()


def test_out_may_have_another_type_of_floats(small):
    model = small(TripletMetricTransformer).fit(X, Y)
    Z = model.transform(X)
    for dtype in ("f2", "f4", "f8"):
        assert_array_equal(model.transform(X, out=np.zeros(Z.shape, dtype)), Z.astype(dtype))


@each_transformer
def test_out_that_cannot_take_the_result_is_refused(Estimator, small):
    model = small(Estimator).fit(X, Y)
    Z = model.transform(X)
    with pytest.raises(ValueError, match=r"out must have shape \(600, .*got \(599, "):
        model.transform(X, out=Z[1:])
    with pytest.raises(ValueError, match=r"out must have dtype float32 or another .*got int64"):
        model.transform(X, out=Z.astype(int))
    with pytest.raises(TypeError, match=r"out must be an array .* got list"):
        model.transform(X, out=Z.tolist())
    Z.setflags(write=False)
    with pytest.raises(ValueError, match=r"out is read-only.*mode='r\+'"):
        model.transform(X, out=Z)


@each
def test_out_and_a_container_exclude_each_other(Estimator, small):
    model = small(Estimator).fit(X, Y)
    out = np.zeros((600, width(model)), np.float32)
    with pytest.raises(ValueError, match=r"set to 'pandas'.*set_output\(transform='default'\)"):
        clone(model).fit(X, Y).set_output(transform="pandas").transform(X, out=out)
    with config_context(transform_output="pandas"):
        with pytest.raises(ValueError, match="set to 'pandas'"):
            model.transform(X, out=out)
        assert model.set_output(transform="default").transform(X, out=out) is out


@each
def test_out_is_no_metadata(Estimator):
    assert not hasattr(Estimator(), "set_transform_request")
