"""What the tests of all displays share: how a picture is looked at."""

import warnings
from contextlib import contextmanager

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

STYLES = pytest.mark.parametrize("style", ["default", "dark_background"])


@contextmanager
def strict_drawing():
    """Errors for a layout that does not fit or a glyph that is missing; figures are closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield
    plt.close("all")


def line_of(ax):
    (line,) = ax.get_lines()
    return line.get_xdata().tolist(), line.get_ydata().tolist()


def legend_names(ax):
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def assert_within_figure(figure):
    """Everything that is drawn lies in the figure, legends and colour bars included."""
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1


def assert_readable(figure):
    """No text of the figure has the colour of what is behind it."""
    behind = to_hex(figure.get_facecolor())
    texts = [text for text in figure.findobj(plt.Text) if text.get_text()]
    assert texts and all(to_hex(text.get_color()) != behind for text in texts)


def blobs(n_classes, n_features=2, n_samples=300):
    rng = np.random.default_rng(0)
    y = np.arange(n_samples) % n_classes
    return rng.normal(size=(n_samples, n_features)) + rng.normal(size=(n_classes, n_features))[y], y
