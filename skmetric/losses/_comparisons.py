"""Comparisons: the distances that a rule looks at, and the chain rule from them to the embeddings.

A comparison has the form ``comparison(Z, y) -> D, positive, negative, chain``. Row a of `D` holds the
distances from anchor a to the rows that it is compared with. `positive` and `negative` are disjoint
masks of the shape of `D`. ``chain(C) -> dZ`` turns ``C = dL/dD`` into ``dL/dZ`` and may overwrite `C`.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from ._distances import check_below, squared_distances, squared_distances_chain
from ._forms import Array, Chain, Comparison


def all_pairs(Z: Array, y: Array, *, self_pairs: bool = False) -> tuple[Array, Array, Array, Chain]:
    """Compare every row of a batch with every other row.

    Parameters
    ----------
    Z : ndarray of shape (n, n_components)
        Embeddings.
    y : ndarray of shape (n,)
        Classes. Two rows of the same class are a positive pair, two rows of different classes a negative
        pair.
    self_pairs : bool, default=False
        If True, the pair of a row and itself is a positive pair. Otherwise it is neither positive nor
        negative.

    Returns
    -------
    D : ndarray of shape (n, n)
        Squared Euclidean distances.
    positive, negative : ndarray of bool of shape (n, n)
        Masks of the positive and of the negative pairs.
    chain : callable
        ``chain(C) -> dZ`` turns the gradient on `D` into the gradient on `Z`. It may overwrite `C`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs
    >>> Z = np.array([[0.0], [1.0], [3.0]])
    >>> D, positive, negative, chain = all_pairs(Z, np.array([0, 0, 1]))
    >>> D.round(4).tolist()
    [[0.0, 1.0, 9.0], [1.0, 0.0, 4.0], [9.0, 4.0, 0.0]]
    >>> positive.sum().item(), negative.sum().item()
    (2, 4)
    """
    positive = y[:, np.newaxis] == y
    negative = ~positive
    if not self_pairs:
        np.fill_diagonal(positive, False)
    return squared_distances(Z), positive, negative, partial(squared_distances_chain, Z)


def given_tuples(Z: Array, y: Array, *, size: int) -> tuple[Array, Array, Array, Chain]:
    """Compare the first row of each tuple with the other rows of the tuple.

    Parameters
    ----------
    Z : ndarray of shape (t * size, n_components)
        Embeddings of the rows of the first tuple, then of the second, and so on.
    y : ndarray of shape (t * size,)
        1 if the row is of the same class as the first row of its tuple, and 0 otherwise. The entries of
        the first rows are not used.
    size : int
        Number of rows in a tuple: 2 for pairs, 3 for triplets.

    Returns
    -------
    D : ndarray of shape (t, size - 1)
        Squared Euclidean distances.
    positive, negative : ndarray of bool of shape (t, size - 1)
        Masks of the positive and of the negative pairs.
    chain : callable
        ``chain(C) -> dZ`` turns the gradient on `D` into the gradient on `Z`. It may overwrite `C`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import given_tuples
    >>> Z = np.array([[0.0], [1.0], [3.0]])  # one triplet: anchor, positive, negative
    >>> D, positive, negative, chain = given_tuples(Z, np.array([1, 1, 0]), size=3)
    >>> D.tolist(), positive.tolist()
    ([[1.0, 9.0]], [[True, False]])
    """
    tuples = Z.reshape(-1, size, Z.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        differences = tuples[:, :1] - tuples[:, 1:]
        D = np.einsum("tjk,tjk->tj", differences, differences)
    check_below(D, np.finfo(D.dtype).max)
    positive = y.reshape(-1, size)[:, 1:].astype(bool)
    return D, positive, ~positive, partial(_given_tuples_chain, differences)


def _given_tuples_chain(differences, C):
    """``dZ``: the sum of ``2 C (z_first - z_other)`` for the first row, minus its term for each other."""
    pulls = 2 * C[..., np.newaxis] * differences
    dZ = np.concatenate([pulls.sum(axis=1, keepdims=True), -pulls], axis=1)
    return dZ.reshape(-1, differences.shape[2])


def sqeuclidean(comparison):
    """Return the comparison as it is: its distances are squared already."""
    return comparison


def euclidean(comparison: Comparison) -> Comparison:
    """Make a comparison return Euclidean distances instead of squared ones.

    With ``d = sqrt(D)``, the chain rule is ``dL/dD = dL/dd / (2 d)``. Where ``d = 0``, the gradient is
    set to 0, a subgradient, so that identical rows do not move apart.

    Parameters
    ----------
    comparison : callable
        Comparison that returns squared distances, see `all_pairs` and `given_tuples`.

    Returns
    -------
    callable
        The same comparison with Euclidean distances.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, euclidean
    >>> d, positive, negative, chain = euclidean(all_pairs)(np.array([[0.0], [3.0]]), np.array([0, 0]))
    >>> d.tolist()
    [[0.0, 3.0], [3.0, 0.0]]
    """
    return partial(_euclidean, comparison)


def _euclidean(comparison, Z, y):
    D, positive, negative, chain = comparison(Z, y)
    d = np.sqrt(D)
    return d, positive, negative, partial(_euclidean_chain, d, chain)


def _euclidean_chain(d, chain, C):
    return chain(np.divide(C, 2 * d, out=np.zeros_like(C), where=d > 0))


#: Distances that a rule can use. Each value takes a comparison that returns squared Euclidean distances
#: and returns a comparison.
#:
#: - ``"sqeuclidean"``: squared Euclidean distances; the comparison stays as it is.
#: - ``"euclidean"``: Euclidean distances, see `euclidean`.
DISTANCES: dict[str, Callable[[Comparison], Comparison]] = {
    "sqeuclidean": sqeuclidean,
    "euclidean": euclidean,
}
