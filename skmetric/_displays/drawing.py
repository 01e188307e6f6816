"""Functions that the displays share: new axes, images, labels, and attributes of fitted estimators."""

import math

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

LONGEST_LABEL = 24  # characters of a label; longer ones are cut


def subplots(n_rows=1, n_columns=1, **options):
    """Create a figure and return its axes, an array (n_rows, n_columns)."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'The displays of skmetric require matplotlib: pip install "skmetric[plot]".'
        ) from error
    return plt.subplots(n_rows, n_columns, squeeze=False, layout="constrained", **options)[1]


def axes_or_new(ax):
    """Return `ax`, or the axes of a new figure if it is None."""
    if ax is None:
        return subplots()[0, 0]
    if not hasattr(ax, "scatter"):
        raise TypeError(
            f"ax must be matplotlib Axes or None, got {type(ax).__name__}. Of an array of axes, pass one "
            "of its elements."
        )
    return ax


def fitted_attribute(estimator, name):
    """Fitted attribute of an estimator, also at the end of a pipeline or in a search."""
    is_pipeline = isinstance(estimator, Pipeline)
    inner = estimator[-1] if is_pipeline else getattr(estimator, "best_estimator_", None)
    if inner is not None:
        return fitted_attribute(inner, name)
    check_is_fitted(estimator)
    if not hasattr(estimator, name):
        raise ValueError(f"{type(estimator).__name__} has no {name}: it is not an estimator of skmetric.")
    return getattr(estimator, name)


def label(value):
    """Label of a class as text: cut if it is long, with dollars escaped."""
    text = str(value)
    if len(text) > LONGEST_LABEL:
        text = text[: LONGEST_LABEL - 1] + "…"
    return text.replace("$", r"\$")


def images_of(X, rows, image_shape):
    """Rows of `X` as images, in an array of shape (*rows.shape, *image_shape)."""
    shape = _checked_shape(image_shape)
    X = X.tocsr() if issparse(X) else np.asarray(X)
    n_features = X.shape[1]
    if math.prod(shape) != n_features:
        raise ValueError(
            f"image_shape={shape} has {math.prod(shape)} values, but X has {n_features} features."
        )
    images = X[rows.ravel()]
    if issparse(images):
        images = images.toarray()
    return images.reshape(*rows.shape, *shape)


def _checked_shape(image_shape):
    shape = tuple(np.atleast_1d(image_shape).tolist())
    are_sizes = all(isinstance(size, int) and size > 0 for size in shape)
    if not are_sizes or len(shape) not in (2, 3) or shape[2:] not in ((), (3,)):
        raise ValueError(f"image_shape must be (height, width) or (height, width, 3), got {shape}.")
    return shape
