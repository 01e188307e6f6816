"""Learning from pairs and triplets that are given, where there are no labels."""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import _fit_context

from ._base import unchanged_on_failure
from ._callbacks import NO_CALLBACKS
from ._input import IndexedRows, check_rows
from .losses import given_pairs, given_triplets
from .pairs import check_pair_labels, check_tuples
from .sampling import tuple_batches


class TupleSupervision:
    """What the embeddings share that learn from tuples.

    These become rows, side by side, with a code each that says which tuple a row is of, and in what part.
    `masks` reads it; all else is as with labels.
    """

    def _learn_tuples(self, tuples, X, size, coded, masks, incremental):
        """Check tuples and learn from them; ``coded(n_tuples) -> codes`` of shape (n_tuples * size,)."""
        if self.early_stopping:
            raise ValueError(
                "early_stopping=True sets labelled rows aside, and pairs or triplets have no labels: fit "
                "with early_stopping=False."
            )
        if isinstance(self.batch_size, Integral) and self.batch_size < size:
            raise ValueError(f"batch_size counts rows: at least {size} here, got {self.batch_size}.")
        first = not (incremental and hasattr(self, "coefs_"))
        with unchanged_on_failure(self):
            rows, index = check_tuples(tuples, X, size)
            rows = check_rows(self, rows, reset=first)
            codes = coded(len(index))
            if X is not None:
                rows = IndexedRows(rows, index.ravel())
            if first:
                vars(self).pop("classes_", None)
            sampler = partial(tuple_batches, size=size)
            return self._learn(
                rows, codes, incremental, masks, sampler=sampler, callbacks=lambda *data: NO_CALLBACKS
            )


class PairSupervisionMixin(TupleSupervision):
    """Learn from pairs that are said to be of the same thing, or of different ones."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_pairs(self, pairs, y, *, X=None):
        """Learn the embedding from pairs instead of labels.

        A batch holds ``batch_size // 2`` pairs, and nothing else in it is compared. Labels make many more
        negative pairs than positive ones: for as many of either a `negative_weight` of 3 is a better
        beginning. `batch_sampler` is not looked at, callbacks are not called, and there is no `classes_`.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows themselves, or the numbers of rows of `X`.
        y : array-like of shape (n_pairs,)
            1 for two of the same kind; 0 or -1, but not both of them, for two of different kinds.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            The rows that the numbers are of.

        Returns
        -------
        self : transformer

        Raises
        ------
        ValueError
            For pairs of another shape, row numbers out of range, other values in `y`, pairs of one kind
            only, ``early_stopping=True``, or when the training diverges.
        """
        return self._learn_pairs(pairs, y, X, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit_pairs(self, pairs, y, *, X=None):
        """Go over the given pairs once.

        Parameters, returns, raises: as `fit_pairs`, but pairs of one kind only are allowed.
        """
        return self._learn_pairs(pairs, y, X, incremental=True)

    def _learn_pairs(self, pairs, y, X, incremental):
        def coded(n_pairs):
            same = check_pair_labels(y, n_pairs, both=not incremental)
            return np.repeat(2 * np.arange(n_pairs) + same, 2)

        return self._learn_tuples(pairs, X, 2, coded, given_pairs, incremental)


class TripletSupervisionMixin(TupleSupervision):
    """Learn from triplets: the first is more like the second than like the third."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_triplets(self, triplets, *, X=None):
        """Learn the embedding from triplets instead of labels.

        A batch holds ``batch_size // 3`` triplets, and nothing else in it is compared, so that `mining`
        has one triplet an anchor to choose from. Soon few of them are active: ``reduction="mean"`` and a
        rate of 0.001 are a better beginning than the defaults. `batch_sampler` is not looked at,
        callbacks are not called, and there is no `classes_`.

        Parameters
        ----------
        triplets : array-like of shape (n_triplets, 3, n_features), or of int of shape (n_triplets, 3)
            Anchor, positive and negative: the rows themselves, or the numbers of rows of `X`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            The rows that the numbers are of.

        Returns
        -------
        self : transformer

        Raises
        ------
        ValueError
            For triplets of another shape, row numbers out of range, ``early_stopping=True``, or when the
            training diverges.
        """
        return self._learn_triplets(triplets, X, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit_triplets(self, triplets, *, X=None):
        """Go over the given triplets once.

        Parameters, returns, raises: as `fit_triplets`.
        """
        return self._learn_triplets(triplets, X, incremental=True)

    def _learn_triplets(self, triplets, X, incremental):
        def coded(n_triplets):
            return np.arange(3 * n_triplets)

        return self._learn_tuples(triplets, X, 3, coded, given_triplets, incremental)
