"""scikit-learn's decorator of methods that fit, with a type."""

from sklearn.base import _fit_context

from ._typing import Method


def fit_context(method: Method) -> Method:
    """Validate the parameters of the estimator before a method fits it."""
    return _fit_context(prefer_skip_nested_validation=True)(method)
