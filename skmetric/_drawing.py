"""What all displays share: axes, made when something is drawn, and what is behind a pipeline."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def subplots(n_rows=1, n_columns=1, **options):
    """Axes of a new figure, (n_rows, n_columns)."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('skmetric draws with matplotlib: pip install "skmetric[plot]".') from error
    return plt.subplots(n_rows, n_columns, squeeze=False, layout="constrained", **options)[1]


def axes_or_new(ax):
    """The axes that were given, or those of a new figure."""
    return subplots()[0, 0] if ax is None else ax


def fitted_attribute(estimator, name):
    """What the network at the end of a pipeline or in a search has learned."""
    is_pipeline = isinstance(estimator, Pipeline)
    inner = estimator[-1] if is_pipeline else getattr(estimator, "best_estimator_", None)
    if inner is not None:
        return fitted_attribute(inner, name)
    check_is_fitted(estimator)
    if not hasattr(estimator, name):
        raise ValueError(f"{type(estimator).__name__} has no {name}: it is no estimator of skmetric.")
    return getattr(estimator, name)


def label(value):
    """A label of a class as text that fits and is no formula."""
    text = str(value)
    return (text if len(text) <= 24 else text[:23] + "…").replace("$", r"\$")
