"""Draws of different pairs from all that there are, without listing them."""

import numpy as np

FEW = 8  # where at most so many times the codes asked for exist, a permutation of all is cheap


def by_class(y):
    """Row numbers sorted by class, and for each place in that order where its class begins, its size."""
    _, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum(sizes) - sizes
    return order, np.repeat(starts, sizes), np.repeat(sizes, sizes)


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


def draw_pairs(kind, first, n_partners, n_pairs, rng):
    """Places (n_pairs, 2) of different pairs, where place i goes with `n_partners[i]` from `first[i]` on.

    The pairs are numbered place after place, so that a random number is a random pair.
    """
    ends = np.cumsum(n_partners)
    n_existing = int(ends[-1]) if len(ends) else 0
    if n_existing < n_pairs:
        raise ValueError(f"{n_pairs} pairs of {kind} were asked for, but there are only {n_existing}.")
    codes = _distinct(n_existing, n_pairs, rng)
    place = np.searchsorted(ends, codes, side="right")
    partner = first[place] + codes - (ends - n_partners)[place]
    return np.column_stack([place, partner])
