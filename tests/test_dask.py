"""Training by local SGD on a cluster of Dask, and inference block by block."""

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from recorders import Recorder, needs_callbacks
from scipy import sparse
from shared import assert_same_parameters, each, parameters_of
from sklearn.base import clone
from sklearn.datasets import load_digits

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric._local_sgd import LocalSGD, Shard, average

pytest.importorskip("distributed")
import dask.array as da
import dask.dataframe as dd
from clusters import cluster_of

import skmetric.dask

X, Y = load_digits(return_X_y=True)
X, X_TEST, Y, Y_TEST = X[:1000], X[1000:], Y[:1000], Y[1000:]
SHORT = {"rounds": 3, "steps_per_round": 4}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with cluster_of(2, 1, tmp_path_factory.mktemp("workers")) as client:
        yield client


def in_blocks(rows=X, labels=Y, chunks=250):
    return da.from_array(rows, chunks=(chunks, -1)), da.from_array(labels, chunks=chunks)


def of_unknown_sizes(rows, labels):
    """Blocks from which a condition takes rows, so that nobody knows how many are left."""
    return rows[labels < 100], labels[labels < 100]


# --- what is learned --------------------------------------------------------------------------------


@each
def test_a_cluster_learns_what_fit_learns(Estimator, client):
    settings = {"max_iter": 10, "random_state": 0}
    model = skmetric.dask.fit(Estimator(**settings), *in_blocks(), steps_per_round=10)
    assert model.score(X_TEST, Y_TEST) > Estimator(**settings).fit(X, Y).score(X_TEST, Y_TEST) - 0.02
    assert_array_equal(model.classes_, range(10))
    assert model.n_features_in_ == 64
    # A worker has 500 rows, and 10 batches of 125 in a round.
    assert model.n_iter_ == len(model.history_) == len(model.loss_curve_) == 10 * 500 / 1250
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.get_params() == Estimator(**settings).get_params()


@each
def test_the_rounds_are_those_of_copies_in_one_process(Estimator, client, small):
    """The same shards, trained one after another without Dask."""
    model = skmetric.dask.fit(small(Estimator, batch_size=25), *in_blocks(), client=client, **SHORT)
    seed = int(np.random.RandomState(0).randint(2**31))
    parts = [(X[start : start + 250], Y[start : start + 250]) for start in range(0, 1000, 250)]
    shards = [Shard(parts[k::2], np.unique(Y), [seed, k]) for k in range(2)]

    class Here:
        weights = 500, 500

        def learn(self, model, rate, number):
            return [shard.learn(model, rate, number, 100) for shard in shards]

    other = small(Estimator, batch_size=25, random_state=seed).partial_fit(X, Y, classes=np.unique(Y))
    LocalSGD(other, X).train(Here(), 3)
    assert_same_parameters(model, other)
    assert_array_equal(model.transform(X), other.transform(X))
    assert model.loss_curve_ == other.loss_curve_


def test_the_same_seed_gives_the_same_bits(client, small):
    models = [skmetric.dask.fit(small(TripletMetricTransformer), *in_blocks(), **SHORT) for _ in range(2)]
    assert_same_parameters(*models)
    assert_array_equal(*(model.transform(X) for model in models))


def test_the_fitted_model_needs_no_dask(client, small, tmp_path):
    model = skmetric.dask.fit(small(TripletMetricTransformer), *in_blocks(), **SHORT)
    text = pickle.dumps(model)
    assert len(text) < len(pickle.dumps(small(TripletMetricTransformer).fit(X, Y))) + 5000
    (tmp_path / "model").write_bytes(text)
    code = (
        "import pickle, sys; sys.modules['dask'] = sys.modules['distributed'] = None;"
        f"print(type(pickle.load(open({str(tmp_path / 'model')!r}, 'rb'))).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["TripletMetricTransformer"]


@pytest.mark.parametrize("setting", [{"solver": "sgd"}, {"n_networks": 2}, {"head_weight": 0.5}], ids=str)
def test_other_settings_learn(setting, client):
    model = TripletMetricTransformer(random_state=0, max_iter=4, **setting)
    assert skmetric.dask.fit(model, *in_blocks(), steps_per_round=20).score(X_TEST, Y_TEST) > 0.95


def test_every_pass_uses_every_row_once():
    shard = Shard([(X[:30], Y[:30]), (X[30:100], Y[30:100])], range(10), [1])
    drawn = []
    for number in range(10):
        first, second = shard._drawn(number, 30)
        drawn.append(np.concatenate([first, second + 30]))
        assert len(drawn[-1]) == 30
    assert set(np.bincount(np.concatenate(drawn))) == {3}
    assert len(np.concatenate(shard._drawn(0, 250))) == 250


def test_an_average_is_weighted():
    results = [{"a": [np.array([k], np.float32)], "t": 7, "loss": float(k), "none": None} for k in (0, 4)]
    mean = average(results, [3, 1])
    assert mean == {"a": [np.float32(1)], "t": 7, "loss": 1.0, "none": None}
    assert mean["a"][0].dtype == np.float32


# --- kinds of partitions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        lambda: in_blocks(chunks=(10, 0, 700, 290)),
        lambda: of_unknown_sizes(*in_blocks()),
        lambda: (in_blocks()[0], Y),
        lambda: (da.from_array(X, chunks=(250, 20)), da.from_array(Y, chunks=999)),
        lambda: (in_blocks()[0].map_blocks(sparse.csr_array), in_blocks()[1]),
    ],
    ids=["unequal and empty", "of unknown size", "labels in memory", "columns in chunks", "sparse"],
)
def test_partitions_of_any_kind_are_learned(kind, client):
    model = TripletMetricTransformer(random_state=0, max_iter=3)
    assert skmetric.dask.fit(model, *kind(), steps_per_round=20).score(X_TEST, Y_TEST) > 0.95


def test_a_data_frame_gives_its_names(client):
    names = [f"pixel {k}" for k in range(64)]
    frame = dd.from_pandas(pd.DataFrame(X, columns=names).assign(label=Y), npartitions=3)
    model = TripletMetricTransformer(random_state=0, max_iter=3)
    skmetric.dask.fit(model, frame[names], frame["label"], steps_per_round=20)
    assert model.feature_names_in_.tolist() == names
    Z = skmetric.dask.transform(model, frame[names])
    assert_allclose(Z.compute(), model.transform(pd.DataFrame(X, columns=names)), atol=1e-10)


def test_classes_may_be_missing_in_a_partition(client):
    order = np.argsort(Y, kind="stable")
    model = SoftmaxMLPClassifier(random_state=0, max_iter=20)
    skmetric.dask.fit(model, *in_blocks(X[order], Y[order], chunks=100), steps_per_round=4)
    assert_array_equal(model.classes_, range(10))
    assert model.score(X_TEST, Y_TEST) > 0.8


# --- early stopping ---------------------------------------------------------------------------------


@each
def test_early_stopping_keeps_the_best_round(Estimator, client, small):
    model = small(Estimator, early_stopping=True, n_iter_no_change=2, learning_rate_init=0.003)
    skmetric.dask.fit(model, *in_blocks(), rounds=40, steps_per_round=10)
    assert model.n_iter_ < 40
    assert model.early_stopping
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None
    assert [entry["validation_score"] for entry in model.history_] == model.validation_scores_


def test_whole_classes_may_be_set_aside(client):
    model = TripletMetricTransformer(early_stopping=True, validation="classes", validation_fraction=0.2)
    skmetric.dask.fit(model, *in_blocks(), **SHORT)
    assert len(model.validation_scores_) == 3


def test_a_scorer_judges_the_rounds(client):
    scorings = {TripletMetricTransformer: "mean_average_precision_at_r", SoftmaxMLPClassifier: "f1_macro"}
    for Estimator, scoring in scorings.items():
        model = Estimator(early_stopping=True, scoring=scoring, random_state=0)
        skmetric.dask.fit(model, *in_blocks(), **SHORT)
        assert all(0 < score <= 1 for score in model.validation_scores_)
        assert model.scoring == scoring


def test_rounds_are_printed(client, small, capsys):
    skmetric.dask.fit(small(TripletMetricTransformer, verbose=True), *in_blocks(), **SHORT)
    lines = capsys.readouterr().out.splitlines()
    lines = [line for line in lines if line.startswith("Round")]
    assert [line.partition(",")[0] for line in lines] == ["Round 1/3", "Round 2/3", "Round 3/3"]
    assert all("Loss: " in line and "Learning Rate: " in line for line in lines)


# --- what goes wrong --------------------------------------------------------------------------------


def test_a_worker_that_is_killed_changes_nothing(tmp_path, caplog):
    model = TripletMetricTransformer(hidden_layer_sizes=(64,), n_networks=1, random_state=0)
    with cluster_of(2, 1, tmp_path) as client:
        rows, labels = in_blocks()
        settings = {"rounds": 10, "steps_per_round": 40}
        expected = skmetric.dask.fit(clone(model), rows, labels, client=client, **settings)
        pids = client.run(os.getpid)
        killed = []

        def kill():
            # In the middle of a round, see `seconds` of `expected`.
            time.sleep(3.5 * expected.history_[3]["seconds"])
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

        thread = threading.Thread(target=kill)
        with caplog.at_level(logging.INFO, "distributed.scheduler"):
            thread.start()
            found = skmetric.dask.fit(clone(model), rows, labels, client=client, **settings)
            thread.join()
        assert_same_parameters(found, expected)
        assert_array_equal(found.transform(X), expected.transform(X))
        assert killed[0] not in client.run(os.getpid).values()
    assert "Remove worker" in caplog.text or "lost" in caplog.text


@each
@pytest.mark.parametrize(
    "rows, labels, words",
    [
        (np.where(np.arange(1000)[:, None] == 600, np.nan, X), Y, "Partition 2: Input X contains NaN"),
        (X, np.where(np.arange(1000) == 300, np.nan, Y), "Partition 1: y contains NaN"),
        (X[:0], Y[:0], "X has no rows"),
        (X, np.zeros(1000, int), "rows of the class 0 only"),
        (X, Y[1:], "X has 1000 rows, but y has 999 labels"),
    ],
    ids=["NaN", "missing label", "no rows", "one class", "too few labels"],
)
def test_wrong_partitions_are_refused_before_training(Estimator, rows, labels, words, client, small):
    model = small(Estimator).fit(X, Y)
    before = [W.copy() for W in parameters_of(model)]
    with pytest.raises(ValueError, match=words):
        skmetric.dask.fit(model, *in_blocks(rows, labels), **SHORT)
    for W, W_before in zip(parameters_of(model), before):
        assert_array_equal(W, W_before)


def test_numbers_of_partitions_must_agree(client):
    rows, _ = of_unknown_sizes(*in_blocks())
    _, labels = of_unknown_sizes(*in_blocks(chunks=500))
    with pytest.raises(ValueError, match="X has 4 partitions, but y has 2"):
        skmetric.dask.fit(TripletMetricTransformer(), rows, labels, **SHORT)


def test_what_a_cluster_cannot_do_is_refused(client, small):
    rows, labels = in_blocks()
    with pytest.raises(TypeError, match="X must be an array or a data frame of Dask, got ndarray"):
        skmetric.dask.fit(TripletMetricTransformer(), X, Y)
    with pytest.raises(TypeError, match="y must be a series or an array of Dask, got ndarray"):
        skmetric.dask.fit(TripletMetricTransformer(), dd.from_array(rows), Y)
    with pytest.raises(TypeError, match="estimator of skmetric, got str"):
        skmetric.dask.fit("triplet", rows, labels)
    with pytest.raises(ValueError, match="batch_norm=True cannot be used on a cluster"):
        skmetric.dask.fit(TripletMetricTransformer(batch_norm=True), rows, labels)
    with pytest.raises(ValueError, match="warm_start=True cannot"):
        skmetric.dask.fit(small(TripletMetricTransformer, warm_start=True).fit(X, Y), rows, labels)
    with pytest.raises(ValueError, match=r"steps_per_round must be .* got 0"):
        skmetric.dask.fit(TripletMetricTransformer(), rows, labels, steps_per_round=0)
    with pytest.raises(ValueError, match=r"rounds must be .* got 0"):
        skmetric.dask.fit(TripletMetricTransformer(), rows, labels, rounds=0)
    with pytest.raises(ValueError, match="margin"):
        skmetric.dask.fit(TripletMetricTransformer(margin=-1), rows, labels)


@needs_callbacks
def test_callbacks_are_refused(client):
    with pytest.raises(ValueError, match="Callbacks cannot be used on a cluster"):
        skmetric.dask.fit(TripletMetricTransformer().set_callbacks(Recorder()), *in_blocks())


def test_a_client_is_needed():
    code = (
        "import dask.array as da, skmetric.dask as sd, skmetric;"
        "sd.fit(skmetric.TripletMetricTransformer(), da.zeros((9, 2)), da.arange(9))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ValueError: client=None needs a connection to a cluster" in done.stderr


def test_a_training_that_diverges_leaves_the_model_before(client, small):
    model = small(TripletMetricTransformer).fit(X, Y)
    before = [W.copy() for W in parameters_of(model)]
    model.set_params(learning_rate_init=1e30)
    with pytest.raises(ValueError, match="Lower learning_rate_init"):
        skmetric.dask.fit(model, *in_blocks(), **SHORT)
    for W, W_before in zip(parameters_of(model), before):
        assert_array_equal(W, W_before)


def test_without_dask_the_extra_is_named():
    code = "import sys; sys.modules['dask'] = None; import skmetric.dask"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'ImportError: skmetric.dask needs Dask: pip install "skmetric[dask]"' in done.stderr


# --- inference --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted():
    return {
        Estimator: Estimator(max_iter=2, random_state=0).fit(X.astype(np.float32), Y.astype(str))
        for Estimator in (TripletMetricTransformer, SoftmaxMLPClassifier)
    }


def assert_same_results(found, expected):
    """Up to rounding, which depends on the number and the layout of the rows of a block."""
    if expected.dtype.kind == "f":
        assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    else:
        assert_array_equal(found, expected)


CASES = [
    (TripletMetricTransformer, "transform", (64,)),
    (SoftmaxMLPClassifier, "transform", (256,)),
    (SoftmaxMLPClassifier, "predict", ()),
    (SoftmaxMLPClassifier, "predict_proba", (10,)),
]


@pytest.mark.parametrize("Estimator, name, shape", CASES)
def test_results_are_computed_block_by_block(Estimator, name, shape, fitted):
    model = fitted[Estimator]
    rows = da.from_array(X.astype(np.float32), chunks=((300, 0, 700), 20))
    result = getattr(skmetric.dask, name)(model, rows)
    expected = getattr(model, name)(X.astype(np.float32))
    assert result.shape == (1000, *shape)
    assert result.chunks == ((300, 0, 700), *((width,) for width in shape))
    assert result.dtype == result._meta.dtype == expected.dtype
    assert_same_results(result.compute(scheduler="synchronous"), expected)


@pytest.mark.parametrize("Estimator, name, shape", CASES)
def test_results_for_a_data_frame_have_unknown_chunks(Estimator, name, shape, fitted):
    model = fitted[Estimator]
    frame = dd.from_pandas(pd.DataFrame(X.astype(np.float32)), npartitions=3)
    result = getattr(skmetric.dask, name)(model, frame)
    assert result.shape[1:] == shape
    found = result.compute(scheduler="synchronous")
    assert_same_results(found, getattr(model, name)(X.astype(np.float32)))


def test_inference_needs_a_model_and_blocks(fitted):
    with pytest.raises(TypeError, match=r"got ndarray.*call the method transform"):
        skmetric.dask.transform(fitted[TripletMetricTransformer], X)
    with pytest.raises(ValueError, match="not fitted"):
        skmetric.dask.transform(TripletMetricTransformer(), in_blocks()[0])
    bad = skmetric.dask.transform(fitted[TripletMetricTransformer], in_blocks()[0][:, 1:])
    with pytest.raises(ValueError, match="63 features"):
        bad.compute(scheduler="synchronous")
