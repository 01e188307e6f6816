"""What all embeddings can do, whatever rule on distances they learn from."""

import math
import warnings
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics import euclidean_distances
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import column_or_1d

from ._base import NetworkEstimator, Task, unchanged_on_failure
from ._callbacks import with_callbacks
from ._input import check_two_classes, check_X, check_X_y
from ._learned_distance import LearnedDistanceMixin
from .initialization import probed
from .losses import normalized, on_sphere, pair_masks
from .metrics import recall_at_k
from .sampling import BATCH_SAMPLERS

COLLAPSED = 0.1  # mean distance, as a fraction of the distance that the loss asks for


def _active_fraction(counts, totals):
    """What the history of an epoch notes; `counts` go to the `totals` and begin anew."""
    n_active, n_valid = counts
    totals += counts
    counts[:] = 0
    return {"active_fraction": float(n_active / max(n_valid, 1))}


class MetricTransformer(LearnedDistanceMixin, NetworkEstimator):
    """Base of the embeddings.

    A subclass has two methods: ``_loss(counts, masks)``, which gives a loss that learns from the pairs of
    `masks` and adds the numbers of its active and of its valid terms to `counts`; and
    ``_asked_distance() -> float``, the distance between classes that it asks for, infinite where it asks
    for none. `_spread` is how many times that distance training begins with.
    """

    _spread = 1

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "normalize": ["boolean"],
        "batch_sampler": [StrOptions(set(BATCH_SAMPLERS))],
    }

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Learn the embedding.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Their classes.

        Returns
        -------
        self : transformer

        Raises
        ------
        ValueError
            With fewer than two classes, no class of two samples, or when the training diverges.
        """
        with unchanged_on_failure(self):
            X, y = check_X_y(self, X, y, reset=True)
            check_two_classes(y, self)
            self.classes_, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
            if sizes.max() == 1:
                raise ValueError(
                    f"{type(self).__name__} compares samples of the same class, but each of the "
                    f"{len(sizes)} classes of y has one sample only."
                )
            return self._learn(X, codes, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None):
        """Go over the given rows once.

        With all the rows this is one more epoch of `fit`. It needs ``early_stopping=False``. The rows of
        the first call set the scale of the embedding: they should be like those to come.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Some rows.
        y : array-like of shape (n_samples,)
            Their classes. New ones may come in every call.
        classes : array-like of shape (n_classes,), default=None
            More classes to note in `classes_`; not needed to learn.

        Returns
        -------
        self : transformer
        """
        with unchanged_on_failure(self):
            X, y = check_X_y(self, X, y, reset=not hasattr(self, "coefs_"))
            known = [np.unique(labels) for labels in (y, classes) if labels is not None]
            if hasattr(self, "classes_"):
                known.append(self.classes_)
            self.classes_ = np.unique(np.concatenate(known))
            return self._learn(X, np.searchsorted(self.classes_, y), incremental=True)

    def _learn(self, X, codes, incremental, masks=pair_masks, **parts):
        counts, totals = np.zeros((2, 2))
        loss = self._loss(counts, masks)
        by_labels = {"sampler": BATCH_SAMPLERS[self.batch_sampler]}
        task = Task(
            loss=on_sphere(loss) if self.normalize else loss,
            score=self._validation_score,
            n_outputs=self.n_components,
            watch=self._minus_mean_loss,
            report=partial(_active_fraction, counts, totals),
            distance=math.inf if self.normalize else self._spread * self._asked_distance(),
            **by_labels | parts,
        )
        self._train(X, (codes,), task, incremental)
        n_valid = totals[1]
        if n_valid == 0 and self.loss_curve_ and not incremental:
            warnings.warn(
                "Nothing was learned: no batch held positive and negative pairs to compare. Use "
                "batch_sampler='balanced' or a larger batch_size.",
                stacklevel=4,
            )
        self._warn_if_collapsed(X, codes)
        return self

    def _minus_mean_loss(self, entry):
        # The mean over the active terms may rise while they get fewer: that is no standstill.
        share = entry["active_fraction"] if self.reduction == "active" else 1.0
        return -entry["loss"] * share

    def _validation_score(self, Z, y):
        try:
            return recall_at_k(self._placed(Z), y)
        except ValueError as error:
            raise ValueError(
                "early_stopping=True needs two validation rows of a class to compare: raise "
                f"validation_fraction (now {self.validation_fraction})."
            ) from error

    def _placed(self, Z):
        return normalized(Z)[0] if self.normalize else Z

    def _warn_if_collapsed(self, X, codes):
        probe = probed(X.shape[0])
        if (codes[probe] == codes[0]).all():
            return
        Z = self._placed(self._outputs(X, rows=probe))
        spread = float(euclidean_distances(Z).mean())
        asked = self._asked_distance()
        if self.normalize and asked < math.inf:
            asked = min(asked, math.sqrt(2))  # of independent directions: no margin brings them further
        if spread < COLLAPSED * asked:
            warnings.warn(
                f"The embedding collapses: the mean distance between samples is {spread:.1e}, so that "
                "classes can hardly be told apart. Look at the margins or the temperature, use "
                "mining='all' (triplets) or negative_weight > 0 (pairs), or lower learning_rate_init.",
                stacklevel=4,
            )

    def transform(self, X):
        """Embed.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            Float32 or float64, as the data in `fit`.
        """
        return self._embed(X)

    def score(self, X, y):
        """Leave-one-out recall@1: how often the nearest other row is of the same class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        recall : float
        """
        return recall_at_k(self._embed(X), column_or_1d(y))

    def _embed(self, X):
        return self._placed(self._outputs(check_X(self, X)))

    @property
    def _n_features_out(self):
        return self.coefs_[-1].shape[1]
