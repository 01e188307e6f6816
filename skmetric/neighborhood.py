"""Metric learning with neighbourhood components, in mini-batches."""

import math
from functools import partial
from numbers import Real
from typing import Literal

from sklearn.utils._param_validation import StrOptions

from ._constraints import Interval
from ._metric_transformer import MetricTransformer
from ._parameters import store_parameters
from ._typing import (
    Activation,
    BatchSampler,
    LayerSizes,
    LearningRate,
    RandomState,
    Scoring,
    Shuffle,
    Solver,
    Standardize,
    Validation,
)
from .losses import NEIGHBOR_TARGETS, MetricLoss, over_anchors, soft_neighbors


class NeighborhoodMetricTransformer(MetricTransformer):
    """Embedding learned with neighbourhood components.

    Each row i of a batch chooses another row j as its neighbour with probability ``p_ij``, proportional
    to ``exp(-d_ij / temperature)``, where d is the squared Euclidean distance. The loss
    "neighborhood_components" is the mean of ``-log p_i``, where ``p_i`` is the probability that i chooses
    a row of its own class. The loss "supervised_contrastive" is the mean of ``-log p_ij`` over all rows j
    of the class of i. scikit-learn's NeighborhoodComponentsAnalysis minimises the mean of ``1 - p_i``; it
    is linear and needs memory for all pairs of rows.

    Parameters
    ----------
    n_components : int, default=64
        Number of dimensions of the embedding.
    hidden_layer_sizes : tuple of int or int, default=(256,)
        Number of units in each hidden layer. ``()`` gives a linear model.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation function of the hidden layers. The output layer is linear.
    n_networks : int or "auto", default="auto"
        Number of networks that are trained side by side, each with its own random initial weights. Their
        outputs are concatenated, divided by ``sqrt(n_networks)`` and rotated to `n_components` columns.
        More networks improve the accuracy, and the time grows in proportion. "auto" uses 3 networks for
        up to 2,000 rows with up to 2,000 features and more than 3 components, else 1. Continued training
        keeps the number of networks.
    loss : {"neighborhood_components", "supervised_contrastive"}, default="neighborhood_components"
        Loss to minimise. "neighborhood_components" is low if some rows of the same class are near;
        "supervised_contrastive" is low only if all rows of the same class are near.
    temperature : float, default=1.0
        Scale of the squared distances; > 0. A neighbour becomes less likely by a factor of e if its
        squared distance grows by `temperature`. It also sets the scale of the initial embedding.
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
    dropout : float, default=0.3
        Fraction of the hidden units that are set to 0 in each training step, in [0, 1).
    input_dropout : float, default=0.0
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
    learning_rate_init : float, default=0.003
        Initial learning rate.
    decay_rate : float, default=0.001
        Decay of the learning rate per epoch. Only used when ``learning_rate="inverse_time"``.
    max_iter : int, default=50
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
        Class labels, sorted.
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
        rows that choose a row of another class with a probability above 1/2) and, if
        ``head_weight > 0``, head_loss.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features. Only set if the rows are a data frame with column names that are strings.

    See Also
    --------
    TripletMetricTransformer : Embedding learned with the triplet margin loss.
    sklearn.neighbors.NeighborhoodComponentsAnalysis : Linear embedding, without mini-batches.

    References
    ----------
    J. Goldberger, S. Roweis, G. Hinton, R. Salakhutdinov, "Neighbourhood components analysis", NIPS 2004,
    equation 8. R. Salakhutdinov, G. Hinton, "Learning a nonlinear embedding by preserving class
    neighbourhood structure", AISTATS 2007. P. Khosla et al., "Supervised contrastive learning", NeurIPS
    2020, equation 2 (for inner products of embeddings of length 1).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import NeighborhoodMetricTransformer
    >>> X, y = load_iris(return_X_y=True)
    >>> embedding = NeighborhoodMetricTransformer(2, random_state=0).fit(X, y)
    >>> bool(embedding.score(X, y) > 0.9)
    True
    """

    _parameter_constraints = {
        **MetricTransformer._parameter_constraints,
        "loss": [StrOptions(set(NEIGHBOR_TARGETS))],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }
    _usual = {**MetricTransformer._usual, "temperature": (1e-8, 1e8)}
    _initial_spread = 3  # so that each row has few neighbours among the rows of a batch

    loss: Literal["neighborhood_components", "supervised_contrastive"]
    temperature: float

    def __init__(
        self,
        n_components: int = 64,
        hidden_layer_sizes: LayerSizes = (256,),
        *,
        activation: Activation = "relu",
        n_networks: int | Literal["auto"] = "auto",
        loss: Literal["neighborhood_components", "supervised_contrastive"] = "neighborhood_components",
        temperature: float = 1.0,
        head_weight: float = 0.0,
        input_weight: float | Literal["auto"] = "auto",
        normalize: bool = False,
        batch_sampler: BatchSampler = "auto",
        standardize: Standardize = "auto",
        solver: Solver = "adam",
        alpha: float = 0.0,
        dropout: float = 0.3,
        input_dropout: float = 0.0,
        batch_norm: bool = False,
        adversarial: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRate = "cosine",
        learning_rate_init: float = 0.003,
        decay_rate: float = 0.001,
        max_iter: int = 50,
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

    def _loss(self, comparison):
        rule = partial(soft_neighbors, loss=self.loss, temperature=self.temperature)
        return MetricLoss(rule, comparison, over_anchors)

    def _asked_distance(self):
        return math.sqrt(self.temperature)
