"""Embeddings: networks trained so that distances tell classes apart."""

import math
from functools import partial
from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from ._base import store_parameters
from ._metric_transformer import MetricTransformer
from ._weak_supervision import PairSupervisionMixin, TripletSupervisionMixin
from .distances import DISTANCES, distance_loss
from .losses import REDUCTIONS, contrastive, triplet
from .mining import TRIPLET_RULES


class TripletMetricTransformer(TripletSupervisionMixin, MetricTransformer):
    """Embedding in which a positive is nearer than a negative by a margin.

    Minimises ``max(0, d(a, p) - d(a, n) + margin)`` over the triplets of an anchor a, a positive p of
    its class and a negative n of another one, in each batch.

    Parameters
    ----------
    n_components : int, default=64
        Width of the embedding.
    hidden_layer_sizes : tuple of int or int, default=(256,)
        Widths of the hidden layers; ``()`` is a linear embedding.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Of the hidden layers. The last layer is linear.
    margin : float, default=1.0
        By how much a positive shall be nearer, in the units of `distance`; > 0. Sets the initial scale.
    distance : {"sqeuclidean", "euclidean"}, default="sqeuclidean"
        What the loss compares.
    mining : {"all", "semihard", "hard"} or callable, default="all"
        All triplets count; those with the negative beyond the positive, but inside the margin; or for an
        anchor the farthest positive and nearest negative. A function: as `skmetric.mining.TRIPLET_RULES`.
    reduction : {"active", "mean", "grid"}, default="active"
        Mean over the terms that are not zero, over all valid ones, or over the whole B x B x B grid of a
        batch of B rows, zeros included and self pairs as positives.
    normalize : bool, default=False
        Put the embeddings on the unit sphere, in training and in `transform`.
    batch_sampler : {"auto", "shuffle", "balanced"}, default="auto"
        "balanced" fills batches with groups of up to 4 rows of a class, of two classes at least; "auto"
        does so where a shuffled batch would hold less than 4 rows of the rarest class.
    solver : {"adam", "sgd"}, default="adam"
        Optimizer.
    alpha : float, default=0.0
        L2 penalty: ``0.5 * alpha * sum(W**2)`` over the weights, not the biases, is added to the loss of
        each batch. (MLPClassifier divides it by the batch size; this does not.)
    dropout : float, default=0.1
        Fraction of the hidden units that are dropped in each step of training, in [0, 1).
    input_dropout : float, default=0.0
        Fraction of the features that are dropped in each step of training, in [0, 1).
    batch_size : int or "auto", default="auto"
        Rows in a batch, clipped to the number of rows. "auto": an eighth of the rows, between 32 and 256.
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable, default="cosine"
        Rate of an epoch: ``learning_rate_init`` times 1, ``1 / (1 + decay_rate * epoch)``, or a half
        cosine from 1 towards 0 at `max_iter`; "adaptive" divides it by 5 whenever progress stops, until
        it is 1e-6. A function takes the number of the epoch, from 0, and gives the factor.
    learning_rate_init : float, default=0.003
        Initial rate.
    decay_rate : float, default=0.001
        Of "inverse_time", per epoch.
    max_iter : int, default=50
        Number of epochs, at most.
    shuffle : bool, default=True
        Whether the order of the rows changes from epoch to epoch.
    random_state : int, RandomState instance or None, default=None
        Of the initial weights, the batches, the validation rows and the dropout. The same number gives
        the same model to the last bit.
    tol : float, default=0.0
        Progress is what improves by more than this.
    verbose : bool, default=False
        Print the loss and the rate of each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the model and the optimizer of the call before, for `max_iter` epochs
        more.
    momentum : float, default=0.9
        Of "sgd", in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Set rows of each class aside, watch `score` on them instead of the loss, and keep the weights of
        the best epoch.
    validation_fraction : float, default=0.1
        Of the rows, for early stopping.
    n_iter_no_change : int or inf, default=10
        After more epochs than that without progress training ends (or the adaptive rate falls). A cosine
        is not cut short by a training loss that pauses, only by a validation score.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights: float32 for rows of float32, float16, bool, small integers (to 16 bits), else float64.
    intercepts_ : list of ndarray of shape (fan_out,)
        Biases.
    classes_ : ndarray of shape (n_classes,)
        The labels that were seen, sorted.
    n_iter_ : int
        Epochs that were completed, those before a warm start included.
    loss_, best_loss_ : float
        Loss of the last epoch, and the lowest (None with early stopping).
    loss_curve_ : list of float of length n_iter_
        Loss of each epoch.
    validation_scores_, best_validation_score_ : list of float, float
        Score of each epoch and the best, with early stopping; else None.
    history_ : list of dict of length n_iter_
        For each epoch: loss, learning_rate, seconds, validation_score, active_fraction.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (n_features_in_,)
        Their names, where the rows came in a data frame.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: a unified embedding for face recognition and
    clustering", CVPR 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import TripletMetricTransformer
    >>> X, y = load_iris(return_X_y=True)
    >>> embedding = TripletMetricTransformer(2, random_state=0).fit(X, y)
    >>> embedding.transform(X).shape
    (150, 2)
    >>> bool(embedding.score(X, y) > 0.9)
    True
    """

    _parameter_constraints = {
        **MetricTransformer._parameter_constraints,
        "reduction": [StrOptions(set(REDUCTIONS))],
        "margin": [Interval(Real, 0, None, closed="neither")],
        "distance": [StrOptions(set(DISTANCES))],
        "mining": [StrOptions(set(TRIPLET_RULES)), callable],
    }
    _spread = 3  # a margin is a difference of distances: these must be larger for it to occur

    def __init__(
        self,
        n_components=64,
        hidden_layer_sizes=(256,),
        *,
        activation="relu",
        margin=1.0,
        distance="sqeuclidean",
        mining="all",
        reduction="active",
        normalize=False,
        batch_sampler="auto",
        solver="adam",
        alpha=0.0,
        dropout=0.1,
        input_dropout=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.003,
        decay_rate=0.001,
        max_iter=50,
        shuffle=True,
        random_state=None,
        tol=0.0,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
    ):
        store_parameters(self, locals())

    def _loss(self, counts, masks):
        rule = partial(
            triplet,
            margin=self.margin,
            mining=self.mining,
            reduction=self.reduction,
            counts=counts,
            masks=masks,
        )
        return partial(distance_loss, rule=rule, distance=self.distance)

    def _asked_distance(self):
        return self.margin if self.distance == "euclidean" else math.sqrt(self.margin)


class ContrastiveMetricTransformer(PairSupervisionMixin, MetricTransformer):
    """Embedding that pulls pairs of the same class together and pushes others apart.

    Minimises ``max(0, d2 - positive_margin)`` over the pairs of the same class and
    ``negative_weight * max(0, negative_margin - d2)`` over the others, with d2 the squared Euclidean
    distance, in each batch.

    Parameters
    ----------
    n_components : int, default=64
        Width of the embedding.
    hidden_layer_sizes : tuple of int or int, default=()
        Widths of the hidden layers; ``()`` is a linear embedding.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Of the hidden layers. The last layer is linear.
    positive_margin : float, default=0.0
        Squared distance within which a positive pair costs nothing; >= 0.
    negative_margin : float, default=10.0
        Squared distance beyond which a negative pair costs nothing; >= 0. It sets the initial scale.
    negative_weight : float, default=1.0
        Weight of the negative pairs; >= 0. With 0 nothing keeps the embedding from collapsing.
    reduction : {"active", "mean", "grid"}, default="mean"
        Mean over the terms that are not zero, over all pairs of different rows, or over the whole B x B
        grid of a batch of B rows, self pairs included.
    normalize : bool, default=False
        Put the embeddings on the unit sphere, in training and in `transform`.
    batch_sampler : {"auto", "shuffle", "balanced"}, default="auto"
        "balanced" fills batches with groups of up to 4 rows of a class, of two classes at least; "auto"
        does so where a shuffled batch would hold less than 4 rows of the rarest class.
    solver : {"adam", "sgd"}, default="adam"
        Optimizer.
    alpha : float, default=0.0
        L2 penalty: ``0.5 * alpha * sum(W**2)`` over the weights, not the biases, is added to the loss of
        each batch. (MLPClassifier divides it by the batch size; this does not.)
    dropout : float, default=0.0
        Fraction of the hidden units that are dropped in each step of training, in [0, 1).
    input_dropout : float, default=0.2
        Fraction of the features that are dropped in each step of training, in [0, 1).
    batch_size : int or "auto", default="auto"
        Rows in a batch, clipped to the number of rows. "auto": an eighth of the rows, between 32 and 256.
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable, default="cosine"
        Rate of an epoch: ``learning_rate_init`` times 1, ``1 / (1 + decay_rate * epoch)``, or a half
        cosine from 1 towards 0 at `max_iter`; "adaptive" divides it by 5 whenever progress stops, until
        it is 1e-6. A function takes the number of the epoch, from 0, and gives the factor.
    learning_rate_init : float, default=0.001
        Initial rate.
    decay_rate : float, default=0.001
        Of "inverse_time", per epoch.
    max_iter : int, default=100
        Number of epochs, at most.
    shuffle : bool, default=True
        Whether the order of the rows changes from epoch to epoch.
    random_state : int, RandomState instance or None, default=None
        Of the initial weights, the batches, the validation rows and the dropout. The same number gives
        the same model to the last bit.
    tol : float, default=0.0
        Progress is what improves by more than this.
    verbose : bool, default=False
        Print the loss and the rate of each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the model and the optimizer of the call before, for `max_iter` epochs
        more.
    momentum : float, default=0.9
        Of "sgd", in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Set rows of each class aside, watch `score` on them instead of the loss, and keep the weights of
        the best epoch.
    validation_fraction : float, default=0.1
        Of the rows, for early stopping.
    n_iter_no_change : int or inf, default=10
        After more epochs than that without progress training ends (or the adaptive rate falls). A cosine
        is not cut short by a training loss that pauses, only by a validation score.

    Attributes
    ----------
    As those of `TripletMetricTransformer`.

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
        "reduction": [StrOptions(set(REDUCTIONS))],
        "positive_margin": [Interval(Real, 0, None, closed="left")],
        "negative_margin": [Interval(Real, 0, None, closed="left")],
        "negative_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=64,
        hidden_layer_sizes=(),
        *,
        activation="relu",
        positive_margin=0.0,
        negative_margin=10.0,
        negative_weight=1.0,
        reduction="active",
        normalize=False,
        batch_sampler="auto",
        solver="adam",
        alpha=0.0,
        dropout=0.0,
        input_dropout=0.2,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.001,
        decay_rate=0.001,
        max_iter=100,
        shuffle=True,
        random_state=None,
        tol=0.0,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
    ):
        store_parameters(self, locals())

    def _loss(self, counts, masks):
        rule = partial(
            contrastive,
            positive_margin=self.positive_margin,
            negative_margin=self.negative_margin,
            negative_weight=self.negative_weight,
            reduction=self.reduction,
            counts=counts,
            masks=masks,
        )
        return partial(distance_loss, rule=rule)

    def _asked_distance(self):
        # Where nothing is pushed apart, any embedding is on its way to a single point.
        pushes = self.negative_weight > 0 and self.negative_margin > 0
        return math.sqrt(self.negative_margin) if pushes else math.inf
