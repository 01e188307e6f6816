"""Displays of rows that are images: neighbours, and weights of the first layer."""

import math

import numpy as np
from scipy.sparse import issparse
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_consistent_length

from ._drawing import axes_or_new, fitted_attribute, label, subplots

RIGHT, WRONG = "#009E73", "#D55E00"  # colour-blind readers see these two apart (Okabe and Ito)


def _images(X, rows, image_shape):
    """Some rows of `X` as images; `rows` may have any shape."""
    X = X.tocsr() if issparse(X) else np.asarray(X)
    if len(image_shape) not in (2, 3) or tuple(image_shape[2:]) not in ((), (3,)):
        raise ValueError(f"image_shape must be (height, width) or (height, width, 3), got {image_shape}.")
    n_values, n_features = math.prod(image_shape), X.shape[1]
    if n_values != n_features:
        raise ValueError(f"image_shape={image_shape} has {n_values} values, X has {n_features} features.")
    images = X[rows.ravel()]
    return (images.toarray() if issparse(X) else images).reshape(*rows.shape, *image_shape)


class NeighborsDisplay:
    """Query images, a row each, and their nearest neighbours; wrong ones have a cross and their frame.

    Parameters
    ----------
    query_images : ndarray of shape (n_queries, height, width) or (n_queries, height, width, 3)
    y_query : ndarray of shape (n_queries,)
    neighbor_images : ndarray of shape (n_queries, n_neighbors, ...), the nearest first
    y_neighbors : ndarray of shape (n_queries, n_neighbors)
    """

    def __init__(self, query_images, y_query, neighbor_images, y_neighbors):
        self.query_images, self.y_query = query_images, y_query
        self.neighbor_images, self.y_neighbors = neighbor_images, y_neighbors

    @classmethod
    def from_estimator(
        cls, estimator, X_query, y_query, X_gallery, y_gallery, *, image_shape, n_neighbors=5, **kwargs
    ):
        """Search for a few queries in the embedding of a gallery; those in it find themselves."""
        check_consistent_length(X_query, y_query)
        check_consistent_length(X_gallery, y_gallery)
        images = _images(X_query, np.arange(len(y_query)), image_shape)
        search = NearestNeighbors(n_neighbors=n_neighbors).fit(estimator.transform(X_gallery))
        found = search.kneighbors(estimator.transform(X_query), return_distance=False)
        others = _images(X_gallery, found, image_shape), np.asarray(y_gallery)[found]
        return cls.from_predictions(images, y_query, *others, **kwargs)

    @classmethod
    def from_predictions(
        cls, query_images, y_query, neighbor_images, y_neighbors, *, axes=None, **kwargs
    ):
        """Draw given images."""
        arrays = [np.asarray(given) for given in (query_images, y_query, neighbor_images, y_neighbors)]
        images, y, others, y_others = shapes = [array.shape for array in arrays]
        if len(y_others) != 2 or not y == images[:1] == y_others[:1] or others != y_others + images[1:]:
            raise ValueError(f"The images and labels do not fit together: they have the shapes {shapes}.")
        return cls(*arrays).plot(axes, **kwargs)

    def plot(self, axes=None, **kwargs):
        """Draw in `axes` of shape (n_queries, 1 + n_neighbors), with ``Axes.imshow``."""
        images = np.concatenate([self.query_images[:, np.newaxis], self.neighbor_images], axis=1)
        labels = np.column_stack([self.y_query, self.y_neighbors])
        if axes is None:
            axes = subplots(*labels.shape, figsize=(1.2 * labels.shape[1], 1.4 * len(labels)))
        if np.size(axes) != labels.size:
            raise ValueError(f"axes must be of shape {labels.shape}, got {np.shape(axes)}.")
        low, high = float(images.min()), float(images.max())
        if images.ndim == 5 and images.dtype.kind == "f" and not 0 <= low <= high <= 1:
            images = (images - low) / (high - low)  # colours outside [0, 1] would be cut
        style = {"cmap": "gray", "vmin": low, "vmax": high} | kwargs
        self.axes_ = np.reshape(axes, labels.shape)
        for (row, column), ax in np.ndenumerate(self.axes_):
            right = labels[row, column] == labels[row, 0]
            title = label(labels[row, column]) + ("" if right else " \N{MULTIPLICATION SIGN}")
            ax.imshow(images[row, column], **style)
            ax.set(xticks=[], yticks=[], ylabel="" if column else "query")
            ax.set_title(title, fontsize="medium")
            if column:
                ax.spines[:].set(color=RIGHT if right else WRONG, linewidth=3)
        self.figure_ = self.axes_[0, 0].figure
        return self


class WeightsDisplay:
    """The weights of a layer: their histogram, or those of its first units as images on one scale.

    Parameters
    ----------
    weights : ndarray of shape (fan_in, fan_out)
        An element of `coefs_`.
    title : str, default=None
    image_shape, n_images : tuple of int, default=None, and int, default=25
        (height, width) or (height, width, 3), for at most so many images.
    """

    def __init__(self, weights, *, title=None, image_shape=None, n_images=25):
        self.weights, self.title, self.image_shape, self.n_images = weights, title, image_shape, n_images

    @classmethod
    def from_estimator(cls, estimator, *, layer=0, ax=None, image_shape=None, n_images=25, **kwargs):
        """Draw an element of `coefs_` of an estimator, or of the last step of a pipeline."""
        coefs = fitted_attribute(estimator, "coefs_")
        if layer not in range(len(coefs)):
            raise ValueError(f"layer must be between 0 and {len(coefs) - 1}, got {layer}.")
        title = "layer {}: {} inputs, {} units".format(layer, *coefs[layer].shape)
        return cls(coefs[layer], title=title, image_shape=image_shape, n_images=n_images).plot(
            ax, **kwargs
        )

    def plot(self, ax=None, **kwargs):
        """Draw with ``Axes.hist``, or ``Axes.imshow`` and a colour bar."""
        mosaic = None if self.image_shape is None else self._mosaic()
        ax = self.ax_ = axes_or_new(ax)
        if mosaic is None:
            ax.hist(self.weights.ravel(), **({"bins": 50, "log": True} | kwargs))
            ax.set(xlabel="weight", ylabel="count")
        else:
            limit = np.nanmax(np.abs(mosaic)) or 1.0
            if mosaic.ndim == 3:  # colours: grey is 0
                mosaic = np.nan_to_num(0.5 + mosaic / (2 * limit), nan=0.5)
            image = ax.imshow(mosaic, **({"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} | kwargs))
            if mosaic.ndim == 2:
                ax.figure.colorbar(image, ax=ax, label="weight")
            ax.set_axis_off()
        ax.set_title(self.title or ax.get_title())
        self.figure_ = ax.figure
        return self

    def _mosaic(self):
        """The images in rows and columns, with gaps of NaN."""
        if self.n_images < 1:
            raise ValueError(f"n_images must be at least 1, got {self.n_images}.")
        n = min(self.n_images, self.weights.shape[1])
        images = _images(self.weights.T, np.arange(n), self.image_shape)
        n_columns = math.ceil(math.sqrt(n))
        n_rows, height, width = math.ceil(n / n_columns), *(1 + np.array(self.image_shape[:2]))
        tiles = np.full((n_rows * n_columns, height, width, *images.shape[3:]), np.nan)
        tiles[:n, :-1, :-1] = images
        tiles = tiles.reshape(n_rows, n_columns, *tiles.shape[1:]).swapaxes(1, 2)
        return tiles.reshape(n_rows * height, n_columns * width, *images.shape[3:])[:-1, :-1]
