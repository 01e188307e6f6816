"""Random draws of different pairs, without a list of all pairs."""

import numpy as np

FEW = 8  # a permutation of all codes is cheap if there are at most this many times those to draw


def by_class(y):
    """Return row numbers sorted by class, and for each of them the start and the size of its class."""
    _, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum(sizes) - sizes
    return order, np.repeat(starts, sizes), np.repeat(sizes, sizes)


def _distinct(n_codes, size, rng):
    """Draw `size` different integers below `n_codes` uniformly, in O(size) memory."""
    if n_codes <= FEW * size:
        return rng.permutation(n_codes)[:size]
    codes = np.empty(0, np.int64)
    while len(codes) < size:
        # Never draw more than are missing: to drop some of them would favour others.
        more = rng.integers(n_codes, size=size - len(codes))
        codes = np.sort(np.concatenate([codes, more]))
        codes = codes[np.diff(codes, prepend=-1) > 0]  # as np.unique, but four times faster
    return codes


def draw_pairs(kind, first, n_partners, n_pairs, rng):
    """Draw different pairs of places, where place i has `n_partners[i]` partners from `first[i]` on.

    The pairs are numbered in the order of their places, so that a random number is a random pair. The
    result has the shape (n_pairs, 2).
    """
    ends = np.cumsum(n_partners)
    n_existing = int(ends[-1]) if len(ends) else 0
    if n_existing < n_pairs:
        raise ValueError(
            f"{n_pairs} pairs of {kind} were asked for, but there are only {n_existing}. Lower n_pairs."
        )
    codes = _distinct(n_existing, n_pairs, rng)
    place = np.searchsorted(ends, codes, side="right")
    partner = first[place] + codes - (ends - n_partners)[place]
    return np.column_stack([place, partner])
