"""Miners: they choose the triplets of a batch that enter the loss.

A miner has the form ``mining(D, positive, negative, margin) -> (C, n_valid)``. It returns no list of
triplets: ``C[a, p]`` is the number of chosen triplets with anchor a and positive p, and ``-C[a, n]`` the
number of those with anchor a and negative n. Hence `C` is the gradient of the summed loss on `D`.
"""

import sys

import numpy as np

from ._blocks import by_blocks
from ._forms import Array, Miner

# The tag of a pair is its column. In addition, this bit, the sign, is set for a negative pair.
NEGATIVE = 31
LOW = 0 if sys.byteorder == "little" else 1  # position of the lower 32 bits of a 64-bit integer


def _sorted_tags(key, negative):
    """Tags in the order of the keys (>= 0) of each row; of equal keys, negatives come last."""
    tags = np.left_shift(negative, NEGATIVE, dtype=np.uint32)
    tags |= np.arange(key.shape[1], dtype=np.uint32)
    if key.itemsize > 4:
        # The bits of floats >= 0 sort like the floats. The sign bit is free: shifted out, it makes room
        # for the bit of the negatives.
        code = key.view(np.uint64) << 1
        code |= negative
        return np.take_along_axis(tags.view(np.int32), code.argsort(axis=1), axis=1)
    # The bits of a key and its tag form one integer. Sorting these is 3 times faster than argsort.
    packed = key.view(np.int32).astype(np.int64)
    packed <<= 32
    packed |= tags
    packed.sort(axis=1)
    return np.ascontiguousarray(packed.view(np.int32)[:, LOW::2])


def _crossings(key, positive, negative):
    """Count, for each pair, the triplets in which the key of the positive exceeds that of the negative.

    Row by row: ``C[a, p] = #{n: key[a, n] < key[a, p]}``, ``C[a, n] = -#{p: key[a, p] > key[a, n]}``.
    In the order of the keys, running counts of negatives give both without a list of triplets: O(n^2 log
    n) time and O(n^2) memory. Keys of pairs that are neither positive nor negative must be infinite.
    """
    n = key.shape[1]
    # Of equal keys, positives come first, so that equality does not count.
    tags = _sorted_tags(key, negative)
    minus = tags >> NEGATIVE  # -1 for a negative
    # One cumulative sum over all rows releases the interpreter lock, a sum for each row does not. In each
    # row, the count starts at `before`.
    count = minus.reshape(-1).cumsum(dtype=np.int32).reshape(key.shape)
    before = np.zeros((len(key), 1), np.int32)
    before[1:] = count[:-1, -1:]
    # With b negatives up to rank r, the C of a positive is b. Of all positives, r - b are up to this rank
    # and the others above, so that the C of a negative is r - b - all.
    terms = 2 * count
    terms += np.arange(1, n + 1, dtype=np.int32) - (positive.sum(axis=1, keepdims=True) + 2 * before)
    terms *= minus
    count += terms
    counts = np.subtract(before, count, dtype=np.int32)
    tags &= 2**NEGATIVE - 1
    places = tags + np.arange(0, key.size, n)[:, np.newaxis]
    C = np.empty(key.shape, key.dtype)
    C.reshape(-1)[places] = counts.astype(key.dtype)  # an assignment that also converts is slower
    C *= positive | negative
    return C


def _keys(D, positive, negative, offset):
    """Distances to compare: `offset` is added to positives; pairs that are neither are infinite."""
    key = positive * D.dtype.type(offset)
    key += D
    np.copyto(key, np.inf, where=~(positive | negative))
    return key


def _by_anchors(count, D, positive, negative):
    """Compute ``count(D, positive, negative)`` by blocks of rows."""

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


def all_triplets(D: Array, positive: Array, negative: Array, margin: float) -> tuple[Array, float]:
    """Choose every triplet with a positive loss: ``D[a, n] < D[a, p] + margin``.

    For each anchor, the margin is added to the distances of the positives, and all distances are sorted.
    In this order, a positive forms a chosen triplet with every negative before it. Hence running counts
    give `C` in O(n log n) time for an anchor, without a list of triplets.

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
        ``C[a, p]`` is the number of chosen triplets with anchor a and positive p, ``-C[a, n]`` that with
        anchor a and negative n. This is the gradient of the summed loss on `D`.
    n_valid : float
        Number of valid triplets: those of an anchor, a positive and a negative.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, all_triplets
    >>> Z = np.array([[0.0], [1.0], [1.2], [3.0]])
    >>> D, positive, negative, chain = all_pairs(Z, np.array([0, 0, 1, 1]))
    >>> C, n_valid = all_triplets(D, positive, negative, margin=1.0)
    >>> C[0].tolist(), n_valid  # of anchor 0, the triplet with positive 1 and negative 2
    ([0.0, 1.0, -1.0, 0.0], 8.0)
    """

    def count(D, positive, negative):
        return _crossings(_keys(D, positive, negative, margin), positive, negative)

    return _by_anchors(count, D, positive, negative), _n_valid(positive, negative)


def semihard_triplets(D: Array, positive: Array, negative: Array, margin: float) -> tuple[Array, float]:
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
        ``C[a, p]`` is the number of chosen triplets with anchor a and positive p, ``-C[a, n]`` that with
        anchor a and negative n. This is the gradient of the summed loss on `D`.
    n_valid : float
        Number of chosen triplets. Only these are valid here, and all of them have a positive loss.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: a unified embedding for face recognition and
    clustering", CVPR 2015, section 3.2, equation 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, semihard_triplets
    >>> Z = np.array([[0.0], [1.0], [1.2], [3.0]])
    >>> D, positive, negative, chain = all_pairs(Z, np.array([0, 0, 1, 1]))
    >>> C, n_valid = semihard_triplets(D, positive, negative, margin=1.0)
    >>> C[0].tolist(), n_valid  # of anchor 0, the triplet with positive 1 and negative 2
    ([0.0, 1.0, -1.0, 0.0], 2.0)
    """

    def count(D, positive, negative):
        # The triplets with a negative nearer than the positive plus margin, minus those with a negative
        # at most as far as the positive. For the latter, positives are moved up to the next float, so
        # that a negative at the same distance counts.
        below = _keys(D, positive, negative, 0)
        bits = below.view(np.dtype(f"i{below.itemsize}"))
        bits += positive  # the next float, since D >= 0
        # If D + margin is rounded to D, no triplet is inside the margin.
        inside = np.maximum(_keys(D, positive, negative, margin), below)
        return _crossings(inside, positive, negative) - _crossings(below, positive, negative)

    C = _by_anchors(count, D, positive, negative)
    return C, n_chosen(C)


def hard_triplets(D: Array, positive: Array, negative: Array, margin: float) -> tuple[Array, float]:
    """Choose, for each anchor, the triplet of its farthest positive and its nearest negative.

    A triplet without a loss, ``D[a, n] >= D[a, p] + margin``, is not chosen.

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
        1 for the positive and -1 for the negative of a chosen triplet, 0 elsewhere. This is the gradient
        of the summed loss on `D`.
    n_valid : float
        Number of anchors that have a positive and a negative. For each of them one triplet is valid.

    References
    ----------
    A. Hermans, L. Beyer, B. Leibe, "In defense of the triplet loss for person re-identification",
    arXiv:1703.07737, equation 5 ("batch hard").

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import all_pairs, hard_triplets
    >>> Z = np.array([[0.0], [1.0], [1.2], [3.0]])
    >>> D, positive, negative, chain = all_pairs(Z, np.array([0, 0, 1, 1]))
    >>> C, n_valid = hard_triplets(D, positive, negative, margin=1.0)
    >>> C[0].tolist(), n_valid
    ([0.0, 1.0, -1.0, 0.0], 4.0)
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


#: Miners by the value of the parameter `mining`.
#:
#: - ``"all"``: every triplet with a positive loss, see `all_triplets`.
#: - ``"semihard"``: every triplet whose negative is farther than the positive, but within the margin, see
#:   `semihard_triplets`.
#: - ``"hard"``: the farthest positive and the nearest negative of each anchor, see `hard_triplets`.
MINERS: dict[str, Miner] = {"all": all_triplets, "semihard": semihard_triplets, "hard": hard_triplets}
