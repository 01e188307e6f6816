"""Verification: are two rows of the same thing? A threshold on the distance of their embeddings."""

import copy
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.utils import _safe_indexing, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _num_samples, check_is_fitted

from ._array_api import to_numpy
from ._calibration import CALIBRATIONS
from ._thresholds import THRESHOLDS, resolution_of
from ._transformed import embeddings_of
from ._warn import warn
from .pairs import check_pair_labels, check_tuples, paired_distances

__all__ = ["PairVerifier"]

NONE_ACCEPTED = (
    "No pair is called the same (threshold_=-inf): with threshold='{}' no distance is better than "
    "refusing all of these pairs. Check that the label 1 means the same, give as many same pairs as "
    "different ones (make_pairs), or set threshold='f_beta' or 'max_tpr'."
)


class PairVerifier(ClassifierMixin, BaseEstimator):
    """Classifier of pairs by the distance of their embeddings: the same, or different.

    A pair is called the same if ``||t(a) - t(b)|| <= threshold_``, where t is the transformer. Pairs are
    given as the rows themselves, an array (n_pairs, 2, n_features), or as row numbers, integers
    (n_pairs, 2), together with the matrix `X` that they refer to. Labels are 1 for pairs of the same
    thing, and either 0 or -1 for pairs of different things.

    Parameters
    ----------
    transformer : estimator
        Fitted transformer, or pipeline that ends in one. It is not fitted here. If the verifier is going
        to be cloned (GridSearchCV, cross_val_score), wrap it in ``sklearn.frozen.FrozenEstimator``.
    threshold : {"accuracy", "f_beta", "max_tpr", "max_tnr"} or float, default="accuracy"
        Distance up to which a pair is called the same, or the criterion by which `fit` chooses it:

        - "accuracy": the highest accuracy;
        - "f_beta": the highest F score;
        - "max_tpr": the highest true positive rate with a true negative rate of at least `min_rate`;
        - "max_tnr": the highest true negative rate with a true positive rate of at least `min_rate`.
    beta : float, default=1.0
        Weight of the recall in the F score; only used when ``threshold="f_beta"``. 0 means the precision
        alone; the larger `beta`, the more the recall counts.
    min_rate : float, default=0.95
        Rate to reach, between 0 and 1; only used when `threshold` is "max_tpr" or "max_tnr".
    calibration : {"sigmoid", "isotonic"}, default="sigmoid"
        How probabilities are computed from the distances: by Platt's sigmoid of two parameters, or by
        isotonic regression, which needs many pairs.

    Attributes
    ----------
    threshold_ : float
        Distance up to which a pair is called the same. A chosen threshold lies midway between two
        neighbouring distances of the pairs in `fit`, or a thousandth above the largest distance. It is
        ``-inf`` if no threshold is better than calling no pair the same.
    calibrator_ : callable
        Function from values of `decision_function` to the probability that a pair is the same.
    classes_ : ndarray of shape (2,)
        Labels as given in `fit`, with the label 1 last.
    n_features_in_ : int
        Number of features, if the transformer has this attribute.

    See Also
    --------
    skmetric.pairs.make_pairs : Draw pairs from the classes of rows.
    skmetric.plotting.PairDistanceDisplay : Draw the distances and the threshold.

    Notes
    -----
    `score` is the area under the ROC curve, which does not depend on the threshold: to search for
    `threshold`, `beta` or `min_rate`, pass ``scoring="accuracy"`` or the like. Tools of scikit-learn that
    split the pairs accept only pairs of rows.

    Distances of float32 embeddings differ in their last bits when rows are embedded in another batch.
    Therefore the threshold is kept away from the distances of the pairs in `fit`, as in decision trees,
    and pairs whose distances differ by no more than these last bits are accepted together or not at all.

    If all distances differ, the thresholds accept the same pairs as those of metric-learn 0.7.0
    (``calibrate_threshold``), which are the distances themselves. There are two exceptions. Where it is
    most accurate to accept no pair, metric-learn takes the smallest distance minus 1. Where distances are
    equal, it may count accuracies that no threshold reaches, or miss the best threshold for a rate.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood
    methods", Advances in Large Margin Classifiers, 1999.

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

        Do not use pairs of rows that the transformer was fitted on: their distances are smaller or
        larger than those of new rows.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same thing, 0 or -1 for pairs of different things.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        PairVerifier
            The fitted verifier itself.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If `pairs` or `y` have another form than above, if labels are missing, if all pairs are of
            one kind, if the transformer returns something else than a finite matrix, or if no threshold
            reaches `min_rate`.

        Warns
        -----
        UserWarning
            If no threshold is better than calling no pair the same.
        """
        self._check_transformer()
        self._calibrate(pairs, y, X, settings=self)
        self.classes_ = np.unique(column_or_1d(to_numpy(y)))
        if hasattr(self.transformer, "n_features_in_"):
            self.n_features_in_ = self.transformer.n_features_in_
        return self

    def calibrate(self, pairs, y, *, X=None, threshold=None, beta=None, min_rate=None):
        """Choose the threshold and fit the probabilities again, from validation pairs.

        The parameters of the verifier stay as they are. If an error is raised, so does all that was
        fitted.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same thing, 0 or -1 for pairs of different things.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.
        threshold : {"accuracy", "f_beta", "max_tpr", "max_tnr"} or float, default=None
            Threshold, or criterion to choose it by, in this call; None means that of the verifier.
        beta : float, default=None
            Weight of the recall in the F score in this call; None means that of the verifier. Only used
            when the threshold is chosen by "f_beta".
        min_rate : float, default=None
            Rate to reach in this call; None means that of the verifier. Only used when the threshold is
            chosen by "max_tpr" or "max_tnr".

        Returns
        -------
        PairVerifier
            The verifier itself.

        Raises
        ------
        NotFittedError
            If the verifier is not fitted.
        ValueError
            If `pairs` or `y` have another form than above, if labels are missing, if all pairs are of
            one kind, if the transformer returns something else than a finite matrix, or if no threshold
            reaches `min_rate`.

        Warns
        -----
        UserWarning
            If no threshold is better than calling no pair the same.
        """
        check_is_fitted(self)
        given = {"threshold": threshold, "beta": beta, "min_rate": min_rate}
        settings = copy.copy(self)
        settings.set_params(**{name: value for name, value in given.items() if value is not None})
        settings._validate_params()
        return self._calibrate(pairs, y, X, settings)

    def decision_function(self, pairs, *, X=None):
        """Compute minus the distance of the two embeddings of each pair.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Minus the distances: the higher, the more alike the rows of a pair are.
        """
        check_is_fitted(self)
        return -paired_distances(*self._embedded(pairs, X))

    def predict(self, pairs, *, X=None):
        """Predict whether pairs are the same: those at a distance of at most ``threshold_``.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Label of each pair, one of `classes_`.
        """
        near = -self.decision_function(pairs, X=X) <= self.threshold_
        return self.classes_[near.astype(int)]

    def predict_proba(self, pairs, *, X=None):
        """Estimate the probabilities that pairs are different and that they are the same.

        The threshold is not necessarily at a probability of 1/2: `predict` depends on the threshold
        alone.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs, 2)
            Probabilities, with columns in the order of `classes_`.
        """
        scores = self.decision_function(pairs, X=X)
        same = self.calibrator_(scores)
        return np.column_stack([1 - same, same])

    def score(self, pairs, y, *, X=None):
        """Compute the area under the ROC curve of the decision function.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same thing, 0 or -1 for pairs of different things.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        float
            Probability that a pair of the same thing is nearer than a pair of different things.
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

    def _embedded(self, pairs, X):
        """Embeddings of the rows that occur, each once, and their numbers in each pair."""
        # Rows in an array of pairs have no names of features that could be compared.
        has_names = X is not None
        X, index = check_tuples(pairs, X, 2)
        occurs = np.zeros(_num_samples(X), dtype=bool)
        occurs[index] = True
        if not occurs.all():
            X = _safe_indexing(X, np.flatnonzero(occurs))
            index = (np.cumsum(occurs) - 1)[index]
        return embeddings_of(self.transformer, X, has_names), index

    def _calibrate(self, pairs, y, X, settings):
        same = check_pair_labels(y, _num_samples(pairs))
        Z, index = self._embedded(pairs, X)
        distances = paired_distances(Z, index)
        threshold = settings.threshold
        if isinstance(threshold, str):
            choose = THRESHOLDS[threshold]
            threshold = choose(same, distances, resolution_of(Z), settings.beta, settings.min_rate)
        calibrator = CALIBRATIONS[settings.calibration](-distances, same)
        if threshold == -np.inf:
            warn(NONE_ACCEPTED.format(settings.threshold))
        self.calibrator_ = calibrator
        self.threshold_ = float(threshold)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_class = False
        return tags
