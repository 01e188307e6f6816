"""Classification with a softmax network."""

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelEncoder
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import _check_sample_weight

from ._base import (
    NetworkEstimator,
    Task,
    store_parameters,
    unchanged_on_failure,
)
from ._callbacks import with_callbacks
from ._input import check_two_classes, check_X, check_X_y
from .activations import ACTIVATIONS
from .logit_losses import LOGIT_LOSSES
from .sampling import shuffled_batches


def _accuracy(Z, y, sample_weight=None):
    if sample_weight is not None and not sample_weight.any():
        raise ValueError(
            "early_stopping=True: all weights of the validation rows are zero. Raise validation_fraction."
        )
    return accuracy_score(y, Z.argmax(axis=1), sample_weight=sample_weight)


class SoftmaxMLPClassifier(ClassifierMixin, NetworkEstimator):
    """Classifier: a network of dense layers with a softmax at the end.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int or int, default=(256,)
        Widths of the hidden layers; ``()`` is multinomial logistic regression.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Of the hidden layers. The last layer is linear.
    loss : {"log_loss", "binary_log_loss"}, default="log_loss"
        With p the softmax of the logits: ``-log p_y``, or ``-log p_y - sum_{k != y} log(1 - p_k)``.
    solver : {"adam", "sgd"}, default="adam"
        Optimizer.
    alpha : float, default=1e-4
        L2 penalty: ``0.5 * alpha * sum(W**2)`` over the weights, not the biases, is added to the loss of
        each batch. (MLPClassifier divides it by the batch size; this does not.)
    dropout : float, default=0.0
        Fraction of the hidden units that are dropped in each step of training, in [0, 1).
    input_dropout : float, default=0.0
        Fraction of the features that are dropped in each step of training, in [0, 1).
    batch_size : int or "auto", default="auto"
        Rows in a batch, clipped to the number of rows. "auto": an eighth of the rows, between 32 and 256.
    learning_rate : {"constant", "inverse_time", "cosine", "adaptive"} or callable, default="cosine"
        Rate of an epoch: ``learning_rate_init`` times 1, ``1 / (1 + decay_rate * epoch)``, or a half
        cosine from 1 towards 0 at `max_iter`; "adaptive" divides it by 5 whenever progress stops, until
        it is 1e-6. A function takes the number of the epoch, from 0, and gives the factor.
    learning_rate_init : float, default=0.005
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
    tol : float, default=1e-4
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
    class_weight : dict, "balanced" or None, default=None
        Factors of the losses of the classes; "balanced" is ``n_samples / (n_classes * count)``.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights. Float32 where the rows are float32, float16, bool or integers of up to 16 bits; else
        float64.
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
        For each epoch: loss, learning_rate, seconds, validation_score.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (n_features_in_,)
        Their names, where the rows came in a data frame.

    See Also
    --------
    TripletMetricTransformer : Learns distances instead of class probabilities.
    sklearn.neural_network.MLPClassifier : Has another solver (L-BFGS) and multi-label targets.

    Notes
    -----
    Where the rows fit into one batch, a weight of 2 equals a row given twice.

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
        "loss": [StrOptions(set(LOGIT_LOSSES))],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes=(256,),
        activation="relu",
        *,
        loss="log_loss",
        solver="adam",
        alpha=1e-4,
        dropout=0.0,
        input_dropout=0.0,
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
    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, >= 0. A weight of 2 is a row given twice, as far as the division into batches
            does not tell the two apart.

        Returns
        -------
        self : SoftmaxMLPClassifier

        Raises
        ------
        ValueError
            With fewer than two classes, weights that are all 0, or when the training diverges.
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
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go over the given rows once.

        With all the rows this is one more epoch of `fit`. It needs ``early_stopping=False``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Some rows.
        y : array-like of shape (n_samples,)
            Their classes.
        classes : array-like of shape (n_classes,), default=None
            All classes that will come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, >= 0, relative to each other within the given rows.

        Returns
        -------
        self : SoftmaxMLPClassifier
        """
        with unchanged_on_failure(self):
            first = _check_partial_fit_first_call(self, classes)
            check_two_classes(self.classes_, self)
            X, y = check_X_y(self, X, y, reset=first)
            return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X, y, sample_weight, incremental):
        encoder = LabelEncoder()
        encoder.classes_ = self.classes_
        codes = encoder.transform(y)
        weights = self._weights(X, codes, sample_weight, incremental)
        if not incremental:
            check_two_classes(y if weights is None else y[weights > 0], self)
        task = Task(
            loss=LOGIT_LOSSES[self.loss],
            score=_accuracy,
            n_outputs=len(self.classes_),
            sampler=shuffled_batches,
        )
        targets = (codes,) if weights is None else (codes, weights)
        return self._train(X, targets, task, incremental)

    def _weights(self, X, codes, sample_weight, incremental):
        """Weights with mean 1, so that a weighted loss has the scale of a plain one; or None."""
        if sample_weight is None and self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all the rows: partial_fit takes class_weight as a dict."
            )
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        labels = self.classes_[codes]
        weights = (
            weights * compute_class_weight(self.class_weight, classes=self.classes_, y=labels)[codes]
        )
        if not weights.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return weights / weights.mean()

    def decision_function(self, X):
        """Logits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        logits : ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
            With two classes the logit of the second one less that of the first.
        """
        Z = self._outputs(check_X(self, X))
        return Z[:, 1] - Z[:, 0] if Z.shape[1] == 2 else Z

    def predict(self, X):
        """Classes of the largest probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        codes = self._outputs(check_X(self, X)).argmax(axis=1)
        return self.classes_[codes]

    def predict_proba(self, X):
        """Probabilities of the classes, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
        """
        return softmax(self._outputs(check_X(self, X)), axis=1)

    def predict_log_proba(self, X):
        """Logarithms of the probabilities, finite however far the data lies.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        log_P : ndarray of shape (n_samples, n_classes)
        """
        return log_softmax(self._outputs(check_X(self, X)), axis=1)

    def transform(self, X):
        """Activations of the last hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        H : ndarray of shape (n_samples, width of the last hidden layer)

        Raises
        ------
        AttributeError
            Where there is no hidden layer.
        """
        X = check_X(self, X)
        if len(self.coefs_) == 1:
            raise AttributeError(
                "transform gives the last hidden layer, and hidden_layer_sizes=() has none."
            )
        H = self._outputs(X, n_layers=-1)
        ACTIVATIONS[self.activation][0](H)
        return H

    @property
    def _n_features_out(self):
        return self.coefs_[-1].shape[0]
