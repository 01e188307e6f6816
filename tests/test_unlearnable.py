import numpy as np
import pytest
from numpy.testing import assert_array_equal
from shared import (
    X,
    Y,
    each,
    each_transformer,
    parameters_of,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)


def assert_finite(model, values):
    assert all(np.isfinite(W).all() for W in parameters_of(model))
    assert np.isfinite(values).all()


@each
@pytest.mark.parametrize("label", [3, "a", True])
def test_one_class_is_refused(Estimator, label, small):
    with pytest.raises(ValueError, match="class"):
        small(Estimator).fit(X, np.full(150, label))


@each_transformer
@pytest.mark.parametrize("batch_sampler", ["auto", "shuffle", "balanced"])
def test_classes_of_one_sample_each_are_refused(Estimator, batch_sampler, small):
    with pytest.raises(ValueError, match="one sample"):
        small(Estimator, batch_sampler=batch_sampler).fit(X, np.arange(150))


@each_transformer
@pytest.mark.parametrize("batch_sampler", ["auto", "shuffle", "balanced"])
@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_a_class_may_be_of_one_sample(Estimator, batch_sampler, batch_size, small, outputs):
    y = Y.copy()
    y[0] = 9
    model = small(Estimator, batch_sampler=batch_sampler, batch_size=batch_size).fit(X, y)
    assert_array_equal(model.classes_, [0, 1, 2, 9])
    assert_finite(model, outputs(model, X))


@each
def test_early_stopping_needs_two_samples_of_a_class(Estimator, small):
    y = Y.copy()
    y[0] = 9
    with pytest.raises(ValueError, match="validation_fraction"):
        small(Estimator, early_stopping=True).fit(X, y)


@each
@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_early_stopping_needs_enough_rows(Estimator, fraction, small):
    with pytest.raises(ValueError, match="validation_fraction"):
        small(Estimator, early_stopping=True, validation_fraction=fraction).fit(X, Y)


@each
@pytest.mark.parametrize(
    "y",
    [np.linspace(0, 1, 150), np.eye(3, dtype=int)[Y], np.where(Y == 0, np.nan, Y), np.full(150, None)],
    ids=["continuous", "multilabel", "NaN", "None"],
)
def test_what_are_not_labels_is_refused(Estimator, y, small):
    with pytest.raises(ValueError):
        small(Estimator).fit(X, y)
