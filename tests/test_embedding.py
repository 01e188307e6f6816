import re
import warnings
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    TripletMetricTransformer,
)
from skmetric.losses import MINERS

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

X, Y = load_iris(return_X_y=True)
HIDDEN = {
    "relu": lambda A: np.maximum(A, 0),
    "tanh": np.tanh,
    "logistic": expit,
    "identity": lambda A: A,
}
# By what each knows how far apart classes shall be.
SCALES = {
    TripletMetricTransformer: "margin",
    ContrastiveMetricTransformer: "negative_margin",
    NeighborhoodMetricTransformer: "temperature",
}
TRANSFORMERS = list(SCALES)
each = pytest.mark.parametrize("Estimator", TRANSFORMERS)


@pytest.fixture
def triplet(small):
    return lambda **parameters: small(TripletMetricTransformer, **parameters)


@pytest.fixture
def contrastive(small):
    return lambda **parameters: small(ContrastiveMetricTransformer, **parameters)


def forward(model, rows, activation="relu"):
    """The embedding in plain NumPy."""
    for W, b in zip(model.coefs_, model.intercepts_):
        rows = rows @ W + b
        if W is not model.coefs_[-1]:
            rows = HIDDEN[activation](rows)
    return rows


def distances(Z, others):
    return np.linalg.norm(Z[:, np.newaxis] - others, axis=2)


def assert_same_parameters(model, other):
    for W, V in zip([*model.coefs_, *model.intercepts_], [*other.coefs_, *other.intercepts_]):
        assert_array_equal(W, V)


# --- transform ----------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
def test_transform_is_the_network_in_plain_arrays(Estimator, activation, hidden, small):
    model = small(Estimator, activation=activation, hidden_layer_sizes=hidden).fit(X, Y)
    assert_allclose(model.transform(X), forward(model, X, activation), rtol=1e-9, atol=1e-12)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalize_puts_embeddings_on_the_unit_sphere(Estimator, dtype, small):
    model = small(Estimator, normalize=True).fit(X.astype(dtype), Y)
    Z = model.transform(X.astype(dtype))
    assert Z.dtype == dtype
    assert_allclose(np.linalg.norm(Z, axis=1), 1, rtol=1e-5)
    assert_allclose(Z, forward(model, X) / np.linalg.norm(forward(model, X), axis=1)[:, None], atol=1e-4)


@each
@pytest.mark.parametrize("factor", [1e-30, 1e-10, 1e10, 1e30])
def test_embeddings_of_any_length_are_put_on_the_unit_sphere(Estimator, factor, small):
    model = small(Estimator, normalize=True, hidden_layer_sizes=()).fit(X.astype(np.float32), Y)
    model.coefs_[0] *= np.float32(factor)
    model.intercepts_[0] *= np.float32(factor)
    assert_allclose(np.linalg.norm(model.transform(X), axis=1), 1, rtol=1e-5)


@each
def test_an_embedding_at_the_origin_stays_there(Estimator, small):
    model = small(Estimator, normalize=True).fit(X, Y)
    model.coefs_[-1][...] = 0
    model.intercepts_[-1][...] = 0
    assert_array_equal(model.transform(X), np.zeros((150, 4)))


@each
def test_normalize_is_part_of_training(Estimator, small):
    plain, normalized = (small(Estimator, normalize=normalize).fit(X, Y) for normalize in (False, True))
    assert not np.allclose(plain.coefs_[0], normalized.coefs_[0])


@each
def test_normalize_is_part_of_validation(Estimator, small):
    # Rows of each class point in one direction; only their lengths mix them up.
    lengths, labels = np.geomspace(1e-3, 1e3, 200), np.arange(200) % 2
    rows = lengths[:, np.newaxis] * np.array([[1.0, 0.2], [0.2, 1.0]])[labels]
    settings = {"hidden_layer_sizes": (), "early_stopping": True, "learning_rate": lambda epoch: 0.0}
    plain, normalized = (
        small(Estimator, solver="sgd", normalize=normalize, **settings).fit(rows, labels)
        for normalize in (False, True)
    )
    assert plain.best_validation_score_ < 1
    assert normalized.best_validation_score_ == 1


@each
@pytest.mark.parametrize("kind", ["dropout", "input_dropout"])
def test_dropout_is_part_of_training_only(kind, Estimator, small):
    model = small(Estimator, **{kind: 0.5}).fit(X, Y)
    assert not np.array_equal(model.coefs_[0], small(Estimator).fit(X, Y).coefs_[0])
    assert_allclose(model.transform(X), forward(model, X), rtol=1e-9, atol=1e-12)


@each
def test_fit_transform_is_fit_and_transform(Estimator, small):
    model = small(Estimator)
    assert_array_equal(clone(model).fit_transform(X, Y), model.fit(X, Y).transform(X))


@each
def test_names_of_the_components(Estimator, small):
    names = small(Estimator, n_components=3).fit(X, Y).get_feature_names_out()
    assert list(names) == [f"{Estimator.__name__.lower()}{i}" for i in range(3)]


@each
@pytest.mark.parametrize("library, Frame", [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_transform_may_give_a_data_frame(Estimator, library, Frame, small):
    model = small(Estimator).fit(X, Y)
    Z = model.transform(X)
    frame = model.set_output(transform=library).transform(X)
    assert isinstance(frame, Frame)
    assert list(frame.columns) == list(model.get_feature_names_out())
    assert_array_equal(np.asarray(frame), Z)
    # Everything else goes on to give arrays.
    assert isinstance(model.pairwise_distance(X), np.ndarray)
    assert isinstance(model.score(X, Y), float)


# --- score --------------------------------------------------------------------------------------------


def recall_at_1(Z, labels):
    D = distances(Z, Z)
    np.fill_diagonal(D, np.inf)
    counted = [i for i in range(len(Z)) if np.sum(labels == labels[i]) > 1]
    return np.mean([labels[D[i].argmin()] == labels[i] for i in counted])


@each
@pytest.mark.parametrize("normalize", [False, True])
def test_score_is_leave_one_out_recall_at_1(Estimator, normalize, small):
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(150) < 0.3, rng.integers(0, 3, 150), Y)
    labels[0] = 9  # has nothing to find
    model = small(Estimator, normalize=normalize, n_components=2).fit(
        X + 0.01 * rng.random(X.shape), labels
    )
    rows = X + 0.01 * rng.random(X.shape)
    expected = recall_at_1(model.transform(rows), labels)
    assert 0.3 < expected < 1
    assert model.score(rows, labels) == pytest.approx(expected, abs=1e-12)


@each
def test_score_takes_labels_that_fit_has_not_seen(Estimator, small):
    model = small(Estimator).fit(X, Y)
    assert model.score(X, np.array(["x", "y", "z"])[Y]) == model.score(X, Y)
    assert model.score(X, pd.Series(Y)) == model.score(X, list(Y)) == model.score(X, Y)


@each
def test_score_needs_two_rows_of_a_class(Estimator, small):
    with pytest.raises(ValueError, match="class"):
        small(Estimator).fit(X, Y).score(X[:3], [0, 1, 2])


@each
def test_grid_search_goes_by_the_score(Estimator, small):
    name = SCALES[Estimator]
    search = GridSearchCV(small(Estimator), {name: [0.01, 1.0, 100.0]}, cv=3).fit(X, Y)
    best = search.best_estimator_
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.score(X, Y) == best.score(X, Y)
    assert getattr(best, name) == search.best_params_[name]
    assert 0.5 < search.best_score_ <= 1


@each
def test_neighbours_in_a_pipeline(Estimator, small):
    train, test, train_labels, test_labels = train_test_split(X, Y, stratify=Y, random_state=0)
    pipeline = make_pipeline(StandardScaler(), small(Estimator, max_iter=30), KNeighborsClassifier(3))
    assert pipeline.fit(train, train_labels).score(test, test_labels) > 0.9


@each
def test_grid_search_around_a_pipeline(Estimator, small):
    steps = [("embedding", small(Estimator)), ("neighbours", KNeighborsClassifier())]
    grid = {"embedding__hidden_layer_sizes": [(), (8,)], "neighbours__n_neighbors": [1, 5]}
    search = GridSearchCV(Pipeline(steps), grid, cv=3).fit(X, Y)
    assert search.best_score_ > 0.8


@each
def test_cross_validation_goes_by_the_score(Estimator, small):
    scores = cross_val_score(small(Estimator, max_iter=30), X, Y, cv=3)
    assert scores.shape == (3,)
    assert scores.mean() > 0.85


@each
def test_training_beats_the_raw_rows(Estimator, small):
    rng = np.random.default_rng(0)
    rows, labels = make_blobs(300, centers=5, n_features=4, cluster_std=1.0, random_state=1)
    noisy = np.hstack([rows, 10 * rng.normal(size=(300, 20))])
    model = small(Estimator, hidden_layer_sizes=(), max_iter=30).fit(noisy[:200], labels[:200])
    raw = recall_at_1(noisy[200:], labels[200:])
    assert model.score(noisy[200:], labels[200:]) > raw + 0.2


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
    assert_array_equal(d, np.linalg.norm(np.diff(model.transform(form(X))[pairs], axis=1)[:, 0], axis=1))
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


# --- partial_fit --------------------------------------------------------------------------------------


@each
def test_blocks_may_bring_new_labels(Estimator, small):
    model = small(Estimator).partial_fit(X[:100], Y[:100])
    assert_array_equal(model.classes_, [0, 1])
    model.partial_fit(X[50:], Y[50:])
    assert_array_equal(model.classes_, [0, 1, 2])
    model.partial_fit(X, Y - 5)
    assert_array_equal(model.classes_, [-5, -4, -3, 0, 1, 2])
    assert model.n_iter_ == 3


@each
def test_classes_may_be_announced(Estimator, small):
    model = small(Estimator).partial_fit(X[:100], Y[:100], classes=[7, 1])
    assert_array_equal(model.classes_, [0, 1, 7])
    assert_same_parameters(model, small(Estimator).partial_fit(X[:100], Y[:100]))


@pytest.mark.filterwarnings("ignore:.*partial_fit got rows of one class only")
@pytest.mark.parametrize("mining", MINERS)
@pytest.mark.parametrize("distance", ["sqeuclidean", "euclidean"])
@pytest.mark.parametrize("normalize", [False, True])
def test_a_block_of_one_class_has_no_triplets(mining, distance, normalize, triplet):
    model = triplet(mining=mining, distance=distance, normalize=normalize, solver="sgd").fit(X, Y)
    before = clone(model).fit(X, Y)
    model.partial_fit(X[:50], Y[:50])
    assert model.loss_ == 0
    assert model.history_[-1]["active_fraction"] == 0
    assert_same_parameters(model, before)


@each
@pytest.mark.filterwarnings("ignore:.*partial_fit got rows of one class only")
@pytest.mark.parametrize("n", [1, 2, 50])
def test_the_first_block_may_be_of_one_class(Estimator, n, small):
    model = small(Estimator).partial_fit(X[:n], Y[:n])
    assert np.isfinite(model.loss_)
    assert np.isfinite(model.transform(X)).all()


@each
@pytest.mark.parametrize("n", [1, 50])
def test_a_block_of_one_class_is_not_called_a_collapse(Estimator, n, small):
    model = small(Estimator, max_iter=20).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*partial_fit got rows of one class only")
        model.partial_fit(X[:n], Y[:n])
    assert model.n_iter_ == 21


@each
@pytest.mark.parametrize("n", [1, 50])
def test_a_block_of_one_class_is_warned_of(Estimator, n, small):
    with pytest.warns(UserWarning, match=f"{Estimator.__name__}.partial_fit got rows of one class only"):
        small(Estimator).partial_fit(X[:n], Y[:n])


@each
def test_a_block_of_several_classes_is_not_warned_of(Estimator, small):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(Estimator).partial_fit(X, Y)


@each
def test_a_block_where_each_row_is_a_class_trains(Estimator, small):
    model = small(Estimator).fit(X, Y).partial_fit(X[:40:8], np.arange(5))
    assert np.isfinite(model.loss_)
    assert np.isfinite(model.transform(X)).all()


# --- losses -------------------------------------------------------------------------------------------

REST = {"normalize": [False, True], "batch_sampler": ["auto", "shuffle", "balanced"]}
OF_TRIPLETS = {
    "mining": list(MINERS),
    "reduction": ["active", "mean", "grid"],
    "distance": ["sqeuclidean", "euclidean"],
    **REST,
}
OF_PAIRS = {
    "reduction": ["active", "mean", "grid"],
    "negative_weight": [0.5, 1],
    "positive_margin": [0, 0.1],
    **REST,
}


def combinations(table):
    return [dict(zip(table, values)) for values in product(*table.values())]


def name_of(settings):
    return "-".join(map(str, settings.values()))


@pytest.mark.parametrize("settings", combinations(OF_TRIPLETS), ids=name_of)
def test_every_triplet_loss_trains(settings, triplet):
    model = triplet(max_iter=2, **settings).fit(X, Y)
    assert np.isfinite(model.transform(X)).all()
    assert np.isfinite(model.loss_curve_).all()
    assert all(0 <= entry["active_fraction"] <= 1 for entry in model.history_)
    assert model.loss_ >= 0


@pytest.mark.parametrize("settings", combinations(OF_PAIRS), ids=name_of)
def test_every_contrastive_loss_trains(settings, contrastive):
    model = contrastive(max_iter=2, **settings).fit(X, Y)
    assert np.isfinite(model.transform(X)).all()
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_ >= 0


STILL = {"learning_rate": lambda epoch: 0.0, "solver": "sgd", "max_iter": 1, "batch_size": 150}


@pytest.mark.parametrize("distance, power", [("sqeuclidean", 2), ("euclidean", 1)])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("reduction", ["active", "mean", "grid"])
def test_the_triplet_loss_is_that_of_all_triplets(distance, power, normalize, reduction, triplet):
    model = triplet(
        distance=distance,
        normalize=normalize,
        reduction=reduction,
        margin=0.7,
        batch_sampler="shuffle",
        **STILL,
    ).fit(X, Y)
    Z = model.transform(X)
    D = distances(Z, Z) ** power
    same = Y[:, np.newaxis] == Y
    positive = same if reduction == "grid" else same & ~np.eye(150, dtype=bool)
    terms = np.maximum(D[:, :, np.newaxis] - D[:, np.newaxis] + 0.7, 0)
    terms *= positive[:, :, np.newaxis] & ~same[:, np.newaxis]
    n_valid = 150 * 49 * 100
    n_terms = {"active": np.count_nonzero(terms > 1e-12), "mean": n_valid, "grid": 150**3}[reduction]
    assert model.loss_ == pytest.approx(terms.sum() / n_terms, rel=1e-6)
    if reduction != "grid":
        share = np.count_nonzero(terms > 1e-12) / n_valid
        assert model.history_[0]["active_fraction"] == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("reduction", ["active", "mean", "grid"])
def test_the_contrastive_loss_is_that_of_all_pairs(normalize, reduction, contrastive):
    model = contrastive(
        positive_margin=0.1,
        negative_margin=2.0,
        negative_weight=0.5,
        normalize=normalize,
        reduction=reduction,
        batch_sampler="shuffle",
        **STILL,
    ).fit(X, Y)
    Z = model.transform(X)
    D = distances(Z, Z) ** 2
    same = Y[:, np.newaxis] == Y
    terms = np.where(same, np.maximum(D - 0.1, 0), 0.5 * np.maximum(2 - D, 0))
    np.fill_diagonal(terms, 0)
    n_active = np.count_nonzero(terms > 1e-12)
    n_terms = {"active": n_active, "mean": 150 * 149, "grid": 150**2}[reduction]
    assert model.loss_ == pytest.approx(terms.sum() / n_terms, rel=1e-6)


@pytest.mark.parametrize("name", MINERS)
def test_mining_may_be_a_rule_of_the_package(name, triplet):
    named, called = (triplet(mining=mining).fit(X, Y) for mining in (name, MINERS[name]))
    assert_same_parameters(named, called)


def all_of_them(D, positive, negative, margin):
    """All violated triplets, listed one by one."""
    active = D[:, :, np.newaxis] + margin > D[:, np.newaxis]
    active &= positive[:, :, np.newaxis] & negative[:, np.newaxis]
    C = active.sum(axis=2, dtype=D.dtype) - active.sum(axis=1, dtype=D.dtype)
    return C, float((positive.sum(axis=1) * negative.sum(axis=1)).sum())


def test_mining_may_be_a_function(triplet):
    named, called = (triplet(mining=mining, batch_size=20).fit(X, Y) for mining in ("all", all_of_them))
    for W, V in zip(named.coefs_, called.coefs_):
        assert_allclose(W, V, rtol=1e-9)


def nothing(D, positive, negative, margin):
    return np.zeros_like(D), 0.0


def test_mining_may_find_nothing(triplet):
    model = triplet(mining=nothing, solver="sgd")
    with pytest.warns(UserWarning, match="Nothing was learned"):
        model.fit(X, Y)
    assert model.loss_curve_ == [0.0] * 3
    assert [entry["active_fraction"] for entry in model.history_] == [0.0] * 3


def test_an_interrupt_within_an_epoch_leaves_a_model(triplet):
    calls = []

    def tired(D, positive, negative, margin):
        calls.append(len(D))
        if len(calls) == 8:
            raise KeyboardInterrupt
        return MINERS["all"](D, positive, negative, margin)

    model = triplet(mining=tired, batch_sampler="shuffle")
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert calls == [32, 32, 32, 32, 22, 32, 32, 32]
    assert model.n_iter_ == len(model.loss_curve_) == 1
    assert np.isfinite(model.transform(X)).all()


@each
def test_the_rate_may_be_a_function(Estimator, small):
    model = small(Estimator, learning_rate=lambda epoch: 1.0).fit(X, Y)
    assert_same_parameters(model, small(Estimator, learning_rate="constant").fit(X, Y))


@each
def test_fewer_terms_are_active_as_training_goes_on(Estimator, small):
    model = small(Estimator, max_iter=30, batch_size=50).fit(X, Y)
    first, last = (model.history_[epoch]["active_fraction"] for epoch in (0, -1))
    assert 0 < last < (0.5 if Estimator is TripletMetricTransformer else 0.9) * first <= 1


def test_the_margin_is_asked_for(triplet):
    narrow, wide = (triplet(margin=margin, max_iter=40).fit(X, Y) for margin in (0.1, 10.0))
    assert wide.pairwise_distance(X).mean() > 2 * narrow.pairwise_distance(X).mean()


@pytest.mark.parametrize("batch_sampler", ["auto", "shuffle", "balanced"])
def test_the_batch_sampler_decides_what_a_batch_holds(batch_sampler, triplet):
    shares = []

    def watching(D, positive, negative, margin):
        shares.append(positive.any(axis=1).mean())
        return MINERS["all"](D, positive, negative, margin)

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(60), 4)
    triplet(mining=watching, batch_sampler=batch_sampler, max_iter=1).fit(
        rng.normal(size=(240, 4)), labels
    )
    # The share of rows that find a positive in their batch of 32.
    assert (np.mean(shares) > 0.95) == (batch_sampler != "shuffle")


@each
@pytest.mark.parametrize("batch_sampler", ["auto", "balanced"])
def test_many_classes_can_be_learned(Estimator, batch_sampler, small):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(60, 10))
    labels = np.repeat(np.arange(60), 4)
    rows = centres[labels] + 0.2 * rng.normal(size=(240, 10))
    model = small(Estimator, batch_sampler=batch_sampler, max_iter=10).fit(rows, labels)
    assert model.loss_ < model.loss_curve_[0]
    if Estimator is TripletMetricTransformer:
        assert model.history_[0]["active_fraction"] > 0


# --- collapse -----------------------------------------------------------------------------------------


def test_pulling_alone_collapses_and_says_so(contrastive):
    pull_only = contrastive(negative_weight=0, positive_margin=0, max_iter=100)
    with pytest.warns(UserWarning, match="collapse") as caught:
        pull_only.fit(X, Y)
    message = str(caught[0].message)
    assert all(re.search(word, message) for word in ("margin", "mining", "learning_rate_init"))
    assert pull_only.pairwise_distance(X).mean() < 0.1


def test_a_collapse_of_triplets_is_said_too(triplet):
    with pytest.warns(UserWarning, match="collapse"):
        model = triplet(mining="hard", distance="sqeuclidean", learning_rate_init=0.05, max_iter=30)
        model.fit(X, np.random.default_rng(0).integers(0, 2, 150))
    assert model.pairwise_distance(X).mean() < 0.2


SORTED = {
    "iris": (X, Y),
    "digits": tuple(part[:300] for part in load_digits(return_X_y=True)),
    "two classes, one after the other": (
        np.vstack([np.random.default_rng(0).normal(size=(256, 5)), 6 + np.zeros((255, 5))]),
        np.repeat([0, 1], [256, 255]),
    ),
}


@each
@pytest.mark.parametrize("rows, labels", SORTED.values(), ids=SORTED.keys())
def test_a_healthy_fit_does_not_warn(Estimator, rows, labels, small):
    model = small(Estimator, max_iter=60, **{SCALES[Estimator]: 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(rows / rows.max(), labels)
    assert model.score(rows / rows.max(), labels) > 0.9


@each
def test_batches_that_teach_nothing_are_warned_of(Estimator, small):
    with pytest.warns(UserWarning, match="batch_sampler"):
        small(Estimator, batch_sampler="shuffle", batch_size=1).fit(X, Y)
