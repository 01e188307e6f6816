"""Pairs and triplets as data: drawn from labels, and checked.

A tuple is two or three rows, given as the rows themselves, an array (n, size, n_features), or as their
numbers in a matrix `X`, integers (n, size).
"""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar, column_or_1d
from sklearn.utils.validation import _num_samples

from ._array_api import to_numpy
from ._draws import by_class, draw_pairs
from ._labels import check_labels
from ._pair_distances import paired_distances
from ._shown import shown

__all__ = [
    "check_pair_labels",
    "check_tuples",
    "make_pairs",
    "make_triplets",
    "paired_distances",
    "pairs_from_chunklets",
]

_NAMES = {2: "pairs", 3: "triplets"}
_LABELS = "y of pairs must be 0 and 1, or -1 and 1 (1: the same)"
_N_SHOWN = 5  # wrong labels in a message


def make_pairs(y, n_pairs, rng):
    """Draw random pairs of rows, half of the same class and half of different classes.

    No pair is drawn twice, in whichever order of its rows. All pairs of a kind are equally likely: a
    class of n rows has n (n - 1) / 2 pairs of the same class. Memory is O(len(y) + n_pairs).

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each row. The value -1 is a class like any other.
    n_pairs : int
        Number of pairs, at least 1. If it is odd, there is one more pair of the same class.
    rng : numpy.random.Generator or int
        Generator to draw from, or a seed for one.

    Returns
    -------
    pairs : ndarray of int of shape (n_pairs, 2)
        Row numbers of each pair, in random order.
    same : ndarray of int of shape (n_pairs,)
        1 where both rows are of the same class, else 0.

    Raises
    ------
    ValueError
        If labels are missing (NaN, None, NA), or if there are fewer pairs of a kind than are asked for:
        with a single class no pairs are different, and without a class of two rows none are the same.

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
    check_scalar(n_pairs, "n_pairs", Integral, min_val=1)
    rng = np.random.default_rng(rng)
    order, starts, _ = by_class(check_labels(y))
    n_different = n_pairs // 2
    # In the order of the classes, a row goes with those before it: of its class, or of the others.
    before = np.arange(len(order)) - starts
    alike = draw_pairs("the same class", starts, before, n_pairs - n_different, rng)
    unlike = draw_pairs("different classes", np.zeros_like(starts), starts, n_different, rng)
    places = rng.permuted(np.concatenate([alike, unlike]), axis=1)
    same = np.repeat([1, 0], [len(alike), len(unlike)])
    mixed = rng.permutation(n_pairs)
    return order[places[mixed]], same[mixed]


def make_triplets(y, n_triplets, rng):
    """Draw random triplets of rows: an anchor, a row of its class, and a row of another class.

    Anchors are drawn uniformly from the rows that have another row of their class, positives from the
    other rows of that class, and negatives from the rows of all other classes. A triplet may be drawn
    twice.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each row. The value -1 is a class like any other.
    n_triplets : int
        Number of triplets, at least 1.
    rng : numpy.random.Generator or int
        Generator to draw from, or a seed for one.

    Returns
    -------
    ndarray of int of shape (n_triplets, 3)
        Row numbers of the anchor, the positive and the negative of each triplet.

    Raises
    ------
    ValueError
        If labels are missing (NaN, None, NA), if there is a single class, or if no class has two rows.

    Examples
    --------
    >>> from skmetric.pairs import make_triplets
    >>> make_triplets([5, 5, 7], 1, rng=0).shape
    (1, 3)
    """
    check_scalar(n_triplets, "n_triplets", Integral, min_val=1)
    rng = np.random.default_rng(rng)
    order, starts, sizes = by_class(check_labels(y))
    anchors = np.flatnonzero(sizes > 1)
    if len(anchors) == 0:
        raise ValueError("Triplets need a class of two rows, but each row of y has a class of its own.")
    if sizes[0] == len(order):
        raise ValueError("Triplets need rows of at least 2 classes, but all rows of y are of one class.")
    anchor = rng.choice(anchors, n_triplets)
    start = starts[anchor]
    size = sizes[anchor]
    positive = start + rng.integers(size - 1)
    positive += positive >= anchor
    negative = rng.integers(len(order) - size)
    negative += np.where(negative >= start, size, 0)
    return order[np.column_stack([anchor, positive, negative])]


def pairs_from_chunklets(chunklets, n_pairs, rng):
    """Draw random pairs of rows, half within a chunklet and half between two chunklets.

    A chunklet is a set of rows known to be of the same thing. Rows of different chunklets are taken to be
    of different things: if two chunklets may be of one thing, some of the labels 0 are wrong. Of rows in
    no chunklet nothing is known, and they occur in no pair.

    Parameters
    ----------
    chunklets : array-like of int of shape (n_samples,)
        Chunklet of each row. Rows with a negative number, by convention -1, are in no chunklet.
    n_pairs : int
        Number of pairs, at least 1. If it is odd, there is one more pair within a chunklet.
    rng : numpy.random.Generator or int
        Generator to draw from, or a seed for one.

    Returns
    -------
    pairs : ndarray of int of shape (n_pairs, 2)
        Row numbers of each pair, in random order.
    same : ndarray of int of shape (n_pairs,)
        1 where both rows are of the same chunklet, else 0.

    Raises
    ------
    ValueError
        If chunklets are missing (NaN, None, NA) or are not integers, or if there are fewer pairs of a
        kind than are asked for.

    See Also
    --------
    make_pairs : Draw pairs where the class of each row is known.

    References
    ----------
    N. Shental, T. Hertz, D. Weinshall, M. Pavel, "Adjustment learning and relevant component analysis",
    ECCV 2002, section 2.

    Examples
    --------
    >>> from skmetric.pairs import pairs_from_chunklets
    >>> pairs, same = pairs_from_chunklets([0, 0, 1, -1], 2, rng=0)
    >>> same.sum().item()
    1
    """
    chunklets = check_labels(chunklets, "chunklets")
    if chunklets.dtype.kind not in "iu":
        raise ValueError(f"chunklets must be integers, -1 for none, got dtype {chunklets.dtype}.")
    known = np.flatnonzero(chunklets >= 0)
    pairs, same = make_pairs(chunklets[known], n_pairs, rng)
    return known[pairs], same


def check_tuples(tuples, X, size):
    """Convert both forms of tuples to one: rows, and row numbers.

    Parameters
    ----------
    tuples : array-like of shape (n, size, n_features), or of int of shape (n, size)
        The rows themselves if `X` is None, else their numbers in `X`, from 0 on.
    X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features) or None
        The matrix that the row numbers refer to.
    size : int
        2 for pairs, 3 for triplets.

    Returns
    -------
    X : ndarray of shape (n * size, n_features), or the given matrix
        Rows. If `tuples` is a contiguous array of rows, this is a view of it.
    index : ndarray of int of shape (n, size)
        Row numbers of each tuple.

    Raises
    ------
    ValueError
        If `tuples` has another shape or is empty, or if row numbers are not integers or not those of
        rows of `X`.

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
    if tuples.dtype.kind not in "iu":
        raise ValueError(f"{name} of row numbers must be integers, got dtype {tuples.dtype}.")
    lowest = tuples.min()
    highest = tuples.max()
    n_rows = _num_samples(X)
    if lowest < 0 or highest >= n_rows:
        raise ValueError(
            f"{name} has row numbers from {lowest} to {highest}, but X has the rows 0 to {n_rows - 1}."
        )
    return X, tuples


def _check_shape(tuples, are_rows, size, name):
    form = f"(n, {size}, n_features)" if are_rows else f"(n, {size}) together with X"
    if tuples.ndim != (3 if are_rows else 2) or tuples.shape[1] != size:
        may_be_numbers = are_rows and tuples.ndim == 2
        hint = f": pass X=, or {name} of shape (n, {size}, n_features)" if may_be_numbers else ""
        raise ValueError(f"{name} must have the shape {form}, got {tuples.shape}{hint}.")
    if tuples.size == 0:
        raise ValueError(f"{name} must not be empty, got the shape {tuples.shape}.")


def check_pair_labels(y, n_pairs, both=True):
    """Convert the labels of pairs to a mask.

    Parameters
    ----------
    y : array-like of shape (n_pairs,)
        1 for pairs of the same thing, and either 0 or -1 for pairs of different things. 0 and -1 must
        not occur together.
    n_pairs : int
        Number of pairs that the labels must be of.
    both : bool, default=True
        Whether pairs of both kinds are required.

    Returns
    -------
    ndarray of bool of shape (n_pairs,)
        Whether the pairs are of the same thing.

    Raises
    ------
    ValueError
        If labels are missing (NaN, None, NA), if there are other labels or another number of them, or
        if `both` is True and all pairs are of one kind.

    Examples
    --------
    >>> from skmetric.pairs import check_pair_labels
    >>> check_pair_labels([-1, 1, 1], 3).tolist()
    [False, True, True]
    """
    y = column_or_1d(to_numpy(y))
    if len(y) != n_pairs:
        raise ValueError(f"y has {len(y)} labels, but there are {n_pairs} pairs.")
    try:
        y = check_labels(y)
    except ValueError as error:
        raise ValueError(f"{_LABELS}, but {error}") from error
    values = list(dict.fromkeys(y.tolist()))
    if not (set(values) <= {0, 1} or set(values) <= {-1, 1}):
        listed = ", ".join(shown(value) for value in values[:_N_SHOWN])
        more = ", ..." if len(values) > _N_SHOWN else ""
        raise ValueError(f"{_LABELS}, got the values {listed}{more}.")
    if both and len(values) < 2:
        only = "".join(map(shown, values))
        raise ValueError(f"y must have labels of pairs of both kinds, but all its labels are {only}.")
    return y == 1
