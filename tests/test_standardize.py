"""`standardize`: an affine map of the input that becomes part of the weights."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from shared import X, Y, assert_same_model, assert_same_parameters, each, over_seeds, parameters_of
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler

from skmetric import ContrastiveMetricTransformer, SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric._engine.network import Network, outputs
from skmetric._engine.standardization import FACTORS, standardization_of

# ROWS are drowned by a feature, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:.* of the variance of X")
KINDS = list(FACTORS)
each_kind = pytest.mark.parametrize("kind", KINDS)
ROWS = X * [1.0, 10.0, 0.1, 1000.0] + [5.0, -3.0, 0.0, 1e4]


def standardized(rows, kind):
    """By the definition."""
    centred = rows - rows.mean(axis=0)
    deviations, ranges = centred.std(axis=0), np.ptp(rows, axis=0)
    if kind == "auto":
        kind = "features" if ranges.max() > 30 * ranges.min() else "common"
    return centred / (deviations if kind == "features" else np.sqrt(np.mean(deviations**2)))


@each
@each_kind
def test_training_is_that_on_standardised_rows(Estimator, kind, small, outputs):
    settings = {"batch_size": 40}
    model = small(Estimator, standardize=kind, **settings).fit(ROWS, Y)
    expected = small(Estimator, **settings).fit(standardized(ROWS, kind), Y)
    assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-6)
    assert_allclose(
        outputs(model, ROWS), outputs(expected, standardized(ROWS, kind)), rtol=1e-5, atol=1e-6
    )


@each
@each_kind
def test_nothing_remains_at_inference(Estimator, kind, small, outputs):
    model = small(Estimator, standardize=kind).fit(ROWS, Y)
    H = ROWS
    for W, b in zip(model.coefs_, model.intercepts_):
        H = H @ W + b
        if W is not model.coefs_[-1]:
            H = np.maximum(H, 0)
    Z = outputs(model, ROWS)
    assert_allclose(Z, H, rtol=1e-9, atol=1e-9)


@each
@each_kind
@pytest.mark.parametrize("scale, offset", [(1 / 255, 0.0), (1000.0, 1e4), (1e-150, 0.0), (1e100, 0.0)])
def test_a_common_scale_and_offset_do_not_matter(Estimator, kind, scale, offset, small, outputs):
    model = small(Estimator, standardize=kind)
    Z = outputs(clone(model).fit(X, Y), X)
    assert_allclose(
        outputs(model.fit(scale * X + offset, Y), scale * X + offset), Z, rtol=1e-5, atol=1e-6
    )


@each
def test_units_of_features_do_not_matter_if_each_has_its_scale(Estimator, small, outputs):
    units = np.array([1e-6, 1.0, 1e3, 1e9])
    model = small(Estimator, standardize="features")
    Z = outputs(clone(model).fit(X, Y), X)
    assert_allclose(outputs(model.fit(units * X, Y), units * X), Z, rtol=1e-5, atol=1e-6)


@each
@pytest.mark.parametrize("largest, kind", [(29.0, "common"), (31.0, "features")])
def test_auto_tells_mixed_units_from_a_common_one(Estimator, largest, kind, small):
    rows = np.random.default_rng(0).normal(size=(150, 4))
    rows /= np.ptp(rows, axis=0)
    rows *= [largest, 1.0, 1.0, 5.0]
    model = small(Estimator, standardize="auto").fit(rows, Y)
    assert_same_model(model, small(Estimator, standardize=kind).fit(rows, Y))


def factors(rows, kind="auto", weights=None, dtype=np.float64):
    weights = np.ones(len(rows)) if weights is None else weights
    return standardization_of(rows, np.arange(len(rows)), kind, weights, dtype).factor


def test_auto_takes_pixels_that_are_hardly_ever_lit_for_pixels():
    rng = np.random.default_rng(0)
    lit = rng.random((1000, 100)) < np.linspace(0.002, 1, 100)
    assert_array_equal(factors(lit * 255.0), factors(lit * 255.0, "common"))


def test_auto_finds_units_that_most_features_do_not_have():
    rng = np.random.default_rng(0)
    rows = np.hstack([rng.normal(size=(200, 10)), 1000 * rng.normal(size=(200, 90))])
    assert_array_equal(factors(rows), factors(rows, "features"))


@each_kind
def test_rows_without_weight_do_not_count(kind):
    rows = np.vstack([X, 1e6 + 0 * X[:20]])
    weights = np.repeat([1.0, 0.0], [150, 20])
    assert_allclose(factors(rows, kind, weights), factors(X, kind), rtol=1e-12)


@pytest.mark.parametrize("dtype, scale", [(np.float32, 1e-42), (np.float64, 1e-320)])
@pytest.mark.parametrize("kind", sorted(FACTORS))
def test_features_of_denormal_numbers_have_a_large_finite_factor(kind, dtype, scale):
    found = factors((scale * X).astype(dtype), kind, dtype=dtype)
    assert np.isfinite(found).all()
    assert (found > 1e-5 * np.finfo(dtype).max).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_errors_are_no_variation(dtype):
    eps = float(np.finfo(dtype).eps)
    rows = np.ones((100, 2))
    rows[::2, 0] += eps
    rows[::2, 1] += 1000 * eps
    first, second = factors(rows, "features", dtype=dtype)
    assert first == 1
    assert second == pytest.approx(1 / (500 * eps), rel=1e-3)


@each
@over_seeds(10)
def test_the_default_finds_the_scale(Estimator, small, seed):
    assert Estimator().standardize == "auto"
    images = load_digits(return_X_y=True)
    for rows, labels in (images, load_wine(return_X_y=True)):
        model = Estimator(random_state=seed, max_iter=20).fit(rows[::2], labels[::2])
        moved = 1000 * rows + 1e4
        other = Estimator(random_state=seed, max_iter=20).fit(moved[::2], labels[::2])
        score = model.score(rows[1::2], labels[1::2])
        assert score > 0.9
        assert other.score(moved[1::2], labels[1::2]) == pytest.approx(score, abs=0.01)


@over_seeds()
def test_a_table_in_mixed_units_needs_a_scale_for_each_feature(seed):
    rows, y = load_wine(return_X_y=True)
    model = SoftmaxMLPClassifier(random_state=seed)
    plain, features = (
        cross_val_score(model.set_params(standardize=kind), rows, y, cv=5).mean()
        for kind in (False, "features")
    )
    scaled = cross_val_score(
        model.set_params(standardize=False), StandardScaler().fit_transform(rows), y, cv=5
    )
    assert features > scaled.mean() - 0.02
    assert features > plain + 0.05


@over_seeds()
def test_photos_need_no_scaler(seed):
    rows, y = load_digits(return_X_y=True)
    rows = (rows * 16).clip(0, 255).astype(np.uint8)
    model = TripletMetricTransformer(max_iter=5, standardize="common", random_state=seed)
    assert model.fit(rows[:900], y[:900]).score(rows[900:], y[900:]) > 0.95


@each
@pytest.mark.parametrize("kind", [False, "common"])
def test_a_feature_that_drowns_the_others_is_named(Estimator, kind, small):
    pandas = pytest.importorskip("pandas")
    rows = np.column_stack([X, 1000 * X[:, 0]])
    with pytest.warns(
        UserWarning, match=rf"standardize={kind!r}, feature 4 has more than 99% .*'features'"
    ):
        small(Estimator, standardize=kind).fit(rows, Y)
    frame = pandas.DataFrame(rows, columns=["a", "b", "c", "d", "salary"])
    with pytest.warns(UserWarning, match="feature 'salary' has"):
        small(Estimator, standardize=kind).fit(frame, Y)


@each
def test_features_that_count_are_not_warned_of(Estimator, small, recwarn):
    drowned = np.column_stack([X, 1000 * X[:, 0]])
    small(Estimator, standardize="features").fit(drowned, Y)
    small(Estimator, standardize="auto").fit(drowned, Y)
    small(Estimator).fit(X, Y)
    small(Estimator).fit(X[:, :1], Y)
    small(Estimator).fit(np.column_stack([X[:, 0], np.ones(150)]), Y)  # nothing else varies
    assert [str(warning.message) for warning in recwarn if "variance" in str(warning.message)] == []


@each
@each_kind
def test_constant_features_and_constant_rows_train(Estimator, kind, small, outputs):
    rows = np.column_stack([X, np.full(150, 7.0)])
    assert np.isfinite(outputs(small(Estimator, standardize=kind).fit(rows, Y), rows)).all()
    with np.errstate(all="raise", under="ignore"):
        assert_array_equal(factors(np.ones((5, 3)), kind), 1)


@each
@each_kind
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, np.asfortranarray])
def test_rows_of_all_forms_train_alike(Estimator, kind, form, small, outputs):
    model = small(Estimator, standardize=kind)
    expected = outputs(clone(model).fit(X, Y), X)
    assert_allclose(outputs(model.fit(form(X), Y), form(X)), expected, rtol=1e-9, atol=1e-12)


@each
@each_kind
def test_warm_starts_and_passes_go_on_in_the_same_coordinates(Estimator, kind, small):
    settings = {"standardize": kind, "dropout": 0.2}
    warm = small(Estimator, warm_start=True, max_iter=2, **settings).fit(ROWS, Y).fit(ROWS, Y)
    assert_same_parameters(warm, small(Estimator, max_iter=4, **settings).fit(ROWS, Y))
    passing = small(Estimator, **settings)
    for _ in range(3):
        passing.partial_fit(ROWS, Y, classes=np.unique(Y))
    assert_same_parameters(passing, small(Estimator, max_iter=3, **settings).fit(ROWS, Y))
    before = passing._standardization
    passing.partial_fit(100 * ROWS, Y)
    assert passing._standardization is before


@each
@each_kind
def test_a_pass_after_a_plain_fit_begins_with_its_weights(Estimator, kind, small, outputs):
    model = small(Estimator, standardize=kind).fit(ROWS, Y)
    before = outputs(model, ROWS)
    model.set_params(learning_rate_init=1e-12).partial_fit(ROWS, Y)
    assert_allclose(outputs(model, ROWS), before, rtol=1e-6, atol=1e-6)


@each_kind
def test_a_weight_of_2_is_a_row_given_twice(kind):
    twice = np.random.default_rng(0).permutation(150)[:40]
    weights = np.ones(150)
    weights[twice] = 2
    rows = np.concatenate([np.arange(150), twice])
    settings = {
        "standardize": kind,
        "batch_size": 10**6,
        "max_iter": 4,
        "shuffle": False,
        "random_state": 0,
    }
    model = SoftmaxMLPClassifier(**settings).fit(ROWS, Y, sample_weight=weights)
    expected = SoftmaxMLPClassifier(**settings).fit(ROWS[rows], Y[rows])
    for W, V in zip(parameters_of(model), parameters_of(expected)):
        assert_allclose(W, V, rtol=1e-6, atol=1e-9)


@each
@each_kind
def test_early_stopping_callbacks_and_pickles_know_of_it(Estimator, kind, small, outputs):
    model = small(Estimator, standardize=kind, early_stopping=True).fit(ROWS, Y)
    assert_array_equal(outputs(pickle.loads(pickle.dumps(model)), ROWS), outputs(model, ROWS))
    assert_allclose(outputs(model, ROWS), outputs(clone(model).fit(ROWS, Y), ROWS), rtol=0)


@each_kind
def test_what_is_kept_of_the_input_is_standardised_too(kind, small):
    settings = {"hidden_layer_sizes": (), "n_components": 8, "input_weight": 1.0}
    Z = small(TripletMetricTransformer, standardize=kind, **settings).fit(ROWS, Y).transform(ROWS)
    rows = standardized(ROWS, kind)
    expected = small(TripletMetricTransformer, **settings).fit(rows, Y).transform(rows)
    D, D_expected = (((A[:, np.newaxis] - A) ** 2).sum(axis=2) for A in (Z, expected))
    assert_allclose(D, D_expected, rtol=1e-5, atol=1e-6)


@each_kind
def test_folding_and_unfolding_are_inverse(kind):
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(4, 3)), rng.normal(size=3)
    standardization = standardization_of(ROWS, np.arange(150), kind, np.ones(150), np.float64)
    folded = standardization.fold(W, b)
    batch = ROWS.copy()
    standardization.apply(batch)
    assert_allclose(batch, standardized(ROWS, kind), rtol=1e-9, atol=1e-9)
    assert_allclose(batch @ W + b, ROWS @ folded[0] + folded[1], rtol=1e-8, atol=1e-8)
    for array, expected in zip(standardization.unfold(*folded), (W, b)):
        assert_allclose(array, expected, rtol=1e-9)


def test_a_batch_is_standardised_where_it_is_gathered():
    standardization = standardization_of(ROWS, np.arange(150), "features", np.ones(150), np.float64)
    network = Network([np.eye(4)], [np.zeros(4)], "identity", 150, standardization=standardization)
    before = ROWS.copy()
    expected = standardized(ROWS, "features")
    assert_allclose(network.gather(ROWS, np.arange(150)), expected, rtol=1e-9, atol=1e-9)
    assert_allclose(outputs(network, ROWS), expected, rtol=1e-9, atol=1e-9)
    assert_array_equal(ROWS, before)


@each
@pytest.mark.parametrize("kind", [True, None, "rows", 1])
def test_a_wrong_kind_is_named(Estimator, kind, small):
    with pytest.raises(ValueError, match="'standardize' parameter"):
        small(Estimator, standardize=kind).fit(X, Y)


# --- many features ----------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("n_features, shrinkage", [(784, 1.0), (1568, 0.5), (7840, 0.1)])
def test_rows_of_very_many_features_are_smaller(kind, n_features, shrinkage):
    rows = np.random.default_rng(0).normal(size=(300, n_features))
    standardization = standardization_of(rows, np.arange(300), kind, np.ones(300), np.float64)
    standardization.apply(rows)
    assert rows.std() == pytest.approx(shrinkage)
    assert standardization.shrinkage == shrinkage


@each
def test_training_begins_with_the_same_outputs_however_many_features(
    Estimator, small, outputs, monkeypatch
):
    rows = np.random.default_rng(0).normal(size=(60, 2000))
    labels = np.arange(60) % 3
    model = small(Estimator, standardize="common", max_iter=1, learning_rate_init=1e-13)
    Z = outputs(model.fit(rows, labels), rows)
    monkeypatch.setattr("skmetric._engine.standardization.MANY", 10**6)
    assert_allclose(outputs(clone(model).fit(rows, labels), rows), Z, rtol=1e-4, atol=1e-6)


@over_seeds(10)
def test_descent_at_a_usual_rate_does_not_diverge_on_many_features(seed):
    """The contrastive network of a notebook: 12,288 pixels with a common offset, and a rate of 0.05."""
    rng = np.random.default_rng(seed)
    labels = np.arange(100) % 4
    rows = 10 + rng.normal(size=(4, 12288))[labels] + 2 * rng.normal(size=(100, 12288))
    settings = {
        "solver": "sgd",
        "momentum": 0,
        "learning_rate": "constant",
        "learning_rate_init": 0.05,
        "reduction": "grid",
        "max_iter": 10,
        "input_dropout": 0,
        "random_state": seed,
    }
    model = ContrastiveMetricTransformer(64, negative_margin=0.95, positive_margin=0.1, **settings)
    assert model.fit(rows[:60], labels[:60]).score(rows[60:], labels[60:]) > 0.9
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(standardize=False).fit(rows[:60], labels[:60])
