"""For writers of new losses: is the gradient right?"""

import numpy as np


def check_gradient(loss, Z, *args, n_directions=3, step=1e-6, rtol=1e-6, random_state=0):
    """Compare the gradient of a loss with central differences along random directions.

    Along a random unit direction V, ``(loss(Z + h V) - loss(Z - h V)) / (2 h)`` must be
    ``sum(dZ * V)``. One direction costs two calls, whatever the size of `Z`.

    Parameters
    ----------
    loss : callable
        ``loss(Z, *args) -> (value, dZ)``.
    Z : ndarray of float64 of shape (n, n_components)
        Where to look. It should not lie on a kink of the loss.
    *args : tuple
        More arguments, such as the labels.
    n_directions : int, default=3
        Number of directions.
    step : float, default=1e-6
        The h of the formula.
    rtol : float, default=1e-6
        Largest error, as a fraction of the norm of `dZ`.
    random_state : int, default=0
        Seed of the directions.

    Returns
    -------
    errors : ndarray of shape (n_directions,)
        Errors as fractions of the norm of `dZ`.

    Raises
    ------
    AssertionError
        Where an error is larger than `rtol`; it shows both numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.testing import check_gradient
    >>> Z = np.random.default_rng(0).normal(size=(5, 2))
    >>> bool(check_gradient(lambda Z: (0.5 * np.sum(Z**2), Z), Z).max() < 1e-6)
    True
    """
    rng = np.random.default_rng(random_state)
    _, dZ = loss(Z.copy(), *args)
    dZ = dZ.copy()
    # A gradient of 0 must be met by differences of 0: then the error counts as it is.
    scale = np.linalg.norm(dZ) or 1.0
    errors = np.empty(n_directions)
    for i in range(n_directions):
        V = rng.normal(size=Z.shape)
        V /= np.linalg.norm(V)
        ahead, behind = loss(Z + step * V, *args)[0], loss(Z - step * V, *args)[0]
        numerical, analytical = (ahead - behind) / (2 * step), float(np.sum(dZ * V))
        errors[i] = abs(numerical - analytical) / scale
        assert errors[i] <= rtol, (
            f"direction {i}: central difference {numerical:.12g}, gradient {analytical:.12g}, "
            f"error {errors[i]:.2g} of the norm of the gradient (rtol={rtol:g})"
        )
    return errors
