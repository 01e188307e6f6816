"""Embedding by soft neighbours: neighbourhood components in mini-batches."""

import math
from functools import partial
from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from ._base import store_parameters
from ._metric_transformer import MetricTransformer
from .distances import distance_loss
from .soft_neighbors import NEIGHBOR_TARGETS, soft_neighbors


class NeighborhoodMetricTransformer(MetricTransformer):
    """Embedding in which soft neighbours are of one's own class.

    Each row of a batch chooses another one with probability ``p_ij ~ exp(-d_ij / temperature)``, where d
    is the squared Euclidean distance. "neighborhood_components" minimises the mean of ``-log p_i``, where
    ``p_i`` is the probability to choose one of the own class; "supervised_contrastive" the mean of
    ``-log p_ij`` over all those j. In scikit-learn's NeighborhoodComponentsAnalysis, which is linear and
    needs arrays of rows x rows, the mean of ``1 - p_i`` is minimised.

    Parameters
    ----------
    n_components : int, default=64
        Width of the embedding.
    hidden_layer_sizes : tuple of int or int, default=(256,)
        Widths of the hidden layers; ``()`` is a linear embedding.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Of the hidden layers. The last layer is linear.
    loss : {"neighborhood_components", "supervised_contrastive"}, default="neighborhood_components"
        One neighbour of the own class is enough, or all of them shall be near.
    temperature : float, default=1.0
        Squared distance that costs a neighbour a factor of e; > 0. Sets the initial scale.
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
    dropout : float, default=0.3
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
    As those of `TripletMetricTransformer`; `active_fraction` is that of the rows which choose a wrong
    class with more than probability 1/2.

    References
    ----------
    J. Goldberger, S. Roweis, G. Hinton, R. Salakhutdinov, "Neighbourhood components analysis", NIPS 2004,
    equation 8. R. Salakhutdinov, G. Hinton, "Learning a nonlinear embedding by preserving class
    neighbourhood structure", AISTATS 2007. P. Khosla et al., "Supervised contrastive learning", NeurIPS
    2020, equation 2 (there of inner products on the sphere).

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
    _spread = 3  # few of many shall be neighbours
    reduction = "mean"  # over all rows, no choice here

    def __init__(
        self,
        n_components=64,
        hidden_layer_sizes=(256,),
        *,
        activation="relu",
        loss="neighborhood_components",
        temperature=1.0,
        normalize=False,
        batch_sampler="auto",
        solver="adam",
        alpha=0.0,
        dropout=0.3,
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
            soft_neighbors, loss=self.loss, temperature=self.temperature, counts=counts, masks=masks
        )
        return partial(distance_loss, rule=rule)

    def _asked_distance(self):
        return math.sqrt(self.temperature)
