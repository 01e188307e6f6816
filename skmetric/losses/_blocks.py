"""Blocks of rows that threads work on at a time: rows of a matrix of pairs do not need each other."""

from functools import partial

from .._team import share

PAIRS = 2**15  # of a block: they stay in the cache, and memory is reused


def by_blocks(function, *arrays):
    """Call a function with each block of rows of some arrays.

    Parameters
    ----------
    function : callable
        ``function(*parts)`` works in place on the rows that it is given.
    *arrays : ndarray of shape (n_rows, ...)
        Arrays. The first has a column for each row that the rows are compared with; where blocks end
        depends on its shape alone.
    """
    n_rows, n_columns = arrays[0].shape
    step = max(1, PAIRS // n_columns)
    blocks = [slice(start, start + step) for start in range(0, n_rows, step)]
    share([partial(function, *(array[rows] for array in arrays)) for rows in blocks])
