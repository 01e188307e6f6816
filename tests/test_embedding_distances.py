import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from shared import X, Y
from shared import each_transformer as each
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    TripletMetricTransformer,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

# By what each knows how far apart classes shall be.
SCALES = {
    TripletMetricTransformer: "margin",
    ContrastiveMetricTransformer: "negative_margin",
    NeighborhoodMetricTransformer: "temperature",
}


@pytest.fixture
def triplet(small):
    return lambda **parameters: small(TripletMetricTransformer, **parameters)


def distances(Z, others):
    return np.linalg.norm(Z[:, np.newaxis] - others, axis=2)


# --- distances ----------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("normalize", [False, True])
def test_distances_are_those_of_the_embeddings(Estimator, dtype, normalize, small):
    rows = X.astype(dtype)
    model = small(Estimator, normalize=normalize).fit(rows, Y)
    Z = model.transform(rows).astype(float)
    D = model.pairwise_distance(rows)
    assert_allclose(D, distances(Z, Z), rtol=1e-4, atol=1e-5)
    assert_allclose(model.pairwise_distance(rows, rows[:20]), distances(Z, Z[:20]), rtol=1e-4, atol=1e-5)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("squared", [False, True])
def test_distances_of_rows_among_themselves_are_a_semimetric(Estimator, dtype, squared, small):
    rows = np.vstack([X, X[:30]]).astype(dtype)  # with duplicates
    model = small(Estimator).fit(X.astype(dtype), Y)
    D = model.pairwise_distance(rows, squared=squared)
    assert_array_equal(D, D.T)
    assert_array_equal(np.diag(D), 0)
    assert (D >= 0).all()


@each
def test_distances_are_the_same_however_many_rows_are_taken_at_a_time(Estimator, small, monkeypatch):
    model = small(Estimator).fit(X, Y)
    D = model.pairwise_distance(X)
    monkeypatch.setattr("skmetric._embedding.BLOCK", 32)
    in_blocks = model.pairwise_distance(X)
    assert_allclose(in_blocks, D, rtol=1e-6, atol=1e-7)
    assert_array_equal(in_blocks, in_blocks.T)
    assert_array_equal(np.diag(in_blocks), 0)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e4, 1e7])
@pytest.mark.parametrize("squared", [False, True])
def test_distances_are_as_exact_as_those_of_pairs(Estimator, dtype, offset, squared, small):
    """Far from the origin, rows of float32 keep few digits, but their distances keep all."""
    rng = np.random.default_rng(0)
    rows = (offset + np.repeat(rng.normal(size=(30, 4)), 2, axis=0)).astype(dtype)
    rows[1::2] *= 1 + np.finfo(dtype).eps * rng.integers(1, 9, (30, 4)).astype(dtype)
    model = small(Estimator).fit(X.astype(dtype), Y)
    first, second = rows[:25], rows[25:]
    left, right = np.divmod(np.arange(25 * 35), 35)
    # Embedded together, so that no row has other last bits in one of the two.
    Z = model.transform(rows).astype(float)
    expected = np.sqrt(((Z[:25, np.newaxis] - Z[25:]) ** 2).sum(axis=2))
    of_pairs = model.pair_distance(np.stack([left, 25 + right], axis=1), X=rows).reshape(25, 35)
    assert_allclose(of_pairs, expected, rtol=1e-6)
    D = model.pairwise_distance(rows, squared=squared)[:25, 25:]
    assert_allclose(D, expected**2 if squared else expected, rtol=4 * np.finfo(dtype).eps, atol=1e-300)
    last_bits = 8 * np.finfo(dtype).eps * np.abs(Z).max()
    two = model.pairwise_distance(first, second)
    assert_allclose(two, expected, atol=last_bits, rtol=4 * np.finfo(dtype).eps)


@each
def test_the_metric_of_a_data_frame_is_silent(Estimator, small):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = small(Estimator).fit(frame, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metric = model.get_metric()
        assert metric(X[0], X[100]) == pytest.approx(model.pairwise_distance(frame)[0, 100], rel=1e-6)
        NearestNeighbors(metric=metric, algorithm="brute").fit(X[:20]).kneighbors(X[:5])
        model.pair_distance(np.stack([X[:3], X[3:6]], axis=1))
    assert list(model.feature_names_in_) == ["a", "b", "c", "d"]
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.transform(X)


@each
def test_distances_keep_the_triangle_inequality(Estimator, small):
    D = small(Estimator).fit(X, Y).pairwise_distance(X[::10])
    assert (D[:, np.newaxis] <= D[:, :, np.newaxis] + D[np.newaxis] + 1e-9).all()


@each
def test_squared_distances_are_the_squares(Estimator, small):
    model = small(Estimator).fit(X, Y)
    for others in (None, X[:20]):
        D = model.pairwise_distance(X, others)
        assert_allclose(model.pairwise_distance(X, others, squared=True), D**2, rtol=1e-9)


@each
def test_distances_of_rows_of_other_kinds(Estimator, small):
    model = small(Estimator).fit(X, Y)
    D = model.pairwise_distance(X, X[:20])
    assert_array_equal(model.pairwise_distance(sparse.csr_array(X), sparse.csr_array(X[:20])), D)
    assert_array_equal(model.pairwise_distance(X.tolist(), X[:20].tolist()), D)


@each
def test_distances_of_pairs_are_the_entries(Estimator, small):
    model = small(Estimator).fit(X, Y)
    i, j = np.random.default_rng(0).integers(0, 150, (2, 40))
    pairs = np.stack([X[i], X[j]], axis=1)
    d = model.pair_distance(pairs)
    assert d.shape == (40,)
    assert_allclose(d, model.pairwise_distance(X)[i, j], rtol=1e-6, atol=1e-7)
    assert_array_equal(model.pair_score(pairs), -d)
    assert_array_equal(model.pair_distance(pairs[:, ::-1]), d)
    assert_array_equal(model.pair_distance(pairs.tolist()), d)


@each
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, pd.DataFrame])
def test_pairs_may_be_numbers_of_rows(Estimator, form, small):
    model = small(Estimator).fit(form(X), Y)
    pairs = np.random.default_rng(0).integers(0, 150, (40, 2))
    d = model.pair_distance(pairs, X=form(X))
    # Only the rows that occur are embedded, and how a product rounds depends on its number of rows.
    difference = np.diff(model.transform(form(X))[pairs], axis=1)[:, 0]
    assert_allclose(d, np.linalg.norm(difference, axis=1), rtol=1e-6, atol=1e-7)
    assert_array_equal(model.pair_score(pairs, X=form(X)), -d)
    with pytest.raises(ValueError, match="row numbers"):
        model.pair_distance(pairs + 1000, X=form(X))


@each
def test_the_metric_is_the_distance_of_a_pair(Estimator, small):
    model = small(Estimator).fit(X, Y)
    metric = model.get_metric()
    d = metric(X[0], X[80])
    assert isinstance(d, float)
    assert d == metric(X[80], X[0]) == model.pair_distance([[X[0], X[80]]])[0]
    assert metric(X[0], X[80], squared=True) == pytest.approx(d**2)
    assert metric(X[0], X[0]) == 0
    assert metric(list(X[0]), list(X[80])) == d


@each
@pytest.mark.parametrize("then", ["fit", "partial_fit", "set_params", "fit other width", "warm fit"])
def test_the_metric_keeps_its_model(Estimator, then, small):
    model = small(Estimator, warm_start=then == "warm fit").fit(X, Y)
    metric = model.get_metric()
    before = metric(X[0], X[80])
    if then == "fit other width":
        model.fit(X[:, :2], Y)
    elif then == "set_params":
        model.set_params(normalize=True, activation="tanh")
    else:
        getattr(model, then.removeprefix("warm "))(X, Y)
    assert metric(X[0], X[80]) == before


@each
def test_the_metric_serves_neighbours(Estimator, small):
    model = small(Estimator).fit(X, Y)
    some = slice(None, None, 5)
    by_metric = KNeighborsClassifier(3, metric=model.get_metric(), algorithm="brute").fit(
        X[some], Y[some]
    )
    by_embedding = KNeighborsClassifier(3).fit(model.transform(X[some]), Y[some])
    assert_array_equal(by_metric.predict(X[:10]), by_embedding.predict(model.transform(X[:10])))


WRONG_PAIRS = {
    "a triplet": np.zeros((5, 3, 4)),
    "one row": np.zeros((5, 1, 4)),
    "two dimensions": np.zeros((5, 4)),
    "four dimensions": np.zeros((5, 2, 2, 2)),
    "another width": np.zeros((5, 2, 3)),
    "NaN": np.full((5, 2, 4), np.nan),
    "no pair": np.zeros((0, 2, 4)),
}


@each
@pytest.mark.parametrize("pairs", WRONG_PAIRS.values(), ids=WRONG_PAIRS.keys())
def test_wrong_pairs_are_refused(Estimator, pairs, small):
    model = small(Estimator).fit(X, Y)
    for method in (model.pair_distance, model.pair_score):
        with pytest.raises(ValueError):
            method(pairs)


@each
@pytest.mark.parametrize("shape", [(5, 3, 4), (5, 4), (5, 2, 2, 2)])
def test_the_shape_of_pairs_is_named(Estimator, shape, small):
    with pytest.raises(ValueError, match=r"\(n, 2, n_features\)"):
        small(Estimator).fit(X, Y).pair_distance(np.zeros(shape))


@each
@pytest.mark.parametrize("method", ["pairwise_distance", "pair_distance", "pair_score", "transform"])
def test_there_are_no_distances_before_fit(Estimator, method, small):
    with pytest.raises(NotFittedError):
        getattr(small(Estimator), method)(X)


@each
@pytest.mark.parametrize("method", ["get_metric", "get_mahalanobis_matrix", "get_feature_names_out"])
def test_there_is_no_metric_before_fit(Estimator, method, small):
    with pytest.raises(NotFittedError):
        getattr(small(Estimator), method)()


# --- Mahalanobis --------------------------------------------------------------------------------------

LINEAR = {
    "no hidden layer": {"hidden_layer_sizes": ()},
    "a linear hidden layer": {"hidden_layer_sizes": (3,), "activation": "identity"},
    "linear hidden layers": {"hidden_layer_sizes": (5, 3, 6), "activation": "identity"},
}
each_linear = pytest.mark.parametrize("settings", LINEAR.values(), ids=LINEAR.keys())


@each
@each_linear
def test_the_mahalanobis_matrix_gives_the_distances(Estimator, settings, small):
    model = small(Estimator, **settings).fit(X, Y)
    M = model.get_mahalanobis_matrix()
    differences = X[:40] - X[60:100]
    d2 = np.einsum("ni,ij,nj->n", differences, M, differences)
    pairs = np.stack([X[:40], X[60:100]], axis=1)
    assert_allclose(np.sqrt(d2), model.pair_distance(pairs), rtol=1e-6)


@each
@each_linear
def test_the_mahalanobis_matrix_is_positive_semi_definite(Estimator, settings, small):
    M = small(Estimator, **settings).fit(X, Y).get_mahalanobis_matrix()
    assert M.shape == (4, 4)
    assert_allclose(M, M.T)
    assert np.linalg.eigvalsh(M).min() > -1e-12 * np.abs(M).max()


@each
@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_layer_sizes": (8,)},
        {"hidden_layer_sizes": (8,), "activation": "tanh"},
        {"hidden_layer_sizes": (), "normalize": True},
        {"hidden_layer_sizes": (8,), "activation": "identity", "normalize": True},
    ],
    ids=str,
)
def test_only_linear_embeddings_have_a_mahalanobis_matrix(Estimator, settings, small):
    with pytest.raises(AttributeError, match="linear"):
        small(Estimator, **settings).fit(X, Y).get_mahalanobis_matrix()


def test_the_square_of_a_distance_may_be_too_large(small):
    model = small(ContrastiveMetricTransformer, hidden_layer_sizes=()).fit(X, Y)
    model.coefs_ = [1e200 * W for W in model.coefs_]
    metric = model.get_metric()
    assert 1e180 < metric(X[0], X[100]) < np.inf
    with pytest.raises(ValueError, match=r"The square of the distance .* is larger than any float64"):
        metric(X[0], X[100], squared=True)
