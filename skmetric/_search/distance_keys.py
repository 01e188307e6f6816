"""Integer keys that sort almost like distances, from a matrix product, and a bound of the error."""

import numpy as np

from .._steps import forks_wait
from .binary import MANTISSA_BITS, ROUNDOFF, grid_exponent, largest_exponent

INDEX = 2**32 - 1  # bits of a key that hold the index of the item
BEHIND = 0x7F7FFFFF << 32  # upper half of a key that sorts after all others: the largest float32
FLOAT32_BITS = 24
RELATIVE = 2.0**-22  # bound of the relative error of two keys, twice that of float32
TINY = 2.0**-140  # bound of the absolute error of the smallest float32 numbers
LARGEST_UNIT = 2.0**100  # keeps all distances in the range of float32


class DistanceKeys:
    """Integer keys that sort almost like distances, with a bound of the error.

    The upper half of a key holds the bits of the squared distance as a float32, which sort like the
    number. The lower half is the index of the item.

    Parameters
    ----------
    Z, Z_gallery : ndarrays of float64 of shape (n_queries, n_components), (n_items, n_components)
        Queries and items. No entry may be above ``2**500``.
    n_rows : int
        Largest number of queries in a call of `keys`.

    Attributes
    ----------
    A, B : ndarrays of shape (n_queries, n_components + 2), (n_items, n_components + 2)
        ``(A @ B.T)[i, j]`` is ``|z_i - z_j|^2``, scaled so that typical items have norm 1.
    error : ndarray of float32 of shape (n_queries, 1)
        Bound of the absolute error of a squared distance, in addition to the relative error `RELATIVE`.
    exact_below : float
        Squared distances below this number are exact.
    """

    def __init__(self, Z, Z_gallery, n_rows):
        # Allocating arrays of this size for each block would take longer, by page faults, than computing.
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
        # Sums of integers below 2**53 are exact in any order. Such sums are those of products of entries
        # that are multiples of 2**grid and less than 1.
        if n_components.bit_length() + 5 - 2 * grid <= MANTISSA_BITS:
            self.exact_below = unit * 2.0 ** (FLOAT32_BITS + 2 * grid)
            self.error = np.full((len(squares), 1), TINY, dtype=np.float32)
            return
        # With roundoff u, the error of centring, squares and product is at most
        # (3 n_components + 9) u (|a|^2 + |b|^2), where |b|^2 <= 2 |a|^2 + 2 |a - b|^2. Take 4 times that.
        self.exact_below = 0.0
        error = 36 * (n_components + 3) * ROUNDOFF * squares + TINY
        self.error = error.astype(np.float32)[:, np.newaxis]

    @forks_wait
    def keys(self, rows):
        """Keys of all items, for a block of queries.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,)
            Row numbers of the queries.

        Returns
        -------
        keys : ndarray of int64 of shape (n_rows, n_items)
            Keys. The next call overwrites them.
        """
        D, rounded, keys = (buffer[: len(rows)] for buffer in (self.D, self.rounded, self.out))
        np.matmul(self.A[rows], self.B.T, out=D)
        np.maximum(D, 0, out=rounded, casting="same_kind")
        keys[:] = rounded.view(np.int32)
        keys <<= 32
        keys |= np.arange(len(self.B))
        return keys

    def limits(self, keys, rows):
        """Largest key that an item at the distance of a given key may have, for each row."""
        values = values_of(keys).astype(np.float64)
        limits = (values + self.error[rows, 0]) * (1 + 2 * RELATIVE)
        limits = np.nextafter(limits.astype(np.float32), np.float32(np.inf))
        return (limits.view(np.int32).astype(np.int64) << 32) | INDEX

    def are_close(self, keys, rows):
        """Whether adjacent items in sorted rows of keys may be in the wrong order."""
        values = values_of(keys)
        later = values[:, 1:]
        tolerance = later * np.float32(RELATIVE)
        tolerance += self.error[rows]
        close = later - values[:, :-1] <= tolerance
        if self.exact_below:
            close &= later >= self.exact_below
        return close


def values_of(keys):
    """Squared distances in the upper halves of keys."""
    return (keys >> 32).astype(np.int32).view(np.float32)


def centred(Z, Z_gallery):
    """Subtract the median of the items from all rows.

    Returns
    -------
    Z, Z_gallery : ndarrays
        Centred rows.
    grid : float
        Exponent such that all of their entries are exact multiples of ``2**grid``, or minus infinity if
        entries may be rounded.
    """
    centre = np.median(Z_gallery, axis=0)
    exponent = largest_exponent(Z, Z_gallery)
    grid = grid_exponent(Z_gallery, exponent)
    if Z is not Z_gallery:
        grid = min(grid, grid_exponent(Z, exponent))
    if np.isfinite(grid):
        # The median may lie between two multiples. It is rounded down to one.
        centre = np.ldexp(np.floor(np.ldexp(centre, -int(grid))), int(grid))
    centred_gallery = Z_gallery - centre
    return (centred_gallery if Z is Z_gallery else Z - centre), centred_gallery, grid
