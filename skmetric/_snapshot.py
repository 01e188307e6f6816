"""A fitted copy of the estimator during training, for callbacks and for validation by a scorer."""

import math
from numbers import Real

from ._input import nameless


class Snapshot:
    """A fitted copy of an estimator, taken while it is trained.

    Parameters
    ----------
    estimator : estimator
        Estimator that is fitted.
    network : Network
        Holds the parameters while they are trained.
    X : array-like of shape (n_samples, n_features)
        The rows.
    rows : ndarray of int of shape (n,)
        Numbers of those that are trained on.
    """

    def __init__(self, estimator, network, X, rows):
        self.estimator = estimator
        self.network = network
        self.X = X
        self.rows = rows

    def beside(self):
        """Return the fitted attributes of the current weights but for these themselves."""
        return self.estimator._fitted_beside(self.network, self.X, self.rows)

    def attributes(self):
        """Return the fitted attributes of the current weights."""
        coefs, intercepts = self.network.folded_parameters()
        # A copy of the estimator does not belong to the training.
        own = {"_training": None, "_unfinished": None}
        return self.beside() | {"coefs_": coefs, "intercepts_": intercepts} | own

    def fitted(self):
        """Return a copy with the current weights, for rows without feature names."""
        model = nameless(self.estimator)
        vars(model).update(self.attributes())
        return model


class ScorerValidation:
    """Validation by a scorer, the parameter `scoring` of the estimator.

    Parameters
    ----------
    scorer : callable
        ``scorer(estimator, X, y) -> float``, higher is better. If the rows have weights, it is also
        called with `sample_weight`.
    snapshot : Snapshot
        Gives the estimator to score.
    X : array-like of shape (n, n_features)
        Validation rows.
    y : ndarray of shape (n,)
        Their labels.
    sample_weight : ndarray of shape (n,), default=None
        Their weights.
    """

    def __init__(self, scorer, snapshot, X, y, sample_weight=None):
        self.scorer = scorer
        self.snapshot = snapshot
        self.X = X
        self.y = y
        self.weights = {} if sample_weight is None else {"sample_weight": sample_weight}

    def score(self):
        """Return the score of the current weights."""
        scoring = self.snapshot.estimator.scoring
        try:
            value = self.scorer(self.snapshot.fitted(), self.X, self.y, **self.weights)
        except (TypeError, ValueError) as error:
            if callable(scoring):  # the user's own error
                raise
            raise ValueError(f"scoring={scoring!r} failed on the validation rows: {error}") from error
        if not isinstance(value, Real) or math.isnan(value):
            raise ValueError(f"scoring={scoring!r} must return a number, got {value!r}.")
        return float(value)
