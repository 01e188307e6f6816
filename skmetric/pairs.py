"""Draw and check pairs and triplets of rows.

Pairs and triplets are given in one of two forms: as an array of the rows themselves, of shape
(n, 2, n_features) or (n, 3, n_features), or as an array of row numbers in a matrix `X`, of shape (n, 2)
or (n, 3).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _num_samples

from ._array_api import to_numpy
from ._draws import by_class, draw_pairs
from ._labels import check_labels, column, said_missing
from ._numbers import check_count, check_row_numbers, generator
from ._pair_distances import paired_distances
from ._shown import shown
from ._typing import Bools, Integers, MatrixLike

__all__ = [
    "check_pair_labels",
    "check_tuples",
    "make_pairs",
    "make_triplets",
    "paired_distances",
    "pairs_from_chunklets",
]

_NAMES = {2: "pairs", 3: "triplets"}
_LABELS = "The labels y of pairs must be 0 and 1, or -1 and 1, with 1 for pairs of the same class"
_N_SHOWN = 5  # largest number of wrong labels in a message


def make_pairs(y: ArrayLike, n_pairs: int, rng: np.random.Generator | int) -> tuple[Integers, Integers]:
    """Draw random pairs of rows, half of the same class and half of different classes.

    No pair is drawn twice, not even with its rows swapped. All pairs of the same class are equally
    likely, and so are all pairs of different classes. Large classes therefore occur more often: a class
    of n rows has n (n - 1) / 2 pairs. Memory is O(len(y) + n_pairs).

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each row. The value -1 is a class like any other.
    n_pairs : int
        Number of pairs, at least 1. If it is odd, there is one more pair of the same class.
    rng : numpy.random.Generator or int
        Random number generator, or a seed for a new one.

    Returns
    -------
    pairs : ndarray of int of shape (n_pairs, 2)
        Row numbers of each pair, in random order.
    same : ndarray of int of shape (n_pairs,)
        1 if both rows of a pair are of the same class, and 0 otherwise.

    Raises
    ------
    ValueError
        If labels are missing (NaN, None, NA), or if there are not enough different pairs of the same
        class or of different classes.

    See Also
    --------
    make_triplets : Draw triplets.
    pairs_from_chunklets : Draw pairs where only some rows belong to known groups.

    Examples
    --------
    >>> from skmetric.pairs import make_pairs
    >>> pairs, same = make_pairs(["a", "a", "b", "b"], 4, rng=0)
    >>> pairs.shape, same.sum().item()
    ((4, 2), 2)
    """
    n_pairs = check_count(n_pairs, "n_pairs")
    rng = generator(rng)
    order, starts, _ = by_class(check_labels(y))
    n_different = n_pairs // 2
    # Rows are in the order of their classes. Each row is paired with earlier ones only: the pairs of its
    # own class start where the class starts, and those of other classes end there.
    before = np.arange(len(order)) - starts
    alike = draw_pairs("the same class", starts, before, n_pairs - n_different, rng)
    unlike = draw_pairs("different classes", np.zeros_like(starts), starts, n_different, rng)
    places = rng.permuted(np.concatenate([alike, unlike]), axis=1)
    same = np.repeat([1, 0], [len(alike), len(unlike)])
    mixed = rng.permutation(n_pairs)
    return order[places[mixed]], same[mixed]


def make_triplets(y: ArrayLike, n_triplets: int, rng: np.random.Generator | int) -> Integers:
    """Draw random triplets of rows: an anchor, a row of its class, and a row of another class.

    Anchors are drawn uniformly from the rows of classes with at least two rows, positives from the other
    rows of the class of the anchor, and negatives from the rows of all other classes. A triplet may be
    drawn more than once.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each row. The value -1 is a class like any other.
    n_triplets : int
        Number of triplets, at least 1.
    rng : numpy.random.Generator or int
        Random number generator, or a seed for a new one.

    Returns
    -------
    ndarray of int of shape (n_triplets, 3)
        Row numbers of the anchor, the positive and the negative of each triplet.

    Raises
    ------
    ValueError
        If labels are missing (NaN, None, NA), if there is a single class, or if no class has two rows.

    See Also
    --------
    make_pairs : Draw pairs.

    Examples
    --------
    >>> from skmetric.pairs import make_triplets
    >>> triplets = make_triplets(["a", "a", "b"], 10, rng=0)
    >>> triplets.shape, set(triplets[:, 2].tolist())  # the only row of class b is the negative
    ((10, 3), {2})
    """
    n_triplets = check_count(n_triplets, "n_triplets")
    rng = generator(rng)
    order, starts, sizes = by_class(check_labels(y))
    anchors = np.flatnonzero(sizes > 1)
    if len(anchors) == 0:
        raise ValueError("Triplets need a class of at least 2 rows, but every class in y has one row.")
    if sizes[0] == len(order):
        raise ValueError("Triplets need at least 2 classes, but all rows have the same class in y.")
    anchor = rng.choice(anchors, n_triplets)
    start = starts[anchor]
    size = sizes[anchor]
    positive = start + rng.integers(size - 1)
    positive += positive >= anchor
    negative = rng.integers(len(order) - size)
    negative += np.where(negative >= start, size, 0)
    return order[np.column_stack([anchor, positive, negative])]


def pairs_from_chunklets(
    chunklets: ArrayLike, n_pairs: int, rng: np.random.Generator | int
) -> tuple[Integers, Integers]:
    """Draw random pairs of rows, half within a chunklet and half between two chunklets.

    A chunklet is a set of rows that are known to be of the same class, where the class itself is unknown.
    Rows of different chunklets are assumed to be of different classes. If two chunklets may be of the
    same class, some of the labels 0 are wrong. Rows in no chunklet do not occur in the pairs.

    Parameters
    ----------
    chunklets : array-like of int of shape (n_samples,)
        Number of the chunklet of each row. A negative number, by convention -1, means that the row is in
        no chunklet.
    n_pairs : int
        Number of pairs, at least 1. If it is odd, there is one more pair within a chunklet.
    rng : numpy.random.Generator or int
        Random number generator, or a seed for a new one.

    Returns
    -------
    pairs : ndarray of int of shape (n_pairs, 2)
        Row numbers of each pair, in random order.
    same : ndarray of int of shape (n_pairs,)
        1 if both rows of a pair are in the same chunklet, and 0 otherwise.

    Raises
    ------
    ValueError
        If chunklets are missing (NaN, None, NA) or are not integers, or if there are not enough different
        pairs within chunklets or between them.

    See Also
    --------
    make_pairs : Draw pairs if the class of each row is known.

    References
    ----------
    N. Shental, T. Hertz, D. Weinshall, M. Pavel, "Adjustment learning and relevant component analysis",
    ECCV 2002, section 2.

    Examples
    --------
    >>> from skmetric.pairs import pairs_from_chunklets
    >>> pairs, same = pairs_from_chunklets([0, 0, 1, -1], 2, rng=0)
    >>> sorted(pairs[same == 1][0].tolist())  # the rows of chunklet 0
    [0, 1]
    """
    chunklets = check_labels(chunklets, "chunklets")
    if chunklets.dtype.kind not in "iu":
        raise ValueError(
            f"chunklets must be integers, with -1 for rows in no chunklet, got dtype {chunklets.dtype}."
        )
    known = np.flatnonzero(chunklets >= 0)
    pairs, same = make_pairs(chunklets[known], n_pairs, rng)
    return known[pairs], same


def check_tuples(tuples: ArrayLike, X: MatrixLike | None, size: int) -> tuple[Any, Integers]:
    """Check pairs or triplets in either form, and convert them to rows and row numbers.

    Parameters
    ----------
    tuples : array-like of shape (n, size, n_features), or of int of shape (n, size)
        The rows themselves if `X` is None. Otherwise row numbers in `X`, from 0 on.
    X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features) or None
        Matrix that the row numbers refer to.
    size : int
        2 for pairs, 3 for triplets.

    Returns
    -------
    X : ndarray of shape (n * size, n_features), or the given matrix
        Rows. If `tuples` is a contiguous array of rows, this is a view of it.
    index : ndarray of int of shape (n, size)
        Row numbers of each tuple in the returned `X`.

    Raises
    ------
    ValueError
        If `tuples` is empty or does not have one of these shapes, if row numbers are not integers, or if
        `X` has no such rows.

    Examples
    --------
    >>> from skmetric.pairs import check_tuples
    >>> X, index = check_tuples([[[1.0, 2.0], [3.0, 4.0]]], None, 2)
    >>> X.shape, index.tolist()
    ((2, 2), [[0, 1]])
    """
    name = _NAMES.get(size, "tuples")
    tuples = np.asarray(to_numpy(tuples))
    X = to_numpy(X)
    _check_shape(tuples, X is None, size, name)
    if X is None:
        n = len(tuples)
        return tuples.reshape(n * size, -1), np.arange(n * size).reshape(n, size)
    check_row_numbers(tuples, name, "X", _num_samples(X))
    return X, tuples


def _check_shape(tuples, are_rows, size, name):
    form = f"(n, {size}, n_features)" if are_rows else f"(n, {size}) if X is given"
    if tuples.ndim != (3 if are_rows else 2) or tuples.shape[1] != size:
        raise ValueError(
            f"{name} must have shape {form}, got {tuples.shape}.{_hint(tuples.shape, are_rows, size)}"
        )
    if tuples.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuples.shape}.")


def _hint(shape, are_rows, size):
    if are_rows and len(shape) == 2:
        return " If it holds row numbers, pass the matrix X as well."
    if not are_rows and len(shape) == 3:
        return " If it holds the rows themselves, do not pass X."
    if are_rows and len(shape) == 3 and shape[0] == size:
        return f" Join {size} matrices of rows with numpy.stack(matrices, axis=1)."
    return ""


def check_pair_labels(y: ArrayLike, n_pairs: int, both: bool = True) -> Bools:
    """Check the labels of pairs and convert them to a mask.

    Parameters
    ----------
    y : array-like of shape (n_pairs,)
        1 for pairs of the same class, and either 0 or -1 for pairs of different classes. 0 and -1 must
        not occur together.
    n_pairs : int
        Number of pairs.
    both : bool, default=True
        Whether pairs of the same class and of different classes must both occur.

    Returns
    -------
    ndarray of bool of shape (n_pairs,)
        True for pairs of the same class.

    Raises
    ------
    ValueError
        If labels are missing (NaN, None, NA) or have other values, if their number is not `n_pairs`, or
        if `both` is True and all labels are equal.

    Examples
    --------
    >>> from skmetric.pairs import check_pair_labels
    >>> check_pair_labels([-1, 1, 1], 3).tolist()
    [False, True, True]
    """
    if y is None:
        raise ValueError(f"{_LABELS}, got None.")
    y = column(to_numpy(y), "y")
    if len(y) != n_pairs:
        raise ValueError(f"y has {len(y)} labels, but there are {n_pairs} pairs.")
    missing = said_missing(y, "y")
    if missing:
        raise ValueError(f"{_LABELS}, but {missing} Remove these pairs.")
    values = list(dict.fromkeys(y.tolist()))
    if not (set(values) <= {0, 1} or set(values) <= {-1, 1}):
        listed = ", ".join(shown(value) for value in values[:_N_SHOWN])
        more = ", ..." if len(values) > _N_SHOWN else ""
        raise ValueError(f"{_LABELS}, got the values {listed}{more}.")
    if both and len(values) < 2:
        only = "".join(map(shown, values))
        raise ValueError(
            f"y must have labels of same and of different pairs, but all its labels are {only}."
        )
    return y == 1
