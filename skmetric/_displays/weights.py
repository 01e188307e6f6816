"""The display of the weights of a layer."""

import math

import numpy as np

from .drawing import axes_or_new, fitted_attribute, images_of


class WeightsDisplay:
    """Weights of a layer: their histogram, or those of its first units as images.

    Use `from_estimator` to make a display and draw it. What is computed is kept, and `plot` draws it
    again.

    Parameters
    ----------
    weights : ndarray of shape (fan_in, fan_out)
        Weights, as an element of the attribute `coefs_` of an estimator.
    title : str, default=None
        Title of the axes. None means that the title stays as it is.
    image_shape : tuple of int, default=None
        (height, width), or (height, width, 3) for colours, of which the product is `fan_in`: the weights
        into a unit are drawn as an image. None means that a histogram of all weights is drawn.
    n_images : int, default=25
        Number of units at most; only used when `image_shape` is given.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the histogram or of the images.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmetric import TripletMetricTransformer
    >>> from skmetric.plotting import WeightsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> embedding = TripletMetricTransformer(max_iter=1, random_state=0).fit(X / 16, y)
    >>> display = WeightsDisplay.from_estimator(embedding, image_shape=(8, 8))
    """

    def __init__(self, weights, *, title=None, image_shape=None, n_images=25):
        self.weights = weights
        self.title = title
        self.image_shape = image_shape
        self.n_images = n_images

    @classmethod
    def from_estimator(cls, estimator, *, layer=0, ax=None, image_shape=None, n_images=25, **kwargs):
        """Draw the weights of a layer of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator of skmetric, a pipeline that ends in one, or a search over either.
        layer : int, default=0
            Index of the layer in `coefs_`, from 0 on.
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        image_shape : tuple of int, default=None
            (height, width), or (height, width, 3) for colours, of which the product is the number of
            inputs of the layer: the weights into a unit are drawn as an image. None means that a
            histogram of all weights is drawn.
        n_images : int, default=25
            Number of units at most; only used when `image_shape` is given.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow`` when `image_shape` is given, else of ``Axes.hist``.

        Returns
        -------
        WeightsDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the estimator has no `coefs_` or no such layer, or if `image_shape` does not fit.
        """
        coefs = fitted_attribute(estimator, "coefs_")
        if layer not in range(len(coefs)):
            raise ValueError(f"layer must be between 0 and {len(coefs) - 1}, got {layer}.")
        weights = coefs[layer]
        if weights.ndim == 3:  # of networks side by side
            weights = np.hstack(weights)
        title = "layer {}: {} inputs, {} units".format(layer, *weights.shape)
        display = cls(weights, title=title, image_shape=image_shape, n_images=n_images)
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the histogram, or the images on one scale with a colour bar.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None means those of a new figure.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow`` when `image_shape` is given, else of ``Axes.hist``.

        Returns
        -------
        WeightsDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `image_shape` does not fit or `n_images` is less than 1.
        """
        mosaic = None if self.image_shape is None else self._mosaic()
        ax = axes_or_new(ax)
        if mosaic is None:
            ax.hist(self.weights.ravel(), **({"bins": 50, "log": True} | kwargs))
            ax.set(xlabel="weight", ylabel="count")
        else:
            _draw_mosaic(ax, mosaic, kwargs)
        ax.set_title(self.title or ax.get_title())
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _mosaic(self):
        """The images in rows and columns, with gaps of NaN."""
        if self.n_images < 1:
            raise ValueError(f"n_images must be at least 1, got {self.n_images}.")
        n = min(self.n_images, self.weights.shape[1])
        images = images_of(self.weights.T, np.arange(n), self.image_shape)
        height, width, *colors = images.shape[1:]
        n_columns = math.ceil(math.sqrt(n))
        n_rows = math.ceil(n / n_columns)
        tiles = np.full((n_rows * n_columns, height + 1, width + 1, *colors), np.nan)
        tiles[:n, :-1, :-1] = images
        tiles = tiles.reshape(n_rows, n_columns, *tiles.shape[1:]).swapaxes(1, 2)
        return tiles.reshape(n_rows * (height + 1), n_columns * (width + 1), *colors)[:-1, :-1]


def _draw_mosaic(ax, mosaic, options):
    limit = np.nanmax(np.abs(mosaic)) or 1.0
    if mosaic.ndim == 3:  # colours: grey is 0
        mosaic = np.nan_to_num(0.5 + mosaic / (2 * limit), nan=0.5)
    image = ax.imshow(mosaic, **({"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} | options))
    if mosaic.ndim == 2:
        ax.figure.colorbar(image, ax=ax, label="weight")
    ax.set_axis_off()
