"""Pairs and triplets as data: drawn from labels, and checked.

A tuple is two or three rows, given as the rows themselves, an array (n, size, n_features), or as their
numbers in a matrix `X`, integers (n, size).
"""

from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.utils import check_scalar, column_or_1d, gen_batches
from sklearn.utils.validation import _num_samples

BLOCK = 2**13  # pairs whose embeddings are gathered at a time
NAMES = {2: "pairs", 3: "triplets"}
FEW = 8  # where at most so many times the codes asked for exist, a permutation of all is cheap


def _by_class(y):
    """Row numbers sorted by class, and for each place in that order where its class begins, its size."""
    _, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
    starts = np.cumsum(sizes) - sizes
    return np.argsort(codes, kind="stable"), np.repeat(starts, sizes), np.repeat(sizes, sizes)


def _distinct(n_codes, size, rng):
    """`size` different integers below `n_codes`, all such sets equally likely, in O(size) memory."""
    if n_codes <= FEW * size:
        return rng.permutation(n_codes)[:size]
    codes = np.empty(0, np.int64)
    while len(codes) < size:
        # Never more than are missing: nothing is thrown away, which would favour some codes.
        more = rng.integers(n_codes, size=size - len(codes))
        codes = np.sort(np.concatenate([codes, more]))
        codes = codes[np.diff(codes, prepend=-1) > 0]  # np.unique, four times faster
    return codes


def _draw(kind, first, n_partners, n_pairs, rng):
    """Places (n_pairs, 2) of different pairs, where place i goes with `n_partners[i]` from `first[i]` on.

    The pairs are numbered place after place, so that a random number is a random pair.
    """
    ends = np.cumsum(n_partners)
    n_existing = int(ends[-1]) if len(ends) else 0
    if n_existing < max(n_pairs, 1):
        raise ValueError(f"{n_pairs} pairs of {kind} were asked for, but there are only {n_existing}.")
    codes = _distinct(n_existing, n_pairs, rng)
    place = np.searchsorted(ends, codes, side="right")
    partner = first[place] + codes - (ends - n_partners)[place]
    return np.column_stack([place, partner])


def make_pairs(y, n_pairs, rng):
    """Random pairs of rows, half of the same class and half of different classes.

    No pair comes twice, in whichever order of its rows. All pairs of a kind are equally likely: a class
    of n rows has n (n - 1) / 2 of the same class. Memory is O(len(y) + n_pairs).

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Classes.
    n_pairs : int
        Number of pairs; of an odd number, one more is of the same class.
    rng : numpy.random.Generator or int
        Generator to draw from, or a seed for one.

    Returns
    -------
    pairs : ndarray of shape (n_pairs, 2)
        Row numbers, in random order.
    same : ndarray of shape (n_pairs,)
        1 where both rows are of the same class, else 0.

    Raises
    ------
    ValueError
        Where there are fewer pairs of a kind than asked for: with a single class none are different,
        and without a class of two rows none are the same.

    Examples
    --------
    >>> from skmetric.pairs import make_pairs
    >>> pairs, same = make_pairs(["a", "a", "b", "b"], 4, rng=0)
    >>> pairs.shape, same.sum().item()
    ((4, 2), 2)
    """
    check_scalar(n_pairs, "n_pairs", Integral, min_val=1)
    rng = np.random.default_rng(rng)
    order, starts, _ = _by_class(column_or_1d(y))
    n_different = n_pairs // 2
    # In the order of the classes, a row goes with those before it: of its class, or of the others.
    before = np.arange(len(order)) - starts
    alike = _draw("the same class", starts, before, n_pairs - n_different, rng)
    unlike = _draw("different classes", np.zeros_like(starts), starts, n_different, rng)
    places = rng.permuted(np.concatenate([alike, unlike]), axis=1)
    same = np.repeat([1, 0], [len(alike), len(unlike)])
    mixed = rng.permutation(n_pairs)
    return order[places[mixed]], same[mixed]


def make_triplets(y, n_triplets, rng):
    """Random triplets of rows: an anchor, one of its class, one of another.

    Anchors are drawn evenly from the rows that have another of their class, positives from the others of
    that class, negatives from the rows of all other classes. A triplet may come twice.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Classes.
    n_triplets : int
        Number of triplets.
    rng : numpy.random.Generator or int
        Generator to draw from, or a seed for one.

    Returns
    -------
    triplets : ndarray of shape (n_triplets, 3)
        Row numbers of anchor, positive and negative.

    Raises
    ------
    ValueError
        With a single class, or without a class of two rows.
    """
    check_scalar(n_triplets, "n_triplets", Integral, min_val=1)
    rng = np.random.default_rng(rng)
    order, starts, sizes = _by_class(column_or_1d(y))
    anchors = np.flatnonzero(sizes > 1)
    if len(anchors) == 0:
        raise ValueError("Triplets need a class of two rows, but each row has a class of its own.")
    if sizes[0] == len(order):
        raise ValueError("Triplets need rows of at least 2 classes, but all are of one class.")
    anchor = rng.choice(anchors, n_triplets)
    start, size = starts[anchor], sizes[anchor]
    positive = start + rng.integers(size - 1)
    positive += positive >= anchor
    negative = rng.integers(len(order) - size)
    negative += np.where(negative >= start, size, 0)
    return order[np.column_stack([anchor, positive, negative])]


def pairs_from_chunklets(chunklets, n_pairs, rng):
    """Random pairs of rows, half within a chunklet and half between two.

    A chunklet is a set of rows known to be of the same thing. Rows of different chunklets are taken to be
    of different things: where two chunklets may be of one thing, the labels 0 are wrong now and then.
    Of rows in no chunklet nothing is known, and they occur in no pair.

    Parameters
    ----------
    chunklets : array-like of shape (n_samples,)
        Integers, the chunklet of each row; negative, by custom -1: in none.
    n_pairs : int
        Number of pairs, as in `make_pairs`.
    rng : numpy.random.Generator or int
        Generator to draw from, or a seed for one.

    Returns
    -------
    pairs : ndarray of shape (n_pairs, 2)
        Row numbers.
    same : ndarray of shape (n_pairs,)
        1 where both rows are of the same chunklet, else 0.

    Raises
    ------
    ValueError
        Where chunklets are not integers, and as `make_pairs`, which sees chunklets as classes.

    References
    ----------
    N. Shental, T. Hertz, D. Weinshall, M. Pavel, "Adjustment learning and relevant component analysis",
    ECCV 2002, section 2.
    """
    chunklets = column_or_1d(chunklets)
    if chunklets.dtype.kind not in "iu":
        raise ValueError(f"chunklets must be integers, -1 for none, got dtype {chunklets.dtype}.")
    known = np.flatnonzero(chunklets >= 0)
    pairs, same = make_pairs(chunklets[known], n_pairs, rng)
    return known[pairs], same


def check_tuples(tuples, X, size):
    """Bring both forms of tuples to one: rows, and their numbers.

    Parameters
    ----------
    tuples : array-like of shape (n, size, n_features), or of shape (n, size) with `X`
        The rows themselves, or their numbers in `X`, from 0 on.
    X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features) or None
        The rows that the numbers are of.
    size : int
        2 for pairs, 3 for triplets.

    Returns
    -------
    X : ndarray of shape (n * size, n_features), or `X` itself
        Rows; of a contiguous array of tuples a view.
    index : ndarray of shape (n, size)
        Row numbers of each tuple.

    Raises
    ------
    ValueError
        Where the shape is another, there are no tuples, or row numbers are no integers or not those of
        rows of `X`.
    """
    name = NAMES.get(size, "tuples")
    tuples = np.asarray(tuples)
    n_axes, form = (3, f"(n, {size}, n_features)") if X is None else (2, f"(n, {size}) together with X")
    if tuples.ndim != n_axes or tuples.shape[1] != size:
        hint = f": pass X=, or {name} of shape (n, {size}, n_features)" * (X is None and tuples.ndim == 2)
        raise ValueError(f"{name} must have the shape {form}, got {tuples.shape}{hint}.")
    if tuples.size == 0:
        raise ValueError(f"{name} must not be empty, got the shape {tuples.shape}.")
    if X is None:
        n = len(tuples)
        return tuples.reshape(n * size, -1), np.arange(n * size).reshape(n, size)
    if tuples.dtype.kind not in "iu":
        raise ValueError(f"{name} of row numbers must be integers, got dtype {tuples.dtype}.")
    low, high, n_rows = tuples.min(), tuples.max(), _num_samples(X)
    if low < 0 or high >= n_rows:
        raise ValueError(
            f"{name} has row numbers from {low} to {high}, but X has the rows 0 to {n_rows - 1}."
        )
    return X, tuples


def paired_distances(Z, pairs):
    """Euclidean distance of the two rows of each pair.

    Parameters
    ----------
    Z : {ndarray, CSR matrix} of shape (n_samples, n_components)
        Embeddings.
    pairs : ndarray of int of shape (n_pairs, 2)
        Row numbers.

    Returns
    -------
    d : ndarray of shape (n_pairs,)
    """
    norm = sparse.linalg.norm if sparse.issparse(Z) else np.linalg.norm
    blocks = (pairs[block].T for block in gen_batches(len(pairs), BLOCK))
    return np.concatenate([norm(Z[left] - Z[right], axis=1) for left, right in blocks])


def check_pair_labels(y, n_pairs, both=True):
    """Whether pairs are said to be the same, as a mask.

    Parameters
    ----------
    y : array-like of shape (n_pairs,)
        1 for the same; 0 or -1, but not both of them, for different.
    n_pairs : int
        Number of pairs.
    both : bool, default=True
        Whether pairs of both kinds must be there.

    Returns
    -------
    same : ndarray of shape (n_pairs,)
        Boolean.

    Raises
    ------
    ValueError
        Where there are other labels, another number of them, or one kind only where both are needed.
    """
    y = column_or_1d(y)
    if len(y) != n_pairs:
        raise ValueError(f"y has {len(y)} labels, but there are {n_pairs} pairs.")
    values = np.unique(y).tolist()
    if not (set(values) <= {0, 1} or set(values) <= {-1, 1}):
        seen = ", ".join(map(repr, values[:5])) + ", ..." * (len(values) > 5)
        raise ValueError(f"y of pairs must be 0 and 1, or -1 and 1 (1: the same), got the values {seen}.")
    if both and len(values) < 2:
        raise ValueError(f"This needs pairs of both kinds, but y has only the values {values}.")
    return y == 1
