"""The display of the distances of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from .._numbers import check_numbers
from .._typing import Array, Floats, MatrixLike
from ..pairs import check_pair_labels
from .drawing import axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from ..verification import PairVerifier


class PairDistanceDisplay:
    """Histograms of the distances of pairs of the same class and of pairs of different classes.

    Use `from_estimator` or `from_predictions` to create a display. It stores what it draws, and `plot`
    draws it again.

    Parameters
    ----------
    y_true : ndarray of shape (n_pairs,)
        1 for pairs of the same class, 0 or -1 for pairs of different classes.
    distances : ndarray of shape (n_pairs,)
        Distance of each pair.
    threshold : float, default=None
        Largest distance at which a pair is predicted to be the same. It is drawn if it is finite.
    name : str, default=None
        Title of the axes. If None, the title does not change.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the histograms.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    line_ : matplotlib Line2D or None
        Dashed line at the threshold, or None if it is not drawn.

    See Also
    --------
    skmetric.verification.PairVerifier : Classifier of pairs that chooses a threshold.

    Examples
    --------
    >>> from skmetric.plotting import PairDistanceDisplay
    >>> display = PairDistanceDisplay.from_predictions([1, 1, 0], [0.2, 0.4, 0.9], threshold=0.6)
    """

    ax_: Axes
    figure_: Figure
    line_: Line2D | None

    def __init__(
        self,
        y_true: Array,
        distances: Floats,
        *,
        threshold: float | None = None,
        name: str | None = None,
    ) -> None:
        self.y_true = y_true
        self.distances = distances
        self.threshold = threshold
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        verifier: PairVerifier,
        pairs: ArrayLike,
        y: ArrayLike,
        *,
        X: MatrixLike | None = None,
        ax: Axes | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the distances and the threshold of a fitted verifier.

        Parameters
        ----------
        verifier : PairVerifier
            Fitted verifier.
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            Both rows of each pair: their features, or their row numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same class, 0 or -1 for pairs of different classes.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to. Required if `pairs` holds row numbers.
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        name : str, default=None
            Title of the axes. If None, the title does not change.
        **kwargs : dict
            Keyword arguments of `plot`: `bins`, and those of ``Axes.hist``.

        Returns
        -------
        PairDistanceDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the verifier is not fitted.
        TypeError
            If the verifier is another estimator, such as the transformer itself.
        ValueError
            If labels are missing or have other values.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmetric.pairs import make_pairs
        >>> from skmetric.plotting import PairDistanceDisplay
        >>> from skmetric.verification import PairVerifier
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs, same = make_pairs(y, 500, rng=0)
        >>> verifier = PairVerifier(StandardScaler().fit(X)).fit(pairs, same, X=X)
        >>> display = PairDistanceDisplay.from_estimator(verifier, pairs, same, X=X)
        >>> display.threshold == verifier.threshold_
        True
        """
        if not hasattr(verifier, "decision_function"):
            raise TypeError(
                f"verifier must be a PairVerifier, got {type(verifier).__name__}. Fit a PairVerifier on "
                "the transformer first, or use from_predictions."
            )
        check_is_fitted(verifier, "threshold_")
        distances = -verifier.decision_function(pairs, X=X)
        return cls.from_predictions(
            y, distances, threshold=verifier.threshold_, ax=ax, name=name, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        distances: ArrayLike,
        *,
        threshold: float | None = None,
        ax: Axes | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw given distances.

        Parameters
        ----------
        y_true : array-like of shape (n_pairs,)
            1 for pairs of the same class, 0 or -1 for pairs of different classes.
        distances : array-like of shape (n_pairs,)
            Distance of each pair.
        threshold : float, default=None
            Largest distance at which a pair is predicted to be the same. It is drawn if it is finite.
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        name : str, default=None
            Title of the axes. If None, the title does not change.
        **kwargs : dict
            Keyword arguments of `plot`: `bins`, and those of ``Axes.hist``.

        Returns
        -------
        PairDistanceDisplay
            The display.

        Raises
        ------
        ValueError
            If labels are missing or have other values, if distances are not finite or below 0, or if
            there are not as many labels as distances.

        Examples
        --------
        >>> from skmetric.plotting import PairDistanceDisplay
        >>> display = PairDistanceDisplay.from_predictions([1, 1, 0], [0.2, 0.4, 0.9], threshold=0.6)
        >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
        ['same class', 'different classes', 'threshold 0.6']
        """
        distances = column_or_1d(check_numbers(distances, ensure_2d=False, input_name="distances"))
        if distances.min() < 0:
            raise ValueError(
                f"distances must be >= 0, got {distances.min().item()}. Of scores, pass -scores."
            )
        same = check_pair_labels(y_true, len(distances), both=False)
        y_true = np.where(same, 1, 0)
        return cls(y_true, distances, threshold=threshold, name=name).plot(ax, **kwargs)

    def plot(
        self, ax: Axes | None = None, *, bins: int | str | Sequence[float] = 40, **kwargs: Any
    ) -> Self:
        """Draw both histograms with the same bins.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        bins : int, sequence of float or str, default=40
            Bins, as in :func:`numpy.histogram_bin_edges`.
        **kwargs : dict
            Keyword arguments of ``Axes.hist``.

        Returns
        -------
        PairDistanceDisplay
            The display itself.

        Examples
        --------
        >>> from skmetric.plotting import PairDistanceDisplay
        >>> display = PairDistanceDisplay.from_predictions([1, 1, 0], [0.2, 0.4, 0.9])
        >>> display = display.plot(bins=10, density=False)  # again, in a new figure
        """
        ax = axes_or_new(ax)
        same = self.y_true == 1
        style = {"bins": np.histogram_bin_edges(self.distances, bins), "density": True, "alpha": 0.6}
        for kind, color, chosen in [("same class", "C0", same), ("different classes", "C1", ~same)]:
            if chosen.any():
                ax.hist(self.distances[chosen], **(style | {"label": kind, "color": color} | kwargs))
        self.line_ = self._draw_threshold(ax)
        ax.set(xlabel="distance", ylabel="density", title=self.name or ax.get_title())
        ax.legend()
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_threshold(self, ax):
        if self.threshold is None or not math.isfinite(self.threshold):  # -inf accepts no pair
            return None
        style = {"linestyle": "--", "color": ax.xaxis.label.get_color()}
        return ax.axvline(self.threshold, label=f"threshold {self.threshold:.3g}", **style)
