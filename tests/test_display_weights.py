"""Tests of the display of weights."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from pictures import STYLES, assert_readable, assert_within_figure, strict_drawing
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import TripletMetricTransformer
from skmetric.plotting import WeightsDisplay


@pytest.fixture(autouse=True)
def closed_figures():
    with strict_drawing():
        yield


@pytest.fixture
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


@pytest.fixture
def embedding(small, digits):
    return small(TripletMetricTransformer).fit(*digits)


@pytest.mark.parametrize("layer", [0, 1])
def test_histogram_of_weights(embedding, layer):
    display = WeightsDisplay.from_estimator(embedding, layer=layer, bins=10)
    W = embedding.coefs_[layer]
    counts = [bar.get_height() for bar in display.ax_.containers[0]]
    np.testing.assert_array_equal(counts, np.histogram(W, 10)[0])
    assert display.ax_.get_yscale() == "log"
    assert display.ax_.get_title() == f"layer {layer}: {W.shape[0]} inputs, {W.shape[1]} units"


@STYLES
@pytest.mark.parametrize("n_images", [1, 5, 6, 25])
def test_weights_as_images(small, digits, n_images, style):
    model = make_pipeline(StandardScaler(), small(TripletMetricTransformer)).fit(*digits)
    W = model[-1].coefs_[0]
    with plt.style.context(style):
        display = WeightsDisplay.from_estimator(model, image_shape=(8, 8), n_images=n_images)
        image = display.ax_.images[0]
        n_shown = min(n_images, 8)
        limit = np.abs(W[:, :n_shown]).max()
        assert image.get_clim() == (-limit, limit)
        mosaic = np.ma.filled(image.get_array(), np.nan)
        n_columns = {1: 1, 5: 3, 6: 3, 8: 3}[n_shown]
        for unit in range(n_shown):
            top, left = 9 * (unit // n_columns), 9 * (unit % n_columns)
            tile = mosaic[top : top + 8, left : left + 8]
            np.testing.assert_array_equal(tile, W[:, unit].reshape(8, 8))
        assert np.isfinite(mosaic).sum() == 64 * n_shown
        assert_within_figure(display.figure_)
        assert_readable(display.figure_)


def test_weights_of_colour_images():
    W = np.random.default_rng(0).normal(size=(12, 4))
    display = WeightsDisplay(W, image_shape=(2, 2, 3)).plot()
    mosaic, limit = np.asarray(display.ax_.images[0].get_array()), np.abs(W).max()
    assert mosaic.shape == (5, 5, 3) and mosaic.min() >= 0 and mosaic.max() <= 1
    np.testing.assert_allclose(mosaic[:2, 3:], 0.5 + W[:, 1].reshape(2, 2, 3) / (2 * limit))


def test_weights_of_zero():
    display = WeightsDisplay(np.zeros((4, 4)), image_shape=(2, 2), title="zeros").plot()
    assert display.ax_.images[0].get_clim() == (-1, 1) and display.ax_.get_title() == "zeros"
    display.figure_.canvas.draw()


def test_weights_in_given_axes(embedding):
    figure, ax = plt.subplots()
    display = WeightsDisplay.from_estimator(embedding, ax=ax, color="red")
    assert display.ax_ is ax and display.figure_ is figure
    assert ax.patches[0].get_facecolor() == to_rgba("red")


@pytest.mark.parametrize(
    "given, message",
    [
        ({"layer": 2}, "layer must be between 0 and 1, got 2"),
        ({"layer": -1}, "layer must be between 0 and 1, got -1"),
        ({"image_shape": (28, 28)}, r"image_shape=\(28, 28\) has 784 values, but X has 64 features"),
        ({"image_shape": (8, 8), "n_images": 0}, "n_images must be an integer of at least 1, got 0"),
    ],
)
def test_weights_that_are_not_there(embedding, given, message):
    with pytest.raises(ValueError, match=message):
        WeightsDisplay.from_estimator(embedding, **given)
    assert plt.get_fignums() == []
