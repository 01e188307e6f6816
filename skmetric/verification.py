"""Verification: are two rows of the same thing? A threshold on the distance of their embeddings.

A choice of threshold has the form ``choose(same, distances, beta, min_rate) -> threshold``: pairs are
accepted, that is called the same, where ``distance <= threshold``. The thresholds to choose from are the
distances themselves and ``-inf``, which accepts nothing. A calibration has the form
``calibrate(scores, same) -> function from scores to probabilities`` that never falls.
"""

import copy
from functools import partial
from numbers import Real

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import NotFittedError
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _num_samples, check_is_fitted

from .pairs import check_pair_labels, check_tuples, paired_distances


def _accepted(same, distances):
    """Thresholds in ascending order, and how many pairs of each kind they accept."""
    values, codes = np.unique(distances, return_inverse=True)
    # Pairs of equal distance are accepted together or not at all: one entry for each value.
    counts = [np.bincount(codes[kind], minlength=len(values)).cumsum() for kind in (same, ~same)]
    return np.append(-np.inf, values), *(np.append(0, n_accepted) for n_accepted in counts)


def _most_accurate(same, distances, beta, min_rate):
    """Of several thresholds, the lowest."""
    thresholds, n_right, n_wrong = _accepted(same, distances)
    return thresholds[np.argmax(n_right - n_wrong)]


def _highest_f(same, distances, beta, min_rate):
    """(1 + beta^2) P R / (beta^2 P + R), of precision and recall; of several thresholds, the highest."""
    thresholds, n_right, n_wrong = (values[::-1] for values in _accepted(same, distances))
    some = n_right > 0  # else F is 0, or 0 / 0
    thresholds, n_right, n_wrong = thresholds[some], n_right[some], n_wrong[some]
    precision, recall = n_right / (n_right + n_wrong), n_right / same.sum()
    return thresholds[np.argmax((1 + beta**2) * (precision * recall) / (beta**2 * precision + recall))]


def _highest_tpr(same, distances, beta, min_rate):
    """Where the true negative rate allows; of several thresholds, the lowest: of the highest TNR."""
    thresholds, n_right, n_wrong = _accepted(same, distances)
    rates = (n_wrong[-1] - n_wrong) / n_wrong[-1]
    # To accept none of the same keeps many a rate, and is no answer.
    best = rates[n_right > 0].max()
    if best < min_rate:
        raise ValueError(
            "No threshold that accepts a pair of the same has a true negative rate of "
            f"min_rate={min_rate}: the best is {best:.4g}, since pairs of different things are nearer."
        )
    return thresholds[np.argmax(np.where(rates >= min_rate, n_right, -1))]


def _highest_tnr(same, distances, beta, min_rate):
    """Where the true positive rate allows; of several thresholds, the highest: of the highest TPR."""
    thresholds, n_right, n_wrong = (values[::-1] for values in _accepted(same, distances))
    allowed = n_right / n_right[0] >= min_rate
    return thresholds[np.argmin(np.where(allowed, n_wrong, len(same)))]


THRESHOLDS = {
    "accuracy": _most_accurate,
    "f_beta": _highest_f,
    "max_tpr": _highest_tpr,
    "max_tnr": _highest_tnr,
}


def _logistic(scores, slope, intercept):
    return expit(slope * scores + intercept)


def _sigmoid(scores, same):
    """Platt's ``1 / (1 + exp(-(a s + b)))`` and targets: a and b are finite for separable pairs too."""
    n_same, n_different = same.sum(), (~same).sum()
    target = np.where(same, (n_same + 1) / (n_same + 2), 1 / (n_different + 2))
    # The distances may be of any size: the search is over standardised ones.
    center, scale = scores.mean(), scores.std() or 1.0
    standard = (scores - center) / scale

    def loss(parameters):
        logit = parameters[0] * standard + parameters[1]
        delta = expit(logit) - target
        value = np.mean(np.logaddexp(0, logit) - target * logit)
        return value, np.array([np.mean(delta * standard), np.mean(delta)])

    # Not Platt's: a >= 0, so that probabilities do not fall where the scores are worse than chance.
    bounds, tight = [(0, None), (None, None)], {"ftol": 1e-14, "gtol": 1e-9}
    found = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds, options=tight)
    slope = found.x[0] / scale
    return partial(_logistic, slope=slope, intercept=found.x[1] - slope * center)


def _isotonic(scores, same):
    return IsotonicRegression(out_of_bounds="clip").fit(scores, same).predict


CALIBRATIONS = {"sigmoid": _sigmoid, "isotonic": _isotonic}


class PairVerifier(ClassifierMixin, BaseEstimator):
    """Classifier of pairs, the same or not, by the distance of their embeddings.

    Pairs are rows themselves, (n_pairs, 2, n_features), or integers (n_pairs, 2), row numbers in a matrix
    that each method takes as `X`. Labels are 1 for the same, and 0 or -1 for different.

    Parameters
    ----------
    transformer : estimator
        Fitted transformer, or pipeline that ends in one. It is never fitted here. Where the verifier will
        be cloned (GridSearchCV, cross_val_score), wrap it in ``sklearn.frozen.FrozenEstimator``.
    threshold : {"accuracy", "f_beta", "max_tpr", "max_tnr"} or float, default="accuracy"
        Distance up to which a pair is called the same, or what it is chosen for in `fit`: the highest
        accuracy; the highest F score; the highest true positive rate where the true negative rate is at
        least `min_rate`; or the highest true negative rate where the true positive rate is.
    beta : float, default=1.0
        Weight of the recall in the F score of "f_beta"; 0 is the precision alone.
    min_rate : float, default=0.95
        Rate to keep for "max_tpr" and "max_tnr", between 0 and 1.
    calibration : {"sigmoid", "isotonic"}, default="sigmoid"
        How decision values become probabilities: Platt's two numbers, or isotonic regression, which needs
        many pairs.

    Attributes
    ----------
    threshold_ : float
        Distance up to which a pair is called the same. It is one of those of the pairs in `fit`, or
        ``-inf`` where it is best to accept none.
    calibrator_ : callable
        From decision values to the probability to be the same.
    classes_ : ndarray of shape (2,)
        Labels as given in `fit`, that of the same last.
    n_features_in_ : int
        Width of the rows, where the transformer says it.

    Notes
    -----
    `score` is the area under the ROC curve and does not depend on the threshold: to search for one, give
    ``scoring="accuracy"`` or the like. Tools that split pairs take those of three axes only.

    Where all distances differ, the thresholds are those of metric-learn 0.7.0 (``calibrate_threshold``),
    but for ``-inf``: its most accurate one is then the smallest distance minus 1. Where some are equal it
    may count accuracies that no threshold reaches, or leave out the best threshold for a rate.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmetric.pairs import make_pairs
    >>> from skmetric.verification import PairVerifier
    >>> X, y = load_iris(return_X_y=True)
    >>> pairs, same = make_pairs(y, 500, rng=0)
    >>> verifier = PairVerifier(StandardScaler().fit(X)).fit(pairs, same, X=X)
    >>> bool(verifier.score(pairs, same, X=X) > 0.8)
    True
    """

    _parameter_constraints = {
        "transformer": [HasMethods("transform")],
        "threshold": [
            StrOptions(set(THRESHOLDS)),
            Interval(Real, None, None, closed="neither"),
        ],
        "beta": [Interval(Real, 0, None, closed="left")],
        "min_rate": [Interval(Real, 0, 1, closed="both")],
        "calibration": [StrOptions(set(CALIBRATIONS))],
    }

    def __init__(
        self, transformer, *, threshold="accuracy", beta=1.0, min_rate=0.95, calibration="sigmoid"
    ):
        self.transformer = transformer
        self.threshold = threshold
        self.beta = beta
        self.min_rate = min_rate
        self.calibration = calibration

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, pairs, y, *, X=None):
        """Choose the threshold and fit the probabilities.

        Pairs of rows that the transformer has learned from are too near to each other, or too far: take
        other ones here, or in `calibrate`.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or (n_pairs, 2) with `X`
        y : array-like of shape (n_pairs,)
            1 for the same, 0 or -1 for different.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None

        Returns
        -------
        self : PairVerifier

        Raises
        ------
        NotFittedError
            Where the transformer is not fitted.
        ValueError
            Where pairs or labels are not as above, or all pairs are of one kind.
        """
        self._check_transformer()
        self._calibrate(pairs, y, X, settings=self)
        self.classes_ = np.unique(y)
        if hasattr(self.transformer, "n_features_in_"):
            self.n_features_in_ = self.transformer.n_features_in_
        return self

    def calibrate(self, pairs, y, *, X=None, threshold=None, beta=None, min_rate=None):
        """Choose the threshold and fit the probabilities anew, on validation pairs.

        Parameters
        ----------
        pairs, y, X : as in `fit`
        threshold, beta, min_rate : default=None
            As in the constructor, for this time; None: those of the constructor.

        Returns
        -------
        self : PairVerifier
        """
        check_is_fitted(self)
        given = {"threshold": threshold, "beta": beta, "min_rate": min_rate}
        settings = copy.copy(self)
        settings.set_params(**{name: value for name, value in given.items() if value is not None})
        settings._validate_params()
        return self._calibrate(pairs, y, X, settings)

    def decision_function(self, pairs, *, X=None):
        """Minus the distance of the embeddings: higher is more alike.

        Parameters
        ----------
        pairs, X : as in `fit`

        Returns
        -------
        scores : ndarray of shape (n_pairs,)
        """
        check_is_fitted(self)
        return -self._distances(pairs, X)

    def predict(self, pairs, *, X=None):
        """Label of each pair: the same where the distance is at most ``threshold_``.

        Parameters
        ----------
        pairs, X : as in `fit`

        Returns
        -------
        y : ndarray of shape (n_pairs,)
            Labels of `classes_`.
        """
        near = -self.decision_function(pairs, X=X) <= self.threshold_
        return self.classes_[near.astype(int)]

    def predict_proba(self, pairs, *, X=None):
        """Probabilities to be different and the same.

        Parameters
        ----------
        pairs, X : as in `fit`

        Returns
        -------
        P : ndarray of shape (n_pairs, 2)
            Columns in the order of `classes_`. Whether a pair is called the same is up to the threshold,
            not to a probability of 1/2.
        """
        scores = self.decision_function(pairs, X=X)
        same = self.calibrator_(scores)
        return np.column_stack([1 - same, same])

    def score(self, pairs, y, *, X=None):
        """Area under the ROC curve of the decision function.

        Parameters
        ----------
        pairs, y, X : as in `fit`

        Returns
        -------
        auc : float
        """
        same = check_pair_labels(y, _num_samples(pairs))
        return float(roc_auc_score(same, self.decision_function(pairs, X=X)))

    def _check_transformer(self):
        try:
            check_is_fitted(self.transformer)
        except NotFittedError as error:
            raise NotFittedError(
                f"The transformer of {type(self).__name__} must be fitted before. Where the verifier is "
                "cloned (GridSearchCV, cross_val_score), wrap the fitted one in "
                "sklearn.frozen.FrozenEstimator."
            ) from error

    def _distances(self, pairs, X):
        """Distance of each pair; each row that occurs is embedded once."""
        X, index = check_tuples(pairs, X, 2)
        occurs = np.zeros(_num_samples(X), dtype=bool)
        occurs[index] = True
        if not occurs.all():
            X = _safe_indexing(X, np.flatnonzero(occurs))
            index = (np.cumsum(occurs) - 1)[index]
        Z = check_array(
            self.transformer.transform(X), accept_sparse="csr", dtype=[np.float64, np.float32]
        )
        return paired_distances(Z, index).astype(np.float64)

    def _calibrate(self, pairs, y, X, settings):
        same = check_pair_labels(y, _num_samples(pairs))
        distances = self._distances(pairs, X)
        threshold = settings.threshold
        if isinstance(threshold, str):
            threshold = THRESHOLDS[threshold](same, distances, settings.beta, settings.min_rate)
        self.calibrator_ = CALIBRATIONS[settings.calibration](-distances, same)
        self.threshold_ = float(threshold)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_class = False
        return tags
