import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from skmetric._calibration import CALIBRATIONS

RNG = np.random.default_rng(0)
SAME = np.arange(200) % 2 == 0
SCORES = -np.abs(RNG.normal(np.where(SAME, 1.0, 2.5), 0.7))

each_calibration = pytest.mark.parametrize("calibration", CALIBRATIONS)


@each_calibration
@pytest.mark.parametrize("flipped", [False, True])
def test_probabilities_never_fall_with_the_score(calibration, flipped):
    P = CALIBRATIONS[calibration](SCORES, SAME ^ flipped)(np.linspace(-20, 0, 500))
    assert P.shape == (500,)
    assert (P >= 0).all() and (P <= 1).all()
    assert (np.diff(P) >= 0).all()
    assert np.ptp(P) < 0.1 if flipped else np.ptp(P) > 0.8


class Given(ClassifierMixin, BaseEstimator):
    """The one column is the decision."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return X[:, 0]

    def predict(self, X):
        return self.classes_[(X[:, 0] > 0).astype(int)]


@each_calibration
def test_probabilities_are_those_of_scikit_learn(calibration):
    scores = SCORES[:, np.newaxis]
    oracle = CalibratedClassifierCV(FrozenEstimator(Given().fit(scores, SAME)), method=calibration)
    expected = oracle.fit(scores, SAME).predict_proba(scores)[:, 1]
    assert_allclose(CALIBRATIONS[calibration](SCORES, SAME)(SCORES), expected, atol=1e-4)


@each_calibration
@pytest.mark.parametrize("factor", [1e-307, 1e-200, 1e-16, 1e-9, 1e9, 1e200, 1e307])
def test_probabilities_do_not_depend_on_the_unit(calibration, factor):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        P = CALIBRATIONS[calibration](factor * SCORES, SAME)(factor * SCORES)
    assert_allclose(P, CALIBRATIONS[calibration](SCORES, SAME)(SCORES), rtol=1e-6)


@each_calibration
@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e300])
def test_scores_far_beyond_those_of_the_fit_have_probabilities(calibration, factor):
    predict = CALIBRATIONS[calibration](factor * SCORES, SAME)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        P = predict(np.array([-1.7e308, -1e-310, 0.0]))
    # Where all distances of the fit are above 1e299, 1e-310 and 0 are the same, and small.
    assert 0 <= P[0] <= P[1] <= P[2] <= 1
    assert P[2] > 0.8


@each_calibration
def test_scores_worse_than_chance_say_nothing_far_away_either(calibration):
    predict = CALIBRATIONS[calibration](SCORES * 1e-200, ~SAME)
    assert_allclose(predict(np.array([-1e300, -1.0, 0.0, 1e300])), 0.5, atol=0.06)


@each_calibration
def test_scores_of_very_different_sizes_have_probabilities(calibration):
    scores = -np.array([1e-200, 1e-100, 1.0, 1e100, 1e200])
    same = np.array([True, True, True, False, False])
    P = CALIBRATIONS[calibration](scores, same)(scores)
    assert np.isfinite(P).all() and P[0] > P[-1] and (np.diff(P) <= 0).all()


def test_pairs_told_apart_have_probabilities_between_0_and_1():
    same = np.array([True, True, False, False])
    predict = CALIBRATIONS["sigmoid"](-np.array([1.0, 2.0, 5.0, 6.0]), same)
    near, nearest, far, farther = predict(-np.array([1.0, 0.0, 6.0, 9.0]))
    assert 0.5 < near < nearest < 1 and 0 < farther < far < 0.5


@pytest.mark.parametrize("distance", [0.0, 0.1, 1.0, 1e-200, 1e300])
def test_pairs_all_alike_have_the_mean_of_the_targets(distance):
    scores = np.full(3, -distance)
    predict = CALIBRATIONS["sigmoid"](scores, np.array([True, True, False]))
    # Platt's targets: 3/4 for the two, 1/3 for the one
    assert_allclose(predict(scores), (2 * 3 / 4 + 1 / 3) / 3)
    assert_array_equal(np.isfinite(predict(-np.array([0.0, 2 * distance]))), True)
