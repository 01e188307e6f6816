"""Reductions: from a sum of terms to a mean.

A reduction has the form ``reduction(total, C, n_active, n_valid) -> value, C``: it divides a sum and its
gradient (in place) by a number of terms. With no terms at all both are 0 and stay so.
"""


def _divided(total, C, n_terms):
    scale = 1 / max(n_terms, 1)
    C *= scale
    return float(total * scale), C


def over_active(total, C, n_active, n_valid):
    """Take the mean over the terms that are not zero.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances; it is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over the terms that are not zero.
    C : ndarray of shape (n_anchors, n_compared)
        Its gradient.
    """
    return _divided(total, C, n_active)


def over_valid(total, C, n_active, n_valid):
    """Take the mean over all valid terms, zeros included.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances; it is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over all valid terms, zeros included.
    C : ndarray of shape (n_anchors, n_compared)
        Its gradient.
    """
    return _divided(total, C, n_valid)


def over_pair_grid(total, C, n_active, n_valid):
    """Take the mean over the whole grid of anchors and compared rows, valid or not.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances; it is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over the grid of anchors and compared rows.
    C : ndarray of shape (n_anchors, n_compared)
        Its gradient.
    """
    return _divided(total, C, C.size)


def over_triplet_grid(total, C, n_active, n_valid):
    """Take the mean over the whole grid of anchors and two compared rows each, valid or not.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances; it is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over the grid of anchors and two compared rows each.
    C : ndarray of shape (n_anchors, n_compared)
        Its gradient.
    """
    return _divided(total, C, C.size * C.shape[1])


def over_anchors(total, C, n_active, n_valid):
    """Take the mean over the valid anchors, for a gradient that is made of fractions.

    A quotient is rounded once, a product with ``1 / n`` twice; counts do not feel the difference.

    Parameters
    ----------
    total : float
        Sum of the terms.
    C : ndarray of shape (n_anchors, n_compared)
        Gradient of the sum on the distances; it is divided in place.
    n_active : float
        Number of terms that are not zero.
    n_valid : float
        Number of valid terms.

    Returns
    -------
    value : float
        Mean over the valid anchors.
    C : ndarray of shape (n_anchors, n_compared)
        Its gradient.
    """
    n_anchors = max(n_valid, 1)
    C /= n_anchors
    return float(total / n_anchors), C


PAIR_REDUCTIONS = {"active": over_active, "mean": over_valid, "grid": over_pair_grid}
TRIPLET_REDUCTIONS = {"active": over_active, "mean": over_valid, "grid": over_triplet_grid}
