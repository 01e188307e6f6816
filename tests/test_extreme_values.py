"""Numbers of any size, denormals and duplicates: results are finite and right, or the error is clear."""

import warnings
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from loss_tables import REDUCTIONS, RULES, metric_loss
from profiles import tried
from sklearn.preprocessing import FunctionTransformer
from test_gradients import COMPARISONS

from skmetric._calibration import CALIBRATIONS
from skmetric._numbers import check_numbers
from skmetric._thresholds import THRESHOLDS
from skmetric._transformed import embeddings_of
from skmetric.losses import DISTANCES, LABEL_LOSSES, normalized
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


def are_usual(Z, y, sample_weight=1.0):
    """Whether squares of embeddings, their inverse lengths and their products with weights are floats."""
    largest = float(np.finfo(Z.dtype).max)
    lengths = np.abs(Z[Z.any(axis=1)].astype(np.float64)).max(axis=1)
    largest_term = float(lengths.max(initial=0)) * max(1.0, float(np.max(sample_weight)))
    is_small = largest_term < np.sqrt(largest) / 100
    return is_small and lengths.min(initial=1) > 100 / largest


def check_loss(loss, Z, *targets):
    """The loss is finite, or it raises an error that says why not."""
    with without_warnings():
        try:
            value, dZ = loss(Z.copy(), *targets)
        except FloatingPointError as error:
            assert "too far apart" in str(error) or "not finite" in str(error)
            assert not are_usual(Z, *targets)
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


label_batches = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: st.tuples(
        matrices(dtype, (4, 3)),
        arrays(np.int64, 4, elements=st.integers(0, 2)),
        arrays(dtype, 4, elements=st.sampled_from(np.array([0, 1e-30, 1, 1e30], dtype))),
    )
)


@pytest.mark.parametrize("loss", LABEL_LOSSES.values(), ids=LABEL_LOSSES)
def test_label_losses(loss, record_property):
    def check(batch):
        check_loss(loss, *batch)
        check_loss(loss, *batch[:2])

    record_property("extremes", tried(label_batches, check, 20, 2000))


def test_norms():
    def check(Z):
        with without_warnings():
            U, norms = normalized(Z)
        assert np.isfinite(norms).all() and (norms > 0).all()
        lengths = np.linalg.norm(U, axis=1)
        assert ((np.abs(lengths - 1) < 1e-6) | ((lengths == 0) & (Z == 0).all(axis=1))).all()

    tried(matrices(np.float64, (5, 3)), check, 30, 2000)


# --- distances of pairs -----------------------------------------------------------------------------


def exact_square(first, second):
    return sum((Fraction(float(a)) - Fraction(float(b))) ** 2 for a, b in zip(first, second))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_of_pairs_are_those_of_exact_arithmetic(dtype, record_property):
    pairs = np.array([[0, 1], [0, 2], [1, 2], [2, 2]])

    def check(Z):
        exact = [exact_square(Z[i], Z[j]) for i, j in pairs]
        with without_warnings():
            try:
                found = paired_distances(Z, pairs)
            except ValueError as error:
                assert "larger than the largest float64" in str(error)
                assert max(exact) >= Fraction(LARGEST) ** 2 * (1 - Fraction(2) ** -50)
                return
        for distance, square in zip(found.tolist(), exact):
            error = Fraction(2) ** -50 * Fraction(distance) + Fraction(5e-324)
            lowest = max(Fraction(distance) - error, 0)
            assert lowest**2 <= square <= (Fraction(distance) + error) ** 2

    record_property("extremes", tried(matrices(dtype, (3, 3)), check, 30, 2000))


# --- thresholds, calibrations, verification ---------------------------------------------------------

distances_of_pairs = matrices(np.float64, 8, LARGEST / 2).map(np.abs)
SAME = np.array([True, True, True, False, True, False, False, False])


@pytest.mark.parametrize("name", THRESHOLDS)
@pytest.mark.parametrize("resolution", [0.0, 1e-300, 1.0, 1e290])
def test_thresholds(name, resolution, record_property):
    def check(distances):
        with without_warnings():
            try:
                found = THRESHOLDS[name](SAME, distances, resolution, 1.0, 0.5)
            except ValueError as error:
                assert name == "max_tpr" and "min_rate" in str(error)
                return
        assert found == -np.inf or distances.min() <= found <= LARGEST

    record_property("extremes", tried(distances_of_pairs, check, 15, 1000))


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_calibrations(name, record_property):
    def check(both):
        distances, others = both
        with without_warnings():
            predict = CALIBRATIONS[name](-distances, SAME)
            P = predict(-np.sort(np.append(distances, others)))
        assert np.isfinite(P).all() and P.min() >= 0 and P.max() <= 1
        assert (np.diff(P) <= 1e-12).all()

    record_property("extremes", tried(st.tuples(distances_of_pairs, distances_of_pairs), check, 15, 1000))


def test_numbers_whose_sum_is_inf_minus_inf():
    Z = np.full((16, 1), 0.0)
    Z[12:, 0] = [1e300, LARGEST, -LARGEST / 2, -LARGEST / 2]
    with without_warnings():
        assert check_numbers(Z) is Z
        assert embeddings_of(FunctionTransformer(), Z) is Z


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_verifiers(threshold, calibration, record_property):
    verifier = PairVerifier(
        FunctionTransformer(), threshold=threshold, calibration=calibration, min_rate=0.5
    )

    def check(rows):
        pairs = rows.reshape(8, 2, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "All pairs are predicted to be different")
            try:
                verifier.fit(pairs, SAME)
            except ValueError as error:
                assert "min_rate" in str(error) or "larger than the largest float64" in str(error)
                return
            P = verifier.predict_proba(pairs)
            assert np.isfinite(P).all()
            assert 0 <= verifier.score(pairs, SAME) <= 1

    record_property("extremes", tried(matrices(np.float64, 16), check, 5, 500))
