"""Miners: which triplets of a batch count, and how often each pair occurs in them.

A miner has the form ``mining(D, positive, negative, margin) -> (C, n_valid)``. It never lists a triplet:
``C[a, p]`` is the number of chosen triplets with anchor a and positive p, ``-C[a, n]`` that with anchor a
and negative n, which makes `C` the gradient of the sum of their losses on `D`.
"""

import sys

import numpy as np

from ._blocks import by_blocks

# The tag of a pair has this bit set, its sign, if the pair is a negative; the others are its column.
NEGATIVE = 31
LOW = 0 if sys.byteorder == "little" else 1  # half of 64 bits


def _sorted_tags(key, negative):
    """Tags in the order of the keys (>= 0) of each row, negatives last where two keys are equal."""
    tags = np.left_shift(negative, NEGATIVE, dtype=np.uint32)
    tags |= np.arange(key.shape[1], dtype=np.uint32)
    if key.itemsize > 4:
        # Floats >= 0 sort like their bits, and these leave room for one more: the first of the tag.
        code = key.view(np.uint64) << 1
        code |= negative
        return np.take_along_axis(tags.view(np.int32), code.argsort(axis=1), axis=1)
    # Bits and tag together are one integer to sort: three times faster than to sort positions by keys.
    packed = key.view(np.int32).astype(np.int64)
    packed <<= 32
    packed |= tags
    packed.sort(axis=1)
    return np.ascontiguousarray(packed.view(np.int32)[:, LOW::2])


def _crossings(key, positive, negative):
    """For each pair the number of triplets in which the key of the positive is above the negative's.

    Row by row: ``C[a, p] = #{n: key[a, n] < key[a, p]}``, ``C[a, n] = -#{p: key[a, p] > key[a, n]}``.
    In the order of the keys, running counts of negatives give both, so that no triplet is listed:
    O(n^2 log n) time, O(n^2) memory. Keys of pairs that are neither must be infinite.
    """
    n = key.shape[1]
    # A negative comes after a positive of the same key: equality is no crossing.
    tags = _sorted_tags(key, negative)
    minus = tags >> NEGATIVE  # -1 for a negative
    # One sum over all rows lets other threads run, sums of rows do not: it counts from `before` in a row.
    count = minus.reshape(-1).cumsum(dtype=np.int32).reshape(key.shape)
    before = np.zeros((len(key), 1), np.int32)
    before[1:] = count[:-1, -1:]
    # With b negatives up to rank r, the C of a positive is b. Up to there are r - b positives; the others
    # lie above, and the C of a negative is r - b - all.
    terms = 2 * count
    terms += np.arange(1, n + 1, dtype=np.int32) - (positive.sum(axis=1, keepdims=True) + 2 * before)
    terms *= minus
    count += terms
    counts = np.subtract(before, count, dtype=np.int32)
    tags &= 2**NEGATIVE - 1
    places = tags + np.arange(0, key.size, n)[:, np.newaxis]
    C = np.empty(key.shape, key.dtype)
    C.reshape(-1)[places] = counts.astype(key.dtype)  # to put and to convert at once is slower
    C *= positive | negative
    return C


def _keys(D, positive, negative, offset):
    """Distances to compare: `offset` added to positives, pairs that are neither at infinity."""
    key = positive * D.dtype.type(offset)
    key += D
    np.copyto(key, np.inf, where=~(positive | negative))
    return key


def _by_anchors(count, D, positive, negative):
    """Lay ``count(D, positive, negative)`` of blocks of rows together."""

    def put(C, *block):
        C[...] = count(*block)

    C = np.empty(D.shape, D.dtype)
    by_blocks(put, C, *map(np.ascontiguousarray, (D, positive, negative)))
    return C


def _n_valid(positive, negative):
    return float(np.dot(positive.sum(axis=1), negative.sum(axis=1)))


def n_chosen(C):
    """Number of chosen triplets."""
    return float(n_chosen_by_anchor(C).sum())


def n_chosen_by_anchor(C):
    """Number of chosen triplets of each anchor: each adds 1 to a positive and -1 to a negative."""
    return np.abs(C).sum(axis=1, dtype=np.float64) / 2


def all_triplets(D, positive, negative, margin):
    """Choose every triplet with a positive loss: ``D[a, n] < D[a, p] + margin``.

    For one anchor, the distances with the margin added to those of the positives are sorted. In this
    order a positive is violated by every negative before it, so that running counts give `C` in
    O(n log n) time, and no triplet is listed.

    Parameters
    ----------
    D : ndarray of shape (n_anchors, n_compared)
        Distances, finite and >= 0.
    positive, negative : ndarray of shape (n_anchors, n_compared)
        Disjoint masks; row a holds the positives and the negatives of anchor a.
    margin : float
        Margin in the units of `D`, > 0.

    Returns
    -------
    C : ndarray of shape (n_anchors, n_compared)
        ``C[a, p]`` and ``-C[a, n]`` are the numbers of chosen triplets with that pair, which is the
        gradient of the sum of their losses.
    n_valid : float
        Number of triplets that could have been chosen.
    """

    def count(D, positive, negative):
        return _crossings(_keys(D, positive, negative, margin), positive, negative)

    return _by_anchors(count, D, positive, negative), _n_valid(positive, negative)


def semihard_triplets(D, positive, negative, margin):
    """Choose every semi-hard triplet: ``D[a, p] < D[a, n] < D[a, p] + margin``.

    Parameters
    ----------
    D : ndarray of shape (n_anchors, n_compared)
        Distances, finite and >= 0.
    positive, negative : ndarray of shape (n_anchors, n_compared)
        Disjoint masks; row a holds the positives and the negatives of anchor a.
    margin : float
        Margin in the units of `D`, > 0.

    Returns
    -------
    C : ndarray of shape (n_anchors, n_compared)
        ``C[a, p]`` and ``-C[a, n]`` are the numbers of chosen triplets with that pair.
    n_valid : float
        Number of chosen triplets: all of them are active, and only they are valid.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: a unified embedding for face recognition and
    clustering", CVPR 2015, section 3.2, equation 4.
    """

    def count(D, positive, negative):
        # Those with the negative above the positive but inside the margin: all inside it, less those at
        # the positive's distance or below. A positive next above itself crosses those at its distance.
        below = _keys(D, positive, negative, 0)
        bits = below.view(np.dtype(f"i{below.itemsize}"))
        bits += positive  # of floats >= 0: the next float
        # A margin that is lost in the rounding of D holds none.
        inside = np.maximum(_keys(D, positive, negative, margin), below)
        return _crossings(inside, positive, negative) - _crossings(below, positive, negative)

    C = _by_anchors(count, D, positive, negative)
    return C, n_chosen(C)


def hard_triplets(D, positive, negative, margin):
    """Choose, for each anchor, the farthest positive and the nearest negative.

    Parameters
    ----------
    D : ndarray of shape (n_anchors, n_compared)
        Distances, finite and >= 0.
    positive, negative : ndarray of shape (n_anchors, n_compared)
        Disjoint masks; row a holds the positives and the negatives of anchor a.
    margin : float
        Margin in the units of `D`, > 0.

    Returns
    -------
    C : ndarray of shape (n_anchors, n_compared)
        ``C[a, p]`` and ``-C[a, n]`` are the numbers of chosen triplets with that pair.
    n_valid : float
        Number of anchors that have a positive and a negative: one triplet is valid for each.

    References
    ----------
    A. Hermans, L. Beyer, B. Leibe, "In defense of the triplet loss for person re-identification",
    arXiv:1703.07737, equation 5 ("batch hard").
    """
    farthest = np.where(positive, D, -np.inf)
    nearest = np.where(negative, D, np.inf)
    p = farthest.argmax(axis=1)
    n = nearest.argmin(axis=1)
    anchors = np.arange(len(D))
    gap = farthest[anchors, p] - nearest[anchors, n]
    active = gap + margin > 0
    C = np.zeros_like(D)
    C[anchors[active], p[active]] = 1
    C[anchors[active], n[active]] = -1
    return C, float(np.count_nonzero(np.isfinite(gap)))


MINERS = {"all": all_triplets, "semihard": semihard_triplets, "hard": hard_triplets}
