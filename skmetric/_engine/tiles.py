"""Tiles: parts of the products and of the element-wise operations of a training step.

A tile is computed by one thread. The tiles depend on shapes alone, so that each number is the same sum in
the same order for any number of threads.
"""

PAYS = 3 * 2**20  # minimum number of multiplications for a thread: about 50 microseconds
LONG = 2**16  # minimum number of entries for a thread, as the calls of NumPy start one after the other
MOST = 16  # maximum number of tiles


def tiles_of_columns(n_rows, n_inner, n_columns):
    """Cut the columns of a product of a batch and weights into tiles.

    BLAS repacks the rows of the batch for each tile, so that tiles should be wide.

    Parameters
    ----------
    n_rows, n_inner, n_columns : int
        The factors of the product have the shapes (n_rows, n_inner) and (n_inner, n_columns).

    Returns
    -------
    list of slice
        Tiles of nearly equal size.
    """
    wide = max(n_columns // 256, min(n_columns // 128, 2))
    return _tiles(n_columns, min(wide, n_rows * n_inner * n_columns // PAYS))


def tiles_of_weights(W, batch_size):
    """Cut the weights of a layer into tiles of rows, for their gradients and their steps.

    Parameters
    ----------
    W : ndarray of shape (fan_in, fan_out)
        Weights.
    batch_size : int
        Number of rows in the sum of the gradient.

    Returns
    -------
    list of slice
        Tiles of nearly equal size.
    """
    return _tiles(len(W), min(len(W) // 256, W.size // LONG, batch_size * W.size // PAYS))


def tiles_of_rows(A):
    """Cut an array into tiles of rows, for element-wise operations.

    Tiles of columns would be several times slower, because their entries are not contiguous.

    Parameters
    ----------
    A : ndarray of shape (n, width)
        Array in C order.

    Returns
    -------
    list of slice
        Tiles of nearly equal size.
    """
    return _tiles(len(A), A.size // (2 * LONG))


def _tiles(length, most):
    """Return a power of two of slices, which divide equally between two or four threads."""
    n_tiles = 2 ** (max(1, min(MOST, most)).bit_length() - 1)
    return [slice(k * length // n_tiles, (k + 1) * length // n_tiles) for k in range(n_tiles)]
