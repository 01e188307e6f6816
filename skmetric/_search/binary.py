"""Float64 numbers as what they are, integers times powers of two: scale, grid, exact sums of squares."""

from itertools import pairwise

import numpy as np

MANTISSA_BITS = 53
ROUNDOFF = 2.0**-MANTISSA_BITS
LARGEST_EXPONENT = 500
GRID_ROWS = 1024


# --- scale ------------------------------------------------------------------------------------------


def largest_exponent(*arrays):
    """Exponent e, so that no entry reaches ``2**e``."""
    largest = max(max(array.max(), -array.min()) for array in arrays)
    return int(np.frexp(largest)[1])


def within_range(Z, Z_gallery):
    """The rows times a power of two, if without it their squares would leave the range of float64."""
    exponent = largest_exponent(Z, Z_gallery)
    if abs(exponent) < LARGEST_EXPONENT - 100:
        return Z, Z_gallery
    shift = LARGEST_EXPONENT - exponent
    scaled = np.ldexp(Z, shift)
    return scaled, scaled if Z_gallery is Z else np.ldexp(Z_gallery, shift)


def grid_exponent(Z, exponent):
    """Largest `grid` such that all of `Z` are multiples of ``2**grid``.

    Minus infinity where differences on the grid need not be exact, with entries up to ``2**exponent``.
    """
    grid = exponent
    for start in range(0, len(Z), GRID_ROWS):
        rows = Z[start : start + GRID_ROWS]
        mantissa, exponents = np.frexp(rows[rows != 0])
        integer = np.ldexp(mantissa, MANTISSA_BITS).astype(np.int64)
        last_bit = np.frexp((integer & -integer).astype(np.float64))[1] - 1
        grid = min(grid, (exponents + last_bit).min(initial=grid + MANTISSA_BITS) - MANTISSA_BITS)
        if exponent - grid > MANTISSA_BITS - 3:
            return -np.inf
    return grid


# --- exact integers ---------------------------------------------------------------------------------


def digit_width(n_components):
    """Bits of a digit, so that sums of products of differences of digits stay below ``2**62``."""
    # The range of float64 has 2,098 bits: at least 17 of them in a digit make 128 digits at most.
    return (60 - (128 * n_components).bit_length()) // 2


def exponent_range(*arrays):
    """Exponents, so that all entries are multiples of ``2**lowest`` and less than ``2**highest``."""
    exponents = np.concatenate([np.frexp(array[array != 0])[1] for array in arrays])
    if len(exponents) == 0:
        return 0, 0
    return int(exponents.min()) - MANTISSA_BITS, int(exponents.max())


def signed_digits(values, lowest, width, n_digits):
    """Digits of ``values / 2**lowest`` in base ``2**width``, each with the sign of its value.

    Returns
    -------
    digits : ndarray of int64 of shape (n_digits, *values.shape)
        The least significant digit first.
    """
    mantissa, exponent = np.frexp(values)
    integer = np.abs(np.ldexp(mantissa, MANTISSA_BITS)).astype(np.uint64)
    sign = np.sign(values).astype(np.int64)
    shift = exponent.astype(np.int64) - MANTISSA_BITS - lowest
    mask = np.uint64(2**width - 1)
    digits = np.empty((n_digits, *values.shape), dtype=np.int64)
    for digit in digits:
        # Bits that a shift to the left pushes out belong to higher digits.
        up = integer << np.clip(shift, 0, width).astype(np.uint64)
        up >>= np.clip(-shift, 0, 63).astype(np.uint64)
        np.multiply((up & mask).view(np.int64), sign, out=digit)
        shift -= width
    return digits


def sums_of_products(digits):
    """Squares of numbers, summed over components: the digits of the sum before any carry."""
    n_digits = len(digits)
    sums = np.zeros((2 * n_digits - 1, digits.shape[1]), dtype=np.int64)
    for i in range(n_digits):
        sums[2 * i] += np.einsum("ij,ij->i", digits[i], digits[i])
        sums[i : 2 * i] += 2 * np.einsum("ij,dij->di", digits[i], digits[:i])
    return sums


def carried(sums, width):
    """Digits below ``2**width``, all but the last: equal numbers get equal digits. In place."""
    for lower, higher in pairwise(sums):
        higher += lower >> width
        lower &= 2**width - 1
    return sums
