from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from shared import ESTIMATORS, X, Y, each
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version, sp_version

from skmetric import (
    SoftmaxMLPClassifier,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)


# --- all that scikit-learn checks ---------------------------------------------------------------------


@parametrize_with_checks([Estimator() for Estimator in ESTIMATORS])
def test_checks_of_scikit_learn(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.fail(f"nothing may be skipped: {reason}")
    except ImportError as reason:
        if sp_version >= parse_version("1.14"):
            raise
        pytest.skip(f"scikit-learn's check of array API input needs SciPy 1.14: {reason}")


# What scikit-learn asks of its own estimators, but check_estimator of nobody.
MORE = [
    "check_dataframe_column_names_consistency",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@each
@pytest.mark.parametrize("name", MORE)
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
def test_further_checks_of_scikit_learn(Estimator, name):
    try:
        getattr(estimator_checks, name)(Estimator.__name__, Estimator(max_iter=2))
    except SkipTest as reason:
        pytest.fail(f"nothing may be skipped: {reason}")


@each
def test_tags(Estimator):
    tags = get_tags(Estimator())
    assert tags.input_tags.sparse
    assert tags.target_tags.required
    assert not tags.input_tags.allow_nan
    assert tags.estimator_type == ("classifier" if Estimator is SoftmaxMLPClassifier else None)


# --- sample_weight through meta-estimators ------------------------------------------------------------

WEIGHTS = np.random.default_rng(0).random(150)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def asking(model):
    return model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)


def test_a_pipeline_routes_weights(small, routing):
    plain = small(SoftmaxMLPClassifier)
    pipeline = make_pipeline(MinMaxScaler(), asking(clone(plain))).fit(X, Y, sample_weight=WEIGHTS)
    rows = MinMaxScaler().fit_transform(X)
    expected = clone(plain).fit(rows, Y, sample_weight=WEIGHTS)
    assert_array_equal(pipeline.predict_proba(X), expected.predict_proba(rows))
    assert not np.array_equal(expected.coefs_[0], plain.fit(rows, Y).coefs_[0])
    score = accuracy_score(Y, expected.predict(rows), sample_weight=WEIGHTS)
    assert pipeline.score(X, Y, sample_weight=WEIGHTS) == score


def test_cross_validation_routes_weights(small, routing):
    plain = small(SoftmaxMLPClassifier)
    pipeline, folds = (
        make_pipeline(MinMaxScaler(), asking(clone(plain))),
        KFold(3, shuffle=True, random_state=0),
    )
    # With the score of the estimator scikit-learn 1.6 does not route, whatever the pipeline holds.
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    settings = {"cv": folds, "scoring": scorer, "return_estimator": True}
    found = cross_validate(pipeline, X, Y, params={"sample_weight": WEIGHTS}, **settings)
    for (train, test), fitted, score in zip(folds.split(X), found["estimator"], found["test_score"]):
        direct = make_pipeline(MinMaxScaler(), asking(clone(plain)))
        direct.fit(X[train], Y[train], sample_weight=WEIGHTS[train])
        assert_array_equal(fitted[-1].coefs_[0], direct[-1].coefs_[0])
        assert score == direct.score(X[test], Y[test], sample_weight=WEIGHTS[test])


def test_grid_search_routes_weights(small, routing):
    search = GridSearchCV(asking(small(SoftmaxMLPClassifier)), {"alpha": [0.0, 0.1]}, cv=3)
    search.fit(X, Y, sample_weight=WEIGHTS)
    expected = clone(search.best_estimator_).fit(X, Y, sample_weight=WEIGHTS)
    assert_array_equal(search.best_estimator_.coefs_[0], expected.coefs_[0])


def test_weights_that_nobody_asked_for_are_refused(small, routing):
    pipeline = make_pipeline(MinMaxScaler(), small(SoftmaxMLPClassifier))
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        pipeline.fit(X, Y, sample_weight=WEIGHTS)


def test_a_pass_may_ask_for_its_classes(routing, small):
    model = small(SoftmaxMLPClassifier).set_partial_fit_request(classes=True, sample_weight=True)
    requests = model.get_metadata_routing().partial_fit.requests
    assert requests == {"classes": True, "sample_weight": True}


# --- data frames --------------------------------------------------------------------------------------


@each
def test_global_output_may_be_a_data_frame(Estimator, small):
    with sklearn.config_context(transform_output="pandas"):
        model = small(Estimator)
        frame = model.fit_transform(pd.DataFrame(X, index=np.arange(150) + 7), Y)
        assert list(frame.columns) == list(model.get_feature_names_out())
        assert list(frame.index) == list(range(7, 157))
        assert 0 <= model.score(X, Y) <= 1


@each
def test_representation_shows_changed_parameters(Estimator):
    assert repr(Estimator(alpha=0.125)) == f"{Estimator.__name__}(alpha=0.125)"
    assert "alpha" in Estimator()._repr_html_() or Estimator.__name__ in Estimator()._repr_html_()
