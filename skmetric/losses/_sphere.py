"""The unit sphere: embeddings of which the directions alone are compared."""

from functools import partial

import numpy as np


def normalized(Z):
    """Put the rows of `Z` on the unit sphere; a row of zeros stays.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings.

    Returns
    -------
    U : ndarray of shape (n, n_components)
        ``Z / |Z|`` row by row.
    norms : ndarray of shape (n, 1)
        ``|Z|``, and 1 for a row of zeros.
    """
    # Rows are brought to size 1 first: the square of a length may be too large or too small for a float.
    largest = np.abs(Z).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    U = Z / largest
    lengths = np.sqrt(np.einsum("ij,ij->i", U, U))[:, np.newaxis]
    lengths[lengths == 0] = 1
    U /= lengths
    return U, largest * lengths


def on_sphere(comparison):
    """Make a comparison look at the directions of the embeddings only.

    With ``U = Z / |Z|`` and ``dU`` the gradient on `U`, ``dZ = (dU - (dU . U) U) / |Z|``: the
    projection on the tangent space of the sphere.

    Parameters
    ----------
    comparison : callable
        ``comparison(Z, y) -> D, positive, negative, chain``.

    Returns
    -------
    callable
        The same comparison of the rows of ``Z / |Z|``.
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
