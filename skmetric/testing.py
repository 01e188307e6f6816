"""A check of gradients, for authors of losses."""

import numpy as np

__all__ = ["check_gradient"]


def check_gradient(loss, Z, *args, n_directions=3, step=1e-6, rtol=1e-6, random_state=0):
    """Compare the gradient of a loss with central differences along random directions.

    Along a random unit direction V, ``(loss(Z + h V) - loss(Z - h V)) / (2 h)`` must be
    ``sum(dZ * V)``. A direction costs two calls of the loss, whatever the size of `Z`.

    Parameters
    ----------
    loss : callable
        ``loss(Z, *args) -> (value, dZ)``, a number and its gradient of the shape of `Z`.
    Z : array-like of shape (n, n_components)
        Where to compute the gradient. It should not lie on a kink of the loss. It is converted to
        float64.
    *args : tuple
        More arguments of the loss, such as labels.
    n_directions : int, default=3
        Number of directions, at least 1.
    step : float, default=1e-6
        The h of the formula.
    rtol : float, default=1e-6
        Largest error that is accepted, as a fraction of the norm of `dZ`.
    random_state : int, default=0
        Seed of the directions.

    Returns
    -------
    ndarray of shape (n_directions,)
        Errors as fractions of the norm of `dZ`. If the gradient is 0, they are not divided.

    Raises
    ------
    AssertionError
        If an error is larger than `rtol` or NaN. The message shows both numbers.
    ValueError
        If the loss does not return a number and a gradient of the shape of `Z`, or if `n_directions` is
        less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.testing import check_gradient
    >>> Z = np.random.default_rng(0).normal(size=(5, 2))
    >>> bool(check_gradient(lambda Z: (0.5 * np.sum(Z**2), Z), Z).max() < 1e-6)
    True
    """
    if n_directions < 1:
        raise ValueError(f"n_directions must be at least 1, got {n_directions}: nothing is compared.")
    rng = np.random.default_rng(random_state)
    Z = np.array(Z, dtype=np.float64)
    dZ = _gradient(loss(Z.copy(), *args), Z.shape)
    scale = _norm(dZ)
    errors = np.empty(n_directions)
    for i in range(n_directions):
        V = rng.normal(size=Z.shape)
        V /= np.linalg.norm(V)
        ahead = loss(Z + step * V, *args)[0]
        behind = loss(Z - step * V, *args)[0]
        numerical = (ahead - behind) / (2 * step)
        analytical = float(np.sum(dZ * V))
        errors[i] = abs(numerical - analytical) / scale
        assert errors[i] <= rtol, (
            f"direction {i}: central difference {numerical:.12g}, gradient {analytical:.12g}, "
            f"error {errors[i]:.2g} of the norm of the gradient (rtol={rtol:g})"
        )
    return errors


def _gradient(returned, shape):
    """A copy of the gradient that a loss returns."""
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise ValueError(f"loss must return (value, dZ), got a {type(returned).__name__}.")
    value, dZ = returned
    if np.shape(value) != () or np.shape(dZ) != shape:
        raise ValueError(
            f"loss must return a number and a gradient of the shape {shape}, got the shapes "
            f"{np.shape(value)} and {np.shape(dZ)}."
        )
    return np.array(dZ, dtype=np.float64)


def _norm(dZ):
    """The norm, or 1 for a gradient of 0: it must be met by differences of 0."""
    # Squares of very large or very small gradients would be inf or 0, and any error accepted.
    largest = np.abs(dZ).max()
    return largest * np.linalg.norm(dZ / largest) if largest else 1.0
