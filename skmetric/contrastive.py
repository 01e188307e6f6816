"""Metric learning with the contrastive loss of pairs."""

import math
from functools import partial
from numbers import Real
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import StrOptions

from ._callbacks import with_callbacks
from ._constraints import Interval
from ._fit_context import fit_context
from ._metric_transformer import MetricTransformer
from ._parameters import store_parameters
from ._typing import (
    Activation,
    BatchSampler,
    LayerSizes,
    LearningRate,
    MatrixLike,
    RandomState,
    Reduction,
    Scoring,
    Shuffle,
    Solver,
    Standardize,
    Validation,
)
from .losses import PAIR_REDUCTIONS, MetricLoss, contrastive
from .pairs import check_pair_labels


class ContrastiveMetricTransformer(MetricTransformer):
    """Embedding learned with the contrastive loss of pairs.

    The loss pulls pairs of the same class together and pushes pairs of different classes apart. With d2
    the squared Euclidean distance, it is ``max(0, d2 - positive_margin)`` for a pair of the same class
    and ``negative_weight * max(0, negative_margin - d2)`` for a pair of different classes. All pairs of a
    batch enter the loss.

    Parameters
    ----------
    n_components : int, default=64
        Number of dimensions of the embedding.
    hidden_layer_sizes : tuple of int or int, default=()
        Number of units in each hidden layer. ``()`` gives a linear model.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation function of the hidden layers. The output layer is linear.
    n_networks : int or "auto", default=1
        Number of networks that are trained side by side, each with its own random initial weights. Their
        outputs are concatenated, divided by ``sqrt(n_networks)`` and rotated to `n_components` columns.
        More networks improve the accuracy, and the time grows in proportion. "auto" uses 3 networks for
        up to 2,000 rows with up to 2,000 features and more than 3 components, else 1. Continued training
        keeps the number of networks.
    positive_margin : float, default=0.0
        Squared distance up to which a pair of the same class has a loss of 0; >= 0.
    negative_margin : float, default=10.0
        Squared distance from which a pair of different classes has a loss of 0; >= 0. It also sets the
        scale of the initial embedding.
    negative_weight : float, default=1.0
        Weight of the pairs of different classes; >= 0. With 0, nothing prevents the embedding from
        collapsing to a point.
    reduction : {"active", "mean", "grid"}, default="active"
        Divisor of the summed loss of a batch. "active" divides by the number of pairs with a loss above
        0, "mean" by the number of pairs of different rows, and "grid" by ``B**2`` for a batch of B rows.
    head_weight : float, default=0.0
        Weight of an additional loss: the cross-entropy of a linear softmax classifier on the outputs of
        the networks. The classifier is trained together with the networks and is not used after
        training. It needs labels. With `partial_fit`, pass all classes in the first call.
    input_weight : float or "auto", default="auto"
        Weight of the input in the embedding; >= 0. After training, the principal components of the input
        are concatenated to the outputs of the networks, at up to `input_weight` times their scale, and
        both are rotated together to `n_components` columns. This helps with classes that are not in the
        training data. 0 uses the outputs of the networks alone. "auto" uses 2 if all rows have length 1,
        as embeddings of a pretrained model often do, else 1.
    normalize : bool, default=False
        Whether to scale each embedding to length 1, in training and in `transform`.
    batch_sampler : {"auto", "shuffle", "balanced"}, default="auto"
        How rows are grouped into batches. "shuffle" takes them in random order; "balanced" takes groups
        of up to 4 rows of the same class, from at least two classes; "auto" uses "balanced" if a
        shuffled batch would hold fewer than 4 rows of the rarest class on average, else "shuffle". Only
        used when the model learns from labels.
    standardize : {"auto", "common", "features"} or False, default="auto"
        How to scale the features. "common" centres the features and divides all of them by the same
        number; "features" centres them and divides each one by its standard deviation; "auto" uses
        "features" if the largest range of a feature is more than 30 times the 5 % quantile of the
        ranges, as in a table with mixed units, else "common". The statistics are computed from up to
        10,000 rows. The scaling becomes part of `coefs_` and `intercepts_`, which apply to unscaled
        rows. Rows with more than 784 features are also multiplied by ``784 / n_features``, because the
        learning rate would be too large for them otherwise. False does not scale the features.
    solver : {"adam", "sgd"}, default="adam"
        Optimizer of the weights: Adam, or stochastic gradient descent.
    alpha : float, default=0.0
        Strength of the L2 penalty. ``0.5 * alpha * sum(W**2)`` over all weights, without the biases, is
        added to the loss of each batch. Unlike in scikit-learn's MLPClassifier, it is not divided by the
        number of rows in the batch.
    dropout : float, default=0.0
        Fraction of the hidden units that are set to 0 in each training step, in [0, 1).
    input_dropout : float, default=0.2
        Fraction of the (scaled) input values that are set to 0 in each training step, in [0, 1).
    batch_norm : bool, default=False
        Whether to use batch normalisation in the hidden layers, before the activation. After training,
        the statistics of a batch are replaced by statistics of up to 10,000 rows, and become part of the
        weights. It needs a hidden layer. `partial_fit` computes the statistics from the rows of the
        call.
    adversarial : float, default=0.0
        Size of adversarial perturbations; >= 0. If it is above 0, each training step also computes the
        gradient at perturbed rows and uses the mean of both gradients, in twice the time. All rows of
        the batch are moved in the direction in which the loss grows fastest, by this fraction of the
        root mean square distance of the rows from their mean. Useful values for images are 0.03 to 0.2.
    batch_size : int or "auto", default="auto"
        Number of rows in a batch, at most the number of training rows. "auto" uses an eighth of the
        rows, but at least 32 and at most 256.
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable, default="cosine"
        Learning rate schedule. "constant" keeps `learning_rate_init`; "inverse_time" divides it by
        ``1 + decay_rate * epoch``; "cosine" lowers it to 0 at `max_iter` along half a cosine; "adaptive"
        divides it by 5 each time training stops making progress, down to 1e-6. A callable takes the
        number of the epoch, starting at 0, and returns a factor of `learning_rate_init`.
    learning_rate_init : float, default=0.001
        Initial learning rate.
    decay_rate : float, default=0.001
        Decay of the learning rate per epoch. Only used when ``learning_rate="inverse_time"``.
    max_iter : int, default=100
        Maximum number of epochs.
    shuffle : bool or "blocks", default=True
        Whether to shuffle the rows in each epoch. With "blocks", the rows of some random blocks of
        consecutive rows are mixed at a time, so that a file is read in long runs. Stored arrays, of zarr
        or HDF5 for example, are always read in blocks.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the batches, the dropout and the validation rows. Pass an int for
        a model that is reproducible to the last bit.
    tol : float, default=0.0
        Tolerance for progress. An epoch makes progress if it improves the loss, or the validation score,
        by more than `tol`.
    verbose : bool, default=False
        Whether to print a line for each epoch: the loss, the learning rate, other records of `history_`,
        and an estimate of the time left.
    warm_start : bool, default=False
        Whether `fit` continues from the current model and the state of its optimizer, for `max_iter`
        more epochs.
    momentum : float, default=0.9
        Momentum of gradient descent, in [0, 1]. Only used when ``solver="sgd"``.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum. Only used when ``solver="sgd"`` and ``momentum > 0``.
    early_stopping : bool, default=False
        Whether to set validation data aside, measure progress by its `score` instead of the loss, and
        keep the weights of the best epoch. A warm start sets the same rows aside again.
    scoring : str, callable or None, default=None
        Score of the validation rows. Only used when ``early_stopping=True``. None uses `score`. A str is
        the name of a retrieval measure, see `skmetric.metrics.make_retrieval_scorer`. A callable has the
        form ``scoring(estimator, X, y) -> float``, where higher is better. After each epoch, it is called
        with a fitted copy of the estimator.
    validation : {"rows", "classes"}, default="rows"
        Data to set aside: "rows" takes some rows of each class; "classes" takes all rows of some
        classes, at least two, and measures how well new classes are separated. Only used when
        ``early_stopping=True``.
    validation_fraction : float, default=0.1
        Fraction of the data to set aside. Only used when ``early_stopping=True``.
    n_iter_no_change : int or inf, default=10
        Maximum number of consecutive epochs without progress. After more of them, training stops, or
        ``learning_rate="adaptive"`` lowers the learning rate. With ``learning_rate="cosine"``, only the
        validation score stops the training, not the loss.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out), or (n_networks, fan_in, fan_out)
        Weights of the layers. They are float32 if the rows are float32, float16, bool or integers of up
        to 16 bits, else float64.
    intercepts_ : list of ndarray of shape (fan_out,), or (n_networks, fan_out)
        Biases of the layers.
    input_axes_ : ndarray of shape (n_features, n_axes) or None
        Principal axes of the input, computed from up to 10,000 rows. None if ``input_weight=0`` or if
        all rows are equal.
    input_offset_ : ndarray of shape (n_axes,) or None
        Offset of the principal components ``X @ input_axes_ + input_offset_``, whose mean is 0. None if
        `input_axes_` is None.
    rotation_ : ndarray of shape (n_networks * n_components + n_axes, n_components) or None
        Projection ``[F, P] @ rotation_`` of the outputs F of the networks and the principal components
        P. None for a single network without `input_axes_`.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted. Not set by `fit_pairs`.
    n_iter_ : int
        Number of completed epochs, including those before a warm start.
    loss_ : float
        Loss of the last epoch.
    best_loss_ : float or None
        Lowest loss of an epoch. None if ``early_stopping=True``.
    loss_curve_ : list of float of length `n_iter_`
        Loss of each epoch.
    validation_scores_ : list of float or None
        Validation score of each epoch. None if ``early_stopping=False``.
    best_validation_score_ : float or None
        Validation score of the final weights. None if ``early_stopping=False``.
    history_ : list of dict of length `n_iter_`
        A dict for each epoch, with loss, learning_rate, seconds, validation_score, mean_loss (over
        all terms, also those that are zero), active_fraction (of
        pairs with a loss above 0) and, if ``head_weight > 0``, head_loss.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features. Only set if the rows are a data frame with column names that are strings.

    See Also
    --------
    TripletMetricTransformer : Embedding learned from triplets, with a margin between two distances.
    NeighborhoodMetricTransformer : Embedding learned with neighbourhood components.

    References
    ----------
    R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality reduction by learning an invariant mapping",
    CVPR 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import ContrastiveMetricTransformer
    >>> X, y = load_iris(return_X_y=True)
    >>> embedding = ContrastiveMetricTransformer(2, random_state=0).fit(X, y)
    >>> embedding.get_mahalanobis_matrix().shape
    (4, 4)
    """

    _parameter_constraints = {
        **MetricTransformer._parameter_constraints,
        "reduction": [StrOptions(set(PAIR_REDUCTIONS))],
        "positive_margin": [Interval(Real, 0, None, closed="left")],
        "negative_margin": [Interval(Real, 0, None, closed="left")],
        "negative_weight": [Interval(Real, 0, None, closed="left")],
    }
    _usual = {
        **MetricTransformer._usual,
        "positive_margin": (0.0, 1e8),
        "negative_margin": (0.0, 1e8),
        "negative_weight": (0.0, 1e8),
    }

    positive_margin: float
    negative_margin: float
    negative_weight: float
    reduction: Reduction

    def __init__(
        self,
        n_components: int = 64,
        hidden_layer_sizes: LayerSizes = (),
        *,
        activation: Activation = "relu",
        n_networks: int | Literal["auto"] = 1,
        positive_margin: float = 0.0,
        negative_margin: float = 10.0,
        negative_weight: float = 1.0,
        reduction: Reduction = "active",
        head_weight: float = 0.0,
        input_weight: float | Literal["auto"] = "auto",
        normalize: bool = False,
        batch_sampler: BatchSampler = "auto",
        standardize: Standardize = "auto",
        solver: Solver = "adam",
        alpha: float = 0.0,
        dropout: float = 0.0,
        input_dropout: float = 0.2,
        batch_norm: bool = False,
        adversarial: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRate = "cosine",
        learning_rate_init: float = 0.001,
        decay_rate: float = 0.001,
        max_iter: int = 100,
        shuffle: Shuffle = True,
        random_state: RandomState = None,
        tol: float = 0.0,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        scoring: Scoring = None,
        validation: Validation = "rows",
        validation_fraction: float = 0.1,
        n_iter_no_change: int | float = 10,
    ) -> None:
        store_parameters(self, locals())

    @with_callbacks
    @fit_context
    def fit_pairs(
        self, pairs: ArrayLike, y: ArrayLike | None = None, *, X: MatrixLike | None = None
    ) -> Self:
        """Fit the model to labelled pairs instead of labelled rows.

        A batch holds ``batch_size // 2`` pairs, and no others are formed from its rows. Labelled rows
        form many more pairs of different classes than of the same class. With equal numbers of both,
        ``negative_weight=3`` is often better than the default. `batch_sampler` is not used, and
        `classes_` is not set. Callbacks are shown `pairs` as `X`, the labels as `y` and, if pairs are
        row numbers, the rows as ``metadata["X"]``.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for a pair of the same class, 0 or -1 for a pair of different classes. 0 and -1 must not be
            mixed.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows that `pairs` refers to, if it holds row numbers.

        Returns
        -------
        ContrastiveMetricTransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            If `pairs` has another shape or row numbers out of range, if `y` has other values or is
            constant, if ``early_stopping=True``, or if the training diverges.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import ContrastiveMetricTransformer
        >>> from skmetric.pairs import make_pairs
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 300, rng=0)
        >>> model = ContrastiveMetricTransformer(2, negative_weight=3.0, max_iter=20, random_state=0)
        >>> model.fit_pairs(pairs, same, X=X).transform(X).shape
        (150, 2)
        """
        return self._learn_pairs(pairs, y, X, incremental=False)

    @fit_context
    def partial_fit_pairs(
        self, pairs: ArrayLike, y: ArrayLike | None = None, *, X: MatrixLike | None = None
    ) -> Self:
        """Update the model with one pass over the given pairs.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for a pair of the same class, 0 or -1 for a pair of different classes. 0 and -1 must not be
            mixed. It may be constant.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows that `pairs` refers to, if it holds row numbers.

        Returns
        -------
        ContrastiveMetricTransformer
            The updated transformer.

        Raises
        ------
        ValueError
            If `pairs` has another shape or row numbers out of range, if `y` has other values, if
            ``early_stopping=True``, or if the training diverges.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import ContrastiveMetricTransformer
        >>> from skmetric.pairs import make_pairs
        >>> X, y = load_iris(return_X_y=True)
        >>> model = ContrastiveMetricTransformer(2, random_state=0)
        >>> for seed in range(3):
        ...     pairs, same = make_pairs(y, 100, rng=seed)
        ...     model = model.partial_fit_pairs(pairs, same, X=X)
        >>> model.n_iter_
        3
        """
        return self._learn_pairs(pairs, y, X, incremental=True)

    def _learn_pairs(self, pairs, y, X, incremental):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} needs the labels y of the pairs: 1 for the same class, 0 or -1 "
                "for different classes. Got y=None."
            )

        def is_like_first(n_pairs):
            return np.repeat(check_pair_labels(y, n_pairs, both=not incremental), 2)

        return self._learn_tuples(pairs, y, X, 2, is_like_first, incremental)

    def _loss(self, comparison):
        rule = partial(
            contrastive,
            positive_margin=self.positive_margin,
            negative_margin=self.negative_margin,
            negative_weight=self.negative_weight,
        )
        return MetricLoss(rule, comparison, PAIR_REDUCTIONS[self.reduction])

    def _asked_distance(self):
        # Without a push, every embedding ends in a single point.
        pushes = self.negative_weight > 0 and self.negative_margin > 0
        return math.sqrt(self.negative_margin) if pushes else math.inf
