"""What tests of all estimators share."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from profiles import by_profile
from sklearn.datasets import load_digits, load_iris

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)

X, Y = load_iris(return_X_y=True)
# Digits with noise, so that no score is perfect.
DIGITS, DIGIT_LABELS = (part[:300] for part in load_digits(return_X_y=True))
NOISE = np.random.default_rng(0).normal(0, 6, DIGITS.shape)
DIFFICULT = (DIGITS + NOISE) / 16, DIGIT_LABELS
ESTIMATORS = [
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
]
TRANSFORMERS = ESTIMATORS[1:]
each = pytest.mark.parametrize("Estimator", ESTIMATORS)
each_transformer = pytest.mark.parametrize("Estimator", TRANSFORMERS)


def over_seeds(nightly=100):
    """Run a test of what is learned with the seeds 0, 1, ...; by day with 0 alone, nightly with so many.

    The fixture `seed` has the seed. The estimators of `small` have it as their `random_state`.
    """
    n_seeds = by_profile(1, nightly)
    cases = [pytest.param((seed, n_seeds), id=f"seed {seed}") for seed in range(n_seeds)]
    return pytest.mark.parametrize("seed", cases, indirect=True)


def parameters_of(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same_parameters(model, other):
    for W, V in zip(parameters_of(model), parameters_of(other), strict=True):
        assert W.dtype == V.dtype
        assert_array_equal(W, V)


def assert_same_model(model, other):
    assert_same_parameters(model, other)
    assert model.loss_curve_ == other.loss_curve_
    assert model.n_iter_ == other.n_iter_


def fitted_attributes(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


def peak_of(call, *arguments):
    """Bytes that a call takes on top of what there is, once it has been called before."""
    call(*arguments)
    tracemalloc.start()
    try:
        call(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
