"""Weights of rows: those that are given, times those of their classes."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from ._array_api import to_numpy


def row_weights(model, X, codes, sample_weight, incremental):
    """Return the factors of the losses of rows.

    Their mean is 1, so that a weighted loss has the usual scale, but for class weights in `partial_fit`.

    Parameters
    ----------
    model : SoftmaxMLPClassifier
        Its `class_weight` and `classes_` are used.
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Rows.
    codes : ndarray of int of shape (n_samples,)
        Their classes, as positions in `classes_`.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows.
    incremental : bool
        Whether the rows are some of many: the weights of the classes then keep their size, since the
        rows of this call do not tell how frequent each class is.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        None if there are no weights at all.
    """
    if sample_weight is None and model.class_weight is None:
        return None
    sample_weight = to_numpy(sample_weight)
    weights = _with_mean_1(_check_sample_weight(sample_weight, X, dtype=np.float64), "sample_weight")
    if model.class_weight is None:
        return weights
    factors = _class_factors(model, codes, weights, incremental)
    if not factors.any():
        raise ValueError("class_weight must contain at least one non-zero number.")
    if incremental:
        return weights * factors[codes]
    return _with_mean_1(weights * (factors / factors.max())[codes], "sample_weight times class_weight")


def _with_mean_1(weights, name):
    if (weights < 0).any():
        raise ValueError(f"Negative values in data passed to `{name}`: weights must be >= 0.")
    if not weights.any():
        raise ValueError(f"{name} must contain at least one non-zero number.")
    # In a unit near the largest first: a sum of huge ones overflows, and a mean of tiny ones is 0.
    weights = np.ldexp(weights, -np.frexp(weights.max())[1])
    return weights / weights.mean()


def _class_factors(model, codes, weights, incremental):
    """Factor of each class."""
    if model.class_weight == "balanced":
        if incremental:
            raise ValueError(
                "class_weight='balanced' needs all the rows: partial_fit takes class_weight as a dict."
            )
        sums = np.bincount(codes, weights=weights, minlength=len(model.classes_))
        # A class whose weights are all 0 has no row to count.
        return np.divide(1, sums, out=np.zeros_like(sums), where=sums > 0)
    return np.array([_factor(model.class_weight, label) for label in _checked_labels(model)])


def _checked_labels(model):
    """The classes, if the keys of `class_weight` are not misspelt."""
    labels = model.classes_.tolist()
    missing = [label for label in labels if label not in model.class_weight]
    unknown = [label for label in model.class_weight if label not in labels]
    # Alone either is no mistake: a class may have no factor, or no rows in this part of the data.
    if missing and unknown:
        raise ValueError(
            f"class_weight has factors for {unknown}, which are no classes of y, but none for {missing}."
        )
    return labels


def _factor(class_weight, label):
    factor = class_weight.get(label, 1)
    if not isinstance(factor, Real) or not 0 <= factor < np.inf:
        raise ValueError(
            f"class_weight must have finite values >= 0, got {factor!r} for the class {label!r}."
        )
    return float(factor)
