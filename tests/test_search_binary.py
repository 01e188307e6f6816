import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmetric._search.binary import (
    carried,
    digit_width,
    exponent_range,
    grid_exponent,
    largest_exponent,
    signed_digits,
    sums_of_products,
    within_range,
)


def integer_of(digits, width):
    """The number that has these digits, the least significant first."""
    return sum(int(digit) << (width * i) for i, digit in enumerate(digits))


@pytest.mark.parametrize(
    "value, exponent", [(1.0, 1), (0.75, 0), (-4.0, 3), (0.0, 0), (5e-324, -1073), (-1.7e308, 1024)]
)
def test_no_entry_reaches_the_power_of_the_largest_exponent(value, exponent):
    assert largest_exponent(np.array([[0.0, value]])) == exponent
    assert largest_exponent(np.zeros((2, 1)), np.array([[value]])) == exponent


@pytest.mark.parametrize("unit", [1e-310, 1e-200, 1e200, 1e308])
def test_rows_are_brought_into_range_by_a_power_of_two(unit):
    Z = unit * np.array([[1.0, 0.5], [-1.5, 0.25]])
    scaled, scaled_gallery = within_range(Z, Z[:1])
    assert np.isfinite(np.square(scaled)).all()
    assert np.frexp(scaled)[0].tolist() == np.frexp(Z)[0].tolist()
    assert_array_equal(scaled[:1], scaled_gallery)
    assert_array_equal(np.ptp(np.frexp(scaled)[1] - np.frexp(Z)[1]), 0)


def test_rows_in_range_are_not_copied():
    Z = np.array([[1e100], [1e-100]])
    assert within_range(Z, Z)[0] is Z


def test_a_gallery_that_is_the_queries_stays_so():
    Z = np.array([[1e200], [1e-200]])
    scaled, scaled_gallery = within_range(Z, Z)
    assert scaled is scaled_gallery


@pytest.mark.parametrize(
    "values, grid", [([1, 3], 0), ([2, 6, 0], 1), ([0.75, 12], -2), ([0], 4), ([2.0**-40, 8.0], -40)]
)
def test_grid_is_the_largest_that_has_all_entries(values, grid):
    assert grid_exponent(np.array(values, dtype=float)[:, np.newaxis], 4) == grid


def test_a_grid_too_fine_for_exact_differences_is_none():
    assert grid_exponent(np.array([[0.1], [1e6]]), 20) == -np.inf
    late = np.ones((5000, 1))
    late[-1] = 0.1
    assert grid_exponent(late, 4) == -np.inf


@pytest.mark.parametrize("n_components", [1, 64, 784, 20_000, 10**6])
def test_digits_are_narrow_enough_for_any_sum(n_components):
    width = digit_width(n_components)
    n_digits = -(-2098 // width)
    largest = 2 * (2**width - 1)
    assert n_digits * n_components * largest**2 < 2**62


def test_exponents_bracket_all_entries_but_zeros():
    values = np.array([[0.0, 3.0, -0.5], [2.0**-30, 0.0, 7.0]])
    lowest, highest = exponent_range(values, np.array([[9.0]]))
    assert highest == 4
    assert lowest == -29 - 53
    assert exponent_range(np.zeros((2, 2))) == (0, 0)


@pytest.mark.parametrize("width", [17, 23])
def test_digits_make_up_the_value(width):
    values = np.array([[1.0, -0.1, 0.0, 2.0**-60, 12345.678, -(2.0**20) + 2.0**-32]])
    lowest, highest = exponent_range(values)
    n_digits = -(-(highest - lowest) // width)
    digits = signed_digits(values, lowest, width, n_digits)
    assert np.abs(digits).max() < 2**width
    for column, value in enumerate(values[0]):
        numerator, denominator = float(value).as_integer_ratio()
        assert integer_of(digits[:, 0, column], width) == numerator * 2**-lowest // denominator


def test_sums_of_products_are_squares_of_numbers():
    rng = np.random.default_rng(0)
    width, digits = 20, rng.integers(-(2**21), 2**21, (3, 4, 5))
    sums = carried(sums_of_products(digits), width)
    assert (sums[:-1] >= 0).all() and (sums[:-1] < 2**width).all()
    for row in range(4):
        numbers = [integer_of(digits[:, row, column], width) for column in range(5)]
        assert integer_of(sums[:, row], width) == sum(number**2 for number in numbers)
