"""Order of items by exact distance, for items whose approximate distances are too close to compare."""

import numpy as np

from .binary import (
    ROUNDOFF,
    carried,
    digit_width,
    exponent_range,
    signed_digits,
    sums_of_products,
    within_range,
)

UNDERFLOW = 2.0**-960  # below this number, squared distances of rows up to 2**500 may be inaccurate
FEWEST = 64  # smallest batch of candidates: for fewer, the overhead of NumPy calls dominates
BYTES = 200  # memory for each candidate in the arrays of this module, without the rows


class ExactOrder:
    """Order of candidates, which are pairs of a query and an item, in groups of similar distance.

    Parameters
    ----------
    Z, Z_gallery : ndarrays of float64 of shape (n_queries, n_components), (n_items, n_components)
        Queries and items.
    budget : float
        Largest number of bytes for the rows of a batch of candidates.
    """

    def __init__(self, Z, Z_gallery, budget):
        self.Z = Z
        self.Z_gallery = Z_gallery
        self.budget = budget
        self.scaled, self.scaled_gallery = within_range(Z, Z_gallery)

    def order(self, group, query, item, relevant):
        """Order the candidates of each group by exact distance, then by index.

        Distances are computed from differences of float64 rows first. Where these are too close, and
        only in groups with both relevant and irrelevant items, exact integers decide.

        Parameters
        ----------
        group, query, item : ndarrays of int of shape (n_candidates,)
            Number of the group, ascending; row number in `Z`; row number in `Z_gallery`.
        relevant : ndarray of bool of shape (n_candidates,)
            Whether the item has the class of the query.

        Returns
        -------
        order : ndarray of int of shape (n_candidates,)
            Positions of the candidates, group by group, in exact order.
        """
        D = self.by_differences(query, item)
        order = np.lexsort((item, D, group))
        group = split_groups(group, D[order], self.Z.shape[1])
        unsettled = np.flatnonzero(in_mixed_group(group, relevant[order]))
        if len(unsettled):
            own = order[unsettled]
            digits = self.by_integers(query[own], item[own])
            order[unsettled] = own[np.lexsort((item[own], *digits, group[unsettled]))]
        return order

    def by_differences(self, query, item):
        """Squared distances with a relative error of a few units of roundoff."""
        D = np.empty(len(query))
        for batch in self._batches(len(query), 3):
            difference = self.scaled[query[batch]] - self.scaled_gallery[item[batch]]
            np.einsum("ij,ij->i", difference, difference, out=D[batch])
        return D

    def by_integers(self, query, item):
        """Squared distances without rounding.

        Returns
        -------
        digits : ndarray of int64 of shape (n_digits, n_candidates)
            Digits of one integer for each candidate, the least significant first.
        """
        n_components = self.Z.shape[1]
        lowest, highest = exponent_range(self.Z[np.unique(query)], self.Z_gallery[np.unique(item)])
        width = digit_width(n_components)
        n_digits = max(1, -(-(highest - lowest) // width))
        squares = np.empty((2 * n_digits - 1, len(query)), dtype=np.int64)
        for batch in self._batches(len(query), 2 * n_digits + 8):
            digits = signed_digits(self.Z[query[batch]], lowest, width, n_digits)
            digits -= signed_digits(self.Z_gallery[item[batch]], lowest, width, n_digits)
            squares[:, batch] = sums_of_products(digits)
        return carried(squares, width)

    def _batches(self, n_candidates, n_arrays):
        n_rows = max(FEWEST, int(self.budget // (8 * n_arrays * self.Z.shape[1])))
        return [slice(start, start + n_rows) for start in range(0, n_candidates, n_rows)]


# --- groups -----------------------------------------------------------------------------------------


def in_mixed_group(group, relevant):
    """Whether the group of each candidate contains relevant and irrelevant candidates."""
    n_relevant = np.bincount(group, weights=relevant)
    mixed = (n_relevant > 0) & (n_relevant < np.bincount(group))
    return mixed[group]


def split_groups(group, D, n_components):
    """Split groups, in the order of `D`, where two distances differ by more than rounding errors."""
    # In units of roundoff, the relative error is 1 for a difference, 3 for its square and n_components +
    # 2 for the sum. Twice that for two sums, and twice again for the rounding of the tolerance.
    tolerance = 4 * (n_components + 3) * ROUNDOFF * D[1:] + UNDERFLOW
    begins = np.ones(len(group), dtype=bool)
    begins[1:] = (group[1:] != group[:-1]) | (np.diff(D) > tolerance)
    return begins.cumsum() - 1
