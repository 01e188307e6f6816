"""The display of nearest neighbours that are images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_consistent_length

from .._labels import check_labels, known_classes
from .._numbers import check_count
from .._transformed import embeddings_of
from .._typing import Array, MatrixLike
from .drawing import images_of, label, subplots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colour-blind readers can distinguish these two colours (Okabe and Ito).
RIGHT = "#009E73"
WRONG = "#D55E00"
CROSS = " \N{MULTIPLICATION SIGN}"


class NeighborsDisplay:
    """Images of queries and of their nearest neighbours, with one row for each query.

    The title of each image is its label. The titles of neighbours of another class than the query have a
    cross, and their frames have another colour. Use `from_estimator` or `from_predictions` to create a
    display. It stores what it draws, and `plot` draws it again.

    Parameters
    ----------
    query_images : ndarray of shape (n_queries, height, width) or (n_queries, height, width, 3)
        Query images, grey or in colour.
    y_query : ndarray of shape (n_queries,)
        Class of each query.
    neighbor_images : ndarray of shape (n_queries, n_neighbors, height, width[, 3])
        Images of the neighbours of each query, the nearest first.
    y_neighbors : ndarray of shape (n_queries, n_neighbors)
        Class of each neighbour.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_queries, 1 + n_neighbors)
        Axes of the images. The first column has those of the queries.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skmetric.plotting import NeighborsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> display = NeighborsDisplay.from_estimator(
    ...     PCA(10).fit(X), X[:3], y[:3], X[3:], y[3:], image_shape=(8, 8)
    ... )
    """

    axes_: Array
    figure_: Figure

    def __init__(
        self, query_images: Array, y_query: Array, neighbor_images: Array, y_neighbors: Array
    ) -> None:
        self.query_images = query_images
        self.y_query = y_query
        self.neighbor_images = neighbor_images
        self.y_neighbors = y_neighbors

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_query: MatrixLike,
        y_query: ArrayLike,
        X_gallery: MatrixLike,
        y_gallery: ArrayLike,
        *,
        image_shape: Sequence[int],
        n_neighbors: int = 5,
        **kwargs: Any,
    ) -> Self:
        """Search the nearest neighbours of a few queries in a gallery, and draw them.

        Neighbours are those of the embeddings that ``estimator.transform`` returns. A query that is in
        the gallery finds itself.

        Parameters
        ----------
        estimator : transformer
            Fitted transformer, or pipeline that ends in one.
        X_query : {array-like, sparse matrix} of shape (n_queries, n_features)
            Query images, one in each row.
        y_query : array-like of shape (n_queries,)
            Class of each query.
        X_gallery : {array-like, sparse matrix} of shape (n_gallery, n_features)
            Images to search, one in each row.
        y_gallery : array-like of shape (n_gallery,)
            Class of each image of the gallery.
        image_shape : tuple of int
            (height, width), or (height, width, 3) for colour images. The product must be `n_features`.
        n_neighbors : int, default=5
            Number of neighbours of each query, at most `n_gallery`.
        **kwargs : dict
            `axes`, as in `plot`, and keyword arguments of ``Axes.imshow``.

        Returns
        -------
        NeighborsDisplay
            The display.

        Raises
        ------
        ValueError
            If `image_shape` does not fit `n_features`, if labels are missing, if some are numbers and
            others strings, if there are not as many labels as images, or if the embedding is not a finite
            matrix.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.decomposition import PCA
        >>> from skmetric.plotting import NeighborsDisplay
        >>> X, y = load_digits(return_X_y=True)
        >>> display = NeighborsDisplay.from_estimator(
        ...     PCA(10).fit(X), X[:2], y[:2], X[2:], y[2:], image_shape=(8, 8), n_neighbors=3
        ... )
        >>> display.axes_.shape
        (2, 4)
        """
        check_consistent_length(X_query, y_query)
        check_consistent_length(X_gallery, y_gallery)
        y_query = check_labels(y_query, "y_query")
        y_gallery = check_labels(y_gallery, "y_gallery")
        known_classes(y_query, y_gallery, names=["y_query", "y_gallery"])
        images = images_of(X_query, np.arange(len(y_query)), image_shape)
        n_neighbors = check_count(n_neighbors, "n_neighbors")
        search = NearestNeighbors(n_neighbors=n_neighbors).fit(embeddings_of(estimator, X_gallery))
        found = search.kneighbors(embeddings_of(estimator, X_query), return_distance=False)
        neighbors = images_of(X_gallery, found, image_shape)
        return cls.from_predictions(images, y_query, neighbors, y_gallery[found], **kwargs)

    @classmethod
    def from_predictions(
        cls,
        query_images: ArrayLike,
        y_query: ArrayLike,
        neighbor_images: ArrayLike,
        y_neighbors: ArrayLike,
        *,
        axes: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw given images.

        Parameters
        ----------
        query_images : array-like of shape (n_queries, height, width) or (n_queries, height, width, 3)
            Query images, grey or in colour.
        y_query : array-like of shape (n_queries,)
            Class of each query.
        neighbor_images : array-like of shape (n_queries, n_neighbors, height, width[, 3])
            Images of the neighbours of each query, the nearest first.
        y_neighbors : array-like of shape (n_queries, n_neighbors)
            Class of each neighbour.
        axes : array of matplotlib Axes of shape (n_queries, 1 + n_neighbors), default=None
            Axes to draw in. If None, a new figure is created.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow``.

        Returns
        -------
        NeighborsDisplay
            The display.

        Raises
        ------
        ValueError
            If the shapes do not fit together, if labels are missing, or if some are numbers and others
            strings.

        Examples
        --------
        >>> import numpy as np
        >>> from skmetric.plotting import NeighborsDisplay
        >>> images = np.arange(12.0).reshape(3, 2, 2)  # a query and its 2 neighbours
        >>> display = NeighborsDisplay.from_predictions(images[:1], ["a"], images[1:][None], [["a", "b"]])
        >>> display.axes_.shape
        (1, 3)
        """
        arrays = [np.asarray(given) for given in (query_images, y_query, neighbor_images, y_neighbors)]
        _check_shapes(*[array.shape for array in arrays])
        y_query = check_labels(arrays[1], "y_query")
        y_neighbors = check_labels(arrays[3].ravel(), "y_neighbors")
        known_classes(y_query, y_neighbors, names=["y_query", "y_neighbors"])
        return cls(*arrays).plot(axes, **kwargs)

    def plot(self, axes: Any = None, **kwargs: Any) -> Self:
        """Draw the images.

        Parameters
        ----------
        axes : array of matplotlib Axes of shape (n_queries, 1 + n_neighbors), default=None
            Axes to draw in. If None, a new figure is created.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow``.

        Returns
        -------
        NeighborsDisplay
            The display itself.

        Raises
        ------
        ValueError
            If the number of axes is not the number of images.

        Examples
        --------
        >>> import numpy as np
        >>> from skmetric.plotting import NeighborsDisplay
        >>> images = np.arange(8.0).reshape(2, 2, 2)  # a query and its neighbour
        >>> display = NeighborsDisplay.from_predictions(images[:1], ["a"], images[1:][None], [["b"]])
        >>> display = display.plot(cmap="magma")  # again, in a new figure, in other colours
        """
        images = np.concatenate([self.query_images[:, np.newaxis], self.neighbor_images], axis=1)
        labels = np.column_stack([self.y_query, self.y_neighbors])
        if axes is None:
            axes = subplots(*labels.shape, figsize=(1.2 * labels.shape[1], 1.4 * len(labels)))
        if np.size(axes) != labels.size:
            raise ValueError(f"axes must have shape {labels.shape}, got {np.shape(axes)}.")
        low = float(images.min())
        high = float(images.max())
        if images.ndim == 5 and images.dtype.kind == "f" and not 0 <= low <= high <= 1:
            images = (images - low) / ((high - low) or 1.0)  # imshow would clip colours outside [0, 1]
        style = {"cmap": "gray", "vmin": low, "vmax": high} | kwargs
        self.axes_ = np.reshape(axes, labels.shape)
        for (row, column), ax in np.ndenumerate(self.axes_):
            ax.imshow(images[row, column], **style)
            ax.set(xticks=[], yticks=[], ylabel="" if column else "query")
            _mark(ax, labels[row, column], labels[row, column] == labels[row, 0], column == 0)
        self.figure_ = self.axes_[0, 0].figure
        return self


def _check_shapes(images, y, others, y_others):
    fit = len(y_others) == 2 and y == images[:1] == y_others[:1] and others == y_others + images[1:]
    if not fit:
        shapes = f"{images}, {y}, {others} and {y_others}"
        raise ValueError(f"The images and labels do not fit together: they have shapes {shapes}.")


def _mark(ax, name, is_right, is_query):
    ax.set_title(label(name) + ("" if is_right else CROSS), fontsize="medium")
    if not is_query:
        ax.spines[:].set(color=RIGHT if is_right else WRONG, linewidth=3)
