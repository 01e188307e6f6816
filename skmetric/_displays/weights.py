"""The display of the weights of a layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._numbers import check_count
from .._typing import Floats
from .drawing import axes_or_new, fitted_attribute, images_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class WeightsDisplay:
    """Weights of a layer: a histogram, or the weights into each of the first units as an image.

    Use `from_estimator` to create a display. It stores what it draws, and `plot` draws it again.

    Parameters
    ----------
    weights : ndarray of shape (fan_in, fan_out)
        Weights, such as an element of the attribute `coefs_` of an estimator.
    title : str, default=None
        Title of the axes. If None, the title does not change.
    image_shape : tuple of int, default=None
        Shape of an image of the weights into one unit: (height, width), or (height, width, 3) for colour
        images. The product must be `fan_in`. If None, a histogram of all weights is drawn.
    n_images : int, default=25
        Largest number of units to draw. Only used if `image_shape` is given.

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

    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        weights: Floats,
        *,
        title: str | None = None,
        image_shape: Sequence[int] | None = None,
        n_images: int = 25,
    ) -> None:
        self.weights = weights
        self.title = title
        self.image_shape = image_shape
        self.n_images = n_images

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        layer: int = 0,
        ax: Axes | None = None,
        image_shape: Sequence[int] | None = None,
        n_images: int = 25,
        **kwargs: Any,
    ) -> Self:
        """Draw the weights of a layer of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator of skmetric, pipeline that ends in one, or search over one of these.
        layer : int, default=0
            Index of the layer in `coefs_`, from 0 on.
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        image_shape : tuple of int, default=None
            Shape of an image of the weights into one unit: (height, width), or (height, width, 3) for
            colour images. The product must be the number of inputs of the layer. If None, a histogram of
            all weights is drawn.
        n_images : int, default=25
            Largest number of units to draw. Only used if `image_shape` is given.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow`` if `image_shape` is given, and of ``Axes.hist``
            otherwise.

        Returns
        -------
        WeightsDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the estimator has no `coefs_` or no such layer, or if `image_shape` does not fit.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetric import TripletMetricTransformer
        >>> from skmetric.plotting import WeightsDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> embedding = TripletMetricTransformer(2, max_iter=1, random_state=0).fit(X, y)
        >>> display = WeightsDisplay.from_estimator(embedding, layer=1)
        >>> display.title
        'layer 1: 256 inputs, 2 units'
        """
        coefs = fitted_attribute(estimator, "coefs_")
        if layer not in range(len(coefs)):
            raise ValueError(f"layer must be between 0 and {len(coefs) - 1}, got {layer!r}.")
        weights = coefs[layer]
        if weights.ndim == 3:  # several networks
            weights = np.hstack(weights)
        title = "layer {}: {} inputs, {} units".format(layer, *weights.shape)
        display = cls(weights, title=title, image_shape=image_shape, n_images=n_images)
        return display.plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the histogram, or the images with a common colour scale.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, a new figure is created.
        **kwargs : dict
            Keyword arguments of ``Axes.imshow`` if `image_shape` is given, and of ``Axes.hist``
            otherwise.

        Returns
        -------
        WeightsDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `image_shape` does not fit or `n_images` is less than 1.

        Examples
        --------
        >>> import numpy as np
        >>> from skmetric.plotting import WeightsDisplay
        >>> weights = np.random.default_rng(0).normal(size=(16, 9))
        >>> display = WeightsDisplay(weights, image_shape=(4, 4)).plot(cmap="PiYG")
        >>> display.ax_.images[0].get_array().shape  # 3 x 3 images, with gaps of one pixel
        (14, 14)
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
        """Images in rows and columns, with gaps of NaN between them."""
        n = min(check_count(self.n_images, "n_images"), self.weights.shape[1])
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
    if mosaic.ndim == 3:  # colours, with grey for 0
        mosaic = np.nan_to_num(0.5 + mosaic / (2 * limit), nan=0.5)
    image = ax.imshow(mosaic, **({"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} | options))
    if mosaic.ndim == 2:
        ax.figure.colorbar(image, ax=ax, label="weight")
    ax.set_axis_off()
