"""Float64 numbers as integers times powers of two: scaling, common grids, and exact sums of squares."""

from itertools import pairwise

import numpy as np

MANTISSA_BITS = 53
ROUNDOFF = 2.0**-MANTISSA_BITS
LARGEST_EXPONENT = 500
GRID_ROWS = 1024


# --- scale ------------------------------------------------------------------------------------------


def largest_exponent(*arrays):
    """Exponent e such that all entries are less than ``2**e`` in absolute value."""
    largest = max(max(array.max(), -array.min()) for array in arrays)
    return int(np.frexp(largest)[1])


def within_range(Z, Z_gallery):
    """Scale the rows by a power of two if their squares would overflow or underflow."""
    exponent = largest_exponent(Z, Z_gallery)
    if abs(exponent) < LARGEST_EXPONENT - 100:
        return Z, Z_gallery
    shift = LARGEST_EXPONENT - exponent
    scaled = np.ldexp(Z, shift)
    return scaled, scaled if Z_gallery is Z else np.ldexp(Z_gallery, shift)


def grid_exponent(Z, exponent):
    """Largest integer `grid` such that all entries of `Z` are multiples of ``2**grid``.

    It is minus infinity if differences of such multiples up to ``2**exponent`` may be rounded.
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
    """Number of bits in a digit: sums of products of differences of digits stay below ``2**62``."""
    # Float64 numbers span 2,098 bits. With at least 17 bits in a digit, there are at most 128 digits.
    return (60 - (128 * n_components).bit_length()) // 2


def exponent_range(*arrays):
    """Exponents such that all entries are multiples of ``2**lowest`` and less than ``2**highest``."""
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
        # Bits that the left shift pushes out belong to higher digits.
        up = integer << np.clip(shift, 0, width).astype(np.uint64)
        up >>= np.clip(-shift, 0, 63).astype(np.uint64)
        np.multiply((up & mask).view(np.int64), sign, out=digit)
        shift -= width
    return digits


def sums_of_products(digits):
    """Digits, before carrying, of the sum over the components of the squared numbers."""
    n_digits = len(digits)
    sums = np.zeros((2 * n_digits - 1, digits.shape[1]), dtype=np.int64)
    for i in range(n_digits):
        sums[2 * i] += np.einsum("ij,ij->i", digits[i], digits[i])
        sums[i : 2 * i] += 2 * np.einsum("ij,dij->di", digits[i], digits[:i])
    return sums


def carried(sums, width):
    """Carry in place: all digits but the last are then below ``2**width``, and unique for each number."""
    for lower, higher in pairwise(sums):
        higher += lower >> width
        lower &= 2**width - 1
    return sums
