"""Arrays of PyTorch and array-api-strict: they are taken, and results are given back, as they are."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import array_api_strict
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from shared import X, Y, each, each_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric._array_api import to_numpy
from skmetric.metrics import recall_at_k
from skmetric.pairs import make_pairs
from skmetric.verification import PairVerifier

ROWS = X.astype(np.float32)
METHODS = ["transform", "predict", "predict_proba", "predict_log_proba", "decision_function"]


def tensor(rows):
    return pytest.importorskip("torch").asarray(rows)


def strict(rows):
    return array_api_strict.asarray(rows)


def strict_elsewhere(rows):
    """On a device that NumPy cannot read."""
    return array_api_strict.asarray(rows, device=array_api_strict.Device("device1"))


@pytest.fixture
def dispatch():
    """Arrays keep their library, where the installed versions can do that."""
    try:
        sklearn.set_config(array_api_dispatch=True)
    except ImportError as reason:
        pytest.skip(f"not with the installed scikit-learn or SciPy: {reason}")
    yield
    sklearn.set_config(array_api_dispatch=False)


libraries = pytest.mark.parametrize("library", [tensor, strict, strict_elsewhere])


def check(result, rows, expected):
    """The same numbers in the library, on the device and of the dtype that they should have."""
    assert type(result) is type(rows)
    assert result.device == rows.device
    assert to_numpy(result).dtype == expected.dtype
    assert_array_equal(to_numpy(result), expected)


@each
@libraries
def test_methods_give_the_library_of_the_rows(Estimator, library, dispatch, small):
    model = small(Estimator).fit(ROWS, Y)
    rows = library(ROWS)
    methods = [method for method in METHODS if hasattr(model, method)]
    assert "transform" in methods
    for method in methods:
        check(getattr(model, method)(rows), rows, getattr(model, method)(ROWS))


@each_transformer
@libraries
def test_distances_are_in_the_library_of_the_rows(Estimator, library, dispatch, small):
    model = small(Estimator).fit(ROWS, Y)
    rows = library(ROWS)
    check(model.pairwise_distance(rows), rows, model.pairwise_distance(ROWS))
    # Rows of two libraries: the first decides.
    check(model.pairwise_distance(rows, ROWS[:5]), rows, model.pairwise_distance(ROWS, ROWS[:5]))
    pairs, _ = make_pairs(Y, 20, rng=0)
    expected = model.pair_distance(pairs, X=ROWS)
    check(model.pair_distance(pairs, X=rows), rows, expected)
    check(model.pair_distance(library(pairs), X=rows), rows, expected)
    check(model.pair_distance(library(ROWS[pairs])), rows, model.pair_distance(ROWS[pairs]))
    check(model.pair_score(pairs, X=rows), rows, -expected)


@each
@libraries
def test_training_is_the_same_with_rows_of_any_library(Estimator, library, dispatch, small):
    expected = small(Estimator).fit(ROWS, Y)
    model = small(Estimator).fit(library(ROWS), library(Y))
    for W, known in zip(model.coefs_, expected.coefs_):
        assert isinstance(W, np.ndarray)
        assert_array_equal(W, known)
    assert_array_equal(model.classes_, expected.classes_)
    # scikit-learn averages the hits of a classifier in float32 where the library of the labels does.
    assert model.score(library(ROWS), library(Y)) == pytest.approx(expected.score(ROWS, Y))


@libraries
def test_a_stream_may_be_of_any_library(library, dispatch, small):
    weights = np.random.default_rng(0).random(len(Y))
    expected = small(SoftmaxMLPClassifier).partial_fit(ROWS, Y, np.unique(Y), weights)
    model = small(SoftmaxMLPClassifier)
    model.partial_fit(library(ROWS), library(Y), library(np.unique(Y)), library(weights))
    assert_array_equal(model.coefs_[0], expected.coefs_[0])


@libraries
def test_tuples_may_be_of_any_library(library, dispatch, small):
    triplets = np.stack([ROWS[:40], ROWS[1:41], ROWS[-40:]], axis=1)
    expected = small(TripletMetricTransformer).fit_triplets(triplets)
    model = small(TripletMetricTransformer).fit_triplets(library(triplets))
    assert_array_equal(model.coefs_[0], expected.coefs_[0])


@libraries
def test_labels_that_are_text_stay_in_numpy(library, dispatch, small):
    words = np.array(["no", "yes", "perhaps"])[Y]
    model = small(SoftmaxMLPClassifier).fit(library(ROWS), words)
    labels = model.predict(library(ROWS))
    assert isinstance(labels, np.ndarray)
    assert_array_equal(labels, model.predict(ROWS))
    assert model.score(library(ROWS), words) == model.score(ROWS, words)


@libraries
def test_measures_and_verification_take_any_library(library, dispatch, small):
    model = small(TripletMetricTransformer).fit(ROWS, Y)
    Z = model.transform(ROWS)
    assert recall_at_k(library(Z), library(Y)) == recall_at_k(Z, Y)
    pairs, same = make_pairs(Y, 40, rng=0)
    verifier = PairVerifier(model).fit(library(pairs), library(same), X=library(ROWS))
    assert verifier.threshold_ == PairVerifier(model).fit(pairs, same, X=ROWS).threshold_


def test_a_tensor_is_read_where_it_lies(dispatch):
    assert np.shares_memory(to_numpy(tensor(ROWS)), ROWS)


def test_without_dispatch_results_are_of_numpy(small):
    model = small(TripletMetricTransformer).fit(ROWS, Y)
    Z = model.transform(strict(ROWS))
    assert isinstance(Z, np.ndarray)
    assert_array_equal(Z, model.transform(ROWS))


def test_a_sparse_matrix_gives_numpy(dispatch, small):
    model = small(TripletMetricTransformer).fit(ROWS, Y)
    Z = model.transform(csr_array(ROWS))
    assert isinstance(Z, np.ndarray)
    assert_array_equal(Z, model.transform(ROWS))


def test_the_features_of_an_array_are_counted(dispatch, small):
    model = small(TripletMetricTransformer).fit(ROWS, Y)
    with pytest.raises(ValueError, match="expecting 4 features"):
        model.transform(strict(ROWS[:, :3]))


def test_the_code_of_the_documentation_runs(dispatch, monkeypatch, small):
    page = (Path(__file__).parents[1] / "docs" / "export.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```{code-block} python\n(.*?)```", page, flags=re.DOTALL)
    try:
        import torch
    except ImportError:
        # Has `asarray`, and no array is a tensor.
        torch = SimpleNamespace(asarray=array_api_strict.asarray, Tensor=())
        monkeypatch.setitem(sys.modules, "torch", torch)
    model = make_pipeline(StandardScaler(), small(TripletMetricTransformer)).fit(ROWS, Y)
    found = {"X_test": ROWS, "model": model}
    exec(code, found)
    check(found["Z"], torch.asarray(ROWS), model[1].transform(ROWS))
    check(found["D"], torch.asarray(ROWS), model[1].pairwise_distance(ROWS))
