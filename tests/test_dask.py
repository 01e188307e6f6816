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
from sklearn.pipeline import make_pipeline

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
# What such an embedding knows of the classes, it has learned: without training, 0.54 to 0.59.
LEARNED = {"n_components": 4, "input_weight": 0, "n_networks": 1, "random_state": 0}


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
    settings = {"random_state": 0} if Estimator is SoftmaxMLPClassifier else LEARNED
    settings = {"max_iter": 10, **settings}
    model = skmetric.dask.fit(Estimator(**settings), *in_blocks(), steps_per_round=10)
    fitted = Estimator(**settings).fit(X, Y).score(X_TEST, Y_TEST)
    untrained = Estimator(**settings | {"max_iter": 1, "learning_rate_init": 1e-9}).fit(X, Y)
    assert model.score(X_TEST, Y_TEST) > (fitted + untrained.score(X_TEST, Y_TEST)) / 2
    assert_array_equal(model.classes_, range(10))
    assert model.n_features_in_ == 64
    # A worker has 500 rows, and 10 batches of 125 in a round.
    assert model.n_iter_ == len(model.history_) == len(model.loss_curve_) == 10 * 500 / 1250
    losses = [entry.get("mean_loss", entry["loss"]) for entry in model.history_]
    assert losses[-1] < losses[0]
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
    model = TripletMetricTransformer(max_iter=4, **LEARNED | setting)
    assert skmetric.dask.fit(model, *in_blocks(), steps_per_round=20).score(X_TEST, Y_TEST) > 0.7


def test_a_sample_has_rows_of_all_partitions(client, monkeypatch, small):
    monkeypatch.setattr("skmetric._dask_partitions.most_sampled", lambda n_features: 10)
    learned = []
    monkeypatch.setattr(
        TripletMetricTransformer, "partial_fit", lambda self, X, y, classes: learned.append(X) or self
    )
    monkeypatch.setattr(LocalSGD, "train", lambda *args: None)
    monkeypatch.setattr(TripletMetricTransformer, "_check_learned", lambda *args, **settings: None)
    skmetric.dask.fit(small(TripletMetricTransformer), *in_blocks(chunks=(600, *[8] * 50)), **SHORT)
    assert_array_equal(learned[0], X[np.linspace(0, 999, 10).astype(int)])


def test_a_schedule_may_reach_zero(client, small):
    model = small(TripletMetricTransformer, learning_rate=lambda epoch: min(1, epoch / 2))
    skmetric.dask.fit(model, *in_blocks(), **SHORT)
    init = model.learning_rate_init
    assert [entry["learning_rate"] for entry in model.history_] == [0, init / 2, init]


def test_an_embedding_that_collapses_is_told(client, small, monkeypatch):
    def collapse(self, model, rate, number):
        weights = {name: [0 * W for W in getattr(model, name)] for name in ("coefs_", "intercepts_")}
        return [weights | {"entry": model.history_[-1]}] * 2

    monkeypatch.setattr(skmetric.dask.Cluster, "learn", collapse)
    with pytest.warns(UserWarning, match="The embedding collapses"):
        skmetric.dask.fit(small(TripletMetricTransformer, input_weight=0), *in_blocks(), **SHORT)


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
    model = TripletMetricTransformer(max_iter=3, **LEARNED)
    assert skmetric.dask.fit(model, *kind(), steps_per_round=20).score(X_TEST, Y_TEST) > 0.7


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
    best = int(np.argmax(model.validation_scores_)) + 1
    assert best < model.n_iter_
    shorter = skmetric.dask.fit(clone(model), *in_blocks(), rounds=best, steps_per_round=10)
    assert_same_parameters(model, shorter)


def test_whole_classes_may_be_set_aside(client, small):
    aside = {"early_stopping": True, "validation": "classes", "validation_fraction": 0.2}
    model = small(TripletMetricTransformer, **aside)
    skmetric.dask.fit(model, *in_blocks(), **SHORT)
    assert len(model.validation_scores_) == 3


@each
def test_rows_that_cannot_be_scored_are_refused_before_the_rounds(Estimator, client, small, monkeypatch):
    monkeypatch.setattr(LocalSGD, "train", None)
    model = small(Estimator, early_stopping=True, validation_fraction=1e-6)
    with pytest.raises(ValueError, match="no rows for early stopping with validation_fraction=1e-06"):
        skmetric.dask.fit(model, *in_blocks(), **SHORT)
    model.set_params(validation_fraction=0.1, scoring=lambda model, X, y: np.nan)
    with pytest.raises(ValueError, match="must return a number, got nan"):
        skmetric.dask.fit(model, *in_blocks(), **SHORT)
    if Estimator is not SoftmaxMLPClassifier:
        model.set_params(validation_fraction=0.01, scoring=None)
        with pytest.raises(ValueError, match="a class with at least two validation rows"):
            skmetric.dask.fit(model, *in_blocks(labels=np.arange(1000) // 2), **SHORT)


def test_class_weights_count_in_early_stopping(client, small):
    class_weight = {0: 1.0} | dict.fromkeys(range(1, 10), 1e-6)
    model = small(SoftmaxMLPClassifier, early_stopping=True, class_weight=class_weight)
    skmetric.dask.fit(model, *in_blocks(), **SHORT)
    assert model.score(X, Y) < 0.5 < model.best_validation_score_


def test_a_scorer_judges_the_rounds(client, small):
    scorings = {TripletMetricTransformer: "mean_average_precision_at_r", SoftmaxMLPClassifier: "f1_macro"}
    for Estimator, scoring in scorings.items():
        model = small(Estimator, early_stopping=True, scoring=scoring)
        skmetric.dask.fit(model, *in_blocks(), **SHORT)
        assert all(0 < score <= 1 for score in model.validation_scores_)
        assert model.scoring == scoring


def test_rounds_are_printed_and_epochs_of_workers_are_not(client, small, capsys, monkeypatch):
    learn = skmetric.dask.Cluster.learn

    def quietly(self, model, *args):
        assert not model.verbose
        return learn(self, model, *args)

    monkeypatch.setattr(skmetric.dask.Cluster, "learn", quietly)
    skmetric.dask.fit(small(TripletMetricTransformer, verbose=True), *in_blocks(), **SHORT)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["Round 1/3", "Round 2/3", "Round 3/3"]
    assert all("Loss: " in line and "Learning Rate: " in line for line in lines)


# --- what goes wrong --------------------------------------------------------------------------------


def test_a_worker_that_is_killed_changes_nothing(tmp_path, caplog, monkeypatch):
    model = TripletMetricTransformer(hidden_layer_sizes=(64,), n_networks=1, random_state=0)
    with cluster_of(2, 1, tmp_path) as client:
        rows, labels = in_blocks()
        settings = {"rounds": 10, "steps_per_round": 40}
        expected = skmetric.dask.fit(clone(model), rows, labels, client=client, **settings)
        pids = client.run(os.getpid)
        victim = next(iter(pids.values()))
        learn = skmetric.dask.Cluster.learn
        times = {}

        def kill():
            time.sleep(expected.history_[3]["seconds"] / 2)
            times["killed"] = time.perf_counter()
            os.kill(victim, signal.SIGKILL)

        def learn_and_kill(self, model, rate, number):
            if number == 3:
                threading.Thread(target=kill).start()
            result = learn(self, model, rate, number)
            times[number] = time.perf_counter()
            return result

        monkeypatch.setattr(skmetric.dask.Cluster, "learn", learn_and_kill)
        with caplog.at_level(logging.INFO, "distributed.scheduler"):
            found = skmetric.dask.fit(clone(model), rows, labels, client=client, **settings)
        assert times[2] < times["killed"] < times[3]
        assert_same_parameters(found, expected)
        assert_array_equal(found.transform(X), expected.transform(X))
        assert victim not in client.run(os.getpid).values()
    assert "Remove worker" in caplog.text or "lost" in caplog.text


@each
@pytest.mark.parametrize(
    "rows, labels, words",
    [
        (np.where(np.arange(1000)[:, None] == 600, np.nan, X), Y, "Partition 2: Input X contains NaN"),
        (X, np.where(np.arange(1000) == 300, np.nan, Y), "Partition 1: y contains NaN"),
        (X[:0], Y[:0], "X has no rows"),
        (X, np.zeros(1000, int), "needs samples of at least 2 classes.*one class: 0"),
        (X, np.tile(np.repeat([0, 1], 250), 2), "partitions \\[0, 2\\] of X.* class 0 only"),
        (X, Y[1:], "X has 1000 rows, but y has 999 labels"),
    ],
    ids=["NaN", "missing label", "no rows", "one class", "one class each", "too few labels"],
)
def test_wrong_partitions_are_refused_before_training(Estimator, rows, labels, words, client, small):
    model = small(Estimator).fit(X, Y)
    before = [W.copy() for W in parameters_of(model)]
    with pytest.raises(ValueError, match=words):
        skmetric.dask.fit(model, *in_blocks(rows, labels), **SHORT)
    for W, W_before in zip(parameters_of(model), before):
        assert_array_equal(W, W_before)


def test_labels_must_be_of_one_type(client):
    def mixed(labels, block_id):
        return labels.astype(str) if block_id == (2,) else labels

    rows, labels = in_blocks()
    with pytest.raises(ValueError, match="partition 3 of y holds numbers and partition 2 of y holds str"):
        skmetric.dask.fit(TripletMetricTransformer(), rows, labels.map_blocks(mixed, dtype=int), **SHORT)


def test_numbers_of_partitions_must_agree(client):
    rows, _ = of_unknown_sizes(*in_blocks())
    _, labels = of_unknown_sizes(*in_blocks(chunks=500))
    with pytest.raises(ValueError, match="X has 4 partitions, but y has 2"):
        skmetric.dask.fit(TripletMetricTransformer(), rows, labels, **SHORT)


def test_what_a_cluster_cannot_do_is_refused(client, small):
    rows, labels = in_blocks()
    with pytest.raises(TypeError, match="X must be an array or a data frame of Dask, got ndarray"):
        skmetric.dask.fit(TripletMetricTransformer(), X, Y)
    with pytest.raises(TypeError, match=r"y must be a series .* of Dask, got numpy.ndarray.*from_pandas"):
        skmetric.dask.fit(TripletMetricTransformer(), dd.from_array(rows), Y)
    with pytest.raises(ValueError, match="each of the 1000 classes of y has one sample only"):
        skmetric.dask.fit(TripletMetricTransformer(), rows, da.arange(1000))
    with pytest.raises(ValueError, match="shuffle=False cannot be used on a cluster"):
        skmetric.dask.fit(TripletMetricTransformer(shuffle=False), rows, labels)
    with pytest.raises(ValueError, match=r"class_weight='balanced' cannot be used on a cluster.*a dict"):
        skmetric.dask.fit(SoftmaxMLPClassifier(class_weight="balanced"), rows, labels)
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
    for name, value in {"margin": -1, "batch_size": 0, "max_iter": 0, "validation_fraction": 2}.items():
        with pytest.raises(ValueError, match=f"The '{name}' parameter of TripletMetricTransformer"):
            skmetric.dask.fit(TripletMetricTransformer(**{name: value}), X, Y)


def test_idle_workers_are_told(client, small):
    with pytest.warns(UserWarning, match="in 1 partitions only, so that 1 of 2 workers are idle"):
        skmetric.dask.fit(small(TripletMetricTransformer), *in_blocks(chunks=1000), **SHORT)


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
    assert np.isnan(result.chunks[0]).tolist() == [True] * 3
    assert result.shape[1:] == shape
    assert result.dtype == getattr(model, name)(X[:1]).dtype
    found = result.compute(scheduler="synchronous")
    assert_same_results(found, getattr(model, name)(X.astype(np.float32)))


def test_inference_needs_a_model_and_blocks(fitted):
    with pytest.raises(TypeError, match=r"got ndarray.*call the method transform"):
        skmetric.dask.transform(fitted[TripletMetricTransformer], X)
    with pytest.raises(ValueError, match="not fitted"):
        skmetric.dask.transform(TripletMetricTransformer(), in_blocks()[0])
    with pytest.raises(TypeError, match="model must be an estimator of skmetric, got Pipeline"):
        skmetric.dask.transform(make_pipeline(fitted[TripletMetricTransformer]), in_blocks()[0])
    with pytest.raises(ValueError, match="63 features"):
        skmetric.dask.transform(fitted[TripletMetricTransformer], in_blocks()[0][:, 1:])


def test_names_of_columns_are_compared_at_once():
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"])
    model = TripletMetricTransformer(2, max_iter=1).fit(frame, Y)
    with pytest.raises(ValueError, match="feature names should match"):
        skmetric.dask.transform(model, dd.from_pandas(frame[["a", "c", "b"]], npartitions=2))


@pytest.mark.parametrize("Estimator, name, shape", CASES)
def test_a_result_is_that_of_the_model_when_it_was_asked_for(Estimator, name, shape, fitted):
    model = clone(fitted[Estimator]).fit(X, Y)
    expected = getattr(model, name)(X)
    result = getattr(skmetric.dask, name)(model, in_blocks()[0])
    model.partial_fit(X, (Y + 1) % 10).fit(X, (Y + 1) % 10)
    assert_same_results(result.compute(scheduler="synchronous"), expected)


@pytest.mark.parametrize("Estimator", [TripletMetricTransformer, SoftmaxMLPClassifier])
def test_embeddings_are_an_array_whatever_transform_returns(Estimator, fitted):
    model = clone(fitted[Estimator]).fit(X, Y)
    expected = model.transform(X)
    model.set_output(transform="pandas")
    result = skmetric.dask.transform(model, in_blocks()[0])
    assert_same_results(result.compute(scheduler="synchronous"), expected)
    assert_same_results(result[:2].compute(scheduler="synchronous"), expected[:2])
    assert isinstance(model.transform(X), pd.DataFrame)
