"""Tests of the display of neighbours."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import STYLES, assert_readable, assert_within_figure, strict_drawing
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from skmetric import TripletMetricTransformer
from skmetric._displays.neighbors import RIGHT, WRONG
from skmetric.plotting import NeighborsDisplay

CROSS = "\N{MULTIPLICATION SIGN}"


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


def frame(ax):
    return to_hex(ax.spines["left"].get_edgecolor()).upper()


@pytest.mark.parametrize("convert", [np.asarray, csr_matrix, np.ndarray.tolist])
def test_neighbours_are_those_in_the_embedding(embedding, digits, convert):
    X, y = digits
    arguments = convert(X[:4]), y[:4], convert(X[4:]), y[4:]
    display = NeighborsDisplay.from_estimator(embedding, *arguments, image_shape=(8, 8), n_neighbors=3)
    search = NearestNeighbors(n_neighbors=3).fit(embedding.transform(X[4:]))
    found = search.kneighbors(embedding.transform(X[:4]), return_distance=False)
    assert display.axes_.shape == (4, 4)
    for row, axes in enumerate(display.axes_):
        rows = [X[row], *X[4:][found[row]]]
        for ax, pixels in zip(axes, rows):
            np.testing.assert_array_equal(ax.images[0].get_array(), pixels.reshape(8, 8))
        assert [ax.get_title().split()[0] for ax in axes] == [str(y[row]), *map(str, y[4:][found[row]])]
    assert_within_figure(display.figure_)


@STYLES
def test_wrong_neighbours_are_marked_and_framed(style):
    images = np.random.default_rng(0).random((2, 3, 5))
    with plt.style.context(style):
        display = NeighborsDisplay.from_predictions(
            images, ["cat", "dog"], np.stack([images, images], axis=1), [["cat", "dog"], ["dog", "cow"]]
        )
        titles = [[ax.get_title() for ax in axes] for axes in display.axes_]
        assert titles == [["cat", "cat", f"dog {CROSS}"], ["dog", "dog", f"cow {CROSS}"]]
        assert [frame(ax) for ax in display.axes_[0, 1:]] == [RIGHT, WRONG]
        assert frame(display.axes_[0, 0]) not in (RIGHT, WRONG)
        assert_readable(display.figure_)


@pytest.mark.parametrize("image_shape", [(4, 4), (4, 4, 3)])
@pytest.mark.parametrize(
    "dtype, scale", [("uint8", 255), ("float64", 1), ("float32", 255), ("int64", 255)]
)
def test_images_of_many_types(image_shape, dtype, scale, small):
    X = (scale * np.random.default_rng(0).random((20, np.prod(image_shape)))).astype(dtype)
    y = np.arange(20) % 2
    model = small(TripletMetricTransformer).fit(X, y)
    display = NeighborsDisplay.from_estimator(model, X[:1], y[:1], X, y, image_shape=image_shape)
    display.figure_.canvas.draw()
    query, nearest, *_ = (ax.images[0] for ax in display.axes_[0])
    images = np.concatenate([display.query_images, *display.neighbor_images])
    expected = X[0].reshape(image_shape)
    np.testing.assert_array_equal(images[:2], [expected, expected])  # it finds itself
    np.testing.assert_array_equal(nearest.get_array(), query.get_array())
    low, high = images.min(), images.max()
    if len(image_shape) == 2:
        assert query.get_clim() == (low, high)
    elif dtype == "float32":  # colours of floats are shown in [0, 1]
        expected = (expected - low) / (high - low)
    np.testing.assert_allclose(query.get_array(), expected, rtol=1e-6)


def test_neighbours_in_given_axes():
    figure, axes = plt.subplots(1, 2)
    images = np.zeros((1, 2, 2))
    display = NeighborsDisplay.from_predictions(
        images, [0], images[:, None], [[0]], axes=axes, cmap="magma"
    )
    assert display.axes_.ravel().tolist() == axes.tolist() and display.figure_ is figure
    assert axes[0].images[0].get_cmap().name == "magma"
    with pytest.raises(ValueError, match=r"shape \(1, 2\), got \(3,\)"):
        display.plot(plt.subplots(1, 3)[1])


@pytest.mark.parametrize(
    "given, message",
    [
        ({"image_shape": (8, 9)}, r"image_shape=\(8, 9\) has 72 values, but X has 64 features"),
        ({"image_shape": (64,)}, "image_shape must be"),
        ({"image_shape": (8, 4, 2)}, "image_shape must be"),
        ({"y_query": [1]}, "inconsistent numbers of samples"),
        ({"y_gallery": [1]}, "inconsistent numbers of samples"),
        ({"n_neighbors": 500}, "n_neighbors"),
    ],
)
def test_searches_that_do_not_fit(embedding, digits, given, message):
    X, y = digits
    arguments = {
        "X_query": X[:2],
        "y_query": y[:2],
        "X_gallery": X,
        "y_gallery": y,
        "image_shape": (8, 8),
    }
    with pytest.raises(ValueError, match=message):
        NeighborsDisplay.from_estimator(embedding, **(arguments | given))
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3, 3), (1,), (2, 4, 3, 3), (2, 4)],
        [(2, 3, 3), (2,), (1, 4, 3, 3), (1, 4)],
        [(2, 3, 3), (2,), (2, 4, 3, 2), (2, 4)],
        [(2, 3, 3), (2,), (2, 4, 3, 3), (2, 5)],
        [(2, 3, 3), (2,), (2, 3, 3), (2,)],
    ],
)
def test_images_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match="do not fit together"):
        NeighborsDisplay.from_predictions(*map(np.zeros, shapes))


def test_colours_that_are_all_the_same_are_drawn():
    images = np.full((1, 2, 2, 3), 7.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = NeighborsDisplay.from_predictions(images, [0], images[:, None], [[0]])
    assert np.asarray(display.axes_[0, 0].images[0].get_array()).tolist() == np.zeros((2, 2, 3)).tolist()


def test_shapes_may_be_numbers_of_numpy(embedding, digits):
    X, y = digits
    shape = np.array([8, 8])
    display = NeighborsDisplay.from_estimator(embedding, X[:1], y[:1], X, y, image_shape=shape)
    assert display.query_images.shape == (1, 8, 8)
    with pytest.raises(ValueError, match=r"image_shape=\(8, 9\) has 72 values"):
        NeighborsDisplay.from_estimator(embedding, X[:1], y[:1], X, y, image_shape=np.array([8, 9]))


@pytest.mark.parametrize("missing", [np.nan, None])
def test_missing_labels_are_neither_right_nor_wrong(embedding, digits, missing):
    X, y = digits
    y = y.astype(object)
    y[1] = missing
    with pytest.raises(ValueError, match="y_query contains NaN or None"):
        NeighborsDisplay.from_estimator(embedding, X[:2], y[:2], X[2:], y[2:], image_shape=(8, 8))
    with pytest.raises(ValueError, match="y_gallery contains NaN or None"):
        NeighborsDisplay.from_estimator(embedding, X[2:4], y[2:4], X[:9], y[:9], image_shape=(8, 8))
    images = np.zeros((1, 2, 2))
    with pytest.raises(ValueError, match="y_neighbors contains NaN or None"):
        NeighborsDisplay.from_predictions(images, ["a"], images[:, None], [[missing]])


def test_numbers_and_strings_are_not_the_same_classes(embedding, digits):
    X, y = digits
    with pytest.raises(ValueError, match="y_query holds numbers and y_gallery holds strings"):
        NeighborsDisplay.from_estimator(embedding, X[:2], y[:2], X, y.astype(str), image_shape=(8, 8))
    images = np.zeros((1, 2, 2))
    with pytest.raises(ValueError, match="y_query holds numbers and y_neighbors holds strings"):
        NeighborsDisplay.from_predictions(images, [1], images[:, None], [["1"]])
