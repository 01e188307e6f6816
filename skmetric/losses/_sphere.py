"""The unit sphere: comparisons that look at the directions of the embeddings only."""

from functools import partial

import numpy as np

from ._forms import Array, Comparison


def normalized(Z: Array) -> tuple[Array, Array]:
    """Divide each row of `Z` by its norm. A row of zeros stays as it is.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings.

    Returns
    -------
    U : ndarray of shape (n, n_components)
        Rows of norm 1.
    norms : ndarray of shape (n, 1)
        Norm of each row, or 1 for a row of zeros. A norm above the largest float is this float.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import normalized
    >>> U, norms = normalized(np.array([[3.0, 4.0], [0.0, 0.0]]))
    >>> U.round(4).tolist(), norms.round(4).tolist()
    ([[0.6, 0.8], [0.0, 0.0]], [[5.0], [1.0]])
    """
    # Rows are divided by their largest entry first, so that no square overflows or underflows.
    largest = np.abs(Z).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    U = Z / largest
    lengths = np.sqrt(np.einsum("ij,ij->i", U, U))[:, np.newaxis]
    lengths[lengths == 0] = 1
    U /= lengths
    with np.errstate(over="ignore"):
        return U, np.minimum(largest * lengths, np.finfo(Z.dtype).max)


def on_sphere(comparison: Comparison) -> Comparison:
    """Make a comparison normalise the embeddings to norm 1 first.

    With ``U = Z / |Z|`` and ``dU`` the gradient on U, the chain rule is
    ``dZ = (dU - (dU . U) U) / |Z|``: the projection on the tangent space of the sphere.

    Parameters
    ----------
    comparison : callable
        ``comparison(Z, y) -> D, positive, negative, chain``, see `all_pairs` and `given_tuples`.

    Returns
    -------
    callable
        The same comparison, applied to the rows of ``Z / |Z|``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, on_sphere
    >>> Z = np.array([[2.0, 0.0], [0.0, 5.0]])
    >>> D, positive, negative, chain = on_sphere(all_pairs)(Z, np.array([0, 1]))
    >>> D.round(4).tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    return partial(_on_sphere, comparison)


def _on_sphere(comparison, Z, y):
    U, norms = normalized(Z)
    D, positive, negative, chain = comparison(U, y)
    return D, positive, negative, partial(_sphere_chain, U, norms, chain)


def _sphere_chain(U, norms, chain, C):
    dZ = chain(C)
    dZ -= np.einsum("ij,ij->i", dZ, U)[:, np.newaxis] * U
    dZ /= norms
    return dZ
