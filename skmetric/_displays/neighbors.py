"""The display of nearest neighbours that are images."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_consistent_length

from .._labels import check_labels, known_classes
from .._transformed import embeddings_of
from .drawing import images_of, label, subplots

# Colour-blind readers see these two apart (Okabe and Ito).
RIGHT = "#009E73"
WRONG = "#D55E00"
CROSS = " \N{MULTIPLICATION SIGN}"


class NeighborsDisplay:
    """Query images, a row of the figure each, and their nearest neighbours.

    The label of each image is its title. Neighbours of another class than the query have a cross in
    their title and another colour of the frame. Use `from_estimator` or `from_predictions` to make a
    display and draw it. What is computed is kept, and `plot` draws it again.

    Parameters
    ----------
    query_images : ndarray of shape (n_queries, height, width) or (n_queries, height, width, 3)
        Query images, grey or in colours.
    y_query : ndarray of shape (n_queries,)
        Class of each query.
    neighbor_images : ndarray of shape (n_queries, n_neighbors, height, width[, 3])
        Neighbours of each query, the nearest first.
    y_neighbors : ndarray of shape (n_queries, n_neighbors)
        Class of each neighbour.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_queries, 1 + n_neighbors)
        Axes of the images, the query first.
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

    def __init__(self, query_images, y_query, neighbor_images, y_neighbors):
        self.query_images = query_images
        self.y_query = y_query
        self.neighbor_images = neighbor_images
        self.y_neighbors = y_neighbors

    @classmethod
    def from_estimator(
        cls, estimator, X_query, y_query, X_gallery, y_gallery, *, image_shape, n_neighbors=5, **kwargs
    ):
        """Draw the nearest neighbours of a few queries in the embedding of a gallery.

        A query that is in the gallery finds itself.

        Parameters
        ----------
        estimator : transformer
            Fitted transformer, or pipeline that ends in one.
        X_query : {array-like, sparse matrix} of shape (n_queries, n_features)
            Query images, a row each.
        y_query : array-like of shape (n_queries,)
            Class of each query.
        X_gallery : {array-like, sparse matrix} of shape (n_gallery, n_features)
            Images to search in, a row each.
        y_gallery : array-like of shape (n_gallery,)
            Class of each image of the gallery.
        image_shape : tuple of int
            (height, width), or (height, width, 3) for colours; the product is `n_features`.
        n_neighbors : int, default=5
            Number of neighbours, at most `n_gallery`.
        **kwargs : dict
            `axes`, as in `plot`, and keyword arguments of ``Axes.imshow``.

        Returns
        -------
        NeighborsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `image_shape` does not fit, if labels are missing, if numbers and strings are mixed in
            them, if there are not as many labels as images, or if the embedding is not a finite matrix.
        """
        check_consistent_length(X_query, y_query)
        check_consistent_length(X_gallery, y_gallery)
        y_query = check_labels(y_query, "y_query")
        y_gallery = check_labels(y_gallery, "y_gallery")
        known_classes(y_query, y_gallery, names=["y_query", "y_gallery"])
        images = images_of(X_query, np.arange(len(y_query)), image_shape)
        search = NearestNeighbors(n_neighbors=n_neighbors).fit(embeddings_of(estimator, X_gallery))
        found = search.kneighbors(embeddings_of(estimator, X_query), return_distance=False)
        neighbors = images_of(X_gallery, found, image_shape)
        return cls.from_predictions(images, y_query, neighbors, y_gallery[found], **kwargs)

    @classmethod
    def from_predictions(
        cls, query_images, y_query, neighbor_images, y_neighbors, *, axes=None, **kwargs
    ):
        """Draw given images.

        Parameters
        ----------
        query_images : array-like of shape (n_queries, height, width) or (n_queries, height, width, 3)
            Query images, grey or in colours.
        y_query : array-like of shape (n_queries,)
            Class of each query.
        neighbor_images : array-like of shape (n_queries, n_neighbors, height, width[, 3])
            Neighbours of each query, the nearest first.
        y_neighbors : array-like of shape (n_queries, n_neighbors)
            Class of each neighbour.
        axes : array of matplotlib Axes of shape (n_queries, 1 + n_neighbors), default=None
            Axes to draw in. None means those of a new figure.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow``.

        Returns
        -------
        NeighborsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the shapes do not fit together, if labels are missing, or if numbers and strings are
            mixed in them.
        """
        arrays = [np.asarray(given) for given in (query_images, y_query, neighbor_images, y_neighbors)]
        _check_shapes(*[array.shape for array in arrays])
        y_query = check_labels(arrays[1], "y_query")
        y_neighbors = check_labels(arrays[3].ravel(), "y_neighbors")
        known_classes(y_query, y_neighbors, names=["y_query", "y_neighbors"])
        return cls(*arrays).plot(axes, **kwargs)

    def plot(self, axes=None, **kwargs):
        """Draw the images.

        Parameters
        ----------
        axes : array of matplotlib Axes of shape (n_queries, 1 + n_neighbors), default=None
            Axes to draw in. None means those of a new figure.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow``.

        Returns
        -------
        NeighborsDisplay
            The display itself.

        Raises
        ------
        ValueError
            If the number of axes is not that of the images.
        """
        images = np.concatenate([self.query_images[:, np.newaxis], self.neighbor_images], axis=1)
        labels = np.column_stack([self.y_query, self.y_neighbors])
        if axes is None:
            axes = subplots(*labels.shape, figsize=(1.2 * labels.shape[1], 1.4 * len(labels)))
        if np.size(axes) != labels.size:
            raise ValueError(f"axes must be of shape {labels.shape}, got {np.shape(axes)}.")
        low = float(images.min())
        high = float(images.max())
        if images.ndim == 5 and images.dtype.kind == "f" and not 0 <= low <= high <= 1:
            images = (images - low) / ((high - low) or 1.0)  # colours outside [0, 1] would be cut
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
        raise ValueError(f"The images and labels do not fit together: they have the shapes {shapes}.")


def _mark(ax, name, is_right, is_query):
    ax.set_title(label(name) + ("" if is_right else CROSS), fontsize="medium")
    if not is_query:
        ax.spines[:].set(color=RIGHT if is_right else WRONG, linewidth=3)
