"""Models in files of skops: they keep every bit, and ask to trust types of skmetric only."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal, assert_equal
from shared import ESTIMATORS, TRANSFORMERS, X, Y, assert_same_model, each, fitted_attributes
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tuple_kinds import PAIRS, SAME, TRIPLETS, assert_same_training, learn
from tuple_kinds import each as each_kind

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.metrics import make_retrieval_scorer
from skmetric.model_selection import PairLearner, TripletLearner
from skmetric.verification import CALIBRATIONS, THRESHOLDS, PairVerifier

skops = pytest.importorskip("skops.io")

pytestmark = pytest.mark.filterwarnings("ignore:The embedding collapses", "ignore:Nothing was learned")

NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])
FLOATS = X.astype(np.float32)
SAVED_BY = "skmetric._versions.SavedBy"
CALIBRATORS = {"sigmoid": "skmetric._calibration.Sigmoid", "isotonic": "skmetric._calibration.Steps"}


def type_of(model):
    return f"{type(model).__module__}.{type(model).__name__}"


def types_of(model):
    """Types that an estimator asks to trust: its own, and that of its standardisation."""
    standardization = "NoStandardization" if model.standardize is False else "Standardization"
    return {type_of(model), SAVED_BY, f"skmetric._engine.standardization.{standardization}"}


def loaded(model, types):
    """Store and load a model that asks to trust exactly these types."""
    stored = skops.dumps(model)
    assert set(skops.get_untrusted_types(data=stored)) == types
    return skops.loads(stored, trusted=sorted(types))


# --- estimators ---------------------------------------------------------------------------------------

WAYS = {
    "plain": ({}, X, Y),
    "warm_start": ({"warm_start": True}, X, Y),
    "momentum": ({"solver": "sgd", "momentum": 0.9, "warm_start": True}, X, Y),
    "linear": ({"hidden_layer_sizes": (), "standardize": "common"}, X, Y),
    "several networks": ({"n_networks": 3, "standardize": "features", "warm_start": True}, X, Y),
    "batch_norm": ({"batch_norm": True, "warm_start": True}, X, Y),
    "early_stopping": ({"early_stopping": True, "warm_start": True}, X, Y),
    "text as labels": ({}, X, NAMES),
    "objects as labels": ({}, X, NAMES.astype(object)),
    "data frame": ({"standardize": "common"}, FRAME, NAMES),
    "float32": ({"standardize": "auto", "input_dropout": 0.1}, FLOATS, Y),
    "generator": ({"random_state": np.random.RandomState(7), "adversarial": 0.1}, X, Y),
    "numbers of NumPy": ({"alpha": np.float64(0.1), "hidden_layer_sizes": np.array([4, 3])}, X, Y),
}
OF_EMBEDDINGS = {
    "head": ({"head_weight": 1.0, "warm_start": True}, X, Y),
    "kept input": ({"input_weight": 1.0, "normalize": True, "warm_start": True}, X, Y),
}
OF_CLASSIFIERS = {"class_weight": ({"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}, X, Y)}
CASES = [
    pytest.param(Estimator, *way, id=f"{Estimator.__name__}, {name}")
    for Estimator in ESTIMATORS
    for name, way in (WAYS | (OF_EMBEDDINGS if Estimator in TRANSFORMERS else OF_CLASSIFIERS)).items()
]


@pytest.mark.parametrize("Estimator, parameters, rows, labels", CASES)
def test_a_file_keeps_every_bit_and_training_goes_on(Estimator, parameters, rows, labels, small, outputs):
    model = small(Estimator, **parameters).fit(rows, labels)
    other = loaded(model, types_of(model))
    assert_equal(fitted_attributes(other), fitted_attributes(model))
    assert_array_equal(outputs(other, rows), outputs(model, rows))
    for one in (model, other):
        further = one.fit if one.warm_start else one.partial_fit
        further(rows, labels)
    assert_same_model(other, model)


@each
@pytest.mark.parametrize("parameters", [{"dropout": 0.2}, {"solver": "sgd", "n_networks": 2}])
def test_a_file_between_two_passes_changes_nothing(Estimator, parameters, small):
    model = small(Estimator, **parameters).partial_fit(X, Y, classes=[0, 1, 2])
    other = loaded(model, types_of(model))
    assert_same_model(other.partial_fit(X, Y), model.partial_fit(X, Y))


@each_kind
def test_models_of_tuples_go_on_too(kind, make):
    model = learn(kind, make(kind, dropout=0.2), incremental=True)
    other = loaded(model, types_of(model))
    assert_array_equal(other.transform(X), model.transform(X))
    assert_same_training(learn(kind, other, incremental=True), learn(kind, model, incremental=True))


@each
def test_a_model_that_is_not_fitted_asks_for_its_own_type(Estimator, small):
    model = small(Estimator)
    other = loaded(model, {type_of(model), SAVED_BY})
    assert_same_model(other.fit(X, Y), model.fit(X, Y))


def test_a_scorer_is_loaded_with_the_model_that_it_stops(small):
    scorer = make_retrieval_scorer("recall_at_k", k=3)
    options = {"early_stopping": True, "scoring": scorer, "warm_start": True}
    model = small(TripletMetricTransformer, **options).fit(X, Y)
    scorers = {"skmetric.metrics._RetrievalScorer", "skmetric.metrics._Measure"}
    other = loaded(model, types_of(model) | scorers)
    assert other.scoring(other, X, Y) == scorer(model, X, Y)
    assert_same_model(other.fit(X, Y), model.fit(X, Y))


# --- with other estimators ----------------------------------------------------------------------------


@each
def test_a_pipeline_asks_for_no_more(Estimator, small):
    embedding = small(Estimator)
    neighbors = KNeighborsClassifier(3, algorithm="brute")
    model = make_pipeline(StandardScaler(), embedding, neighbors).fit(X, NAMES)
    other = loaded(model, types_of(embedding))
    assert_array_equal(other.predict_proba(X), model.predict_proba(X))


def test_a_tree_of_neighbours_is_of_scikit_learn(small):
    model = make_pipeline(small(TripletMetricTransformer), KNeighborsClassifier(algorithm="kd_tree"))
    asked = skops.get_untrusted_types(data=skops.dumps(model.fit(X, Y)))
    others = [name for name in asked if not name.startswith("skmetric.")]
    assert set(asked) - set(others) == types_of(model[0])
    assert others and all(name.startswith("sklearn.") for name in others)


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("threshold", [*THRESHOLDS, 0.5])
def test_a_verifier_asks_for_its_calibrator(calibration, threshold, small):
    embedding = small(TripletMetricTransformer).fit(X, Y)
    settings = {"threshold": threshold, "min_rate": 0.9, "calibration": calibration}
    model = PairVerifier(embedding, **settings).fit(PAIRS, SAME, X=X)
    types = {type_of(model), CALIBRATORS[calibration], *types_of(embedding)}
    assert_same_verifier(loaded(model, types), model)


def assert_same_verifier(other, model):
    assert other.threshold_ == model.threshold_
    assert_array_equal(other.predict(PAIRS, X=X), model.predict(PAIRS, X=X))
    assert_array_equal(other.predict_proba(PAIRS, X=X), model.predict_proba(PAIRS, X=X))


@pytest.mark.filterwarnings("ignore:All pairs are predicted to be different")
def test_a_verifier_of_a_frozen_scaler_that_accepts_none():
    model = PairVerifier(FrozenEstimator(StandardScaler().fit(X))).fit(PAIRS, 1 - SAME, X=X)
    assert model.threshold_ == -np.inf
    other = loaded(model, {type_of(model), CALIBRATORS["sigmoid"], SAVED_BY})
    assert_same_verifier(other, model)


@pytest.mark.parametrize(
    "Learner, Estimator, data",
    [
        (PairLearner, ContrastiveMetricTransformer, (PAIRS, SAME)),
        (TripletLearner, TripletMetricTransformer, (TRIPLETS,)),
    ],
)
def test_a_learner_of_tuples_asks_for_its_transformer(Learner, Estimator, data, small):
    model = Learner(small(Estimator)).fit(*data, X=X)
    other = loaded(model, {type_of(model), *types_of(model.transformer_)})
    assert_array_equal(other.decision_function(data[0], X=X), model.decision_function(data[0], X=X))
    assert other.fit(*data, X=X).score(*data, X=X) == model.score(*data, X=X)
