"""The display of an embedding."""

import math

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import check_array, check_consistent_length

from .._labels import check_labels, known_classes
from .._transformed import embeddings_of
from .drawing import axes_or_new, label

MOST_NAMED = 20  # classes; of more, a colour bar names a few
N_TICKS = 6
INCHES_PER_ENTRY = 0.175  # of the legend


class EmbeddingDisplay:
    """An embedding in the plane: training rows as dots, test rows as crosses, classes in colours.

    Use `from_estimator` or `from_predictions` to make a display and draw it. What is computed is kept,
    and `plot` draws it again.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, 1) or (n_samples, 2)
        Coordinates. A single one is drawn as a strip for each class.
    y : ndarray of shape (n_samples,)
        Class of each row: numbers or strings. Of more than 20 classes, a colour bar replaces the legend.
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
        Points of the training rows, and those of the test rows if there are any.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetric.plotting import EmbeddingDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = EmbeddingDisplay.from_predictions(X, y)
    """

    def __init__(self, Z, y, is_test, names=("dimension 1", "dimension 2")):
        self.Z = Z
        self.y = y
        self.is_test = is_test
        self.names = names

    @classmethod
    def from_estimator(cls, estimator, X, y, *, X_test=None, y_test=None, ax=None, **kwargs):
        """Draw what ``estimator.transform`` makes of the rows.

        If the embedding has more than two dimensions, the first two principal components of the training
        rows are drawn.

        Parameters
        ----------
        estimator : transformer
            Fitted transformer, or pipeline that ends in one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Class of each training row.
        X_test : {array-like, sparse matrix} of shape (n_test, n_features), default=None
            Test rows; requires `y_test`.
        y_test : array-like of shape (n_test,), default=None
            Class of each test row; requires `X_test`.
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        **kwargs : dict
            Keyword arguments of ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If labels are missing, if numbers and strings are mixed in them, if there are not as many
            labels as rows, or if the embedding is not a finite matrix.
        """
        Z = embeddings_of(estimator, X)
        Z_test = None if X_test is None else embeddings_of(estimator, X_test)
        return cls.from_predictions(Z, y, Z_test=Z_test, y_test=y_test, ax=ax, **kwargs)

    @classmethod
    def from_predictions(cls, Z, y, *, Z_test=None, y_test=None, ax=None, **kwargs):
        """Draw given embeddings.

        If they have more than two columns, the first two principal components of the training rows are
        drawn.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Embeddings of the training rows.
        y : array-like of shape (n_samples,)
            Class of each training row.
        Z_test : array-like of shape (n_test, n_components), default=None
            Embeddings of the test rows; requires `y_test`.
        y_test : array-like of shape (n_test,), default=None
            Class of each test row; requires `Z_test`.
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        **kwargs : dict
            Keyword arguments of ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If labels are missing, if numbers and strings are mixed in them, if there are not as many
            labels as rows, or if the embeddings are not finite matrices of the same width.
        """
        if (Z_test is None) != (y_test is None):
            raise ValueError("The test rows and y_test go together: give both or neither.")
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

    def plot(self, ax=None, **kwargs):
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        **kwargs : dict
            Keyword arguments of ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay
            The display itself.
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
            ax.set_aspect("equal", adjustable="datalim")  # distances are what this is about
        self.ax_ = ax
        self.figure_ = ax.figure
        self._explain(classes)
        return self

    def _explain(self, classes):
        """A legend, and where there are many classes a colour bar."""
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
    Z = check_array(Z, input_name=name)
    y = check_labels(y, name_of_labels)
    check_consistent_length(Z, y)
    return Z, y


def _principal_components(Z, y, is_test):
    """Coordinates on those of the training rows, and the other arguments of the display."""
    with np.errstate(invalid="ignore"):  # 0 / 0 where the embedding has collapsed
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
    # Beside the axes where the layout makes room for it, else inside.
    if may_be_beside and ax.figure.get_layout_engine() is not None:
        place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    height = ax.get_window_extent().height / ax.figure.dpi  # inches
    n_columns = math.ceil(len(entries) * INCHES_PER_ENTRY / height)
    legend = ax.legend(lines, ["name"] * len(lines), fontsize="small", ncols=n_columns, **place)
    for text, (_, _, name) in zip(legend.get_texts(), entries):
        text.set_text(name)  # here, as matplotlib < 3.10 drops labels like _background_
