"""The display of an embedding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.utils import check_consistent_length

from .._labels import check_labels, known_classes
from .._numbers import check_numbers
from .._transformed import embeddings_of
from .._typing import Array, Bools, Floats, MatrixLike
from .drawing import axes_or_new, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

MOST_NAMED = 20  # classes in a legend; if there are more, a colour bar names a few of them
N_TICKS = 6
INCHES_PER_ENTRY = 0.175  # height of an entry of the legend


class EmbeddingDisplay:
    """Scatter plot of an embedding: training rows as dots, test rows as crosses, classes in colours.

    Use `from_estimator` or `from_predictions` to create a display. It stores what it draws, and `plot`
    draws it again.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, 1) or (n_samples, 2)
        Coordinates. If there is only one, each class is drawn as a strip.
    y : ndarray of shape (n_samples,)
        Class of each row: numbers or strings. If there are more than 20 classes, a colour bar replaces
        the legend.
    is_test : ndarray of bool of shape (n_samples,)
        Whether each row is a test row.
    names : sequence of str, default=("dimension 1", "dimension 2")
        Labels of the two axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the points.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    points_ : list of matplotlib PathCollection
        Points of the training rows, and of the test rows if there are any.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetric.plotting import EmbeddingDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = EmbeddingDisplay.from_predictions(X, y)
    """

    ax_: Axes
    figure_: Figure
    points_: list[PathCollection]

    def __init__(
        self,
        Z: Floats,
        y: Array,
        is_test: Bools,
        names: Sequence[str] = ("dimension 1", "dimension 2"),
    ) -> None:
        self.Z = Z
        self.y = y
        self.is_test = is_test
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: MatrixLike,
        y: ArrayLike,
        *,
        X_test: MatrixLike | None = None,
        y_test: ArrayLike | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the embedding that ``estimator.transform`` returns.

        If it has more than two dimensions, the first two principal components of the training rows are
        drawn.

        Parameters
        ----------
        estimator : transformer
            Fitted transformer, or pipeline that ends in one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Class of each training row.
        X_test : {array-like, sparse matrix} of shape (n_test, n_features), default=None
            Test rows. Requires `y_test`.
        y_test : array-like of shape (n_test,), default=None
            Class of each test row. Requires `X_test`.
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        **kwargs : dict
            Keyword arguments of ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay
            The display.

        Raises
        ------
        ValueError
            If labels are missing, if some are numbers and others strings, if there are not as many labels
            as rows, or if the embedding is not a finite matrix.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import TripletMetricTransformer
        >>> from skmetric.plotting import EmbeddingDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> embedding = TripletMetricTransformer(2, max_iter=5, random_state=0).fit(X[::2], y[::2])
        >>> display = EmbeddingDisplay.from_estimator(
        ...     embedding, X[::2], y[::2], X_test=X[1::2], y_test=y[1::2]
        ... )
        >>> [len(points.get_offsets()) for points in display.points_]
        [75, 75]
        """
        Z = embeddings_of(estimator, X)
        Z_test = None if X_test is None else embeddings_of(estimator, X_test)
        return cls.from_predictions(Z, y, Z_test=Z_test, y_test=y_test, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        Z: ArrayLike,
        y: ArrayLike,
        *,
        Z_test: ArrayLike | None = None,
        y_test: ArrayLike | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a given embedding.

        If it has more than two columns, the first two principal components of the training rows are
        drawn.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Embeddings of the training rows.
        y : array-like of shape (n_samples,)
            Class of each training row.
        Z_test : array-like of shape (n_test, n_components), default=None
            Embeddings of the test rows. Requires `y_test`.
        y_test : array-like of shape (n_test,), default=None
            Class of each test row. Requires `Z_test`.
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        **kwargs : dict
            Keyword arguments of ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay
            The display.

        Raises
        ------
        ValueError
            If labels are missing, if some are numbers and others strings, if there are not as many labels
            as rows, or if the embeddings are not finite matrices with the same number of columns.

        Examples
        --------
        >>> from skmetric.plotting import EmbeddingDisplay
        >>> Z = [[0.0, 0.0], [0.1, 0.0], [1.0, 1.0]]
        >>> display = EmbeddingDisplay.from_predictions(Z, ["a", "a", "b"])
        >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
        ['a', 'b']
        """
        if (Z_test is None) != (y_test is None):
            raise ValueError("The test rows and y_test must be given together, but one of them is None.")
        Z, y = _checked(Z, y, "Z", "y")
        n_train = len(y)
        if Z_test is not None:
            Z_test, y_test = _checked(Z_test, y_test, "Z_test", "y_test")
            known_classes(y, y_test, names=["y", "y_test"])
            if Z_test.shape[1] != Z.shape[1]:
                raise ValueError(f"Z has {Z.shape[1]} columns, but Z_test has {Z_test.shape[1]}.")
            Z = np.vstack([Z, Z_test])
            y = np.concatenate([y, y_test])
        is_test = np.arange(len(y)) >= n_train
        if Z.shape[1] <= 2:
            return cls(Z, y, is_test).plot(ax, **kwargs)
        return cls(*_principal_components(Z, y, is_test)).plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        **kwargs : dict
            Keyword arguments of ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay
            The display itself.

        Examples
        --------
        >>> from skmetric.plotting import EmbeddingDisplay
        >>> display = EmbeddingDisplay.from_predictions([[0.0, 0.0], [1.0, 1.0]], ["a", "b"])
        >>> display = display.plot(s=50, alpha=0.5)  # again, in a new figure, with larger points
        """
        classes, codes = np.unique(self.y, return_inverse=True)
        is_strip = self.Z.shape[1] == 1
        is_new = ax is None
        ax = axes_or_new(ax)
        jitter = np.random.default_rng(0).uniform(-0.3, 0.3, len(codes))
        heights = codes + jitter if is_strip else self.Z[:, 1]
        self.points_ = []
        for rows, marker, size in [(~self.is_test, "o", 10), (self.is_test, "x", 20)]:
            if rows.any():
                options = {"marker": marker, "s": size} | _colors(len(classes)) | kwargs
                self.points_.append(ax.scatter(self.Z[rows, 0], heights[rows], c=codes[rows], **options))
        ax.set(xlabel=self.names[0], ylabel="class" if is_strip else self.names[1])
        if is_strip:
            ax.set_yticks([])
        elif is_new:
            ax.set_aspect("equal", adjustable="datalim")  # so that distances can be compared
        self.ax_ = ax
        self.figure_ = ax.figure
        self._explain(classes)
        return self

    def _explain(self, classes):
        """Draw a legend, and a colour bar if there are many classes."""
        entries = []
        if len(self.points_) > 1:
            neutral = self.ax_.xaxis.label.get_color()
            entries = [("o", neutral, "training rows"), ("x", neutral, "test rows")]
        if len(classes) <= MOST_NAMED:
            colors = self.points_[0].to_rgba(np.arange(len(classes)))
            entries += [("o", color, label(name)) for color, name in zip(colors, classes)]
        else:
            ticks = np.linspace(0, len(classes) - 1, N_TICKS).astype(int)
            bar = self.figure_.colorbar(self.points_[0], ax=self.ax_, label="class")
            bar.set_ticks(ticks, labels=[label(name) for name in classes[ticks]])
        if entries:
            _draw_legend(self.ax_, entries, len(classes) <= MOST_NAMED)


def _checked(Z, y, name, name_of_labels):
    Z = check_numbers(Z, input_name=name)
    y = check_labels(y, name_of_labels)
    check_consistent_length(Z, y)
    return Z, y


def _principal_components(Z, y, is_test):
    """Arguments of the display: coordinates along the principal components of the training rows, etc."""
    with np.errstate(invalid="ignore"):  # 0 / 0 if the embedding has collapsed
        pca = PCA(2, random_state=0).fit(Z[~is_test])
    shares = enumerate(np.nan_to_num(pca.explained_variance_ratio_), start=1)
    names = [f"principal component {i} ({share:.0%})" for i, share in shares]
    return pca.transform(Z), y, is_test, names


def _colors(n_classes):
    if n_classes > MOST_NAMED:
        return {"cmap": "turbo", "vmin": 0, "vmax": n_classes - 1}
    if n_classes > 10:
        return {"cmap": "tab20", "vmin": 0, "vmax": 19}
    return {"cmap": "tab10", "vmin": 0, "vmax": 9}


def _draw_legend(ax, entries, may_be_beside):
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], marker=marker, color=color, ls="", ms=5) for marker, color, _ in entries]
    place = {"loc": "best"}
    # The legend is beside the axes if the layout makes room for it, and inside otherwise.
    if may_be_beside and ax.figure.get_layout_engine() is not None:
        place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    height = ax.get_window_extent().height / ax.figure.dpi  # inches
    n_columns = math.ceil(len(entries) * INCHES_PER_ENTRY / height)
    legend = ax.legend(lines, ["name"] * len(lines), fontsize="small", ncols=n_columns, **place)
    for text, (_, _, name) in zip(legend.get_texts(), entries):
        text.set_text(name)  # matplotlib < 3.10 drops labels such as _background_ from legends
