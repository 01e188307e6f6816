"""The display of distances in pairs."""

import math

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_is_fitted

from ..pairs import check_pair_labels
from .drawing import axes_or_new


class PairDistanceDisplay:
    """Histograms of the distances in pairs of the same class and of different classes.

    Use `from_estimator` or `from_predictions` to make a display and draw it. What is computed is kept,
    and `plot` draws it again.

    Parameters
    ----------
    y_true : ndarray of shape (n_pairs,)
        1 for pairs of the same class, 0 or -1 for pairs of different classes.
    distances : ndarray of shape (n_pairs,)
        Distance of each pair.
    threshold : float, default=None
        Distance up to which a pair is called the same. It is drawn if it is finite.
    name : str, default=None
        Title of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the histograms.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    line_ : matplotlib Line2D or None
        The threshold, a dashed line, if it is drawn.

    See Also
    --------
    skmetric.verification.PairVerifier : Choose a threshold.

    Examples
    --------
    >>> from skmetric.plotting import PairDistanceDisplay
    >>> display = PairDistanceDisplay.from_predictions([1, 1, 0], [0.2, 0.4, 0.9], threshold=0.6)
    """

    def __init__(self, y_true, distances, *, threshold=None, name=None):
        self.y_true = y_true
        self.distances = distances
        self.threshold = threshold
        self.name = name

    @classmethod
    def from_estimator(cls, verifier, pairs, y, *, X=None, ax=None, name=None, **kwargs):
        """Draw the distances and the threshold of a fitted verifier.

        Parameters
        ----------
        verifier : PairVerifier
            Fitted verifier.
        pairs : array-like of shape (n_pairs, 2, n_features), or of int of shape (n_pairs, 2)
            The rows of each pair, or their numbers in `X`.
        y : array-like of shape (n_pairs,)
            1 for pairs of the same class, 0 or -1 for pairs of different classes.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features), default=None
            Matrix that the row numbers refer to; required when `pairs` holds row numbers.
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        name : str, default=None
            Title of the axes. None means that the title stays as it is.
        **kwargs : dict
            Keyword arguments of `plot`: `bins`, and those of ``Axes.hist``.

        Returns
        -------
        PairDistanceDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the verifier is not fitted.
        ValueError
            If the labels are missing or not as above.
        """
        check_is_fitted(verifier, "threshold_")
        distances = -verifier.decision_function(pairs, X=X)
        return cls.from_predictions(
            y, distances, threshold=verifier.threshold_, ax=ax, name=name, **kwargs
        )

    @classmethod
    def from_predictions(cls, y_true, distances, *, threshold=None, ax=None, name=None, **kwargs):
        """Draw given distances.

        Parameters
        ----------
        y_true : array-like of shape (n_pairs,)
            1 for pairs of the same class, 0 or -1 for pairs of different classes.
        distances : array-like of shape (n_pairs,)
            Distance of each pair.
        threshold : float, default=None
            Distance up to which a pair is called the same. It is drawn if it is finite.
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        name : str, default=None
            Title of the axes. None means that the title stays as it is.
        **kwargs : dict
            Keyword arguments of `plot`: `bins`, and those of ``Axes.hist``.

        Returns
        -------
        PairDistanceDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the labels are missing or not as above, if the distances are not finite, or if there are
            not as many of them as labels.
        """
        distances = column_or_1d(check_array(distances, ensure_2d=False, input_name="distances"))
        same = check_pair_labels(y_true, len(distances), both=False)
        y_true = np.where(same, 1, 0)
        return cls(y_true, distances, threshold=threshold, name=name).plot(ax, **kwargs)

    def plot(self, ax=None, *, bins=40, **kwargs):
        """Draw both histograms with the same bins.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        bins : int, sequence of float or str, default=40
            Bins, as in :func:`numpy.histogram_bin_edges`.
        **kwargs : dict
            Keyword arguments of ``Axes.hist``.

        Returns
        -------
        PairDistanceDisplay
            The display itself.
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
