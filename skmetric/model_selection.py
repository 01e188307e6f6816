"""Pairs and triplets in the tools of scikit-learn that split, search and cross-validate.

These tools call ``fit(X, y)`` and ``score(X, y)``. The estimators here pass tuples that come as `X` on to
``fit_pairs`` or ``fit_triplets`` of an embedding.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.metrics import roc_auc_score
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import _num_samples, check_is_fitted

from ._typing import Floats, MatrixLike
from ._versions import with_version, without_version
from .pairs import check_pair_labels, check_tuples

__all__ = ["PairLearner", "TripletLearner"]


class TupleLearner(MetaEstimatorMixin, BaseEstimator):
    """Base class of the learners of pairs and of triplets.

    A subclass has `_parameter_constraints`, which name the method that its transformer must have.
    """

    transformer_: Any

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def _unfitted(self):
        """Return a clone of the transformer, once it is known to have the methods."""
        self._validate_params()
        return clone(self.transformer)

    def transform(self, X: MatrixLike) -> Floats:
        """Embed rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, not tuples.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Embeddings of the rows.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        """
        check_is_fitted(self)
        return self.transformer_.transform(X)

    def __getstate__(self):
        return with_version(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(without_version(state))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


class PairLearner(TupleLearner):
    """Learn an embedding from pairs in `fit`, so that pairs can be cross-validated.

    ``fit(pairs, y)`` clones the transformer and calls ``fit_pairs(pairs, y)`` of the clone. Use it in
    `GridSearchCV`, `cross_val_score` and the like, which split the pairs into folds.

    Parameters
    ----------
    transformer : estimator
        Transformer with a method `fit_pairs`, such as `skmetric.ContrastiveMetricTransformer`.

    Attributes
    ----------
    transformer_ : estimator
        The fitted clone.

    See Also
    --------
    TripletLearner : The same for triplets.
    skmetric.verification.PairVerifier : Find a threshold on the distance of a fitted transformer.

    Notes
    -----
    Folds of pairs share rows. If rows occur in several pairs, a score of other pairs of the same rows is
    too good. To score pairs of new rows, pass ``groups`` and `GroupKFold`, or draw the pairs of each fold
    from rows of its own.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skmetric import ContrastiveMetricTransformer
    >>> from skmetric.model_selection import PairLearner
    >>> from skmetric.pairs import make_pairs
    >>> X, y = load_iris(return_X_y=True)
    >>> index, same = make_pairs(y, 300, rng=0)
    >>> learner = PairLearner(ContrastiveMetricTransformer(2, max_iter=5, random_state=0))
    >>> search = GridSearchCV(learner, {"transformer__negative_weight": [1, 3]}, cv=3)
    >>> embedding = search.fit(X[index], same).best_estimator_.transformer_
    >>> embedding.transform(X).shape
    (150, 2)
    """

    _parameter_constraints = {"transformer": [HasMethods(["fit_pairs", "transform"])]}

    def fit(self, pairs: ArrayLike, y: ArrayLike, *, X: MatrixLike | None = None) -> Self:
        """Learn the embedding from pairs.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same thing, 0 or -1 for pairs of different things.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        PairLearner
            The fitted learner.

        Raises
        ------
        ValueError
            If the transformer has no `fit_pairs`, or what its `fit_pairs` raises.
        """
        self.transformer_ = self._unfitted().fit_pairs(pairs, y, X=X)
        return self

    def decision_function(self, pairs: ArrayLike, *, X: MatrixLike | None = None) -> Floats:
        """Compute minus the distance of the two embeddings of each pair.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        ndarray of shape (n_pairs,)
            Minus the distances: the higher, the more alike the rows of a pair are.
        """
        check_is_fitted(self)
        return self.transformer_.pair_score(pairs, X=X)

    def score(self, pairs: ArrayLike, y: ArrayLike, *, X: MatrixLike | None = None) -> float:
        """Compute the area under the ROC curve of the decision function.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same thing, 0 or -1 for pairs of different things.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.

        Returns
        -------
        float
            Probability that a pair of the same thing is nearer than a pair of different things.
        """
        same = check_pair_labels(y, _num_samples(pairs))
        return float(roc_auc_score(same, self.decision_function(pairs, X=X)))


class TripletLearner(TupleLearner):
    """Learn an embedding from triplets in `fit`, so that triplets can be cross-validated.

    ``fit(triplets)`` clones the transformer and calls ``fit_triplets(triplets)`` of the clone. Use it in
    `GridSearchCV`, `cross_val_score` and the like, which split the triplets into folds.

    Parameters
    ----------
    transformer : estimator
        Transformer with a method `fit_triplets`, such as `skmetric.TripletMetricTransformer`.

    Attributes
    ----------
    transformer_ : estimator
        The fitted clone.

    See Also
    --------
    PairLearner : The same for pairs.

    Notes
    -----
    Folds of triplets share rows, see `PairLearner`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_val_score
    >>> from skmetric import TripletMetricTransformer
    >>> from skmetric.model_selection import TripletLearner
    >>> from skmetric.pairs import make_triplets
    >>> X, y = load_iris(return_X_y=True)
    >>> triplets = X[make_triplets(y, 300, rng=0)]
    >>> embedding = TripletMetricTransformer(2, reduction="mean", max_iter=5, random_state=0)
    >>> bool(cross_val_score(TripletLearner(embedding), triplets, cv=3).mean() > 0.8)
    True
    """

    _parameter_constraints = {"transformer": [HasMethods(["fit_triplets", "transform"])]}

    def fit(self, triplets: ArrayLike, y: None = None, *, X: MatrixLike | None = None) -> Self:
        """Learn the embedding from triplets.

        Parameters
        ----------
        triplets : array-like of shape (n_triplets, 3, n_features), or of int of shape (n_triplets, 3)
            Anchor, positive and negative: the rows themselves, or their numbers in `X`.
        y : None
            Not used; triplets have no labels.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `triplets` holds row numbers.

        Returns
        -------
        TripletLearner
            The fitted learner.

        Raises
        ------
        ValueError
            If the transformer has no `fit_triplets`, or what its `fit_triplets` raises.
        """
        self.transformer_ = self._unfitted().fit_triplets(triplets, X=X)
        return self

    def decision_function(self, triplets: ArrayLike, *, X: MatrixLike | None = None) -> Floats:
        """Compute by how much the positive is nearer to the anchor than the negative.

        Parameters
        ----------
        triplets : array-like of shape (n_triplets, 3, n_features), or of int of shape (n_triplets, 3)
            Anchor, positive and negative: the rows themselves, or their numbers in `X`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `triplets` holds row numbers.

        Returns
        -------
        ndarray of shape (n_triplets,)
            Distance of anchor and negative minus distance of anchor and positive.
        """
        check_is_fitted(self)
        rows, index = check_tuples(triplets, X, 3)
        to_positive = self.transformer_.pair_distance(index[:, [0, 1]], X=rows)
        to_negative = self.transformer_.pair_distance(index[:, [0, 2]], X=rows)
        return to_negative - to_positive

    def score(self, triplets: ArrayLike, y: None = None, *, X: MatrixLike | None = None) -> float:
        """Compute the fraction of triplets whose positive is nearer to the anchor than the negative.

        Parameters
        ----------
        triplets : array-like of shape (n_triplets, 3, n_features), or of int of shape (n_triplets, 3)
            Anchor, positive and negative: the rows themselves, or their numbers in `X`.
        y : None
            Not used; triplets have no labels.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `triplets` holds row numbers.

        Returns
        -------
        float
            Between 0 and 1; higher is better.
        """
        return float(np.mean(self.decision_function(triplets, X=X) > 0))
