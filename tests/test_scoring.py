"""Early stopping by a score of the user's choice, and the copy of the estimator that it is given."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from shared import DIFFICULT, assert_same_model, each, each_transformer
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.metrics import make_retrieval_scorer, mean_average_precision_at_r

X, Y = DIFFICULT
NAMED = np.array([f"digit {code}" for code in range(10)])[Y]
STOPPED = {"early_stopping": True, "max_iter": 6}


def of_estimator(model, X, y):
    return model.score(X, y)


class Recorder:
    """A scorer that keeps what it is given; its scores fall after the third epoch."""

    def __init__(self):
        self.models = []
        self.weights = []

    def __call__(self, model, X, y, sample_weight=None):
        self.models.append(model)
        self.rows = X, y
        self.weights.append(sample_weight)
        return -abs(len(self.models) - 3)


@each
@pytest.mark.parametrize("options", [{}, {"batch_norm": True}, {"standardize": "auto"}])
def test_the_score_of_the_estimator_is_the_default(Estimator, options, small):
    usual = small(Estimator, **STOPPED, **options).fit(X, Y)
    scored = small(Estimator, **STOPPED, **options, scoring=of_estimator).fit(X, Y)
    assert_same_model(usual, scored)
    assert scored.validation_scores_ == pytest.approx(usual.validation_scores_)
    assert len(set(scored.validation_scores_)) > 1


@each_transformer
@pytest.mark.parametrize("options", [{"input_weight": 1.0}, {"n_networks": 2}])
def test_what_is_fitted_beside_the_network_is_scored_too(Estimator, options, small):
    recorder = Recorder()
    small(Estimator, **STOPPED, **options, scoring=recorder).fit(X, Y)
    model = small(Estimator, **STOPPED, **options, scoring=of_estimator).fit(X, Y)
    assert model.best_validation_score_ == model.score(*recorder.rows)


@pytest.mark.parametrize(
    "scoring, word", [("roc_auc", "multi_class"), ("mutual_info_score", "sample_weight")]
)
def test_a_scorer_that_fails_is_named(scoring, word, small):
    model = small(SoftmaxMLPClassifier, **STOPPED, scoring=scoring, class_weight={0: 2.0})
    with pytest.raises(ValueError, match=f"scoring='{scoring}' failed on the validation rows: .*{word}"):
        model.fit(X, Y)


@each
def test_the_weights_of_the_best_score_are_kept(Estimator, small):
    recorder = Recorder()
    model = small(Estimator, **STOPPED, scoring=recorder).fit(X, NAMED)
    assert model.validation_scores_ == [-2, -1, 0, -1, -2, -3]
    assert model.best_validation_score_ == 0
    for W, best in zip(model.coefs_, recorder.models[2].coefs_, strict=True):
        assert_array_equal(W, best)
    assert len({model.coefs_[0].tobytes() for model in recorder.models}) == 6
    rows, labels = recorder.rows
    assert len(rows) == len(labels) == 30 and set(labels) <= set(NAMED)


@each
def test_the_copy_that_is_scored_is_a_fitted_estimator(Estimator, small):
    recorder = Recorder()
    model = small(Estimator, **STOPPED, scoring=recorder).fit(X, NAMED)
    best = recorder.models[2]
    assert_array_equal(best.transform(X), model.transform(X))
    assert best.get_params() == model.get_params()


def test_names_are_those_of_retrieval_measures(small):
    by_name, by_scorer = (
        small(TripletMetricTransformer, **STOPPED, scoring=scoring).fit(X, Y)
        for scoring in [
            "mean_average_precision_at_r",
            make_retrieval_scorer("mean_average_precision_at_r"),
        ]
    )
    assert by_name.validation_scores_ == by_scorer.validation_scores_
    recorder = Recorder()
    small(TripletMetricTransformer, **STOPPED, scoring=recorder).fit(X, Y)
    rows, labels = recorder.rows
    value = mean_average_precision_at_r(recorder.models[0].transform(rows), labels)
    assert by_name.validation_scores_[0] == pytest.approx(value)
    at_5 = small(TripletMetricTransformer, **STOPPED, scoring="recall_at_5").fit(X, Y)
    assert max(at_5.validation_scores_) > max(by_name.validation_scores_)


def test_names_are_those_of_scikit_learn_for_a_classifier(small):
    by_name, by_scorer = (
        small(SoftmaxMLPClassifier, **STOPPED, scoring=scoring).fit(X, Y)
        for scoring in ["f1_macro", make_scorer(f1_score, average="macro")]
    )
    assert by_name.validation_scores_ == by_scorer.validation_scores_
    usual = small(SoftmaxMLPClassifier, **STOPPED).fit(X, Y)
    assert by_name.validation_scores_ != usual.validation_scores_


def test_a_score_gets_the_weights_of_the_rows(small):
    weights = np.random.default_rng(0).uniform(1, 2, len(X))
    recorder = Recorder()
    small(SoftmaxMLPClassifier, **STOPPED, scoring=recorder).fit(X, Y, sample_weight=weights)
    assert all(len(some) == 30 for some in recorder.weights)
    recorder = Recorder()
    small(SoftmaxMLPClassifier, **STOPPED, scoring=recorder).fit(X, Y)
    assert recorder.weights == [None] * 6


@each_transformer
def test_whole_classes_may_be_scored(Estimator, small):
    recorder = Recorder()
    small(Estimator, **STOPPED, validation="classes", scoring=recorder).fit(X, NAMED)
    assert len(set(recorder.rows[1])) == 2


@each
def test_without_early_stopping_nothing_is_scored(Estimator, small):
    recorder = Recorder()
    small(Estimator, scoring=recorder).fit(X, Y)
    assert recorder.models == []


def test_a_search_may_stop_by_a_score(small):
    estimator = small(TripletMetricTransformer, **STOPPED, scoring="r_precision")
    search = GridSearchCV(estimator, {"margin": [0.5, 2]}, cv=2).fit(X, Y)
    assert len(search.best_estimator_.validation_scores_) == 6


# --- errors -------------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("value", [np.nan, None, "1", np.ones(2)])
def test_a_score_that_is_no_number_is_named(Estimator, value, small):
    def broken(model, X, y):
        return value

    model = small(Estimator, **STOPPED).fit(X, Y)
    before = model.coefs_
    with pytest.raises(ValueError, match=r"scoring=.*broken.* must return a number, got"):
        model.set_params(scoring=broken).fit(X, Y)
    assert model.coefs_ is before


@each
@pytest.mark.parametrize("scoring", [3, ["accuracy"]])
def test_another_type_is_refused(Estimator, scoring, small):
    with pytest.raises(ValueError, match="'scoring' parameter"):
        small(Estimator, scoring=scoring).fit(X, Y)


@each
def test_a_measure_that_is_no_scorer_is_refused(Estimator, small):
    with pytest.raises(ValueError, match="scorer"):
        small(Estimator, **STOPPED, scoring=f1_score).fit(X, Y)


def test_an_unknown_name_is_refused_with_those_that_there_are(small):
    with pytest.raises(ValueError, match=r"'scoring' parameter of TripletMetric.*r_precision"):
        small(TripletMetricTransformer, **STOPPED, scoring="accuracy").fit(X, Y)
    with pytest.raises(ValueError, match=r"'scoring' parameter of SoftmaxMLPClassifier.*accuracy"):
        small(SoftmaxMLPClassifier, **STOPPED, scoring="acuracy").fit(X, Y)
