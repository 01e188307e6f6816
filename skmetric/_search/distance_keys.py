"""Integers that nearly sort like distances, from a matrix product, and a bound of what it loses."""

import numpy as np

from .binary import MANTISSA_BITS, ROUNDOFF, grid_exponent, largest_exponent

INDEX = 2**32 - 1  # bits of a key that hold the index of the item
BEHIND = 0x7F7FFFFF << 32  # upper half of a key that comes after all others: the largest float32
FLOAT32_BITS = 24
RELATIVE = 2.0**-22  # twice what float32 loses of two keys, and room for what float64 loses
TINY = 2.0**-140  # what float32 loses of the smallest numbers, with room
LARGEST_UNIT = 2.0**100  # so that no distance is out of the range of float32


class DistanceKeys:
    """Integers that nearly sort like distances, with a bound of the error.

    The upper half of a key is the squared distance as a float32, whose bits sort as it does. The lower
    half is the index of the item.

    Parameters
    ----------
    Z, Z_gallery : ndarrays of float64 of shape (n_queries, n_components), (n_items, n_components)
        Queries and items. No entry may be above ``2**500``.
    n_rows : int
        How many queries there are at most in a call of `keys`.

    Attributes
    ----------
    A, B : ndarrays of shape (n_queries, n_components + 2), (n_items, n_components + 2)
        ``(A @ B.T)[i, j]`` is ``|z_i - z_j|^2`` in units of the size of the data.
    error : ndarray of float32 of shape (n_queries, 1)
        Bound of the error of a squared distance, beside `RELATIVE`.
    exact_below : float
        Squared distances that are less have no error at all.
    """

    def __init__(self, Z, Z_gallery, n_rows):
        # Arrays of this size, made anew for each block, cost more in page faults than what is computed.
        self.D = np.empty((n_rows, len(Z_gallery)))
        self.rounded = np.empty(self.D.shape, dtype=np.float32)
        self.out = np.empty(self.D.shape, dtype=np.int64)
        Z, Z_gallery, grid = centred(Z, Z_gallery)
        exponent = largest_exponent(Z, Z_gallery)
        Z = np.ldexp(Z, -exponent)
        Z_gallery = np.ldexp(Z_gallery, -exponent)
        squares = np.einsum("ij,ij->i", Z, Z)
        gallery_squares = np.einsum("ij,ij->i", Z_gallery, Z_gallery)
        unit = self._unit(gallery_squares)
        self.A = np.column_stack([-2 * unit * Z, unit * squares, np.ones(len(Z))])
        self.B = np.column_stack([Z_gallery, np.ones(len(Z_gallery)), unit * gallery_squares])
        self._bound_errors(unit * squares, unit, grid - exponent)

    @staticmethod
    def _unit(squares):
        size = np.median(squares) or squares.max() or 1.0
        return min(float(np.ldexp(1.0, min(-int(np.frexp(size)[1]), 1000))), LARGEST_UNIT)

    def _bound_errors(self, squares, unit, grid):
        n_components = self.A.shape[1] - 2
        # Sums of integers that stay below 2**53 are exact, whatever their order: those of products of
        # entries that are multiples of 2**grid and less than 1.
        if n_components.bit_length() + 5 - 2 * grid <= MANTISSA_BITS:
            self.exact_below = unit * 2.0 ** (FLOAT32_BITS + 2 * grid)
            self.error = np.full((len(squares), 1), TINY, dtype=np.float32)
            return
        # With u the roundoff, centring, the squares and the product are wrong by
        # (3 n_components + 9) u (|a|^2 + |b|^2), and |b|^2 <= 2 |a|^2 + 2 |a - b|^2. Four times that.
        self.exact_below = 0.0
        error = 36 * (n_components + 3) * ROUNDOFF * squares + TINY
        self.error = error.astype(np.float32)[:, np.newaxis]

    def keys(self, rows):
        """Keys of all items, for some queries.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,)
            The queries.

        Returns
        -------
        keys : ndarray of int64 of shape (n_rows, n_items)
            The next call overwrites them.
        """
        D, rounded, keys = (buffer[: len(rows)] for buffer in (self.D, self.rounded, self.out))
        np.matmul(self.A[rows], self.B.T, out=D)
        np.maximum(D, 0, out=rounded, casting="same_kind")
        keys[:] = rounded.view(np.int32)
        keys <<= 32
        keys |= np.arange(len(self.B))
        return keys

    def limits(self, keys, rows):
        """Largest keys that an item may have that is as near as those of `keys`, one for each row."""
        values = values_of(keys).astype(np.float64)
        limits = (values + self.error[rows, 0]) * (1 + 2 * RELATIVE)
        limits = np.nextafter(limits.astype(np.float32), np.float32(np.inf))
        return (limits.view(np.int32).astype(np.int64) << 32) | INDEX

    def are_close(self, keys, rows):
        """Whether items next to each other in sorted rows of keys may be in the wrong order."""
        values = values_of(keys)
        later = values[:, 1:]
        tolerance = later * np.float32(RELATIVE)
        tolerance += self.error[rows]
        close = later - values[:, :-1] <= tolerance
        if self.exact_below:
            close &= later >= self.exact_below
        return close


def values_of(keys):
    """Squared distances in the upper half of keys."""
    return (keys >> 32).astype(np.int32).view(np.float32)


def centred(Z, Z_gallery):
    """The rows without the median of the items, and their grid.

    Returns
    -------
    Z, Z_gallery : ndarrays
        The centred rows.
    grid : float
        All of their entries are exact multiples of ``2**grid``; minus infinity where some are rounded.
    """
    centre = np.median(Z_gallery, axis=0)
    exponent = largest_exponent(Z, Z_gallery)
    grid = grid_exponent(Z_gallery, exponent)
    if Z is not Z_gallery:
        grid = min(grid, grid_exponent(Z, exponent))
    if np.isfinite(grid):
        # The median may lie between two points of the grid.
        centre = np.ldexp(np.floor(np.ldexp(centre, -int(grid))), int(grid))
    centred_gallery = Z_gallery - centre
    return (centred_gallery if Z is Z_gallery else Z - centre), centred_gallery, grid
