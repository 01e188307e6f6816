"""The display of training curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._shown import shown
from .._typing import Array
from .drawing import fitted_attribute, subplots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVES = ("loss", "validation_score", "learning_rate", "active_fraction")
FEW_EPOCHS = 30  # up to this number, each epoch is marked with a dot


class TrainingCurveDisplay:
    """Training curves: the loss and other values that were recorded in each epoch.

    Use `from_estimator` to create a display. It stores what it draws, and `plot` draws it again.

    Parameters
    ----------
    history : list of dict
        One entry for each epoch, as in the attribute `history_` of an estimator. The values of the keys
        "loss", "validation_score", "learning_rate" and "active_fraction" are drawn if they occur.
        If there is a key "mean_loss", the mean over all terms, it is drawn instead of "loss": the mean
        over the active terms may rise although training makes progress.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the curves, the loss first.
    ax_ : matplotlib Axes
        Axes of the loss.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import TripletMetricTransformer
    >>> from skmetric.plotting import TrainingCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> embedding = TripletMetricTransformer(max_iter=2, random_state=0).fit(X, y)
    >>> display = TrainingCurveDisplay.from_estimator(embedding)
    """

    axes_: Array
    ax_: Axes
    figure_: Figure

    def __init__(self, history: Sequence[dict[str, Any]]) -> None:
        if not len(history):
            raise ValueError("history is empty, so that there are no epochs to draw.")
        if not all(isinstance(epoch, Mapping) for epoch in history):
            raise TypeError(
                "history must hold a dict for each epoch, as history_ of a fitted estimator does, got "
                f"{shown(history[0])}."
            )
        self.history = history

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the training curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator of skmetric, pipeline that ends in one, or search over one of these.
        ax : matplotlib Axes, default=None
            Axes to draw the loss in. If None, a new figure with axes for each curve is created.
        **kwargs : dict
            Keyword arguments of ``Axes.plot``.

        Returns
        -------
        TrainingCurveDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the estimator has no `history_`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import TripletMetricTransformer
        >>> from skmetric.plotting import TrainingCurveDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> embedding = TripletMetricTransformer(max_iter=2, random_state=0).fit(X, y)
        >>> display = TrainingCurveDisplay.from_estimator(embedding)
        >>> display.ax_.get_ylabel()
        'loss'
        """
        return cls(fitted_attribute(estimator, "history_")).plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the curves below each other in a new figure, or only the loss in given axes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw the loss in. If None, a new figure with axes for each curve is created.
        **kwargs : dict
            Keyword arguments of ``Axes.plot``.

        Returns
        -------
        TrainingCurveDisplay
            The display itself.

        Raises
        ------
        ValueError
            If no epoch has a value that can be drawn.

        Examples
        --------
        >>> from skmetric.plotting import TrainingCurveDisplay
        >>> display = TrainingCurveDisplay([{"loss": 1.0}, {"loss": 0.5}, {"loss": 0.4}])
        >>> display = display.plot(color="black")
        >>> display.ax_.get_ylabel()
        'loss'
        """
        curves = self._curves()
        axes = np.array([ax])
        if ax is None:
            ratios = [3, 1, 1, 1][: len(curves)]
            size = (6.4, 3.4 + len(curves))
            axes = subplots(len(curves), sharex=True, figsize=size, height_ratios=ratios)[:, 0]
        n_epochs = len(self.history)
        style = {"marker": "." if n_epochs <= FEW_EPOCHS else None} | kwargs
        for ax, (name, values) in zip(axes, curves.items()):
            ax.plot(np.arange(1, n_epochs + 1), values, **style)
            ax.set_ylabel(name.replace("_", "\n"))
            if name == "learning_rate" and values.max() > 10 * values.min() > 0:
                ax.set_yscale("log")
        axes[-1].set_xlabel("epoch")
        axes[-1].locator_params(axis="x", integer=True)
        self.axes_ = axes
        self.ax_ = axes[0]
        self.figure_ = axes[0].figure
        return self

    def _curves(self):
        """Values of each epoch, NaN if there is none."""
        curves = {}
        for name in CURVES:
            values = np.array([self._value(epoch, name) for epoch in self.history], dtype=float)
            if not np.isnan(values).all():
                curves[name] = values
        if not curves:
            raise ValueError(f"history has no values of {', '.join(CURVES)}: there is nothing to draw.")
        return curves

    def _value(self, epoch, name):
        if name == "loss":
            return epoch.get("mean_loss", epoch.get("loss"))
        return epoch.get(name)
