"""Batches of an epoch: a sampler takes row numbers and labels and yields arrays of row numbers.

A sampler has the signature ``sampler(rows, y, batch_size, rng)``. It yields batches of at most
`batch_size` rows, and each row at least once. With ``rng=None`` it keeps the order of the rows.
"""

import numpy as np

GROUP_SIZE = 4  # samples of the same class in a group of a balanced batch
ENOUGH = 4  # "auto" shuffles if a batch then holds this many samples of the rarest class on average


class Batches:
    """Batches for training: each iteration is one epoch.

    Parameters
    ----------
    sampler : callable
        ``sampler(rows, y, batch_size, rng) -> iterable`` of row numbers.
    rows : ndarray of int of shape (n,)
        Numbers of the training rows.
    y : ndarray of shape (n,)
        Labels of the training rows.
    batch_size : int
        Maximum number of rows in a batch.
    rng : numpy.random.Generator or None
        Random number generator. None keeps the order of the rows.
    """

    def __init__(self, sampler, rows, y, batch_size, rng):
        self.sampler = sampler
        self.rows = rows
        self.y = y
        self.batch_size = batch_size
        self.rng = rng

    def __iter__(self):
        return self.sampler(self.rows, self.y, self.batch_size, self.rng)


def shuffled_batches(rows, y, batch_size, rng):
    """Take the rows in random order.

    Parameters
    ----------
    rows : ndarray of int of shape (n,)
        Row numbers.
    y : ndarray of shape (n,)
        Labels; not used.
    batch_size : int
        Number of rows in a batch; the last batch may be smaller.
    rng : numpy.random.Generator or None
        Random number generator. None keeps the order of `rows`.

    Yields
    ------
    batch : ndarray of int of shape (at most batch_size,)
        Row numbers.
    """
    order = rows if rng is None else rng.permutation(rows)
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def _grouped(y, group_size, rng):
    """Order rows in groups of one class, spread evenly over the epoch; return also the group bounds.

    A class of n samples has ceil(n / group_size) groups of nearly equal size. With a `group_size` of 3 or
    more, only a class with one sample has a group of one sample.
    """
    n = len(y)
    order = np.arange(n) if rng is None else rng.permutation(n)
    order = order[np.argsort(y[order], kind="stable")]
    classes, first, size = np.unique(y[order], return_index=True, return_counts=True)
    code = np.repeat(np.arange(len(classes)), size)
    n_groups = -(-size // group_size)
    group = (np.arange(n) - first[code]) * n_groups[code] // size[code]
    # The groups of a class are evenly spaced, with a random shift for each class.
    shift = np.full(len(classes), 0.5) if rng is None else rng.random(len(classes))
    position = np.lexsort((code, (group + shift[code]) / n_groups[code]))
    code = code[position]
    group = group[position]
    begins = np.flatnonzero(np.r_[True, (np.diff(code) != 0) | (np.diff(group) != 0)])
    return order[position], np.r_[begins, n]


def _some_of_another_class(y, label, size, rng):
    """Return up to `size` rows of one class other than `label`; none if there is no other class."""
    others = np.flatnonzero(y != label)
    if len(others) == 0:
        return others
    drawn = others[0] if rng is None else rng.choice(others)
    same = np.flatnonzero(y == y[drawn])
    return same[:size] if rng is None else rng.permutation(same)[:size]


def balanced_batches(rows, y, batch_size, rng):
    """Fill batches with groups of samples of the same class, from at least two classes.

    A group has 2 to 4 samples, or 1 if its class has only one, so that anchors have positives for any
    number of classes. Each row occurs once in an epoch, with one exception: if a batch would contain a
    single class, a group of another class is added a second time.

    Parameters
    ----------
    rows : ndarray of int of shape (n,)
        Row numbers.
    y : ndarray of shape (n,)
        Labels of the rows.
    batch_size : int
        Maximum number of rows in a batch.
    rng : numpy.random.Generator or None
        Random number generator. None gives the same batches in each epoch.

    Yields
    ------
    batch : ndarray of int of shape (at most batch_size,)
        Row numbers.
    """
    group_size = GROUP_SIZE if batch_size >= 2 * GROUP_SIZE else GROUP_SIZE - 1
    order, bounds = _grouped(y, group_size, rng)

    def stop_after(start, room):
        last = bounds[np.searchsorted(bounds, start + room, side="right") - 1]
        return last if last > start else min(start + room, len(order))  # a group larger than a batch

    start = 0
    while start < len(order):
        stop = stop_after(start, batch_size)
        batch = order[start:stop]
        label = y[batch[0]]
        if batch_size > GROUP_SIZE and (y[batch] == label).all():
            size = min(group_size, batch_size - group_size)
            stop = stop_after(start, batch_size - size)
            batch = np.concatenate([order[start:stop], _some_of_another_class(y, label, size, rng)])
        yield rows[batch]
        start = stop


def auto_batches(rows, y, batch_size, rng):
    """Use shuffled batches if they hold enough samples of each class, else balanced ones.

    Parameters
    ----------
    rows, y, batch_size, rng
        As in `balanced_batches`.

    Returns
    -------
    iterator of ndarray of int
        Row numbers of each batch.
    """
    rarest = np.unique(y, return_counts=True)[1].min()
    enough = rarest * min(batch_size, len(rows)) >= ENOUGH * len(rows)
    if enough and rng is None:
        # Without shuffling, the rows may be sorted by class.
        in_order = shuffled_batches(np.arange(len(y)), y, batch_size, None)
        enough = all((y[batch] != y[batch[0]]).any() for batch in in_order)
    if enough:
        return shuffled_batches(rows, y, batch_size, rng)
    return balanced_batches(rows, y, batch_size, rng)


def tuple_batches(rows, y, batch_size, rng, *, size):
    """Take pairs or triplets in random order.

    Parameters
    ----------
    rows, y, batch_size, rng
        As in `shuffled_batches`. The first `size` rows are the first tuple, and so on.
    size : int
        Number of rows in a tuple.

    Yields
    ------
    batch : ndarray of int of shape (at most batch_size,)
        Row numbers, tuple by tuple.
    """
    tuples = rows.reshape(-1, size)
    for batch in shuffled_batches(np.arange(len(tuples)), y, batch_size // size, rng):
        yield tuples[batch].ravel()


def batches_in_blocks(rows, y, batch_size, rng, *, sampler, block, n_blocks):
    """Make batches of the rows of several random blocks at a time.

    Rows of a file are then read in long runs, and still mixed. Blocks are mixed in groups of nearly equal
    size; in a group, `sampler` makes the batches.

    Parameters
    ----------
    rows, y, batch_size, rng
        As in `shuffled_batches`. With ``rng=None``, blocks follow each other in order.
    sampler : callable
        ``sampler(rows, y, batch_size, rng)``, for the rows of one group.
    block : int
        Number of consecutive rows in a block.
    n_blocks : int
        Maximum number of blocks in a group.

    Yields
    ------
    batch : ndarray of int of shape (at most batch_size,)
        Row numbers.

    References
    ----------
    L. Xu et al., "In-database machine learning with CorgiPile: stochastic gradient descent without full
    data shuffle", SIGMOD 2022.
    """
    if (rows[1:] < rows[:-1]).any():
        order = np.argsort(rows)
        rows, y = rows[order], y[order]
    n = rows[-1] // block + 1
    bounds = np.searchsorted(rows, block * np.arange(n + 1))
    drawn = np.arange(n) if rng is None else rng.permutation(n)
    for group in np.array_split(drawn, -(-n // n_blocks)):
        runs = [slice(bounds[number], bounds[number + 1]) for number in group]
        some = np.concatenate([rows[run] for run in runs])
        if len(some) > 0:
            yield from sampler(some, np.concatenate([y[run] for run in runs]), batch_size, rng)


BATCH_SAMPLERS = {
    "auto": auto_batches,
    "shuffle": shuffled_batches,
    "balanced": balanced_batches,
}
