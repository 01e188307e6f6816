"""Rows with few values that are not 0: the first layer multiplies them as they are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from shared import assert_same_model, each
from threadpoolctl import threadpool_limits

from skmetric import TripletMetricTransformer, _blas_threads
from skmetric._engine.network import Network
from skmetric._engine.sparse_rows import THIN, WIDE, SparseRows, SparseWeightGradient, is_thin
from skmetric._engine.standardization import AS_THEY_COME, Standardization

pytestmark = pytest.mark.filterwarnings("ignore:The embedding collapses")

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 400)
TOPICS = RNG.dirichlet(np.full(600, 0.05), 4)
COUNTS = sparse.csr_array(RNG.poisson(6 * (0.8 * TOPICS[Y] + 0.2 / 600)).astype(np.int32))
DENSE = COUNTS.toarray().astype(np.float32)

SETTINGS = [
    {},
    {"solver": "sgd"},
    {"solver": "sgd", "momentum": 0.0, "alpha": 0.01},
    {"standardize": "features"},
    {"standardize": False},
    {"batch_norm": True, "hidden_layer_sizes": (8,)},
    {"n_networks": 2},
    {"early_stopping": True},
    {"dropout": 0.3},
    {"hidden_layer_sizes": ()},
]


def test_these_rows_are_thin():
    assert is_thin(COUNTS)
    assert not is_thin(DENSE)


def test_rows_are_thin_if_they_have_few_values_and_many_features():
    def filled(n, n_features):
        values = np.ones(n, np.float32), (np.zeros(n, int), np.arange(n))
        return sparse.csr_array(values, shape=(1, n_features))

    assert is_thin(filled(int(THIN * 1000), 1000))
    assert not is_thin(filled(int(THIN * 1000) + 1, 1000))
    assert is_thin(filled(1, WIDE))
    assert not is_thin(filled(1, WIDE - 1))


@each
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_thin_rows_train_as_dense_ones(Estimator, settings, small, outputs):
    settings = {"learning_rate_init": 1e-4} | settings
    thin, dense = (small(Estimator, **settings).fit(rows, Y) for rows in (COUNTS, DENSE))
    assert thin.coefs_[0].dtype == np.float32
    assert_allclose(thin.loss_curve_, dense.loss_curve_, rtol=1e-3)
    scale = np.abs(outputs(dense, DENSE)).max()
    assert_allclose(outputs(thin, COUNTS), outputs(dense, DENSE), rtol=0.01, atol=0.01 * scale)
    assert_allclose(outputs(thin, COUNTS), outputs(thin, DENSE), rtol=1e-4, atol=1e-5 * scale)


@each
@pytest.mark.parametrize("settings", [{"adversarial": 0.1}, {"input_dropout": 0.1}], ids=str)
def test_what_changes_the_input_makes_rows_dense(Estimator, settings, small):
    thin, dense = (small(Estimator, **settings).fit(rows, Y) for rows in (COUNTS, DENSE))
    assert_same_model(thin, dense)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_centred", [True, False])
def test_the_first_layer_multiplies_sparse_rows(dtype, is_centred):
    mean, factor = RNG.random((2, 600)).astype(dtype)
    standardization = Standardization(mean, factor) if is_centred else AS_THEY_COME
    W = RNG.normal(size=(600, 5)).astype(dtype)
    network = Network([W], [np.zeros(5, dtype)], "identity", 30, standardization=standardization)
    rows = np.arange(30)
    batch = network.gather(COUNTS, rows)
    assert isinstance(batch, SparseRows) and batch.S.dtype == dtype
    expected = DENSE[rows].astype(dtype)
    standardization.apply(expected)
    rtol = 1e-4 if dtype == np.float32 else 1e-10
    assert_allclose(network.forward(batch), expected @ W, rtol=rtol, atol=rtol)
    delta = RNG.normal(size=(30, 5)).astype(dtype)
    network.backward(delta)
    features = slice(100, 400)
    gradient = SparseWeightGradient(network.batch, features, delta)
    for alpha, beta in [(1.0, 0.0), (0.5, 1.0), (-2.0, 0.3)]:
        out = RNG.normal(size=(300, 5)).astype(dtype)
        found = beta * out + alpha * (expected[:, features].T @ delta)
        gradient.add_to(out, alpha, beta)
        assert_allclose(out, found, rtol=rtol, atol=10 * rtol)


def test_values_of_the_matrix_do_not_change(small):
    rows = COUNTS.astype(np.float64)
    before = rows.copy()
    small(TripletMetricTransformer).fit(rows, Y).transform(rows)
    assert_array_equal(rows.data, before.data)


@each
def test_threads_do_not_change_a_bit(Estimator, small, monkeypatch):
    monkeypatch.setattr(_blas_threads, "n_cpus", lambda: 64)
    wide = sparse.csr_array(sparse.random(400, 3000, density=0.01, random_state=0))
    models = []
    for n_threads in (1, 3):
        with threadpool_limits(n_threads, user_api="blas"):
            models.append(small(Estimator, hidden_layer_sizes=(64,), max_iter=2).fit(wide, Y))
    assert_same_model(*models)
