"""The loss of an embedding: a comparison, a rule and a reduction."""

from ._comparisons import all_pairs
from ._reductions import over_active, over_valid


class MetricLoss:
    """Loss on embeddings, called as ``loss(Z, y) -> (value, dZ)``.

    A batch in which nothing can be compared has value 0 and gradient 0.

    Parameters
    ----------
    rule : callable
        ``rule(D, positive, negative) -> total, C, n_active, n_valid``: the sum of its terms, the
        gradient ``C = dL/dD`` of this sum, the number of terms that are not zero and the number of
        terms that could be. See `contrastive` and `triplet`.
    comparison : callable, default=all_pairs
        ``comparison(Z, y) -> D, positive, negative, chain``. See `all_pairs` and `given_tuples`.
    reduction : callable, default=over_valid
        ``reduction(total, C, n_active, n_valid) -> value, C``. See `over_active` and `over_valid`.

    Attributes
    ----------
    n_active : float
        Number of terms that were not zero in this epoch.
    n_valid : float
        Number of terms that could be in this epoch.
    total : float
        Sum of the terms in this epoch.
    n_compared : float
        The same number since the loss was made.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import MetricLoss, contrastive
    >>> loss = MetricLoss(contrastive)
    >>> value, dZ = loss(np.array([[0.0], [0.5], [2.0]]), np.array([0, 0, 1]))
    >>> round(value, 4), dZ.ravel().round(4).tolist()
    (0.0833, [-0.3333, 0.3333, 0.0])
    """

    parameters = ()  # nothing of a loss is learned, see `WithSoftmaxHead`

    def __init__(self, rule, comparison=all_pairs, reduction=over_valid):
        self.rule = rule
        self.comparison = comparison
        self.reduction = reduction
        self.n_compared = 0
        self.begin_epoch()

    def __call__(self, Z, y):
        D, positive, negative, chain = self.comparison(Z, y)
        total, C, n_active, n_valid = self.rule(D, positive, negative)
        self.total += total
        self.n_active += n_active
        self.n_valid += n_valid
        self.n_compared += n_valid
        value, C = self.reduction(total, C, n_active, n_valid)
        return value, chain(C)

    def gradients(self):
        """Return the gradients of `parameters`.

        Returns
        -------
        list of ndarray
            Empty, since this loss has no parameters.
        """
        return []

    def begin_epoch(self):
        """Count the terms of an epoch from 0."""
        self.total = 0.0
        self.n_active = 0
        self.n_valid = 0

    def notes(self):
        """Return what the history records of the epoch.

        Returns
        -------
        dict
            ``mean_loss``, the mean over all valid terms, and ``active_fraction``, the fraction of them
            that is not zero.
        """
        n_valid = max(self.n_valid, 1)
        return {
            "mean_loss": float(self.total / n_valid),
            "active_fraction": float(self.n_active / n_valid),
        }

    def level(self, value):
        """Return the loss of an epoch as a number that falls as long as there is progress.

        A mean over the active terms may rise while they get fewer; over all valid terms it falls.

        Parameters
        ----------
        value : float
            Mean loss of the epoch.

        Returns
        -------
        float
            Mean loss over all valid terms, where `value` is one over the active terms.
        """
        if self.reduction is over_active:
            return value * self.notes()["active_fraction"]
        return value
