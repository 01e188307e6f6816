"""Displays: pictures of a training, an embedding, pairs, neighbours and weights.

As in scikit-learn a display keeps what was computed. ``from_estimator`` and ``from_predictions`` compute,
draw and return one; `plot` draws it once more, in other axes or another style. A picture goes into the
axes `ax`, or a new figure for None, and is then in `ax_` (`axes_` where there are several) and `figure_`.
Other keyword arguments go to the function of matplotlib that `plot` names.
"""

import math

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from ._drawing import axes_or_new, fitted_attribute, label, subplots
from ._image_displays import NeighborsDisplay, WeightsDisplay

__all__ = [
    "EmbeddingDisplay",
    "NeighborsDisplay",
    "PairDistanceDisplay",
    "TrainingCurveDisplay",
    "WeightsDisplay",
]
CURVES = ("loss", "validation_score", "learning_rate", "active_fraction")


class TrainingCurveDisplay:
    """The loss, epoch by epoch, and what else was noted: scores, rates, active fractions.

    Parameters
    ----------
    history : list of dict
        `history_` of an estimator, an entry for each epoch.
    """

    def __init__(self, history):
        if not len(history):
            raise ValueError("history is empty: there is no epoch to draw.")
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw `history_` of an estimator, or of the last step of a pipeline."""
        return cls(fitted_attribute(estimator, "history_")).plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw all there is, in axes below each other, or the loss in `ax`, with ``Axes.plot``."""
        n_epochs, curves = len(self.history), {}
        for name in CURVES:
            values = np.array([epoch.get(name) for epoch in self.history], dtype=float)
            if not np.isnan(values).all():
                curves[name] = values
        axes = np.array([ax])
        if ax is None:
            grid = {"figsize": (6.4, 3.4 + len(curves)), "height_ratios": [3, 1, 1, 1][: len(curves)]}
            axes = subplots(len(curves), sharex=True, **grid)[:, 0]
        style = {"marker": "." if n_epochs <= 30 else None} | kwargs
        for ax, (name, values) in zip(axes, curves.items()):
            ax.plot(np.arange(1, n_epochs + 1), values, **style)
            ax.set_ylabel(name.replace("_", "\n"))
            if name == "learning_rate" and values.max() > 10 * values.min() > 0:
                ax.set_yscale("log")
        ax.set_xlabel("epoch")
        ax.locator_params(axis="x", integer=True)
        self.axes_, self.ax_, self.figure_ = axes, axes[0], ax.figure
        return self


class EmbeddingDisplay:
    """An embedding in the plane: training rows as dots, test rows as crosses, classes in colours.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, 1 or 2)
        Coordinates. A single one is drawn as a strip for each class.
    y, is_test : ndarray of shape (n_samples,)
        Labels of any type (beyond 20 classes a colour bar replaces the legend); which rows are for test.
    names : tuple of str
        Of the two axes.
    """

    def __init__(self, Z, y, is_test, names=("dimension 1", "dimension 2")):
        self.Z, self.y, self.is_test, self.names = Z, y, is_test, names

    @classmethod
    def from_estimator(cls, estimator, X, y, *, X_test=None, y_test=None, ax=None, **kwargs):
        """Draw what ``estimator.transform`` makes of the rows."""
        Z, Z_test = estimator.transform(X), None if X_test is None else estimator.transform(X_test)
        return cls.from_predictions(Z, y, Z_test=Z_test, y_test=y_test, ax=ax, **kwargs)

    @classmethod
    def from_predictions(cls, Z, y, *, Z_test=None, y_test=None, ax=None, **kwargs):
        """Draw embeddings; if wider than 2, the two principal components of the training rows."""
        if (Z_test is None) != (y_test is None):
            raise ValueError("The test rows and y_test go together: give both or neither.")
        check_consistent_length(Z, y)
        check_consistent_length(Z_test, y_test)
        Z, y, n_train = check_array(Z), column_or_1d(y), len(y)
        if Z_test is not None:
            Z, y = np.vstack([Z, check_array(Z_test)]), np.concatenate([y, column_or_1d(y_test)])
        arguments = [y, np.arange(len(y)) >= n_train]
        if Z.shape[1] > 2:
            with np.errstate(invalid="ignore"):  # 0 / 0 where the embedding has collapsed
                pca = PCA(2, random_state=0).fit(Z[:n_train])
            shares = enumerate(np.nan_to_num(pca.explained_variance_ratio_), start=1)
            arguments += [[f"principal component {i} ({share:.0%})" for i, share in shares]]
            Z = pca.transform(Z)
        return cls(Z, *arguments).plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw `points_` with ``Axes.scatter``."""
        classes, codes = np.unique(self.y, return_inverse=True)
        few, is_strip = len(classes) <= 20, self.Z.shape[1] == 1
        cmap, last = ("tab10", 9) if len(classes) <= 10 else ("tab20", 19)
        cmap, last = (cmap, last) if few else ("turbo", len(classes) - 1)
        style = {"cmap": cmap, "vmin": 0, "vmax": last}
        jitter = np.random.default_rng(0).uniform(-0.3, 0.3, len(codes))
        x, y = self.Z[:, 0], codes + jitter if is_strip else self.Z[:, 1]
        is_new, ax = ax is None, axes_or_new(ax)
        self.ax_, self.figure_, self.points_ = ax, ax.figure, []
        for rows, marker, size in [(~self.is_test, "o", 10), (self.is_test, "x", 20)]:
            if rows.any():
                options = {"marker": marker, "s": size} | style | kwargs
                self.points_.append(ax.scatter(x[rows], y[rows], c=codes[rows], **options))
        ax.set(xlabel=self.names[0], ylabel="class" if is_strip else self.names[1])
        if is_strip:
            ax.set_yticks([])
        elif is_new:
            ax.set_aspect("equal", adjustable="datalim")  # distances are what this is about
        self._explain(classes, few)
        return self

    def _explain(self, classes, few):
        from matplotlib.lines import Line2D

        ax, points, entries = self.ax_, self.points_[0], []
        if len(self.points_) > 1:
            neutral = ax.xaxis.label.get_color()
            entries = [("o", neutral, "training rows"), ("x", neutral, "test rows")]
        if few:
            colors = points.to_rgba(np.arange(len(classes)))
            entries += [("o", color, label(name)) for color, name in zip(colors, classes)]
        else:
            ticks = np.linspace(0, len(classes) - 1, 6).astype(int)
            bar = ax.figure.colorbar(points, ax=ax, label="class")
            bar.set_ticks(ticks, labels=[label(name) for name in classes[ticks]])
        lines = [Line2D([], [], marker=marker, color=color, ls="", ms=5) for marker, color, _ in entries]
        # Beside the axes where the layout makes room for it, else inside.
        beside = few and ax.figure.get_layout_engine() is not None
        place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)} if beside else {"loc": "best"}
        height = ax.get_window_extent().height / ax.figure.dpi  # inches
        place |= {"fontsize": "small", "ncols": math.ceil(len(entries) * 0.175 / height)}
        if entries:
            texts = ax.legend(lines, ["name"] * len(lines), **place).get_texts()
            for text, (_, _, name) in zip(texts, entries):
                text.set_text(name)  # here, as matplotlib < 3.10 drops labels like _background_


class PairDistanceDisplay:
    """Histograms of the distances in pairs of the same class and of different classes.

    Parameters
    ----------
    y_true, distances : ndarray of shape (n_pairs,)
        1 for the same class, 0 or -1 for different ones; how far apart they are.
    threshold, name : float and str, default=None
        Distance up to which a pair counts as the same, drawn as the dashed `line_`; title.
    """

    def __init__(self, y_true, distances, *, threshold=None, name=None):
        self.y_true, self.distances, self.threshold, self.name = y_true, distances, threshold, name

    @classmethod
    def from_estimator(cls, verifier, pairs, y, *, X=None, ax=None, name=None, **kwargs):
        """Draw distances and threshold of a fitted `PairVerifier`; `pairs` may be indices of `X`."""
        check_is_fitted(verifier, "threshold_")
        distances = -verifier.decision_function(pairs, X=X)
        kwargs |= {"threshold": verifier.threshold_, "ax": ax, "name": name}
        return cls.from_predictions(y, distances, **kwargs)

    @classmethod
    def from_predictions(cls, y_true, distances, *, threshold=None, ax=None, name=None, **kwargs):
        """Draw given distances."""
        y_true, distances = column_or_1d(y_true), column_or_1d(check_array(distances, ensure_2d=False))
        check_consistent_length(y_true, distances)
        if not np.isin(y_true, [-1, 0, 1]).all():
            raise ValueError(f"y must be 1 (same class), 0 or -1 (others), got {np.unique(y_true)}.")
        return cls(y_true, distances, threshold=threshold, name=name).plot(ax, **kwargs)

    def plot(self, ax=None, *, bins=40, **kwargs):
        """Draw with common bins, with ``Axes.hist``."""
        ax, same = axes_or_new(ax), self.y_true == 1
        style = {"bins": np.histogram_bin_edges(self.distances, bins), "density": True, "alpha": 0.6}
        for kind, color, chosen in [("same class", "C0", same), ("different classes", "C1", ~same)]:
            if chosen.any():
                ax.hist(self.distances[chosen], **(style | {"label": kind, "color": color} | kwargs))
        self.ax_, self.figure_, self.line_ = ax, ax.figure, None
        if self.threshold is not None and math.isfinite(self.threshold):  # -inf accepts no pair
            style = {"linestyle": "--", "color": ax.xaxis.label.get_color()}
            self.line_ = ax.axvline(self.threshold, label=f"threshold {self.threshold:.3g}", **style)
        ax.set(xlabel="distance", ylabel="density", title=self.name or ax.get_title())
        ax.legend()
        return self
