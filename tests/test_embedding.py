import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from shared import X, Y, assert_same_parameters, over_seeds
from shared import each_transformer as each
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    TripletMetricTransformer,
)
from skmetric.losses import MINERS

FOLDS = StratifiedKFold(3)  # the rows are sorted by class
pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

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


@pytest.fixture
def triplet(small):
    return lambda **parameters: small(TripletMetricTransformer, **parameters)


def forward(model, rows, activation="relu"):
    """The embedding in plain NumPy."""
    for W, b in zip(model.coefs_, model.intercepts_):
        rows = rows @ W + b
        if W is not model.coefs_[-1]:
            rows = HIDDEN[activation](rows)
    return rows


def distances(Z, others):
    return np.linalg.norm(Z[:, np.newaxis] - others, axis=2)


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
@over_seeds()
def test_normalize_is_part_of_validation(Estimator, small):
    # Rows of each class point in one direction; only their lengths mix them up.
    lengths, labels = np.geomspace(1e-9, 1e9, 200), np.arange(200) % 2
    rows = lengths[:, np.newaxis] * np.array([[1.0, 0.8], [0.8, 1.0]])[labels]
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
@over_seeds()
def test_score_is_leave_one_out_recall_at_1(Estimator, normalize, small, seed):
    rng = np.random.default_rng(seed)
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
    with pytest.raises(ValueError, match="label"):
        small(Estimator).fit(X, Y).score(X[:3], [0, 1, 2])


@each
@over_seeds()
def test_grid_search_goes_by_the_score(Estimator, small):
    name = SCALES[Estimator]
    search = GridSearchCV(small(Estimator), {name: [0.01, 1.0, 100.0]}, cv=FOLDS).fit(X, Y)
    best = search.best_estimator_
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.score(X, Y) == best.score(X, Y)
    assert getattr(best, name) == search.best_params_[name]
    assert 0.5 < search.best_score_ <= 1


@each
@over_seeds()
def test_neighbours_in_a_pipeline(Estimator, small):
    train, test, train_labels, test_labels = train_test_split(X, Y, stratify=Y, random_state=0)
    pipeline = make_pipeline(StandardScaler(), small(Estimator, max_iter=30), KNeighborsClassifier(3))
    assert pipeline.fit(train, train_labels).score(test, test_labels) > 0.8


@each
@over_seeds()
def test_grid_search_around_a_pipeline(Estimator, small):
    steps = [("embedding", small(Estimator)), ("neighbours", KNeighborsClassifier())]
    grid = {"embedding__hidden_layer_sizes": [(), (8,)], "neighbours__n_neighbors": [1, 5]}
    search = GridSearchCV(Pipeline(steps), grid, cv=FOLDS).fit(X, Y)
    assert search.best_score_ > 0.8


@each
@over_seeds()
def test_cross_validation_goes_by_the_score(Estimator, small):
    scores = cross_val_score(small(Estimator, max_iter=30), X, Y, cv=FOLDS)
    assert scores.shape == (3,)
    assert scores.mean() > 0.85


@each
@over_seeds()
def test_training_beats_the_raw_rows(Estimator, small, seed):
    rng = np.random.default_rng(seed)
    rows, labels = make_blobs(300, centers=5, n_features=4, cluster_std=1.0, random_state=1)
    noisy = np.hstack([rows, 10 * rng.normal(size=(300, 20))])
    model = small(Estimator, hidden_layer_sizes=(), max_iter=30).fit(noisy[:200], labels[:200])
    raw = recall_at_1(noisy[200:], labels[200:])
    assert model.score(noisy[200:], labels[200:]) > raw + 0.2


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
