"""Reductions: they divide a sum of terms by a number of terms.

A reduction has the form ``reduction(total, C, n_active, n_valid) -> value, C``. It divides the gradient
`C` in place. Without terms, the value and the gradient are 0.
"""

from ._forms import Array, Reduction


def _divided(total, C, n_terms):
    scale = 1 / max(n_terms, 1)
    C *= scale
    return float(total * scale), C


def over_active(total: float, C: Array, n_active: float, n_valid: float) -> tuple[float, Array]:
    """Divide by the number of terms that are not zero.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances. It is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over the terms that are not zero.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of `value` on the distances.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import over_active
    >>> value, C = over_active(6.0, np.array([[1.0, -1.0, 0.0, 0.0]]), n_active=4, n_valid=8)
    >>> value, C.tolist()
    (1.5, [[0.25, -0.25, 0.0, 0.0]])
    """
    return _divided(total, C, n_active)


def over_valid(total: float, C: Array, n_active: float, n_valid: float) -> tuple[float, Array]:
    """Divide by the number of valid terms, zero or not.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances. It is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over the valid terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of `value` on the distances.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import over_valid
    >>> value, C = over_valid(6.0, np.array([[1.0, -1.0, 0.0, 0.0]]), n_active=4, n_valid=8)
    >>> value, C.tolist()
    (0.75, [[0.125, -0.125, 0.0, 0.0]])
    """
    return _divided(total, C, n_valid)


def over_pair_grid(total: float, C: Array, n_active: float, n_valid: float) -> tuple[float, Array]:
    """Divide by the number of all pairs of an anchor and a compared row, valid or not.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances. It is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        ``total / (n_anchors * n_compared)``.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of `value` on the distances.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import over_pair_grid
    >>> value, C = over_pair_grid(6.0, np.array([[1.0, -1.0, 0.0, 0.0]]), n_active=4, n_valid=8)
    >>> value, C.tolist()
    (1.5, [[0.25, -0.25, 0.0, 0.0]])
    """
    return _divided(total, C, C.size)


def over_triplet_grid(total: float, C: Array, n_active: float, n_valid: float) -> tuple[float, Array]:
    """Divide by the number of all triplets of an anchor and two compared rows, valid or not.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances. It is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        ``total / (n_anchors * n_compared**2)``.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of `value` on the distances.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import over_triplet_grid
    >>> value, C = over_triplet_grid(6.0, np.array([[1.0, -1.0, 0.0, 0.0]]), n_active=4, n_valid=8)
    >>> value, C.tolist()
    (0.375, [[0.0625, -0.0625, 0.0, 0.0]])
    """
    return _divided(total, C, C.size * C.shape[1])


def over_anchors(total: float, C: Array, n_active: float, n_valid: float) -> tuple[float, Array]:
    """Divide by the number of valid anchors, for rules with one term for each anchor.

    In contrast to `over_valid`, it divides by n instead of multiplying by ``1 / n``. This is one rounding
    less, which matters for gradients that are not integers, as those of `soft_neighbors`.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances. It is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over the valid anchors.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of `value` on the distances.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import over_anchors
    >>> value, C = over_anchors(6.0, np.array([[1.0, -1.0, 0.0, 0.0]]), n_active=4, n_valid=8)
    >>> value, C.tolist()
    (0.75, [[0.125, -0.125, 0.0, 0.0]])
    """
    n_anchors = max(n_valid, 1)
    C /= n_anchors
    return float(total / n_anchors), C


#: Reductions of losses of pairs by the value of the parameter `reduction`.
#:
#: - ``"active"``: mean over the pairs with a loss that is not zero, see `over_active`.
#: - ``"mean"``: mean over all valid pairs, see `over_valid`.
#: - ``"grid"``: mean over all n x n pairs of a batch, see `over_pair_grid`.
PAIR_REDUCTIONS: dict[str, Reduction] = {
    "active": over_active,
    "mean": over_valid,
    "grid": over_pair_grid,
}
#: Reductions of losses of triplets by the value of the parameter `reduction`.
#:
#: - ``"active"``: mean over the triplets with a loss that is not zero, see `over_active`.
#: - ``"mean"``: mean over all valid triplets, see `over_valid`.
#: - ``"grid"``: mean over all n x n x n triplets of a batch, see `over_triplet_grid`.
TRIPLET_REDUCTIONS: dict[str, Reduction] = {
    "active": over_active,
    "mean": over_valid,
    "grid": over_triplet_grid,
}
