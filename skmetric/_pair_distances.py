"""Distances between the two rows of each pair."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ._numbers import check_row_numbers
from ._typing import Array, Floats

BLOCK = 2**13  # pairs whose embeddings are gathered at a time
# 2^1000 is a float64, and the squares of values below 2^-1000 are in range after a product with it.
LOWEST_EXPONENT = -1000


def paired_distances(Z: Array | sparse.csr_matrix | sparse.csr_array, pairs: ArrayLike) -> Floats:
    """Compute the Euclidean distance between the two rows of each pair.

    The distance of the pair (i, j) is ``sqrt(sum_k (Z[i, k] - Z[j, k])**2)``. The differences are divided
    by a power of two before they are squared, so that no square overflows or underflows. The distance is
    therefore accurate up to rounding, even if it is very large or very small.

    Parameters
    ----------
    Z : {ndarray, CSR matrix} of shape (n_samples, n_components)
        Embeddings of any real dtype. The distances are computed in float64.
    pairs : array-like of int of shape (n_pairs, 2)
        Row numbers of each pair in `Z`.

    Returns
    -------
    ndarray of float64 of shape (n_pairs,)
        Distances, all of them finite.

    Raises
    ------
    ValueError
        If `pairs` does not hold row numbers of `Z`, if a row of a pair contains NaN or infinity, or if a
        distance is larger than the largest float64.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.pairs import paired_distances
    >>> Z = np.array([[0.0, 0.0], [3.0, 4.0], [3e200, 4e200]])
    >>> print(paired_distances(Z, [[0, 1], [0, 2]]))
    [5.e+000 5.e+200]
    """
    pairs = np.asarray(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"pairs must have shape (n_pairs, 2), got {pairs.shape}.")
    check_row_numbers(pairs, "pairs", "Z", Z.shape[0])
    norms = _sparse_norms if sparse.issparse(Z) else _norms
    distances = np.empty(len(pairs))
    for start in range(0, len(pairs), BLOCK):
        block = slice(start, start + BLOCK)
        left, right = pairs[block].T
        # _check_finite reports what overflows.
        with np.errstate(over="ignore", invalid="ignore"):
            distances[block] = norms(Z[left].astype(np.float64) - Z[right].astype(np.float64))
    _check_finite(distances, Z, pairs)
    return distances


def _norms(differences):
    exponents, factors = _powers(np.abs(differences).max(axis=1, initial=0))
    differences *= factors[:, np.newaxis]
    return np.ldexp(np.linalg.norm(differences, axis=1), exponents)


def _sparse_norms(differences):
    exponents, factors = _powers(abs(differences).max(axis=1).toarray().ravel())
    differences.data *= np.repeat(factors, np.diff(differences.indptr))
    return np.ldexp(sparse.linalg.norm(differences, axis=1), exponents)


def _powers(largest):
    """Exponents, and the factors ``2^-exponent`` that scale the largest values to about 1."""
    exponents = np.maximum(np.frexp(largest)[1], LOWEST_EXPONENT)
    return exponents, np.ldexp(1.0, -exponents)


def _check_finite(distances, Z, pairs):
    wrong = np.flatnonzero(~np.isfinite(distances))
    if len(wrong) == 0:
        return
    rows = Z[pairs[wrong[0]]]
    values = rows.data if sparse.issparse(rows) else rows
    if np.isfinite(values).all():
        problem = f"it is larger than the largest float64, {np.finfo(np.float64).max:.4g}"
    else:
        problem = "an embedding contains NaN or infinity"
    raise ValueError(
        f"The distance of pair {wrong[0]} is not finite: {problem}. "
        f"This holds for {len(wrong)} of {len(distances)} pairs."
    )
