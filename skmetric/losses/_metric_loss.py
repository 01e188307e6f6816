"""The loss of an embedding: a comparison, a rule and a reduction."""

import numpy as np

from ._comparisons import all_pairs
from ._finite import finite
from ._forms import Array, Comparison, Reduction, Rule
from ._reductions import over_active, over_valid


class MetricLoss:
    """Loss on embeddings, called as ``loss(Z, y) -> (value, dZ)``.

    A batch without valid terms has value 0 and gradient 0. If the value or the gradient is not finite,
    the call raises FloatingPointError.

    Parameters
    ----------
    rule : callable
        ``rule(D, positive, negative) -> total, C, n_active, n_valid``: the sum of the terms, its gradient
        ``C = dL/dD``, the number of terms that are not zero and the number of valid terms. See
        `contrastive`, `triplet` and `soft_neighbors`.
    comparison : callable, default=all_pairs
        ``comparison(Z, y) -> D, positive, negative, chain``: the distances that the rule looks at. See
        `all_pairs` and `given_tuples`.
    reduction : callable, default=over_valid
        ``reduction(total, C, n_active, n_valid) -> value, C`` divides the sum and its gradient by a
        number of terms. See `over_active` and `over_valid`.

    Attributes
    ----------
    n_active : float
        Number of terms that were not zero since the beginning of the epoch.
    n_valid : float
        Number of valid terms since the beginning of the epoch.
    mean : float
        Mean of the valid terms since the beginning of the epoch.
    n_compared : float
        Number of valid terms since the loss was made.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.losses import MetricLoss, contrastive
    >>> loss = MetricLoss(contrastive)
    >>> value, dZ = loss(np.array([[0.0], [0.5], [2.0]]), np.array([0, 0, 1]))
    >>> round(value, 4), dZ.ravel().round(4).tolist()
    (0.0833, [-0.3333, 0.3333, 0.0])
    """

    parameters: tuple[Array, ...] = ()  # only `WithSoftmaxHead` has parameters to learn
    n_active: float
    n_valid: float
    mean: float
    n_compared: float

    def __init__(
        self, rule: Rule, comparison: Comparison = all_pairs, reduction: Reduction = over_valid
    ) -> None:
        self.rule = rule
        self.comparison = comparison
        self.reduction = reduction
        self.n_compared = 0
        self.begin_epoch()

    def __call__(self, Z: Array, y: Array) -> tuple[float, Array]:
        with np.errstate(over="ignore", invalid="ignore"):  # `finite` reports it
            return finite(*self._value_and_gradient(Z, y))

    def _value_and_gradient(self, Z, y):
        D, positive, negative, chain = self.comparison(Z, y)
        total, C, n_active, n_valid = self.rule(D, positive, negative)
        self.n_active += n_active
        self.n_valid += n_valid
        self.n_compared += n_valid
        if n_valid:
            # The sum of the terms of an epoch may be larger than the largest float.
            share = n_valid / self.n_valid
            self.mean = (1 - share) * self.mean + share * (total / n_valid)
        value, C = self.reduction(total, C, n_active, n_valid)
        return value, chain(C)

    def gradients(self) -> list[Array]:
        """Return the gradients on `parameters`.

        Returns
        -------
        list of ndarray
            Empty, since this loss has no parameters.
        """
        return []

    def begin_epoch(self) -> None:
        """Start a new epoch: set `mean`, `n_active` and `n_valid` to 0."""
        self.mean = 0.0
        self.n_active = 0
        self.n_valid = 0

    def notes(self) -> dict[str, float]:
        """Return the entries of this loss for the history of the epoch.

        Returns
        -------
        dict
            ``{"mean_loss": mean, "active_fraction": n_active / n_valid}``.

        Examples
        --------
        >>> import numpy as np
        >>> from skmetric.losses import MetricLoss, contrastive
        >>> loss = MetricLoss(contrastive)
        >>> value, dZ = loss(np.array([[0.0], [0.5], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
        >>> round(loss.notes()["active_fraction"], 3)  # no negative pair is within the margin
        0.333
        """
        active_fraction = self.n_active / max(self.n_valid, 1)
        return {"mean_loss": float(self.mean), "active_fraction": float(active_fraction)}

    def level(self, value: float) -> float:
        """Return the number by which training judges its progress in an epoch; lower is better.

        The mean over the active terms may rise although training makes progress, because fewer terms
        are active. Therefore it is converted to the mean over all valid terms.

        Parameters
        ----------
        value : float
            Mean loss of the epoch.

        Returns
        -------
        float
            ``value * n_active / n_valid`` if the reduction is `over_active`, and `value` otherwise.
        """
        if self.reduction is over_active:
            return value * self.notes()["active_fraction"]
        return value
