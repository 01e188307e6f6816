import math
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skmetric import _pair_distances
from skmetric.pairs import paired_distances

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(30, 5))
PAIRS = RNG.integers(30, size=(50, 2))
LARGEST = np.finfo(float).max

FORMS = pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csr_array])


def one_by_one(Z, pairs):
    """Python's hypot neither overflows nor underflows on the way."""
    return [math.hypot(*(float(a) - float(b) for a, b in zip(Z[i], Z[j]))) for i, j in pairs]


@FORMS
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8])
def test_distances_are_those_of_the_rows(form, dtype):
    rows = (10 * np.abs(Z)).astype(dtype)
    found = paired_distances(form(rows), PAIRS)
    assert found.dtype == np.float64 and found.shape == (50,)
    assert_allclose(found, one_by_one(rows, PAIRS), rtol=1e-15)


@FORMS
@pytest.mark.parametrize("factor", [5e-324, 1e-320, 1e-300, 1e-200, 1e-160, 1e150, 1e200, 1e307])
def test_distances_are_right_whatever_their_size(form, factor):
    rows = factor * Z
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = paired_distances(form(rows), PAIRS)
    assert_allclose(found, one_by_one(rows, PAIRS), rtol=1e-15, atol=5e-324)


@FORMS
@pytest.mark.parametrize("factor", [1e-40, 1e-30, 1e30, 5e37])
def test_distances_of_small_floats_do_not_overflow(form, factor):
    rows = (factor * Z).astype(np.float32)
    assert_allclose(paired_distances(form(rows), PAIRS), one_by_one(rows, PAIRS), rtol=1e-15)
    beyond = np.array([[3e38], [-3e38]], dtype=np.float32)
    assert_allclose(paired_distances(form(beyond), [[0, 1]]), 6e38, rtol=1e-6)


@FORMS
def test_each_pair_has_its_own_size(form):
    rows = np.array([[0.0, 0.0], [3e-200, 4e-200], [3.0, 4.0], [3e200, 4e200], [LARGEST, 0]])
    found = paired_distances(form(rows), [[0, 1], [0, 2], [0, 3], [0, 4], [3, 3]])
    assert_allclose(found, [5e-200, 5, 5e200, LARGEST, 0], rtol=1e-15)


@FORMS
@pytest.mark.parametrize("exponent", [-900, -300, 300, 900])
def test_a_power_of_two_changes_no_bit(form, exponent):
    found = paired_distances(form(np.ldexp(Z, exponent)), PAIRS)
    assert_array_equal(found, np.ldexp(paired_distances(form(Z), PAIRS), exponent))


@FORMS
@pytest.mark.parametrize(
    "rows, problem",
    [
        (
            [[0.0, 0.0], [LARGEST, 0.0], [-LARGEST, 0.0]],
            "it is larger than the largest float64, 1.798e+308",
        ),
        (
            [[0.0, 0.0], [1.5e308, 0.0], [0.0, 1.5e308]],
            "it is larger than the largest float64, 1.798e+308",
        ),
        ([[0.0, 0.0], [1.0, np.nan], [0.0, 1.0]], "an embedding contains NaN or infinity"),
        ([[0.0, 0.0], [1.0, np.inf], [1.0, np.inf]], "an embedding contains NaN or infinity"),
    ],
)
def test_pairs_without_a_finite_distance_are_an_error(form, rows, problem):
    with pytest.raises(ValueError) as caught:
        paired_distances(form(np.array(rows)), [[0, 0], [1, 2]])
    assert str(caught.value) == (
        f"The distance of pair 1 is not finite: {problem}. This holds for 1 of 2 pairs."
    )


@FORMS
def test_more_pairs_than_are_gathered_at_a_time(form, monkeypatch):
    expected = paired_distances(form(Z), PAIRS)
    monkeypatch.setattr(_pair_distances, "BLOCK", 7)
    assert_array_equal(paired_distances(form(Z), PAIRS), expected)


def test_no_pairs_have_no_distances():
    assert paired_distances(Z, np.empty((0, 2), int)).shape == (0,)


def test_embeddings_stay_as_they_are():
    for rows in (Z.copy(), sparse.csr_array(Z)):
        paired_distances(rows, PAIRS)
        assert_array_equal(rows.toarray() if sparse.issparse(rows) else rows, Z)
