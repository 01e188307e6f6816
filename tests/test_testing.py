import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmetric.testing import check_gradient

Z = np.random.default_rng(0).normal(size=(6, 4))


def half_square(Z):
    return 0.5 * float(np.sum(Z**2)), Z


def smooth(Z):
    return float(np.sum(np.sin(Z) * np.exp(Z))), (np.cos(Z) + np.sin(Z)) * np.exp(Z)


def constant(Z):
    return 3.0, np.zeros_like(Z)


def weighted_square(Z, y, weight):
    return float(np.sum(weight * y[:, None] * Z**2)), 2 * weight * y[:, None] * Z


RIGHT = [half_square, smooth, constant]


def with_gradient(loss, change):
    def wrong(Z, *args):
        value, dZ = loss(Z, *args)
        return value, change(dZ)

    return wrong


@pytest.mark.parametrize("loss", RIGHT)
def test_a_right_gradient_is_accepted(loss):
    errors = check_gradient(loss, Z)
    assert errors.shape == (3,)
    assert (0 <= errors).all() and errors.max() < 1e-6


@pytest.mark.parametrize("loss", [half_square, smooth])
@pytest.mark.parametrize("factor", [0.999, 1.001, -1, 0, 2])
def test_a_gradient_wrong_by_a_thousandth_is_rejected(loss, factor):
    with pytest.raises(AssertionError):
        check_gradient(with_gradient(loss, lambda dZ: factor * dZ), Z)


def test_a_gradient_wrong_in_one_entry_is_rejected():
    def one_entry_off(dZ):
        dZ = dZ.copy()
        dZ[2, 1] *= 1.001
        return dZ

    with pytest.raises(AssertionError):
        check_gradient(with_gradient(smooth, one_entry_off), Z)


def test_a_gradient_of_0_is_rejected_where_the_loss_changes():
    with pytest.raises(AssertionError):
        check_gradient(with_gradient(half_square, np.zeros_like), Z)


def test_a_gradient_is_rejected_where_the_loss_does_not_change():
    with pytest.raises(AssertionError):
        check_gradient(with_gradient(constant, np.ones_like), Z)


@pytest.mark.parametrize("part", ["value", "gradient"])
def test_nan_is_rejected(part):
    def loss(Z):
        value, dZ = half_square(Z)
        return (np.nan, dZ) if part == "value" else (value, dZ * np.nan)

    with pytest.raises(AssertionError):
        check_gradient(loss, Z)


def test_the_message_shows_both_numbers():
    with pytest.raises(AssertionError) as raised:
        check_gradient(with_gradient(half_square, lambda dZ: 2 * dZ), Z)
    numbers = re.search(r"central difference (\S+), gradient (\S+), error (\S+) of", str(raised.value))
    numerical, analytical, error = map(float, numbers.groups())
    V = np.random.default_rng(0).normal(size=Z.shape)
    V /= np.linalg.norm(V)
    assert numerical == pytest.approx(np.sum(Z * V), rel=1e-6)
    assert analytical == pytest.approx(2 * np.sum(Z * V), rel=1e-6)
    assert error == pytest.approx(abs(np.sum(Z * V)) / np.linalg.norm(2 * Z), rel=1e-1)


def test_more_arguments_reach_the_loss():
    assert check_gradient(weighted_square, Z, np.arange(6.0), 0.3).max() < 1e-6


def test_number_of_directions_is_the_number_of_errors():
    calls = []

    def counting(Z):
        calls.append(1)
        return half_square(Z)

    assert check_gradient(counting, Z, n_directions=7).shape == (7,)
    assert len(calls) == 1 + 2 * 7


def test_same_seed_gives_same_errors():
    first, again = check_gradient(smooth, Z, random_state=3), check_gradient(smooth, Z, random_state=3)
    assert_array_equal(first, again)
    assert not np.array_equal(first, check_gradient(smooth, Z, random_state=4))


def test_rtol_decides():
    wrong = with_gradient(half_square, lambda dZ: 1.001 * dZ)
    assert check_gradient(wrong, Z, rtol=1e-2).max() < 1e-2
    with pytest.raises(AssertionError, match="rtol=1e-05"):
        check_gradient(wrong, Z, rtol=1e-5)


def test_errors_do_not_depend_on_the_units_of_the_loss():
    def scaled(Z):
        value, dZ = smooth(Z)
        return 1e6 * value, 1e6 * dZ

    assert check_gradient(scaled, Z).max() < 1e-6


def test_a_loss_that_overwrites_its_result_is_read_in_time():
    buffer = np.zeros_like(Z)

    def loss(Z):
        buffer[...] = np.nan if buffer.any() else Z
        return 0.5 * float(np.sum(Z**2)), buffer

    assert check_gradient(loss, Z).max() < 1e-6


def test_where_to_look_is_left_as_it_is():
    def greedy(Z):
        value, dZ = half_square(Z.copy())
        Z[...] = np.nan
        return value, dZ

    here = Z.copy()
    check_gradient(greedy, here)
    assert_array_equal(here, Z)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_gradients_of_any_size_are_compared(unit):
    """Their squares over- or underflow."""

    def scaled(Z):
        value, dZ = smooth(Z)
        return unit * value, unit * dZ

    assert check_gradient(scaled, Z).max() < 1e-6
    with pytest.raises(AssertionError, match="rtol"):
        check_gradient(with_gradient(scaled, lambda dZ: 1.001 * dZ), Z)


@pytest.mark.parametrize(
    "returned, message",
    [
        (None, r"loss must return a tuple \(value, dZ\), got a NoneType"),
        (1.0, "got a float"),
        ((1.0, Z, Z), "got a tuple"),
        ((1.0, None), r"shape \(6, 4\), got shapes \(\) and \(\)"),
        ((1.0, Z[:, :1]), r"shapes \(\) and \(6, 1\)"),
        ((Z, Z), r"shapes \(6, 4\) and \(6, 4\)"),
    ],
)
def test_a_loss_that_returns_nonsense_is_an_error_in_words(returned, message):
    with pytest.raises(ValueError, match=message):
        check_gradient(lambda Z: returned, Z)


def test_without_a_direction_nothing_would_be_compared():
    with pytest.raises(ValueError, match="n_directions must be at least 1, got 0"):
        check_gradient(with_gradient(smooth, np.zeros_like), Z, n_directions=0)


def test_where_to_look_may_be_integers():
    assert check_gradient(half_square, [[1, 2], [3, 4]]).max() < 1e-6
