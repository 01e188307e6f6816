import copy
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from shared import (
    X,
    Y,
    assert_same_model,
    each,
    fitted_attributes,
    over_seeds,
)
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold

FOLDS = StratifiedKFold(3)  # the rows are sorted by class
pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)


@each
def test_grid_search_is_the_same_in_two_processes(Estimator, small):
    grid = {"hidden_layer_sizes": [(), (4,)], "alpha": [0.0, 0.01]}
    one, two = (GridSearchCV(small(Estimator), grid, cv=FOLDS, n_jobs=n).fit(X, Y) for n in (None, 2))
    assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert_same_model(one.best_estimator_, two.best_estimator_)


@each
@over_seeds()
def test_grid_search_leaves_out_a_rate_that_explodes(Estimator, small):
    grid = {"learning_rate_init": [0.01, 1e30]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = GridSearchCV(small(Estimator, solver="sgd"), grid, cv=FOLDS).fit(X, Y)
    assert search.best_params_ == {"learning_rate_init": 0.01}
    assert np.isfinite(search.cv_results_["mean_test_score"]).tolist() == [True, False]


@each
def test_clone_has_the_parameters_and_no_model(Estimator, small):
    model = small(Estimator, alpha=0.25).fit(X, Y)
    assert clone(model).get_params() == model.get_params()
    assert fitted_attributes(clone(model)) == {}


@each
def test_fit_does_not_change_the_parameters(Estimator, small):
    model = small(Estimator)
    before = copy.deepcopy(model.get_params())
    assert model.fit(X, Y).get_params() == before
