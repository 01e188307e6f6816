"""Rows of an array that lies outside memory, in a file for example, and is read in blocks of rows."""

import math
from collections import OrderedDict
from functools import partial

import numpy as np

from ._engine.sampling import batches_in_blocks
from ._numbers import check_finite
from ._stored_arrays import n_blocks_held, rows_of_block


class StoredRows:
    """Rows of a stored array. Blocks are checked when they are read, and kept until others need the room.

    Parameters
    ----------
    array : object with `shape`, `dtype` and ``array[start:stop]``
        Stored array of shape (n_samples, n_features).
    estimator : estimator
        Estimator to name in the error message.
    model_dtype : dtype or None
        Dtype of the model that will use the rows, if it is fixed.
    """

    def __init__(self, array, estimator, model_dtype):
        self.array = array
        self.estimator = estimator
        self.model_dtype = model_dtype
        self.shape = tuple(array.shape)
        self.dtype = np.dtype(array.dtype)
        self.chunks = getattr(array, "chunks", None)
        self.block = rows_of_block(self)
        n_blocks = math.ceil(self.shape[0] / self.block)
        self.n_held = min(n_blocks_held(self), n_blocks)
        self.buffer = np.empty((self.n_held * self.block, self.shape[1]), self.dtype)
        # The block in each place of the buffer; those that were needed last are at the end.
        self.held = OrderedDict()
        self.place = np.full(n_blocks, -1)

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            rows = np.arange(self.shape[0])[rows]
        blocks = np.unique(rows // self.block)
        if len(blocks) <= self.n_held:
            return self._rows_of(blocks, rows)
        numbers = np.searchsorted(blocks, rows // self.block)
        some = np.empty((len(rows), self.shape[1]), self.dtype)
        for start in range(0, len(blocks), self.n_held):
            stop = start + self.n_held
            is_part = (start <= numbers) & (numbers < stop)
            some[is_part] = self._rows_of(blocks[start:stop], rows[is_part])
        return some

    def _rows_of(self, blocks, rows):
        """Return rows that lie in some blocks, no more than are held."""
        is_missing = self.place[blocks] < 0
        if is_missing.any():
            for block in blocks[~is_missing].tolist():
                self.held.move_to_end(block)
            for block in blocks[is_missing].tolist():
                self._hold(block, self._read(block))
        block, row = np.divmod(rows, self.block)
        return self.buffer.take(self.place[block] * self.block + row, axis=0)

    def _hold(self, block, values):
        place = len(self.held)
        if place == self.n_held:
            oldest, place = self.held.popitem(last=False)
            self.place[oldest] = -1
        start = place * self.block
        self.buffer[start : start + len(values)] = values
        self.held[block] = place
        self.place[block] = place

    def _read(self, block):
        start = block * self.block
        stop = min(start + self.block, self.shape[0])
        values = np.asarray(self.array[start:stop])
        expected = stop - start, self.shape[1]
        if values.shape != expected:
            raise ValueError(f"X[{start}:{stop}] must have shape {expected}, got {values.shape}.")
        try:
            check_finite(values, self.estimator, self.model_dtype)
        except ValueError as error:
            raise ValueError(f"Rows {start} to {stop - 1} of X: {error}") from error
        return values


def in_blocks(sampler, X, shuffle, size=1):
    """Return a sampler that takes rows in blocks, if the rows are stored or `shuffle` asks for it.

    Parameters
    ----------
    sampler : callable
        ``sampler(rows, y, batch_size, rng)``, see `Batches`.
    X : ndarray, sparse matrix or StoredRows of shape (n_samples, n_features)
        Rows.
    shuffle : bool or "blocks"
        Parameter of the estimator.
    size : int, default=1
        Number of rows of a tuple.

    Returns
    -------
    callable
        The sampler.
    """
    if shuffle != "blocks" and not isinstance(X, StoredRows):
        return sampler
    block = size * math.ceil(rows_of_block(X) / size)
    return partial(batches_in_blocks, sampler=sampler, block=block, n_blocks=n_blocks_held(X))


def in_few_blocks(X, rows):
    """Return those of some rows that lie in evenly spaced blocks, if all of them need too many.

    Parameters
    ----------
    X : ndarray, sparse matrix or StoredRows of shape (n_samples, n_features)
        Rows. Only blocks of stored rows are few.
    rows : ndarray of int of shape (n,)
        Row numbers.

    Returns
    -------
    ndarray of int of shape (at most n,)
        Row numbers.
    """
    if not isinstance(X, StoredRows):
        return rows
    numbers = rows // X.block
    # There may be very many rows: no sort, and no other array of integers.
    is_needed = np.zeros(len(X.place), dtype=bool)
    is_needed[numbers] = True
    blocks = np.flatnonzero(is_needed)
    if len(blocks) <= X.n_held:
        return rows
    is_taken = np.zeros(len(X.place), dtype=bool)
    is_taken[blocks[np.linspace(0, len(blocks) - 1, X.n_held).astype(int)]] = True
    return rows[is_taken[numbers]]
