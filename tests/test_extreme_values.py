"""Numbers of any size, denormals and duplicates: results are finite and right, or the error is clear."""

import warnings
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from loss_tables import EMBEDDING_LOSSES, REDUCTIONS, RULES, metric_loss
from profiles import tried
from sklearn.preprocessing import FunctionTransformer
from test_gradients import COMPARISONS, LOSSES

from skmetric._calibration import CALIBRATIONS
from skmetric._thresholds import THRESHOLDS
from skmetric.losses import DISTANCES, normalized
from skmetric.pairs import paired_distances
from skmetric.verification import PairVerifier

LARGEST = np.finfo(np.float64).max
SIZES = [0.0, 5e-324, 1e-310, 1e-300, 1e-160, 1e-20, 1.0, 3.0, 1e20, 1e150, 1e160, 1e300, LARGEST]


def numbers(dtype, largest):
    """Numbers of both signs; many of them are equal."""
    dtype = np.dtype(dtype)
    sizes = [size for size in SIZES if size <= largest]
    some = st.sampled_from([*sizes, *(-size for size in sizes)])
    any_number = st.floats(-largest, largest, width=8 * dtype.itemsize)
    return some.map(lambda size: float(dtype.type(size))) | any_number


def matrices(dtype, shape, largest=None):
    return arrays(dtype, shape, elements=numbers(dtype, float(largest or np.finfo(dtype).max)))


@contextmanager
def without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# --- losses -----------------------------------------------------------------------------------------

N_ROWS = 6
batches = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: st.tuples(
        matrices(dtype, (N_ROWS, 2)), arrays(np.int64, N_ROWS, elements=st.integers(0, 1))
    )
)


def check_loss(loss, Z, *targets):
    """The loss is finite, or it raises an error that says why not."""
    with without_warnings():
        try:
            value, dZ = loss(Z.copy(), *targets)
        except FloatingPointError as error:
            assert "too far apart" in str(error) or "not finite" in str(error)
            # What the squares of float64 hold is not refused.
            assert np.abs(Z).max() > np.sqrt(np.finfo(Z.dtype).max) / 100
        else:
            assert np.isfinite(value) and np.isfinite(dZ).all()
            assert dZ.dtype == Z.dtype


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("sphere", [False, True])
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_metric_losses(rule, reduction, distance, sphere, comparison, record_property):
    loss = metric_loss(rule, reduction, distance, sphere, COMPARISONS[comparison](rule, reduction))
    record_property("extremes", tried(batches, lambda batch: check_loss(loss, *batch), 3, 200))
