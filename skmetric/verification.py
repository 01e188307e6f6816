"""Verification: decide whether two rows are of the same class, by the distance of their embeddings."""

import copy
from collections.abc import Callable
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import _num_samples, check_is_fitted

from ._array_api import to_numpy
from ._calibration import CALIBRATIONS
from ._constraints import Interval
from ._documentation import PAGE_IN_MODULE
from ._fit_context import fit_context
from ._thresholds import THRESHOLDS, resolution_of
from ._transformed import embeddings_of
from ._tuple_rows import rows_that_occur
from ._typing import Array, Floats, MatrixLike
from ._versions import with_version, without_version
from ._warn import warn
from .pairs import check_pair_labels, check_tuples, paired_distances

__all__ = ["PairVerifier"]

NONE_ACCEPTED = (
    "All pairs are predicted to be different (threshold_=-inf): with threshold='{}', no threshold is "
    "better for these pairs. Check that the label of same pairs is 1, pass as many same as different "
    "pairs (see make_pairs), or set threshold='f_beta' or 'max_tpr'."
)
Criterion = Literal["accuracy", "f_beta", "max_tpr", "max_tnr"]


class PairVerifier(ClassifierMixin, BaseEstimator):
    """Classifier of pairs, same or different, by a threshold on the distance of their embeddings.

    A pair (a, b) is predicted to be the same if ``||t(a) - t(b)|| <= threshold_``, where t is the
    transformer. Pairs are given as an array of the rows themselves, of shape (n_pairs, 2, n_features), or
    as an array of row numbers, of shape (n_pairs, 2), together with the matrix `X` that they refer to.
    Labels are 1 for pairs of the same class, and either 0 or -1 for pairs of different classes.

    Parameters
    ----------
    transformer : estimator
        Fitted transformer, or pipeline that ends in one. `fit` does not fit it. To clone the verifier, as
        GridSearchCV and cross_val_score do, wrap the transformer in ``sklearn.frozen.FrozenEstimator``.
    threshold : {"accuracy", "f_beta", "max_tpr", "max_tnr"} or float, default="accuracy"
        Largest distance at which a pair is predicted to be the same, or the criterion by which `fit`
        chooses it:

        - "accuracy": the highest accuracy;
        - "f_beta": the highest F score;
        - "max_tpr": the highest true positive rate with a true negative rate of at least `min_rate`;
        - "max_tnr": the highest true negative rate with a true positive rate of at least `min_rate`.
    beta : float, default=1.0
        Weight of the recall in the F score. With ``beta=0``, the score is the precision; the larger
        `beta`, the more the recall counts. Only used when ``threshold="f_beta"``.
    min_rate : float, default=0.95
        Rate to reach, between 0 and 1. Only used when `threshold` is "max_tpr" or "max_tnr".
    calibration : {"sigmoid", "isotonic"}, default="sigmoid"
        Method that computes probabilities from distances: "sigmoid" fits Platt's sigmoid with two
        parameters; "isotonic" fits an isotonic regression, which needs many pairs.

    Attributes
    ----------
    threshold_ : float
        Largest distance at which a pair is predicted to be the same. A chosen threshold lies midway
        between two adjacent distances of the pairs in `fit`, or 0.1 % above the largest distance. It is
        ``-inf`` if it is best to predict that all pairs are different.
    calibrator_ : callable
        Function that turns values of `decision_function` into probabilities that pairs are the same.
    classes_ : ndarray of shape (2,)
        Labels of different and of same pairs, as given in `fit`.
    n_features_in_ : int
        Number of features. Only defined if the transformer has this attribute.

    See Also
    --------
    skmetric.pairs.make_pairs : Draw pairs from the classes of rows.
    skmetric.plotting.PairDistanceDisplay : Draw the distances and the threshold.

    Notes
    -----
    `score` is the area under the ROC curve, which does not depend on the threshold. To search for
    `threshold`, `beta` or `min_rate`, set the parameter `scoring` of the search, for example to
    "accuracy". GridSearchCV and other tools that split the data accept pairs of rows only, not row
    numbers.

    Distances of float32 embeddings differ in their last bits if rows are embedded in another batch.
    Therefore the threshold lies midway between distances of the pairs in `fit`, as in decision trees, and
    pairs whose distances differ in these bits only are accepted together or rejected together.

    If all distances differ, the threshold accepts the same pairs as that of metric-learn 0.7.0
    (``calibrate_threshold``), which is one of the distances. There are two exceptions: if it is most
    accurate to accept no pair, metric-learn returns the smallest distance minus 1; if distances are
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
    >>> verifier.predict([[0, 1], [0, 100]], X=X)
    array([1, 0])
    >>> round(verifier.score(pairs, same, X=X), 2)
    0.88
    """

    threshold_: float
    calibrator_: Callable[[Floats], Floats]
    classes_: Array
    n_features_in_: int

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
    _doc_link_module = "skmetric"
    _doc_link_template = PAGE_IN_MODULE

    def __init__(
        self,
        transformer: Any,
        *,
        threshold: Criterion | float = "accuracy",
        beta: float = 1.0,
        min_rate: float = 0.95,
        calibration: Literal["sigmoid", "isotonic"] = "sigmoid",
    ) -> None:
        self.transformer = transformer
        self.threshold = threshold
        self.beta = beta
        self.min_rate = min_rate
        self.calibration = calibration

    @fit_context
    def fit(self, pairs: ArrayLike, y: ArrayLike, *, X: MatrixLike | None = None) -> "PairVerifier":
        """Choose the threshold and fit the calibration of probabilities.

        Do not use rows that the transformer was fitted on: their distances differ systematically from
        those of new rows.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same class, 0 or -1 for pairs of different classes.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to. Required if `pairs` holds row numbers.

        Returns
        -------
        PairVerifier
            The fitted verifier itself.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If `pairs` or `y` do not have the form above, if labels are missing, if all pairs are the same
            or all are different, if the transformer does not return a finite matrix, or if no threshold
            reaches `min_rate`.

        Warns
        -----
        UserWarning
            If it is best to predict that all pairs are different.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmetric.pairs import make_pairs
        >>> from skmetric.verification import PairVerifier
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 500, rng=0)
        >>> verifier = PairVerifier(StandardScaler().fit(X), threshold="max_tpr", min_rate=0.99)
        >>> round(verifier.fit(pairs, same, X=X).threshold_, 2)
        0.6
        """
        self._check_transformer()
        self._calibrate(pairs, y, X, settings=self)
        self.classes_ = np.unique(column_or_1d(to_numpy(y)))
        if hasattr(self.transformer, "n_features_in_"):
            self.n_features_in_ = self.transformer.n_features_in_
        return self

    def calibrate(
        self,
        pairs: ArrayLike,
        y: ArrayLike,
        *,
        X: MatrixLike | None = None,
        threshold: Criterion | float | None = None,
        beta: float | None = None,
        min_rate: float | None = None,
    ) -> "PairVerifier":
        """Choose the threshold and fit the calibration again, on other pairs.

        The parameters of the verifier do not change. If an error is raised, the fitted attributes do not
        change either.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same class, 0 or -1 for pairs of different classes.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to. Required if `pairs` holds row numbers.
        threshold : {"accuracy", "f_beta", "max_tpr", "max_tnr"} or float, default=None
            Threshold, or criterion that chooses it, in this call. If None, the parameter of the verifier
            is used.
        beta : float, default=None
            Weight of the recall in the F score in this call. If None, the parameter of the verifier is
            used. Only used when the criterion is "f_beta".
        min_rate : float, default=None
            Rate to reach in this call. If None, the parameter of the verifier is used. Only used when the
            criterion is "max_tpr" or "max_tnr".

        Returns
        -------
        PairVerifier
            The verifier itself.

        Raises
        ------
        NotFittedError
            If the verifier is not fitted.
        ValueError
            If `pairs` or `y` do not have the form above, if labels are missing, if all pairs are the same
            or all are different, if the transformer does not return a finite matrix, or if no threshold
            reaches `min_rate`.

        Warns
        -----
        UserWarning
            If it is best to predict that all pairs are different.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmetric.pairs import make_pairs
        >>> from skmetric.verification import PairVerifier
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 500, rng=0)
        >>> verifier = PairVerifier(StandardScaler().fit(X), threshold=1.0).fit(pairs, same, X=X)
        >>> verifier.threshold_
        1.0
        >>> round(verifier.calibrate(pairs, same, X=X, threshold="accuracy").threshold_, 2)
        2.33
        """
        check_is_fitted(self)
        given = {"threshold": threshold, "beta": beta, "min_rate": min_rate}
        settings = copy.copy(self)
        settings.set_params(**{name: value for name, value in given.items() if value is not None})
        settings._validate_params()
        return self._calibrate(pairs, y, X, settings)

    def decision_function(self, pairs: ArrayLike, *, X: MatrixLike | None = None) -> Floats:
        """Compute the similarity of each pair: minus the distance of its two embeddings.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to. Required if `pairs` holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Similarities, at most 0. Higher means more similar.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmetric.pairs import make_pairs
        >>> from skmetric.verification import PairVerifier
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 500, rng=0)
        >>> verifier = PairVerifier(StandardScaler().fit(X)).fit(pairs, same, X=X)
        >>> verifier.decision_function([[0, 1], [0, 100]], X=X).round(2)
        array([-1.18, -4.28])
        """
        check_is_fitted(self)
        return -paired_distances(*self._embedded(pairs, X))

    def predict(self, pairs: ArrayLike, *, X: MatrixLike | None = None) -> Array:
        """Predict whether pairs are the same: whether their distance is at most ``threshold_``.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to. Required if `pairs` holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Label of each pair, one of `classes_`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmetric.pairs import make_pairs
        >>> from skmetric.verification import PairVerifier
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 500, rng=0)
        >>> verifier = PairVerifier(StandardScaler().fit(X)).fit(pairs, same, X=X)
        >>> verifier.predict([[0, 1], [0, 100]], X=X)
        array([1, 0])
        """
        near = -self.decision_function(pairs, X=X) <= self.threshold_
        return self.classes_[near.astype(int)]

    def predict_proba(self, pairs: ArrayLike, *, X: MatrixLike | None = None) -> Floats:
        """Estimate the probabilities that pairs are different and that they are the same.

        `predict` does not use these probabilities: a pair at the threshold does not necessarily have the
        probability 1/2.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to. Required if `pairs` holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs, 2)
            Probabilities, with columns in the order of `classes_`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmetric.pairs import make_pairs
        >>> from skmetric.verification import PairVerifier
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 500, rng=0)
        >>> verifier = PairVerifier(StandardScaler().fit(X)).fit(pairs, same, X=X)
        >>> verifier.predict_proba([[0, 1], [0, 100]], X=X).round(2)
        array([[0.19, 0.81],
               [0.97, 0.03]])
        """
        scores = self.decision_function(pairs, X=X)
        same = self.calibrator_(scores)
        return np.column_stack([1 - same, same])

    def score(self, pairs: ArrayLike, y: ArrayLike, *, X: MatrixLike | None = None) -> float:
        """Compute the area under the ROC curve of the decision function.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same class, 0 or -1 for pairs of different classes.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to. Required if `pairs` holds row numbers.

        Returns
        -------
        float
            Area under the ROC curve, from 0 to 1: the probability that a random same pair is nearer than
            a random different pair.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmetric.pairs import make_pairs
        >>> from skmetric.verification import PairVerifier
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 500, rng=0)
        >>> verifier = PairVerifier(StandardScaler().fit(X)).fit(pairs, same, X=X)
        >>> round(verifier.score(pairs, same, X=X), 2)
        0.88
        """
        same = check_pair_labels(y, _num_samples(pairs))
        return float(roc_auc_score(same, self.decision_function(pairs, X=X)))

    def _check_transformer(self):
        try:
            check_is_fitted(self.transformer)
        except NotFittedError as error:
            raise NotFittedError(
                f"The transformer of {type(self).__name__} must be fitted before the verifier. If the "
                "verifier is cloned, as by GridSearchCV or cross_val_score, wrap the fitted transformer "
                "in sklearn.frozen.FrozenEstimator."
            ) from error

    def _embedded(self, pairs, X):
        """Embeddings of the rows that occur in pairs, and the numbers of these in each pair."""
        # An array of pairs has no feature names to compare with.
        has_names = X is not None
        X, index = rows_that_occur(*check_tuples(pairs, X, 2))
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

    def __getstate__(self):
        return with_version(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(without_version(state))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_class = False
        return tags
