import pickle
import re
import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import DetCurveDisplay, RocCurveDisplay, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.utils import get_tags

from skmetric import TripletMetricTransformer
from skmetric.pairs import make_pairs
from skmetric.verification import CALIBRATIONS, THRESHOLDS, PairVerifier

X, Y = load_iris(return_X_y=True)
INDEX, SAME = make_pairs(Y, 300, 0)
PAIRS = X[INDEX]
SCALER = StandardScaler().fit(X)
DISTANCES = np.linalg.norm(SCALER.transform(PAIRS[:, 0]) - SCALER.transform(PAIRS[:, 1]), axis=1)


@pytest.fixture(scope="module")
def verifier():
    return PairVerifier(SCALER).fit(PAIRS, SAME)


def on_line(distances):
    """Pairs of these distances, for a transformer that changes nothing."""
    return np.column_stack([np.zeros(len(distances)), distances])[:, :, np.newaxis]


IDENTITY = FunctionTransformer()


# --- thresholds ---------------------------------------------------------------------------------------

CRITERIA = pytest.mark.parametrize(
    "settings", [{"threshold": name, "min_rate": rate} for name in THRESHOLDS for rate in (0.6, 1.0)]
)


def answers_alone(model, pairs):
    return np.concatenate([model.predict(pair[np.newaxis]) for pair in pairs])


def test_a_threshold_lies_midway_to_the_next_distance():
    model = PairVerifier(IDENTITY).fit(on_line([1.0, 2.0, 4.0, 5.0]), [1, 1, 0, 0])
    assert model.threshold_ == 3.0 and type(model.threshold_) is float


@CRITERIA
@pytest.mark.parametrize("n_features", [2, 64])
def test_pairs_asked_alone_get_the_answer_that_they_got_in_the_crowd(settings, n_features):
    """Each batch shrinks by its own last bits."""
    transformer = FunctionTransformer(lambda X: X.astype(np.float32) * np.float32(1 - 1e-7 * len(X)))
    rng = np.random.default_rng(0)
    kinds = np.arange(40) % 2
    # The nearest are the same and the farthest too: some threshold accepts all.
    kinds[:2] = 1
    lengths = np.sort(rng.uniform(1, 2, 40))
    kinds[-1] = 1
    pairs = np.stack([np.zeros((40, n_features)), lengths[:, None] * np.ones(n_features)], axis=1)
    model = PairVerifier(transformer, **settings).fit(pairs, kinds)
    assert_array_equal(answers_alone(model, pairs), model.predict(pairs))


def test_pairs_of_a_float32_embedding_get_the_same_answer_alone(small):
    digits, y = load_digits(return_X_y=True)
    digits = StandardScaler().fit_transform(digits).astype(np.float32)
    embedding = small(TripletMetricTransformer, hidden_layer_sizes=(100,)).fit(digits[:300], y[:300])
    for seed in range(20):
        index, same = make_pairs(y, 200, seed)
        pairs = digits[index]
        model = PairVerifier(embedding).fit(pairs, same)
        # Those on either side of the threshold have the most to fear.
        nearest = np.argsort(np.abs(model.decision_function(pairs) + model.threshold_))[:2]
        assert_array_equal(answers_alone(model, pairs[nearest]), model.predict(pairs)[nearest])


@CRITERIA
def test_pairs_that_are_tied_but_for_rounding_get_the_same_answer_alone(settings):
    """Thirty distinct rows: many distances are equal, but for the last bits of a product in float32."""
    flipped = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        W = rng.normal(size=(40, 20)).astype(np.float32)
        transformer = FunctionTransformer(lambda X, W=W: X.astype(np.float32) @ W)
        rows = rng.integers(0, 2, (30, 40))
        index = rng.integers(0, 30, (100, 2))
        index[0] = 3
        pairs = rows[index].astype(np.float32)
        kinds = (rng.random(100) < 0.5).astype(int)
        kinds[index[:, 0] == index[:, 1]] = 1  # so that there is a threshold for any rate
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = PairVerifier(transformer, **settings).fit(pairs, kinds)
        flipped += (answers_alone(model, pairs) != model.predict(pairs)).any()
    assert flipped == 0


@pytest.mark.parametrize("settings", [{"threshold": "accuracy"}, {"threshold": "max_tnr", "min_rate": 0}])
def test_where_it_is_best_to_accept_nothing_a_warning_says_so(settings):
    pairs = on_line([1.0, 2.0, 3.0, 4.0])
    model = PairVerifier(IDENTITY, **settings)
    for measure in (model.fit, model.calibrate):
        with pytest.warns(
            UserWarning, match=f"threshold='{settings['threshold']}', no threshold is better"
        ) as seen:
            measure(pairs, [0, 0, 1, 0])
        assert "make_pairs" in str(seen[0].message)
    assert model.threshold_ == -np.inf
    assert not model.predict(pairs).any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("threshold", [*THRESHOLDS, 1.5, -1])
def test_where_a_pair_is_accepted_there_is_no_warning(threshold):
    PairVerifier(IDENTITY, threshold=threshold).fit(on_line([1.0, 2.0, 3.0, 4.0]), [1, 1, 0, 1])


def test_a_rate_that_no_threshold_reaches_is_an_error():
    model = PairVerifier(IDENTITY, threshold="max_tpr", min_rate=0.7)
    with pytest.raises(ValueError, match=r"min_rate=0\.7: the best is 0\.3333"):
        model.fit(on_line([1.0, 2.0, 3.0, 4.0]), [0, 0, 1, 0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("beta, expected", [(0, 1.5), (1e200, 4.5)])
def test_extreme_weights_of_the_recall(beta, expected):
    pairs = on_line([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    model = PairVerifier(IDENTITY, threshold="f_beta", beta=beta).fit(pairs, [1, 0, 1, 1, 0, 0])
    assert model.threshold_ == expected


def test_a_threshold_may_be_given():
    model = PairVerifier(SCALER, threshold=1.25).fit(PAIRS, SAME)
    assert model.threshold_ == 1.25
    assert_array_equal(model.predict(PAIRS), DISTANCES <= 1.25)


# --- answers ------------------------------------------------------------------------------------------


def test_decisions_are_minus_the_distances_of_the_embeddings(verifier):
    assert_allclose(verifier.decision_function(PAIRS), -DISTANCES, rtol=1e-12)
    assert verifier.score(PAIRS, SAME) == pytest.approx(roc_auc_score(SAME, -DISTANCES))
    assert verifier.n_features_in_ == 4


def test_more_pairs_than_are_gathered_at_a_time(verifier, monkeypatch):
    monkeypatch.setattr("skmetric._pair_distances.BLOCK", 7)
    assert_allclose(verifier.decision_function(PAIRS), -DISTANCES, rtol=1e-12)


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [False, True]])
def test_labels_come_back_as_given(labels, verifier):
    y = np.array(labels)[SAME]
    model = PairVerifier(SCALER).fit(PAIRS, y)
    assert_array_equal(model.classes_, labels)
    assert model.classes_.dtype == y.dtype == model.predict(PAIRS).dtype
    assert_array_equal(model.predict(PAIRS) == labels[1], verifier.predict(PAIRS) == 1)
    assert model.score(PAIRS, y) == verifier.score(PAIRS, SAME)


@pytest.mark.parametrize(
    "kind",
    [np.array, sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, pd.DataFrame, np.ndarray.tolist],
)
def test_row_numbers_say_the_same_as_rows(kind):
    rows = kind(X)
    model = PairVerifier(MaxAbsScaler().fit(rows))
    by_rows = clone(model).set_params(transformer=MaxAbsScaler().fit(X)).fit(PAIRS, SAME)
    model.fit(INDEX, SAME, X=rows)
    few = INDEX[:20]  # leaves most rows out
    assert model.threshold_ == pytest.approx(by_rows.threshold_)
    for method in ("decision_function", "predict", "predict_proba"):
        assert_allclose(getattr(model, method)(few, X=rows), getattr(by_rows, method)(PAIRS[:20]))
    assert model.score(INDEX, SAME, X=rows) == pytest.approx(by_rows.score(PAIRS, SAME))
    model.calibrate(INDEX[:50], SAME[:50], X=rows)
    assert model.threshold_ == pytest.approx(by_rows.calibrate(PAIRS[:50], SAME[:50]).threshold_)


class CountingTransformer(BaseEstimator):
    def fit(self, X, y=None):
        self.n_rows_ = []
        return self

    def transform(self, X):
        self.n_rows_.append(len(X))
        return X


def test_only_the_rows_that_occur_are_embedded_and_once():
    counting = CountingTransformer().fit(X)
    PairVerifier(counting).fit([[3, 4], [4, 3], [3, 90], [90, 91]], [1, 1, 0, 0], X=X)
    assert counting.n_rows_ == [4]


@pytest.mark.parametrize(
    "transformer",
    [
        SCALER,
        make_pipeline(SCALER, PCA(2)).fit(X),
        FrozenEstimator(PCA(2).fit(X)),
        make_pipeline(StandardScaler(), FrozenEstimator(PCA(2).fit(X))).fit(X),
        FunctionTransformer(np.square),
        StandardScaler().set_output(transform="pandas").fit(X),
        FunctionTransformer(sparse.csr_matrix),
        FunctionTransformer(lambda X: np.round(X).astype(np.uint8)),
    ],
)
def test_any_transformer_will_do(transformer):
    model = PairVerifier(transformer).fit(PAIRS, SAME)
    left, right = (transformer.transform(PAIRS[:, side]) for side in (0, 1))
    left, right = (Z.toarray() if sparse.issparse(Z) else np.asarray(Z, float) for Z in (left, right))
    assert_allclose(-model.decision_function(PAIRS), np.linalg.norm(left - right, axis=1), atol=1e-12)


def test_a_pair_at_the_threshold_is_the_same():
    pairs = np.array(
        [[[0.0, 0.0], [3.0, 4.0]], [[0.0, 0.0], [3.0, 4.0 + 1e-15]], [[0.0, 0.0], [0.0, 1.0]]]
    )
    verifier = PairVerifier(FunctionTransformer(), threshold=5.0).fit(pairs, [1, 0, 1])
    assert verifier.predict(pairs).tolist() == [1, 0, 1]


def test_embeddings_of_the_package(small):
    model = PairVerifier(small(TripletMetricTransformer).fit(X, Y)).fit(INDEX, SAME, X=X)
    assert_allclose(model.decision_function(PAIRS), model.transformer.pair_score(PAIRS), rtol=1e-6)


def test_names_of_features_are_compared_where_rows_can_have_them():
    verifier = PairVerifier(StandardScaler().fit(pd.DataFrame(X, columns=list("abcd"))))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verifier.fit(PAIRS, SAME).predict(PAIRS)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        verifier.predict(INDEX, X=X)


# --- probabilities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_probabilities_are_those_of_the_calibration(calibration):
    model = PairVerifier(SCALER, calibration=calibration).fit(PAIRS, SAME)
    expected = CALIBRATIONS[calibration](-DISTANCES, SAME == 1)(-DISTANCES)
    P = model.predict_proba(PAIRS)
    assert_allclose(P[:, 1], expected, rtol=1e-9)
    assert_allclose(P.sum(axis=1), 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e-9, 1e9, 1e200, 1e300])
def test_answers_do_not_depend_on_the_unit(factor, calibration):
    expected = PairVerifier(SCALER, calibration=calibration).fit(PAIRS, SAME)
    transformer = FunctionTransformer(lambda X: factor * SCALER.transform(X))
    model = PairVerifier(transformer, calibration=calibration).fit(PAIRS, SAME)
    assert model.threshold_ == pytest.approx(factor * expected.threshold_, rel=1e-12, abs=0)
    assert_allclose(model.predict_proba(PAIRS), expected.predict_proba(PAIRS), rtol=1e-6)
    assert_array_equal(model.predict(PAIRS), expected.predict(PAIRS))
    assert model.score(PAIRS, SAME) == pytest.approx(expected.score(PAIRS, SAME))


# --- calibrate ----------------------------------------------------------------------------------------


def test_calibrate_sets_the_threshold_and_the_probabilities_anew(verifier):
    model = pickle.loads(pickle.dumps(verifier))
    validation = PAIRS[:100], SAME[:100]
    expected = PairVerifier(SCALER).fit(*validation)
    assert model.calibrate(*validation) is model
    assert model.threshold_ == expected.threshold_ != verifier.threshold_
    assert_array_equal(model.predict_proba(PAIRS), expected.predict_proba(PAIRS))


def test_calibrate_takes_settings_for_this_time(verifier):
    model = clone(verifier).set_params(transformer=SCALER).fit(PAIRS, SAME)
    before = model.get_params()
    for given_now in (
        {"threshold": "f_beta", "beta": 0.3},
        {"threshold": "max_tpr", "min_rate": 0.99},
        {"threshold": 0.5},
    ):
        expected = PairVerifier(SCALER, **given_now).fit(PAIRS, SAME).threshold_
        assert model.calibrate(PAIRS, SAME, **given_now).threshold_ == expected
    assert model.get_params() == before
    assert model.calibrate(PAIRS, SAME).threshold_ == verifier.threshold_


def test_calibrate_takes_either_form_of_labels(verifier):
    model = pickle.loads(pickle.dumps(verifier)).calibrate(PAIRS, 2 * SAME - 1)
    assert model.threshold_ == verifier.threshold_
    assert_array_equal(model.classes_, [0, 1])


# --- with scikit-learn --------------------------------------------------------------------------------


def test_grid_search_and_cross_validation():
    model = PairVerifier(FrozenEstimator(SCALER))
    grid = {"threshold": ["accuracy", "max_tnr", 0.01]}
    search = GridSearchCV(model, grid, scoring="accuracy", error_score="raise").fit(PAIRS, SAME)
    assert search.best_params_ == {"threshold": "accuracy"}
    scores = cross_val_score(model, PAIRS, SAME, error_score="raise")
    assert len(scores) == 5 and (scores > 0.7).all()


@pytest.mark.parametrize("Display", [RocCurveDisplay, DetCurveDisplay])
@pytest.mark.parametrize("labels", [[0, 1], [-1, 1]])
def test_displays(Display, labels):
    matplotlib.use("Agg")
    y = np.array(labels)[SAME]
    model = PairVerifier(SCALER).fit(PAIRS, y)
    display = Display.from_estimator(model, PAIRS, y, response_method="decision_function")
    other = Display.from_predictions(SAME, model.decision_function(PAIRS))
    assert_allclose(display.fpr, other.fpr)
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_clones_and_pickles(calibration):
    model = PairVerifier(FrozenEstimator(SCALER), beta=2.0, calibration=calibration).fit(INDEX, SAME, X=X)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(PAIRS), model.predict_proba(PAIRS))
    assert_array_equal(again.predict(PAIRS), model.predict(PAIRS))
    fresh = clone(model)
    assert not hasattr(fresh, "threshold_") and fresh.beta == 2.0
    assert fresh.fit(PAIRS, SAME).threshold_ == model.threshold_


def test_tags_say_pairs():
    tags = get_tags(PairVerifier(SCALER))
    assert tags.estimator_type == "classifier" and not tags.classifier_tags.multi_class
    assert tags.input_tags.three_d_array and not tags.input_tags.two_d_array


# --- errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_nothing_is_answered_before_fit(method):
    with pytest.raises(NotFittedError, match="PairVerifier"):
        getattr(PairVerifier(SCALER), method)(PAIRS)


@pytest.mark.parametrize("method", ["score", "calibrate"])
def test_nothing_is_measured_before_fit(method):
    with pytest.raises(NotFittedError, match="PairVerifier"):
        getattr(PairVerifier(SCALER), method)(PAIRS, SAME)


@pytest.mark.parametrize("transformer", [StandardScaler(), make_pipeline(StandardScaler(), PCA(2))])
def test_the_transformer_must_be_fitted(transformer):
    with pytest.raises(NotFittedError) as caught:
        PairVerifier(transformer).fit(PAIRS, SAME)
    assert str(caught.value) == (
        "The transformer of PairVerifier must be fitted before the verifier. If the verifier is cloned, "
        "as by GridSearchCV or cross_val_score, wrap the fitted transformer in "
        "sklearn.frozen.FrozenEstimator."
    )


def test_a_clone_says_what_to_wrap(verifier):
    with pytest.raises(NotFittedError, match="FrozenEstimator"):
        clone(verifier).fit(PAIRS, SAME)


@pytest.mark.parametrize(
    "parameters",
    [
        {"threshold": "best"},
        {"threshold": np.nan},
        {"threshold": None},
        {"beta": -1},
        {"min_rate": 1.1},
        {"min_rate": None},
        {"calibration": "platt"},
        {"transformer": "scaler"},
    ],
)
def test_wrong_parameters(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of PairVerifier must be"):
        PairVerifier(**({"transformer": SCALER} | parameters)).fit(PAIRS, SAME)


@pytest.mark.parametrize("parameters", [{"threshold": "best"}, {"beta": -1}, {"min_rate": 2}])
def test_wrong_parameters_of_calibrate_leave_the_verifier_as_it_is(parameters, verifier):
    (name,) = parameters
    before = dict(vars(verifier))
    with pytest.raises(ValueError, match=f"The '{name}' parameter of PairVerifier must be"):
        verifier.calibrate(PAIRS, SAME, **parameters)
    assert vars(verifier) == before


@pytest.mark.parametrize(
    "pairs, y, rows, message",
    [
        (INDEX, SAME, None, "If it holds row numbers, pass the matrix X as well"),
        (PAIRS, SAME, X, "pairs must have shape (n, 2) if X is given"),
        (INDEX + 1, SAME, X[:149], "but X has rows 0 to 148"),
        (PAIRS, SAME[:-1], None, "y has 299 labels, but there are 300 pairs"),
        (PAIRS, SAME + 1, None, "got the values 2, 1"),
        (PAIRS, np.ones(300), None, "labels of same and of different pairs, but all its labels are 1.0"),
        (PAIRS, np.where(SAME, 1, np.nan), None, "y contains NaN or None"),
        (PAIRS, pd.Series(np.where(SAME, 1, None)), None, "y contains NaN or None"),
        (PAIRS, SAME - (np.arange(300) % 2), None, "y of pairs must be 0 and 1, or -1 and 1"),
        (PAIRS[:, :, :3], SAME, None, "3 features"),
        (np.where(PAIRS == X.max(), np.inf, PAIRS), SAME, None, "infinity"),
    ],
)
def test_bad_pairs_leave_the_verifier_as_it_is(pairs, y, rows, message, verifier):
    before = dict(vars(verifier))
    for method in (verifier.fit, verifier.calibrate, verifier.score):
        with pytest.raises(ValueError, match=re.escape(message)):
            method(pairs, y, X=rows)
    assert vars(verifier) == before


@pytest.mark.parametrize(
    "transform, message",
    [
        (lambda X: None, "got scalar array|None"),
        (lambda X: X[:, 0], "got 1D array"),
        (lambda X: X[:, :, np.newaxis], "dim 3"),
        (lambda X: np.where(X == X.max(), np.nan, X), "NaN"),
        (lambda X: np.where(X == X.max(), np.inf, X), "infinity"),
        (lambda X: np.full(X.shape, "a"), "could not convert string"),
        (lambda X: X * 1j, "Complex data"),
        (lambda X: X[:, :0], "0 feature"),
    ],
)
def test_a_transformer_that_returns_nonsense_is_named(transform, message):
    transformer = FunctionTransformer(transform)
    expected = rf"FunctionTransformer\.transform must return a finite matrix: .*({message})"
    with pytest.raises(ValueError, match=re.compile(expected, re.DOTALL)):
        PairVerifier(transformer).fit(PAIRS, SAME)


def test_a_transformer_that_drops_rows_is_named(verifier):
    transformer = FunctionTransformer(lambda X: X[1:])
    with pytest.raises(ValueError, match=r"must return a row for each row: got 599 rows for 600\."):
        PairVerifier(transformer).fit(PAIRS, SAME)


def test_distances_that_no_float_holds_are_an_error():
    pairs = on_line([1e308, 1.0])
    pairs[:, 0] = -1e308
    with pytest.raises(ValueError, match=r"pair 0 .* larger than the largest float64, 1\.798e\+308"):
        PairVerifier(IDENTITY).fit(pairs, [0, 1])
