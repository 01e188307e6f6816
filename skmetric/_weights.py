"""Weights of rows in the loss: `sample_weight` times `class_weight`."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from ._array_api import to_numpy


def row_weights(model, X, codes, sample_weight, incremental):
    """Compute the weights of rows in the loss.

    Their mean is 1, so that a weighted loss has the same scale as one without weights.

    Parameters
    ----------
    model : SoftmaxMLPClassifier
        Classifier with `class_weight` and `classes_`.
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Rows.
    codes : ndarray of int of shape (n_samples,)
        Classes of the rows, as positions in `classes_`.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows.
    incremental : bool
        Whether this is `partial_fit`. Then only `sample_weight` is scaled to mean 1 and not its product
        with `class_weight`, because the rows of a call do not show how frequent each class is.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        None if there are neither `sample_weight` nor `class_weight`.
    """
    if sample_weight is None and model.class_weight is None:
        return None
    sample_weight = to_numpy(sample_weight)
    weights = _with_mean_1(_checked(sample_weight, X), "sample_weight")
    if model.class_weight is None:
        return weights
    factors = _class_factors(model, codes, weights, incremental)
    if not factors.any():
        raise ValueError("class_weight must contain at least one non-zero number.")
    if incremental:
        return weights * factors[codes]
    return _with_mean_1(weights * (factors / factors.max())[codes], "sample_weight times class_weight")


def _checked(sample_weight, X):
    if isinstance(sample_weight, str):
        raise TypeError(
            f"sample_weight must be an array with a weight >= 0 for each row, got {sample_weight!r}. For "
            "weights of classes, set class_weight."
        )
    return _check_sample_weight(sample_weight, X, dtype=np.float64)


def _with_mean_1(weights, name):
    if (weights < 0).any():
        raise ValueError(f"Negative values in data passed to `{name}`: weights must be >= 0.")
    if not weights.any():
        raise ValueError(f"{name} must contain at least one non-zero number.")
    # Scaled by the largest first, because a sum of huge weights overflows and a mean of tiny ones is 0.
    weights = np.ldexp(weights, -np.frexp(weights.max())[1])
    return weights / weights.mean()


def _class_factors(model, codes, weights, incremental):
    """Compute the weight of each class."""
    if model.class_weight == "balanced":
        if incremental:
            raise ValueError(
                "class_weight='balanced' needs all rows and is not supported by partial_fit. Pass a dict."
            )
        sums = np.bincount(codes, weights=weights, minlength=len(model.classes_))
        # A class whose weights are all 0 gets the weight 0.
        return np.divide(1, sums, out=np.zeros_like(sums), where=sums > 0)
    return np.array([_factor(model.class_weight, label) for label in _checked_labels(model)])


def _checked_labels(model):
    """Return the classes; raise ValueError if the keys of `class_weight` seem to be misspelt."""
    labels = model.classes_.tolist()
    missing = [label for label in labels if label not in model.class_weight]
    unknown = [label for label in model.class_weight if label not in labels]
    # Only both together are an error: a class may have no weight, or no rows in this part of the data.
    if missing and unknown:
        raise ValueError(
            f"class_weight has factors for {unknown}, which are not classes of y, but none for {missing}."
        )
    return labels


def _factor(class_weight, label):
    factor = class_weight.get(label, 1)
    if not isinstance(factor, Real) or isinstance(factor, bool) or not 0 <= factor < np.inf:
        raise ValueError(
            f"class_weight must have finite values >= 0, got {factor!r} for the class {label!r}."
        )
    return float(factor)
