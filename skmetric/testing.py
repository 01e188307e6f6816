"""Check the gradient of a loss, for authors of losses."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._typing import Floats

__all__ = ["check_gradient"]


def check_gradient(
    loss: Callable[..., tuple[float, ArrayLike]],
    Z: ArrayLike,
    *args: Any,
    n_directions: int = 3,
    step: float = 1e-6,
    rtol: float = 1e-6,
    random_state: int = 0,
) -> Floats:
    """Compare the gradient of a loss with central differences along random directions.

    Along a random unit direction V, ``(loss(Z + h V) - loss(Z - h V)) / (2 h)`` must be equal to
    ``sum(dZ * V)``. Each direction needs two calls of the loss, for any size of `Z`.

    Parameters
    ----------
    loss : callable
        ``loss(Z, *args) -> (value, dZ)``, a number and its gradient, which has the shape of `Z`.
    Z : array-like of shape (n, n_components)
        Point at which the gradient is checked. It is converted to float64. The loss should be
        differentiable there: `check_gradient` fails where the gradient jumps, as at the margin of a
        hinge.
    *args : tuple
        Further arguments of the loss, such as labels.
    n_directions : int, default=3
        Number of directions, at least 1.
    step : float, default=1e-6
        Step h of the differences.
    rtol : float, default=1e-6
        Tolerance of the error, relative to the norm of `dZ`.
    random_state : int, default=0
        Seed of the directions.

    Returns
    -------
    ndarray of shape (n_directions,)
        Errors, relative to the norm of `dZ`. They are absolute if the gradient is 0.

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
    >>> from skmetric.losses import MetricLoss, triplet
    >>> from skmetric.testing import check_gradient
    >>> Z = np.random.default_rng(0).normal(size=(6, 2))
    >>> errors = check_gradient(MetricLoss(triplet), Z, np.array([0, 0, 1, 1, 2, 2]))
    >>> bool(errors.max() < 1e-6)
    True
    >>> # The gradient of this loss should be 2 * Z.
    >>> check_gradient(lambda Z: (np.sum(Z**2), Z), Z)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: direction 0: central difference ..., gradient ..., error ...
    """
    if n_directions < 1:
        raise ValueError(f"n_directions must be at least 1, got {n_directions}.")
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
    """Copy the gradient that a loss returns, and check its shape."""
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise ValueError(f"loss must return a tuple (value, dZ), got a {type(returned).__name__}.")
    value, dZ = returned
    if np.shape(value) != () or np.shape(dZ) != shape:
        raise ValueError(
            f"loss must return a number and a gradient of shape {shape}, got shapes "
            f"{np.shape(value)} and {np.shape(dZ)}."
        )
    return np.array(dZ, dtype=np.float64)


def _norm(dZ):
    """Norm of the gradient, or 1 if the gradient is 0."""
    # The entries are scaled first, since their squares may overflow or underflow.
    largest = np.abs(dZ).max()
    return largest * np.linalg.norm(dZ / largest) if largest else 1.0
