"""Classification with a softmax network."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call

from ._array_api import like
from ._callbacks import with_callbacks
from ._engine.activations import ACTIVATIONS
from ._engine.sampling import shuffled_batches
from ._failures import unchanged_on_failure
from ._fit_context import fit_context
from ._input import as_given, check_outputs, check_two_classes, check_X, check_X_y
from ._labels import check_labels, positions
from ._network_estimator import NetworkEstimator
from ._out import transformed
from ._parameters import store_parameters
from ._stored_rows import in_blocks
from ._typing import (
    Activation,
    Array,
    ClassWeight,
    Floats,
    LayerSizes,
    LearningRate,
    MatrixLike,
    RandomState,
    Scoring,
    Shuffle,
    Solver,
    Standardize,
)
from ._weights import row_weights
from .losses import LABEL_LOSSES, LabelLoss


class SoftmaxMLPClassifier(ClassifierMixin, NetworkEstimator):
    """Neural network classifier with dense layers and a softmax output.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int or int, default=(256,)
        Number of units in each hidden layer. ``()`` gives a linear model.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation function of the hidden layers. The output layer is linear.
    loss : {"log_loss", "binary_log_loss"}, default="log_loss"
        Loss of a row of class y with predicted probabilities p: ``-log p_y`` for "log_loss", or
        ``-log p_y - sum_{k != y} log(1 - p_k)`` for "binary_log_loss".
    n_networks : int, default=1
        Number of networks that are trained side by side, each with its own random initial weights. Their
        logits are averaged. More networks improve the accuracy, and the time grows in proportion.
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
    alpha : float, default=1e-4
        Strength of the L2 penalty. ``0.5 * alpha * sum(W**2)`` over all weights, without the biases, is
        added to the loss of each batch. Unlike in scikit-learn's MLPClassifier, it is not divided by the
        number of rows in the batch.
    dropout : float, default=0.0
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
    learning_rate_init : float, default=0.005
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
    tol : float, default=1e-4
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
        the name of a scorer of scikit-learn. A callable has the form ``scoring(estimator, X, y) ->
        float``, where higher is better. After each epoch, it is called with a fitted copy of the
        estimator, and also with `sample_weight` if rows or classes have weights.
    validation_fraction : float, default=0.1
        Fraction of the data to set aside. Only used when ``early_stopping=True``.
    n_iter_no_change : int or inf, default=10
        Maximum number of consecutive epochs without progress. After more of them, training stops, or
        ``learning_rate="adaptive"`` lowers the learning rate. With ``learning_rate="cosine"``, only the
        validation score stops the training, not the loss.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss. Classes that are not in the dict have weight 1. "balanced"
        uses ``n / (n_classes * n_c)``, where n is the number of rows, or the sum of their weights, and
        n_c is that of class c.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out), or (n_networks, fan_in, fan_out)
        Weights of the layers. They are float32 if the rows are float32, float16, bool or integers of up
        to 16 bits, else float64.
    intercepts_ : list of ndarray of shape (fan_out,), or (n_networks, fan_out)
        Biases of the layers.
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
        A dict for each epoch, with loss, learning_rate, seconds and validation_score.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features. Only set if the rows are a data frame with column names that are strings.

    See Also
    --------
    TripletMetricTransformer : Learns a distance instead of class probabilities.
    sklearn.neural_network.MLPClassifier : Also has the solver L-BFGS and multi-label targets.

    Notes
    -----
    A `sample_weight` of 2 is equivalent to a row that occurs twice if all rows fit into one batch and
    `dropout`, `input_dropout`, `batch_norm` and `adversarial` are not used.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import SoftmaxMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxMLPClassifier((32,), random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "loss": [StrOptions(set(LABEL_LOSSES))],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    loss: Literal["log_loss", "binary_log_loss"]
    n_networks: int
    class_weight: ClassWeight

    def __init__(
        self,
        hidden_layer_sizes: LayerSizes = (256,),
        activation: Activation = "relu",
        *,
        loss: Literal["log_loss", "binary_log_loss"] = "log_loss",
        n_networks: int = 1,
        standardize: Standardize = "auto",
        solver: Solver = "adam",
        alpha: float = 1e-4,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        batch_norm: bool = False,
        adversarial: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRate = "cosine",
        learning_rate_init: float = 0.005,
        decay_rate: float = 0.001,
        max_iter: int = 50,
        shuffle: Shuffle = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        scoring: Scoring = None,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | float = 10,
        class_weight: ClassWeight = None,
    ) -> None:
        store_parameters(self, locals())

    @with_callbacks
    @fit_context
    def fit(
        self, X: MatrixLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the model to labelled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Class labels of the rows. -1 is an ordinary label.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss, >= 0. Only their ratios matter.

        Returns
        -------
        SoftmaxMLPClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If there are fewer than two classes, if a weight is negative or all are 0, or if the training
            diverges.
        """
        with unchanged_on_failure(self):
            X, y = check_X_y(self, X, y, reset=True)
            classes = np.unique(y)
            if self.warm_start and hasattr(self, "coefs_") and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"warm_start=True needs the classes of the previous fit, {self.classes_}, but y has "
                    f"{classes}. Set warm_start=False to fit a new model."
                )
            self.classes_ = classes
            return self._fit(X, y, sample_weight, incremental=False)

    @fit_context
    def partial_fit(
        self,
        X: MatrixLike,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Update the model with one pass over the given rows.

        With ``learning_rate="cosine"`` or ``"adaptive"``, the learning rate stays at
        `learning_rate_init`; the other schedules count each call as an epoch. The scaling of the features
        is computed from the rows of the first call, which should therefore be representative.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Class labels of the rows.
        classes : array-like of shape (n_classes,), default=None
            All classes that occur in any call. Required in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss, >= 0. Only their ratios within the call matter; they are
            multiplied by `class_weight`, if it is a dict.

        Returns
        -------
        SoftmaxMLPClassifier
            The updated classifier.

        Raises
        ------
        ValueError
            If ``early_stopping=True``, if ``class_weight="balanced"``, which needs all rows, if a weight
            is negative or all are 0, or if the training diverges.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = SoftmaxMLPClassifier(random_state=0)
        >>> for rows in np.random.default_rng(0).permutation(150).reshape(3, 50):
        ...     model = model.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
        >>> model.n_iter_
        3
        """
        with unchanged_on_failure(self):
            if classes is not None:
                classes = check_labels(classes, "classes")
            first = _check_partial_fit_first_call(self, classes)
            check_two_classes(self.classes_, self)
            X, y = check_X_y(self, X, y, reset=first)
            return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X, y, sample_weight, incremental):
        codes = positions(y, self.classes_)
        weights = row_weights(self, X, codes, sample_weight, incremental)
        if not incremental:
            check_two_classes(y, self)
            self._check_weighted_classes(codes, weights)
        targets = (codes,) if weights is None else (codes, weights)
        losses = [LabelLoss(LABEL_LOSSES[self.loss])] * int(self.n_networks)
        # A callable is called only where a callback asks for the labels.
        shown = {"X": as_given(X), "y": lambda: self.classes_[codes]}
        if weights is not None:
            shown["metadata"] = {"sample_weight": weights}
        n_outputs = len(self.classes_)
        sampler = in_blocks(shuffled_batches, X, self.shuffle)
        return self._train(X, targets, losses, sampler, n_outputs, incremental, shown)

    def _check_weighted_classes(self, codes, weights):
        if weights is not None and len(np.unique(codes[weights > 0])) < 2:
            raise ValueError(
                "Rows of at least 2 classes need a weight above 0, but sample_weight and class_weight "
                "leave fewer. Increase the weights of the other classes."
            )

    def _validation_score(self, Z, y, sample_weight=None):
        if sample_weight is not None and not sample_weight.any():
            raise ValueError(
                "early_stopping=True: all weights of the validation rows are zero. Increase "
                f"validation_fraction (now {self.validation_fraction})."
            )
        return accuracy_score(y, self._mean(Z).argmax(axis=1), sample_weight=sample_weight)

    def _score_weights(self, X, codes):
        return row_weights(self, X, codes, None, incremental=False)

    def _mean(self, Z):
        """Average the logits of the networks, which are concatenated in `Z`."""
        each = Z.reshape(len(Z), -1, len(self.classes_))
        return (each / each.shape[1]).sum(axis=1)  # the sum of large logits may overflow

    def _logits(self, X):
        return self._mean(self._outputs(check_X(self, X)))

    def _below_largest(self, X):
        """Compute the logits minus the largest of each row, which have the same softmax."""
        Z = self._logits(X)
        return _difference(Z, Z.max(axis=1, keepdims=True))

    def decision_function(self, X: MatrixLike) -> Floats:
        """Compute the logits of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
            Logits, in the order of `classes_`. With two classes, the logit of the second class minus that
            of the first.
        """
        Z = self._logits(X)
        return like(X, _difference(Z[:, 1], Z[:, 0]) if Z.shape[1] == 2 else Z)

    def predict(self, X: MatrixLike) -> Array:
        """Predict the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted classes.
        """
        codes = self._logits(X).argmax(axis=1)
        return like(X, self.classes_[codes])

    def predict_proba(self, X: MatrixLike) -> Floats:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = SoftmaxMLPClassifier((32,), random_state=0).fit(X, y)
        >>> model.predict_proba(X[:2]).shape
        (2, 3)
        """
        return like(X, softmax(self._below_largest(X), axis=1))

    def predict_log_proba(self, X: MatrixLike) -> Floats:
        """Predict the logarithms of the probabilities of the classes.

        They are always finite, even if a probability is rounded to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities, in the order of `classes_`.
        """
        return like(X, log_softmax(self._below_largest(X), axis=1))

    def transform(self, X: MatrixLike, out: Any = None) -> Floats:
        """Compute the activations of the last hidden layer.

        Only available if there is a hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix, stored array} of shape (n_samples, n_features)
            Rows to transform.
        out : array of shape (n_samples, n_networks * width of the last hidden layer), default=None
            Where to write the result, part by part: an array, a memory map, or a stored array of zarr or
            HDF5. Only a part of the result is in memory then. If a value of `X` is not finite, the parts
            before it have been written. If None, a new array.

        Returns
        -------
        ndarray of shape (n_samples, n_networks * width of the last hidden layer)
            Activations; or `out`.

        Raises
        ------
        TypeError
            If `out` is not an array to write to.
        ValueError
            If a value of `X` is not finite, or too large for the dtype of the weights; if `out` has
            another shape, a dtype that is not of floats, or is read-only.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> SoftmaxMLPClassifier((32,), random_state=0).fit(X, y).transform(X).shape
        (150, 32)
        """
        return transformed(self, X, out)

    def _transformed(self, X):
        H = self._up_to_layer(-1, X)
        ACTIVATIONS[self.activation][0](H)
        return check_outputs(H)

    @property
    def _n_features_out(self):
        return self.coefs_[-1].size // self.coefs_[-1].shape[-1]


def _difference(A, B):
    """Compute ``A - B``; a difference that overflows becomes the largest or lowest float."""
    limits = np.finfo(A.dtype)
    with np.errstate(over="ignore"):
        return np.clip(A - B, limits.min, limits.max)


def _has_hidden_layer(model):
    n_layers = len(model.coefs_) - 1 if hasattr(model, "coefs_") else np.size(model.hidden_layer_sizes)
    if n_layers > 0:
        return True
    raise AttributeError(
        "transform returns the activations of the last hidden layer, but hidden_layer_sizes=() has none. "
        "Add a hidden layer, or use decision_function or predict_proba."
    )


# Done after the class is created, because scikit-learn then wraps `transform`.
for _name in ("transform", "fit_transform", "get_feature_names_out", "set_output"):
    _method = getattr(SoftmaxMLPClassifier, _name)
    setattr(SoftmaxMLPClassifier, _name, available_if(_has_hidden_layer)(_method))
