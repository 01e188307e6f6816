"""Where the products and the element-wise work of a step are cut into tiles.

A tile is computed by one thread. Where tiles end depends on shapes alone, so that each number is the same
sum in the same order, however many threads there are.
"""

PAYS = 3 * 2**20  # multiplications that are worth a thread: about 50 microseconds
LONG = 2**16  # entries of a call that others can run beside: calls of NumPy take turns to begin
MOST = 16  # tiles


def tiles_of_columns(n_rows, n_inner, n_columns):
    """Cut the columns of a product of a batch and weights into tiles.

    BLAS lays out the rows of the batch anew for each tile, so that tiles are wide.

    Parameters
    ----------
    n_rows, n_inner, n_columns : int
        The product is one of (n_rows, n_inner) and (n_inner, n_columns).

    Returns
    -------
    list of slice
        As equal as can be.
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
        Number of rows that their gradient is a sum over.

    Returns
    -------
    list of slice
        As equal as can be.
    """
    return _tiles(len(W), min(len(W) // 256, W.size // LONG, batch_size * W.size // PAYS))


def tiles_of_rows(A):
    """Cut an array into tiles of rows, for what is done element by element.

    Columns would take several times as long, since their entries do not lie together.

    Parameters
    ----------
    A : ndarray of shape (n, width)
        Array in C order.

    Returns
    -------
    list of slice
        As equal as can be.
    """
    return _tiles(len(A), A.size // (2 * LONG))


def _tiles(length, most):
    """A power of two of slices: two or four threads have as much to do each."""
    n_tiles = 2 ** (max(1, min(MOST, most)).bit_length() - 1)
    return [slice(k * length // n_tiles, (k + 1) * length // n_tiles) for k in range(n_tiles)]
