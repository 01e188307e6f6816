"""Blocks of rows for threads: the rows of a matrix of pairs can be computed independently."""

from functools import partial

from .._team import share

PAIRS = 2**15  # pairs in a block, few enough to stay in the cache


def by_blocks(function, *arrays):
    """Call a function on each block of rows of some arrays.

    Parameters
    ----------
    function : callable
        ``function(*parts)`` works in place on a block of rows of each array.
    *arrays : ndarray of shape (n_rows, ...)
        Arrays with the same number of rows. The shape of the first one alone determines where blocks
        end; it has shape (n_rows, n_compared).
    """
    n_rows, n_columns = arrays[0].shape
    step = max(1, PAIRS // n_columns)
    blocks = [slice(start, start + step) for start in range(0, n_rows, step)]
    share([partial(function, *(array[rows] for array in arrays)) for rows in blocks])
