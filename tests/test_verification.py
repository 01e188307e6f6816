import pickle
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import DetCurveDisplay, RocCurveDisplay, fbeta_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.utils import get_tags

from skmetric import TripletMetricTransformer
from skmetric.pairs import make_pairs
from skmetric.verification import CALIBRATIONS, THRESHOLDS, PairVerifier

UNHURRIED = settings(deadline=None, max_examples=100)
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


def merits(same, accepted, beta, min_rate):
    """What each choice makes as large as it can; below 0 what it may not choose."""
    tpr, tnr = accepted[same].sum() / same.sum(), (~accepted)[~same].sum() / (~same).sum()
    return {
        "accuracy": np.mean(accepted == same),
        "f_beta": fbeta_score(same, accepted, beta=beta, zero_division=0),
        "max_tpr": tpr if tnr >= min_rate else -1,
        "max_tnr": tnr if tpr >= min_rate else -1,
    }


@st.composite
def measured(draw):
    """Distances of pairs of both kinds, many of them equal."""
    pair = st.tuples(st.integers(0, 8), st.booleans())
    distances, same = map(np.array, zip(*draw(st.lists(pair, min_size=2, max_size=25))))
    assume(same.any() and not same.all())
    return same, distances / 2


@pytest.mark.parametrize("name", THRESHOLDS)
@UNHURRIED
@given(measured(), st.sampled_from([0, 0.5, 1, 2]), st.sampled_from([0, 0.1, 0.5, 0.9, 0.95, 1]))
def test_no_threshold_is_better(name, data, beta, min_rate):
    same, distances = data
    nearest_same = distances <= distances[same].min()
    if name == "max_tpr" and merits(same, nearest_same, beta, min_rate)[name] == -1:
        with pytest.raises(ValueError, match="min_rate"):
            THRESHOLDS[name](same, distances, beta, min_rate)
        return
    found = THRESHOLDS[name](same, distances, beta, min_rate)
    best = max(
        merits(same, distances <= cut, beta, min_rate)[name] for cut in [-np.inf, *np.unique(distances)]
    )
    assert found in {-np.inf, *distances}
    assert merits(same, distances <= found, beta, min_rate)[name] == pytest.approx(best, abs=1e-12) != -1


@settings(deadline=None, max_examples=30)
@given(measured(), st.sampled_from([0, 0.5, 0.9, 1]))
def test_of_equal_rates_the_other_rate_decides(data, min_rate):
    same, distances = data
    for name, other in (("max_tpr", "max_tnr"), ("max_tnr", "max_tpr")):
        try:
            found = distances <= THRESHOLDS[name](same, distances, 1.0, min_rate)
        except ValueError:  # see above
            continue
        mine, its = (merits(same, found, 1.0, rate)[key] for key, rate in ((name, min_rate), (other, 0)))
        for cut in [-np.inf, *distances]:
            there = merits(same, distances <= cut, 1.0, min_rate)[name]
            assert there < mine or merits(same, distances <= cut, 1.0, 0)[other] <= its


# From calibrate_threshold of metric-learn 0.7.0 (scikit-learn 1.9.1), for these distances.
TIED = (
    [0.2, 0.3, 0.3, 0.5, 0.7, 0.7, 0.9, 1.1, 1.1, 1.2, 1.6, 1.6, 1.9, 2.0, 2.3, 2.3],
    [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0],
)
DISTINCT = (
    [0.15, 0.4, 0.55, 0.6, 0.85, 1.0, 1.3, 1.45, 1.7, 2.2, 2.4, 3.1],
    [1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1],
)
OF_METRIC_LEARN = [
    (TIED, "f_beta", {"beta": 1.0}, 1.2),
    (TIED, "f_beta", {"beta": 0.5}, 1.2),
    (TIED, "f_beta", {"beta": 2.0}, 1.9),
    (TIED, "f_beta", {"beta": 0.0}, 0.3),
    (TIED, "max_tpr", {"min_rate": 0.5}, 1.2),
    (TIED, "max_tpr", {"min_rate": 0.7}, 1.2),
    (TIED, "max_tpr", {"min_rate": 0.8}, 0.9),
    (TIED, "max_tpr", {"min_rate": 1.0}, 0.3),
    (TIED, "max_tnr", {"min_rate": 0.8}, 1.2),
    (TIED, "max_tnr", {"min_rate": 0.9}, 1.9),
    (TIED, "max_tnr", {"min_rate": 1.0}, 1.9),
    (DISTINCT, "accuracy", {}, 1.3),
    (DISTINCT, "f_beta", {"beta": 1.0}, 1.7),
    (DISTINCT, "f_beta", {"beta": 0.5}, 1.3),
    (DISTINCT, "f_beta", {"beta": 2.0}, 3.1),
    (DISTINCT, "f_beta", {"beta": 0.0}, 0.4),
    (DISTINCT, "max_tpr", {"min_rate": 0.5}, 1.3),
    (DISTINCT, "max_tpr", {"min_rate": 0.7}, 0.6),
    (DISTINCT, "max_tpr", {"min_rate": 0.9}, 0.4),
    (DISTINCT, "max_tnr", {"min_rate": 0.5}, 1.3),
    (DISTINCT, "max_tnr", {"min_rate": 0.8}, 1.7),
    (DISTINCT, "max_tnr", {"min_rate": 0.9}, 3.1),
]


@pytest.mark.parametrize("data, threshold, settings, expected", OF_METRIC_LEARN)
def test_thresholds_are_those_of_metric_learn(data, threshold, settings, expected):
    distances, same = data
    model = PairVerifier(IDENTITY, threshold=threshold, **settings).fit(on_line(distances), same)
    assert model.threshold_ == expected


@pytest.mark.parametrize(
    "threshold, settings, of_metric_learn, expected",
    [
        ("accuracy", {}, 1.1, 1.2),  # it counts one of the two pairs at 1.1
        ("max_tnr", {"min_rate": 0.5}, 0.7, 0.9),  # no other pair between: TPR 6/9 in place of 5/9
        ("max_tnr", {"min_rate": 0.7}, 1.1, 1.2),
    ],
)
def test_where_distances_are_equal_thresholds_are_better(threshold, settings, of_metric_learn, expected):
    distances, same = np.array(TIED[0]), np.array(TIED[1], dtype=bool)
    model = PairVerifier(IDENTITY, threshold=threshold, **settings).fit(on_line(distances), same)
    assert model.threshold_ == expected
    ours, theirs = (np.mean((distances <= cut) == same) for cut in (expected, of_metric_learn))
    assert ours > theirs


def test_where_it_is_best_to_accept_nothing_nothing_is_accepted():
    pairs = on_line([1.0, 2.0, 3.0, 4.0])
    model = PairVerifier(IDENTITY).fit(pairs, [0, 0, 1, 0])
    assert model.threshold_ == -np.inf
    assert not model.predict(pairs).any()


def test_a_rate_that_no_threshold_reaches_is_an_error_that_gives_the_best():
    pairs = on_line([1.0, 2.0, 3.0, 4.0])
    model = PairVerifier(IDENTITY, threshold="max_tpr", min_rate=0.7)
    with pytest.raises(ValueError, match=r"min_rate=0\.7: the best is 0\.3333"):
        model.fit(pairs, [0, 0, 1, 0])
    assert model.set_params(min_rate=0.3).fit(pairs, [0, 0, 1, 0]).threshold_ == 3


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
    monkeypatch.setattr("skmetric.pairs.BLOCK", 7)
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


def test_embeddings_of_the_package(small):
    model = PairVerifier(small(TripletMetricTransformer).fit(X, Y)).fit(INDEX, SAME, X=X)
    assert_allclose(model.decision_function(PAIRS), model.transformer.pair_score(PAIRS), rtol=1e-6)


# --- probabilities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("flipped", [False, True])
def test_probabilities_never_fall_with_the_score(calibration, flipped):
    model = PairVerifier(SCALER, calibration=calibration).fit(PAIRS, 1 - SAME if flipped else SAME)
    everywhere = on_line(np.linspace(0, 20, 500)) * np.eye(4)[0]
    P = model.predict_proba(everywhere)
    assert P.shape == (500, 2)
    assert_allclose(P.sum(axis=1), 1)
    assert (P >= 0).all() and (P <= 1).all()
    assert (np.diff(P[:, 1]) <= 0).all()
    assert np.ptp(P[:, 1]) < 0.1 if flipped else np.ptp(P[:, 1]) > 0.8


class Given(ClassifierMixin, BaseEstimator):
    """The one column is the decision."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return X[:, 0]

    def predict(self, X):
        return self.classes_[(X[:, 0] > 0).astype(int)]


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_probabilities_are_those_of_scikit_learn(calibration):
    scores = -DISTANCES[:, np.newaxis]
    oracle = CalibratedClassifierCV(FrozenEstimator(Given().fit(scores, SAME)), method=calibration)
    expected = oracle.fit(scores, SAME).predict_proba(scores)
    model = PairVerifier(SCALER, calibration=calibration).fit(PAIRS, SAME)
    assert_allclose(model.predict_proba(PAIRS), expected, atol=1e-4)


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_probabilities_do_not_depend_on_the_unit(factor, verifier):
    transformer = FunctionTransformer(lambda X: factor * SCALER.transform(X))
    model = PairVerifier(transformer).fit(PAIRS, SAME)
    assert_allclose(model.predict_proba(PAIRS), verifier.predict_proba(PAIRS), rtol=1e-6)


def test_pairs_told_apart_and_pairs_all_alike_have_probabilities():
    apart = PairVerifier(IDENTITY).fit(on_line([1.0, 2.0, 5.0, 6.0]), [1, 1, 0, 0])
    P = apart.predict_proba(on_line([0.0, 1.0, 6.0, 9.0]))[:, 1]
    assert 0.5 < P[1] < P[0] < 1 and 0 < P[3] < P[2] < 0.5
    alike = PairVerifier(IDENTITY).fit(on_line([1.0, 1.0, 1.0]), [1, 1, 0])
    # Platt's targets: 3/4 for the two, 1/3 for the one
    assert_allclose(alike.predict_proba(on_line([1.0]))[:, 1], (2 * 3 / 4 + 1 / 3) / 3)


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
    with pytest.raises(NotFittedError, match=r"must be fitted before.*FrozenEstimator"):
        PairVerifier(transformer).fit(PAIRS, SAME)


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
        (INDEX, SAME, None, "pass X=, or pairs of shape (n, 2, n_features)"),
        (PAIRS, SAME, X, "pairs must have the shape (n, 2) together with X"),
        (INDEX + 1, SAME, X[:149], "but X has the rows 0 to 148"),
        (PAIRS, SAME[:-1], None, "y has 299 labels, but there are 300 pairs"),
        (PAIRS, SAME + 1, None, "got the values 1, 2"),
        (PAIRS, np.ones(300), None, "needs pairs of both kinds"),
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
