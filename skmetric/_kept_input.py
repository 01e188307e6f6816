"""Principal components of the input in an embedding.

A network drops information that does not separate the training classes, but that may separate new ones.
Therefore the principal components P of the input are concatenated to the outputs F of the network, and
both are rotated together: ``Z = [F, P] R + c``. This is ``f(X) + X V + c``, a skip connection that is
fitted after training.
"""

import math

import numpy as np
from sklearn.decomposition import PCA

from ._engine.divergence import raise_if_diverged
from ._steps import forks_wait

UNIT = 1e-2  # tolerance for rows of length 1, as float16 has three digits


@forks_wait
def input_axes(X, n_axes):
    """Compute the principal axes of rows.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        Rows; overwritten.
    n_axes : int
        Maximum number of axes.

    Returns
    -------
    axes : ndarray of shape (n_features, n_axes or fewer)
        Directions of the largest variance, orthonormal.
    centre : ndarray of shape (n_features,)
        Mean of the rows.

    Raises
    ------
    FloatingPointError
        If a row is not finite, or too large for a difference of rows.
    """
    centre = X.mean(axis=0)
    n_axes = min(n_axes, len(X) - 1, X.shape[1])
    # Scaled by the largest value, so that squares neither overflow nor underflow.
    X -= centre
    size = np.abs(X).max(initial=0)
    raise_if_diverged(size)
    if n_axes == 0 or size == 0:
        return np.zeros((X.shape[1], 0)), centre
    X /= size
    return PCA(n_axes, random_state=0).fit(X).components_.T, centre


def have_unit_length(X):
    """Return whether all rows have length 1, as embeddings of a pretrained model often do."""
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", X, X))
    return bool(np.abs(lengths - 1).max() < UNIT)


def effective_rank(F):
    """Compute the effective number of dimensions of outputs: ``(sum l)^2 / sum l^2`` of the variances l.

    This participation ratio is n for n equal variances along the principal axes, and 1 for a line.
    """
    variances = np.linalg.eigvalsh(F.T @ F)
    return variances.sum() ** 2 / (variances**2).sum() if variances.any() else 0.0


@forks_wait
def joint_rotation(F, P, weight, n_components, before=None):
    """Compute the rotation of outputs and principal components to `n_components` columns.

    ``[F, s P]`` is projected on its principal axes. With r the effective rank of F,
    ``s = weight * (1 - (r / n_components)^2) * rms(F) / rms(P)``. If the outputs already fill all
    columns, P gets no weight.

    Parameters
    ----------
    F : ndarray of shape (n, n_outputs)
        Outputs of the networks, side by side.
    P : ndarray of shape (n, n_axes)
        Principal components of the same rows.
    weight : float
        Maximum scale of `P` relative to `F`.
    n_components : int
        Number of columns of the result.
    before : ndarray of shape (n_outputs + n_axes, n_components), default=None
        Result of an earlier call. If there are too few rows to determine all axes, it determines the
        others.

    Returns
    -------
    ndarray of shape (n_outputs + n_axes, n_components)
        R of ``[F, P] R``.

    Raises
    ------
    FloatingPointError
        If `F`, `P` or the result, with a very large `weight`, is not finite.
    """
    raise_if_diverged(F, P)
    F, F_exponent = _centred(F)
    P, P_exponent = _centred(P)
    room = max(0.0, 1 - (effective_rank(F) / n_components) ** 2)
    mantissa, exponent = math.frexp(weight)
    scale = mantissa * room * (_size(F) or 1.0) / (_size(P) or 1.0)
    # The axes do not depend on a common factor, so that it is chosen to make neither part overflow.
    union = np.hstack([np.ldexp(F, -max(exponent, 0)), scale * np.ldexp(P, min(exponent, 0))])
    covariance = union.T @ union
    if before is not None and len(union) <= len(covariance):
        earlier, _ = np.linalg.qr(before)
        covariance += np.trace(covariance) / len(covariance) * (earlier @ earlier.T)
    _, axes = np.linalg.eigh(covariance)
    rotation = axes[:, ::-1][:, :n_components].copy()
    rotation[F.shape[1] :] *= np.ldexp(scale, exponent + F_exponent - P_exponent)
    raise_if_diverged(rotation)
    return rotation


@forks_wait
def rotated(parts, R):
    """Rotate outputs and principal components, a list of arrays, with the result of `joint_rotation`."""
    return np.hstack(parts) @ R


def _centred(Z):
    """Centre columns, and divide all by 2^exponent so that squares neither overflow nor underflow."""
    Z = Z - Z.mean(axis=0, dtype=np.float64)
    exponent = int(np.frexp(np.abs(Z).max(initial=0))[1])
    return np.ldexp(Z, -exponent), exponent


def _size(Z):
    """Compute the root mean square of the lengths of centred rows."""
    return np.sqrt(np.mean(np.einsum("ij,ij->i", Z, Z)))
