"""Classification with a softmax network."""

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call

from ._array_api import like
from ._callbacks import with_callbacks
from ._engine.activations import ACTIVATIONS
from ._engine.sampling import shuffled_batches
from ._failures import unchanged_on_failure
from ._input import check_two_classes, check_X, check_X_y
from ._labels import check_labels, positions
from ._network_estimator import NetworkEstimator, store_parameters
from ._weights import row_weights
from .losses import LABEL_LOSSES, LabelLoss


class SoftmaxMLPClassifier(ClassifierMixin, NetworkEstimator):
    """Classifier: a network of dense layers with a softmax at the end.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int or int, default=(256,)
        Number of units in each hidden layer. ``()`` makes a linear model.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation function of the hidden layers. The last layer is linear.
    loss : {"log_loss", "binary_log_loss"}, default="log_loss"
        Loss of a row, with p the softmax of its logits: ``-log p_y``, or ``-log p_y - sum_{k != y}
        log(1 - p_k)``.
    n_networks : int, default=1
        Number of networks that are trained side by side, each with random weights of its own. The logits
        are the means of theirs. More networks are more accurate and need as many times the time.
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
    alpha : float, default=1e-4
        Strength of the L2 penalty: ``0.5 * alpha * sum(W**2)`` over the weights, not the biases, is
        added to the loss of each batch. MLPClassifier divides it by the number of rows in a batch;
        this does not.
    dropout : float, default=0.0
        Fraction of the hidden units that each step of training leaves out, in [0, 1).
    input_dropout : float, default=0.0
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
    learning_rate_init : float, default=0.005
        Initial learning rate.
    decay_rate : float, default=0.001
        How fast the rate falls in an epoch; only used when ``learning_rate="inverse_time"``.
    max_iter : int, default=50
        Number of epochs, at most.
    shuffle : bool, default=True
        Whether to draw a new order of the rows in each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches, the validation rows and the dropout. The same number
        gives the same model to the last bit.
    tol : float, default=1e-4
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
    validation_fraction : float, default=0.1
        Fraction of the data that is set aside; only used when ``early_stopping=True``.
    n_iter_no_change : int or inf, default=10
        Training ends, or the adaptive rate falls, after more epochs than this without progress. A
        cosine is not ended by a training loss that pauses, only by a validation score.
    class_weight : dict, "balanced" or None, default=None
        Factors of the losses of the classes. "balanced" is ``n / (n_classes * n_c)`` with the numbers
        of rows, or the sums of their weights, of all classes and of class c.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out), or (n_networks, fan_in, fan_out)
        Weights of the layers. They are float32 if the rows are float32, float16, bool or integers of up
        to 16 bits, else float64.
    intercepts_ : list of ndarray of shape (fan_out,), or (n_networks, fan_out)
        Biases of the layers.
    classes_ : ndarray of shape (n_classes,)
        Labels that were seen, sorted.
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
        Entries of each epoch: loss, learning_rate, seconds, validation_score.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (n_features_in_,)
        Names of the features, if the rows came in a data frame.

    See Also
    --------
    TripletMetricTransformer : Learns distances instead of class probabilities.
    sklearn.neural_network.MLPClassifier : Has another solver (L-BFGS) and multi-label targets.

    Notes
    -----
    If the rows fit into one batch, a weight of 2 equals a row given twice. With `dropout`,
    `batch_norm` or `adversarial` it does not.

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

    def __init__(
        self,
        hidden_layer_sizes=(256,),
        activation="relu",
        *,
        loss="log_loss",
        n_networks=1,
        standardize="auto",
        solver="adam",
        alpha=1e-4,
        dropout=0.0,
        input_dropout=0.0,
        batch_norm=False,
        adversarial=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.005,
        decay_rate=0.001,
        max_iter=50,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        class_weight=None,
    ):
        store_parameters(self, locals())

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Their classes. -1 is a class as any other.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, >= 0, relative to each other. A weight of 2 equals a row given twice, as
            far as the division into batches does not tell the two apart.

        Returns
        -------
        SoftmaxMLPClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If there are fewer than two classes, if weights are wrong, or if the training diverges.
        """
        with unchanged_on_failure(self):
            X, y = check_X_y(self, X, y, reset=True)
            classes = np.unique(y)
            if self.warm_start and hasattr(self, "coefs_") and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    "warm_start=True needs the classes of the call of fit before, "
                    f"{self.classes_}, but y has {classes}. Set warm_start=False to begin anew."
                )
            self.classes_ = classes
            return self._fit(X, y, sample_weight, incremental=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, classes=None, sample_weight=None):
        """Go over the given rows once, for rows that come as a stream.

        A call is no epoch of a plan: `learning_rate` "cosine" and "adaptive" stay at
        `learning_rate_init`, the others count the calls.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Some rows.
        y : array-like of shape (n_samples,)
            Their classes.
        classes : array-like of shape (n_classes,), default=None
            All classes that will come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, >= 0, relative to each other within the call. A dict `class_weight` is a
            factor of its own: a call whose rows are all of one class feels it too.

        Returns
        -------
        SoftmaxMLPClassifier
            The classifier.

        Raises
        ------
        ValueError
            If ``early_stopping=True``, if ``class_weight="balanced"``, which needs all rows, if weights
            are wrong, or if the training diverges.
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
        return self._train(X, targets, losses, shuffled_batches, len(self.classes_), incremental)

    def _check_weighted_classes(self, codes, weights):
        if weights is not None and len(np.unique(codes[weights > 0])) < 2:
            raise ValueError(
                "Rows of at least 2 classes need a weight above 0, but sample_weight and class_weight "
                "leave fewer."
            )

    def _validation_score(self, Z, y, sample_weight=None):
        if sample_weight is not None and not sample_weight.any():
            raise ValueError(
                "early_stopping=True: all weights of the validation rows are zero. Raise "
                f"validation_fraction (now {self.validation_fraction})."
            )
        return accuracy_score(y, self._mean(Z).argmax(axis=1), sample_weight=sample_weight)

    def _mean(self, Z):
        """Mean logits of the networks, whose outputs stand side by side."""
        return Z.reshape(len(Z), -1, len(self.classes_)).mean(axis=1)

    def _logits(self, X):
        return self._mean(self._outputs(check_X(self, X)))

    def decision_function(self, X):
        """Compute the logits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
            With two classes, the logit of the second one minus that of the first.
        """
        Z = self._logits(X)
        return like(X, Z[:, 1] - Z[:, 0] if Z.shape[1] == 2 else Z)

    def predict(self, X):
        """Predict the class of the largest probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Classes.
        """
        codes = self._logits(X).argmax(axis=1)
        return like(X, self.classes_[codes])

    def predict_proba(self, X):
        """Compute the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`.
        """
        return like(X, softmax(self._logits(X), axis=1))

    def predict_log_proba(self, X):
        """Compute the logarithms of the probabilities, finite however far the rows lie.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms, in the order of `classes_`.
        """
        return like(X, log_softmax(self._logits(X), axis=1))

    def transform(self, X):
        """Compute the activations of the last hidden layer; only available if there is one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_networks * width of the last hidden layer)
            Activations.
        """
        H = self._outputs(check_X(self, X), n_layers=-1)
        ACTIVATIONS[self.activation][0](H)
        return like(X, H)

    @property
    def _n_features_out(self):
        return self.coefs_[-1].size // self.coefs_[-1].shape[-1]


def _has_hidden_layer(model):
    n_layers = len(model.coefs_) - 1 if hasattr(model, "coefs_") else np.size(model.hidden_layer_sizes)
    if n_layers > 0:
        return True
    raise AttributeError(
        "transform gives the last hidden layer, and hidden_layer_sizes=() has none. Add a hidden layer, "
        "or use decision_function or predict_proba."
    )


# After the class: scikit-learn wraps `transform` when it is made.
for _name in ("transform", "fit_transform", "get_feature_names_out", "set_output"):
    _method = getattr(SoftmaxMLPClassifier, _name)
    setattr(SoftmaxMLPClassifier, _name, available_if(_has_hidden_layer)(_method))
