import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from skmetric import *


@parametrize_with_checks(
    [SoftmaxMLPClassifier(), TripletMetricTransformer(), ContrastiveMetricTransformer()]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
