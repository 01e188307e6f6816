"""Embedding by pairs: those of a class are pulled together, others are pushed apart."""

import math
from functools import partial
from numbers import Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from ._metric_transformer import MetricTransformer
from ._network_estimator import store_parameters
from .losses import PAIR_REDUCTIONS, MetricLoss, contrastive
from .pairs import check_pair_labels


class ContrastiveMetricTransformer(MetricTransformer):
    """Embedding that pulls pairs of the same class together and pushes others apart.

    In each batch it minimises ``max(0, d2 - positive_margin)`` over the pairs of the same class and
    ``negative_weight * max(0, negative_margin - d2)`` over the others, with d2 the squared Euclidean
    distance.

    Parameters
    ----------
    n_components : int, default=64
        Number of components: the width of the embedding.
    hidden_layer_sizes : tuple of int or int, default=()
        Number of units in each hidden layer. ``()`` makes a linear model.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation function of the hidden layers. The last layer is linear.
    n_networks : int or "auto", default=1
        Number of networks that are trained side by side, each with random weights of its own. Their
        outputs are put side by side, divided by ``sqrt(n_networks)`` and rotated to `n_components`
        columns. More networks are more accurate and need as many times the time. "auto" is 3 for up to
        2,000 rows of up to 2,000 features and more than 3 components, else 1; a model that is trained on
        keeps its number.
    positive_margin : float, default=0.0
        Squared distance within which a positive pair costs nothing; >= 0.
    negative_margin : float, default=10.0
        Squared distance beyond which a negative pair costs nothing; >= 0. It also sets the scale that
        training begins with.
    negative_weight : float, default=1.0
        Weight of the negative pairs; >= 0. With 0, nothing keeps the embedding from collapsing.
    reduction : {"active", "mean", "grid"}, default="active"
        What the sum of the terms is divided by: the number of terms that are not zero, the number of
        pairs of two different rows, or the size of the B x B grid of a batch of B rows.
    head_weight : float, default=0.0
        Factor of the cross-entropy of a linear softmax classifier on the outputs of the network, which
        is added to the loss and learned along with it, and not used afterwards. Needs labels. The
        classes of all `partial_fit` calls must be named in the first.
    input_weight : float or "auto", default="auto"
        How much of the input is kept; >= 0. After training, the principal components of the input are
        put beside what was learned, at up to `input_weight` times its size, and both are rotated together
        to `n_components` columns. It serves classes that training has not seen; 0 keeps nothing. "auto"
        is 2 for rows of length 1, which are often embeddings of a model already, else 1.
    normalize : bool, default=False
        Whether to put the embeddings on the unit sphere, in training and in `transform`.
    batch_sampler : {"auto", "shuffle", "balanced"}, default="auto"
        How batches are filled: "shuffle" deals rows out in random order, "balanced" takes groups of up
        to 4 rows of a class and at least two classes, "auto" is "balanced" if a shuffled batch would
        hold fewer than 4 rows of the rarest class. Only used when the labels are known.
    standardize : {"auto", "common", "features"} or False, default="auto"
        Whether to centre the features and to divide them by one number ("common"), or each by its
        standard deviation ("features"). "auto" is "features" if the largest range of a feature is more
        than 30 times the 5 % quantile of the ranges, as in a table in mixed units, else "common". The
        numbers are estimated from up to 10,000 rows and become part of the weights: `coefs_` and
        `intercepts_` are those for rows as they come. Rows of more than 784 features are divided by
        ``n_features / 784`` too, since learning rates are too large for them else. False leaves the rows
        as they come.
    solver : {"adam", "sgd"}, default="adam"
        Optimizer of the weights.
    alpha : float, default=0.0
        Strength of the L2 penalty: ``0.5 * alpha * sum(W**2)`` over the weights, not the biases, is
        added to the loss of each batch. MLPClassifier divides it by the number of rows in a batch;
        this does not.
    dropout : float, default=0.0
        Fraction of the hidden units that each step of training leaves out, in [0, 1).
    input_dropout : float, default=0.2
        Fraction of the features that each step of training leaves out, in [0, 1).
    batch_norm : bool, default=False
        Whether to normalise the units of the hidden layers over each batch, before their activation, and
        to learn a scale for each. At the end, statistics of up to 10,000 rows take the place of those of
        a batch, and become part of the weights. Needs a hidden layer; `partial_fit` takes the
        statistics from the rows of the call.
    adversarial : float, default=0.0
        How far rows are moved in the direction that raises the loss most, as a fraction of the root mean
        square distance of the rows of a batch from their mean. Each step takes the mean of the gradients
        at the rows and at the moved rows, in twice the time. 0 moves no row; useful values for images
        are 0.03 to 0.2.
    batch_size : int or "auto", default="auto"
        Number of rows in a batch, at most that of all rows. "auto" is an eighth of the rows, between 32
        and 256.
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable, default="cosine"
        Schedule of the rate. "constant" stays at `learning_rate_init`; "inverse_time" divides it by ``1
        + decay_rate * epoch``; "cosine" lowers it as half a cosine towards 0 at `max_iter`; "adaptive"
        divides it by 5 whenever progress stops, until it is 1e-6. A function takes the number of the
        epoch, from 0, and returns the factor of `learning_rate_init`.
    learning_rate_init : float, default=0.001
        Initial learning rate.
    decay_rate : float, default=0.001
        How fast the rate falls in an epoch; only used when ``learning_rate="inverse_time"``.
    max_iter : int, default=100
        Number of epochs, at most.
    shuffle : bool, default=True
        Whether to draw a new order of the rows in each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches, the validation rows and the dropout. The same number
        gives the same model to the last bit.
    tol : float, default=0.0
        An epoch makes progress if it improves the loss, or the validation score, by more than this.
    verbose : bool, default=False
        Whether to print the loss and the rate of each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the model and the state of the optimizer of the call before, for
        `max_iter` more epochs.
    momentum : float, default=0.9
        Momentum, in [0, 1]; only used when ``solver="sgd"``.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum; only used when ``solver="sgd"`` and ``momentum > 0``.
    early_stopping : bool, default=False
        Whether to set rows aside, to judge epochs by the `score` of these rows instead of by the loss,
        and to keep the weights of the best epoch. A warm start sets the same rows aside again.
    validation : {"rows", "classes"}, default="rows"
        What is set aside: some rows of each class, or all rows of some classes, at least two. "classes"
        judges epochs by how well new classes are found; only used when ``early_stopping=True``.
    validation_fraction : float, default=0.1
        Fraction of the data that is set aside; only used when ``early_stopping=True``.
    n_iter_no_change : int or inf, default=10
        Training ends, or the adaptive rate falls, after more epochs than this without progress. A
        cosine is not ended by a training loss that pauses, only by a validation score.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out), or (n_networks, fan_in, fan_out)
        Weights of the layers. They are float32 if the rows are float32, float16, bool or integers of up
        to 16 bits, else float64.
    intercepts_ : list of ndarray of shape (fan_out,), or (n_networks, fan_out)
        Biases of the layers.
    input_axes_ : ndarray of shape (n_features, n_axes) or None
        Principal axes of the input, computed from up to 10,000 rows; None if ``input_weight=0`` or if
        the rows do not vary.
    input_offset_ : ndarray of shape (n_axes,) or None
        What is added to ``X @ input_axes_`` so that its mean is 0; None if `input_axes_` is.
    rotation_ : ndarray of shape (n_networks * n_components + n_axes, n_components) or None
        What ``[F, P]`` is multiplied with, where F are the outputs of the networks and P the principal
        components; None for one network and no `input_axes_`.
    classes_ : ndarray of shape (n_classes,)
        Labels that were seen, sorted. Not set by `fit_pairs`.
    n_iter_ : int
        Number of completed epochs, those before a warm start included.
    loss_ : float
        Loss of the last epoch.
    best_loss_ : float or None
        Lowest loss of an epoch; None with early stopping.
    loss_curve_ : list of float of length n_iter_
        Loss of each epoch.
    validation_scores_ : list of float or None
        Validation score of each epoch; None without early stopping.
    best_validation_score_ : float or None
        Validation score of the weights that were kept; None without early stopping.
    history_ : list of dict of length n_iter_
        Entries of each epoch: loss, learning_rate, seconds, validation_score, active_fraction and,
        with `head_weight`, head_loss. Active
        are the pairs with a loss above 0.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (n_features_in_,)
        Names of the features, if the rows came in a data frame.

    See Also
    --------
    TripletMetricTransformer : Compares distances with each other instead of with two margins.
    NeighborhoodMetricTransformer : Learns from soft neighbours.

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

    def __init__(
        self,
        n_components=64,
        hidden_layer_sizes=(),
        *,
        activation="relu",
        n_networks=1,
        positive_margin=0.0,
        negative_margin=10.0,
        negative_weight=1.0,
        reduction="active",
        head_weight=0.0,
        input_weight="auto",
        normalize=False,
        batch_sampler="auto",
        standardize="auto",
        solver="adam",
        alpha=0.0,
        dropout=0.0,
        input_dropout=0.2,
        batch_norm=False,
        adversarial=0.0,
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
        validation="rows",
        validation_fraction=0.1,
        n_iter_no_change=10,
    ):
        store_parameters(self, locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_pairs(self, pairs, y=None, *, X=None):
        """Learn the embedding from pairs instead of labels.

        A batch holds ``batch_size // 2`` pairs, and only these are compared. Labels make many more
        negative pairs than positive ones: for as many of either kind, a `negative_weight` of 3 is a
        better beginning. `batch_sampler` is not used, callbacks are not called, and `classes_` is not
        set.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows themselves, or the numbers of rows of `X`.
        y : array-like of shape (n_pairs,)
            1 for two rows of the same kind; 0 or -1, but not both of them, for two of different kinds.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows that the numbers in `pairs` refer to.

        Returns
        -------
        ContrastiveMetricTransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            If pairs have another shape or row numbers out of range, if `y` has other values or pairs of
            one kind only, if ``early_stopping=True``, or if the training diverges.
        """
        return self._learn_pairs(pairs, y, X, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit_pairs(self, pairs, y=None, *, X=None):
        """Go over the given pairs once, for pairs that come as a stream.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows themselves, or the numbers of rows of `X`.
        y : array-like of shape (n_pairs,)
            1 for two rows of the same kind; 0 or -1, but not both of them, for two of different kinds.
            All pairs may be of one kind.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows that the numbers in `pairs` refer to.

        Returns
        -------
        ContrastiveMetricTransformer
            The transformer.

        Raises
        ------
        ValueError
            If pairs have another shape or row numbers out of range, if `y` has other values, if
            ``early_stopping=True``, or if the training diverges.
        """
        return self._learn_pairs(pairs, y, X, incremental=True)

    def _learn_pairs(self, pairs, y, X, incremental):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} needs the labels y of the pairs: 1 for the same, 0 or -1 for "
                "different. Got y=None."
            )

        def is_like_first(n_pairs):
            return np.repeat(check_pair_labels(y, n_pairs, both=not incremental), 2)

        return self._learn_tuples(pairs, X, 2, is_like_first, incremental)

    def _loss(self, comparison):
        rule = partial(
            contrastive,
            positive_margin=self.positive_margin,
            negative_margin=self.negative_margin,
            negative_weight=self.negative_weight,
        )
        return MetricLoss(rule, comparison, PAIR_REDUCTIONS[self.reduction])

    def _asked_distance(self):
        # Where nothing is pushed apart, any embedding is on its way to a single point.
        pushes = self.negative_weight > 0 and self.negative_margin > 0
        return math.sqrt(self.negative_margin) if pushes else math.inf
