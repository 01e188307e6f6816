import os
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgba

from skmetric import ContrastiveMetricTransformer, SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric._image_displays import RIGHT, WRONG
from skmetric.plotting import (
    EmbeddingDisplay,
    NeighborsDisplay,
    PairDistanceDisplay,
    TrainingCurveDisplay,
    WeightsDisplay,
)

CROSS = "\N{MULTIPLICATION SIGN}"
STYLES = pytest.mark.parametrize("style", ["default", "dark_background"])


@pytest.fixture(autouse=True)
def closed_figures():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a layout that does not fit, a glyph that is missing
        yield
    plt.close("all")


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


@pytest.fixture
def embedding(small, digits):
    return small(TripletMetricTransformer).fit(*digits)


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


# --- training curves --------------------------------------------------------------------------------


def test_training_curve_is_the_history(embedding):
    display = TrainingCurveDisplay.from_estimator(embedding)
    names = ["loss", "learning_rate", "active_fraction"]
    assert len(display.axes_) == len(names) and display.ax_ is display.axes_[0]
    for ax, name in zip(display.axes_, names):
        assert line_of(ax) == ([1, 2, 3], [entry[name] for entry in embedding.history_])
        assert ax.get_ylabel().replace("\n", "_") == name
    assert display.axes_[-1].get_xlabel() == "epoch"
    assert all(ax.figure is display.figure_ for ax in display.axes_)
    ticks = display.axes_[-1].get_xticks()
    assert (ticks == ticks.round()).all()
    assert_within_figure(display.figure_)


def test_training_curve_has_validation_scores_where_there_are(small, iris):
    model = small(SoftmaxMLPClassifier, early_stopping=True).fit(*iris)
    display = TrainingCurveDisplay.from_estimator(model)
    assert len(display.axes_) == 3  # and no active fraction: a softmax has none
    assert line_of(display.axes_[1])[1] == model.validation_scores_


def test_training_curve_with_scores_in_some_epochs():
    history = [{"loss": 2.0, "validation_score": None}, {"loss": 1.0, "validation_score": 0.5}]
    display = TrainingCurveDisplay(history).plot()
    assert len(display.axes_) == 2
    np.testing.assert_equal(line_of(display.axes_[1])[1], [np.nan, 0.5])


@pytest.mark.parametrize(
    "rates, scale",
    [([1, 0.2], "linear"), ([1, 0.05], "log"), ([0.01, 1], "log"), ([1, 0.0], "linear")],
)
def test_rate_is_on_a_log_scale_where_it_varies(rates, scale):
    display = TrainingCurveDisplay([{"loss": 1.0, "learning_rate": rate} for rate in rates]).plot()
    assert [ax.get_yscale() for ax in display.axes_] == ["linear", scale]


def test_training_curves_in_given_axes_show_the_loss_only(embedding):
    figure, ax = plt.subplots()
    for name in ["one", "two"]:
        display = TrainingCurveDisplay.from_estimator(embedding, ax=ax, label=name)
    assert display.ax_ is ax and display.axes_.tolist() == [ax] and display.figure_ is figure
    assert [line.get_label() for line in ax.get_lines()] == ["one", "two"]
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), embedding.loss_curve_)


def test_training_curve_of_one_epoch_can_be_seen():
    display = TrainingCurveDisplay([{"loss": 1.0}]).plot()
    assert display.ax_.get_lines()[0].get_marker() == "."


def test_network_is_found_in_pipelines_and_searches(small, iris):
    pipeline = make_pipeline(StandardScaler(), small(TripletMetricTransformer))
    search = GridSearchCV(pipeline, {"tripletmetrictransformer__margin": [0.5, 1]}, cv=2).fit(*iris)
    outer = make_pipeline(StandardScaler(), search).fit(*iris)
    for model, network in [(search, search.best_estimator_[-1]), (outer, outer[-1].best_estimator_[-1])]:
        assert TrainingCurveDisplay.from_estimator(model).history is network.history_
        assert WeightsDisplay.from_estimator(model).weights is network.coefs_[0]


def test_what_has_no_history_is_named(iris):
    for model in KNeighborsClassifier(), make_pipeline(StandardScaler(), KNeighborsClassifier()):
        with pytest.raises(ValueError, match="KNeighborsClassifier has no history_"):
            TrainingCurveDisplay.from_estimator(model.fit(*iris))


def test_empty_history():
    with pytest.raises(ValueError, match="history is empty"):
        TrainingCurveDisplay([])


# --- embeddings -------------------------------------------------------------------------------------


def test_embedding_is_projected_on_principal_components_of_training_rows(embedding, digits):
    X, y = digits
    parts = {"X_test": X[200:], "y_test": y[200:]}
    display = EmbeddingDisplay.from_estimator(embedding, X[:200], y[:200], **parts)
    pca = PCA(2, random_state=0).fit(embedding.transform(X[:200]))
    for points, rows in zip(display.points_, [X[:200], X[200:]], strict=True):
        np.testing.assert_allclose(
            points.get_offsets(), pca.transform(embedding.transform(rows)), rtol=1e-4, atol=1e-5
        )
    assert display.ax_.get_xlabel() == f"principal component 1 ({pca.explained_variance_ratio_[0]:.0%})"
    assert legend_names(display.ax_) == ["training rows", "test rows", *map(str, range(10))]


def test_embedding_goes_through_the_whole_pipeline(small, iris):
    X, y = iris
    network = small(ContrastiveMetricTransformer, n_components=2).set_output(transform="pandas")
    model = make_pipeline(StandardScaler(), network).fit(X, y)
    display = EmbeddingDisplay.from_estimator(model, X, y)
    np.testing.assert_array_equal(display.points_[0].get_offsets(), model.transform(X))
    assert display.ax_.get_ylabel() == "dimension 2"
    assert display.ax_.get_aspect() == 1


def test_rows_of_a_class_have_its_colour_in_the_legend():
    Z, y = blobs(10)
    names = np.array([f"class {i}" for i in range(10)])
    display = EmbeddingDisplay.from_predictions(
        Z[::2], names[y[::2]], Z_test=Z[1::2], y_test=names[y[1::2]]
    )
    display.figure_.canvas.draw()
    handles = display.ax_.get_legend().legend_handles[2:]
    legend = dict(zip(legend_names(display.ax_)[2:], (to_rgba(handle.get_color()) for handle in handles)))
    assert len(set(legend.values())) == 10 and set(legend) == set(names)
    for points, part in zip(display.points_, [y[::2], y[1::2]]):
        np.testing.assert_allclose(points.get_facecolors(), [legend[name] for name in names[part]])


@STYLES
@pytest.mark.parametrize("n_classes", [1, 2, 10, 11, 20, 21, 100])
def test_legend_fits_in_the_figure(n_classes, style):
    tests = n_classes % 10 == 0
    Z, y = blobs(n_classes, n_features=5)
    parts = {"Z_test": Z, "y_test": y} if tests else {}
    with plt.style.context(style):
        display = EmbeddingDisplay.from_predictions(Z, y, **parts)
        entries = 2 * tests + (n_classes if n_classes <= 20 else 0)
        assert len(legend_names(display.ax_)) == entries
        assert len(display.figure_.axes) == (1 if n_classes <= 20 else 2)  # a colour bar
        assert_within_figure(display.figure_)
        assert_readable(display.figure_)
        colors = np.unique(display.points_[0].get_facecolors(), axis=0)
        assert len(colors) == n_classes
        # The data has its share of the figure.
        assert display.ax_.get_window_extent().width > display.figure_.bbox.width / 2


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_legend_fits_in_given_axes(layout):
    Z, y = blobs(20)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout=layout)
    assert EmbeddingDisplay.from_predictions(Z, y, ax=axes[1]).ax_ is axes[1]
    assert_within_figure(figure)


def test_colour_bar_names_classes():
    Z, y = blobs(100)
    names = np.array([f"{i:03d}-{'x' * 40}" for i in range(100)])
    display = EmbeddingDisplay.from_predictions(Z, names[y])
    texts = [text.get_text() for text in display.figure_.axes[1].get_yticklabels()]
    assert (texts[0][:4], texts[-1][:4]) == ("000-", "099-") and len(texts) == 6
    assert_within_figure(display.figure_)


def test_names_mean_nothing_to_matplotlib():
    Z, y = blobs(3)
    display = EmbeddingDisplay.from_predictions(Z, np.array(["$a_$", "_hidden", "x" * 99])[y])
    assert_within_figure(display.figure_)
    assert legend_names(display.ax_)[1] == "_hidden"
    assert len(legend_names(display.ax_)[2]) == 24


@pytest.mark.parametrize(
    "y", [["b", "a", "c"], [2.5, -1, 0], [True, False, True], np.array(["b", "a", "c"], dtype=object)]
)
def test_labels_of_any_type_and_unseen_ones(y):
    Z = np.eye(3)[:, :2]
    display = EmbeddingDisplay.from_predictions(Z[:2], y[:2], Z_test=Z, y_test=y)
    expected = [str(name) for name in np.unique(y)]
    assert legend_names(display.ax_) == ["training rows", "test rows", *expected]


@pytest.mark.parametrize("n_classes", [3, 100])
def test_one_dimension_is_a_strip_for_each_class(n_classes):
    Z, y = blobs(n_classes, n_features=1)
    display = EmbeddingDisplay.from_predictions(Z, y, Z_test=Z[:50], y_test=y[:50])
    offsets = display.points_[0].get_offsets()
    np.testing.assert_array_equal(offsets[:, 0], Z[:, 0])
    np.testing.assert_array_equal(offsets[:, 1].round(), y)
    assert_within_figure(display.figure_)


def test_collapsed_embedding_is_drawn():
    display = EmbeddingDisplay.from_predictions(np.ones((6, 3)), [0, 1] * 3)
    assert (display.points_[0].get_offsets() == 0).all()
    assert display.ax_.get_xlabel() == "principal component 1 (0%)"
    assert_within_figure(display.figure_)


def test_style_of_points_can_be_chosen():
    display = EmbeddingDisplay.from_predictions(*blobs(3), s=7, cmap="viridis", lw=2, alpha=0.5)
    points = display.points_[0]
    assert points.get_sizes().tolist() == [7] and points.get_cmap().name == "viridis"


def test_embedding_is_drawn_again(embedding, digits):
    display = EmbeddingDisplay.from_estimator(embedding, *digits)
    first = display.figure_
    figure, ax = plt.subplots()
    assert display.plot(ax) is display and display.ax_ is ax and display.figure_ is figure is not first


@pytest.mark.parametrize(
    "given, message",
    [
        ({"y": [0, 1]}, "inconsistent numbers of samples"),
        ({"Z_test": np.eye(3)}, "go together"),
        ({"y_test": [0]}, "go together"),
        ({"Z_test": np.eye(3), "y_test": [0, 1]}, "inconsistent numbers of samples"),
        ({"Z_test": np.ones((2, 4)), "y_test": [0, 1]}, "size 3 .* size 4"),
        ({"Z": np.full((3, 3), np.nan)}, "NaN"),
    ],
)
def test_embeddings_that_do_not_fit(given, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_predictions(**({"Z": np.eye(3), "y": [0, 1, 1]} | given))
    assert plt.get_fignums() == []


# --- distances of pairs -----------------------------------------------------------------------------


class Verifier(BaseEstimator):
    """Distance of two numbers, or of the rows of `X` with these indices."""

    def fit(self):
        self.threshold_ = 1.25
        return self

    def decision_function(self, pairs, X=None):
        pairs = pairs if X is None else X[pairs]
        return -np.abs(pairs[:, 0] - pairs[:, 1])


@pytest.mark.parametrize("different", [0, -1])
def test_histograms_of_same_and_different_pairs(different):
    rng = np.random.default_rng(0)
    distances = np.concatenate([rng.normal(1, 0.2, 200), rng.normal(3, 0.5, 100)])
    y = np.repeat([1, different], [200, 100])
    display = PairDistanceDisplay.from_predictions(y, distances, threshold=2.125, name="some", bins=12)
    same, others = display.ax_.containers
    edges = np.histogram_bin_edges(distances, 12)
    for bars, kind in [(same, distances[:200]), (others, distances[200:])]:
        np.testing.assert_allclose([bar.get_x() for bar in bars], edges[:-1])
        expected = np.histogram(kind, edges, density=True)[0]
        np.testing.assert_allclose([bar.get_height() for bar in bars], expected)
    assert display.line_.get_xdata() == [2.125, 2.125] and display.line_.get_linestyle() == "--"
    assert set(legend_names(display.ax_)) == {"same class", "different classes", "threshold 2.12"}
    assert display.ax_.get_title() == "some"


def test_distances_and_threshold_are_those_of_the_verifier():
    X, pairs = np.array([0.0, 1.0, 5.0]), np.array([[0, 1], [0, 2], [1, 2]])
    verifier, y = Verifier().fit(), [1, -1, -1]
    by_index = PairDistanceDisplay.from_estimator(verifier, pairs, y, X=X)
    by_rows = PairDistanceDisplay.from_estimator(verifier, X[pairs], y)
    for display in by_index, by_rows:
        assert display.distances.tolist() == [1, 5, 4]
        assert display.line_.get_xdata() == [1.25, 1.25]


def test_threshold_that_accepts_no_pair_has_no_line():
    display = PairDistanceDisplay.from_predictions([1, 0], [2.0, 1.0], threshold=-np.inf)
    assert display.line_ is None and len(legend_names(display.ax_)) == 2
    assert_within_figure(display.figure_)


@STYLES
def test_pairs_are_readable(style):
    with plt.style.context(style):
        display = PairDistanceDisplay.from_predictions([1, 0, 1], [1.0, 2.0, 1.5], threshold=1.7)
        assert_readable(display.figure_)
        assert to_hex(display.line_.get_color()) != to_hex(display.ax_.get_facecolor())
        assert_within_figure(display.figure_)


def test_pairs_of_one_kind_without_threshold():
    figure, ax = plt.subplots()
    ax.set_title("mine")
    display = PairDistanceDisplay.from_predictions([True, True], [1, 2], ax=ax)
    assert display.line_ is None and len(ax.containers) == 1 and ax.get_title() == "mine"
    assert display.ax_ is ax and display.figure_ is figure


@pytest.mark.parametrize(
    "y, distances, message",
    [
        ([1, 0], [1.0], "inconsistent numbers of samples"),
        ([1, 2], [1.0, 2.0], r"1 \(same class\), 0 or -1 .*\[1 2\]"),
        ([1, 0], [1.0, np.nan], "NaN"),
        ([], [], "0 sample"),
    ],
)
def test_pairs_that_do_not_fit(y, distances, message):
    with pytest.raises(ValueError, match=message):
        PairDistanceDisplay.from_predictions(y, distances)


# --- neighbours -------------------------------------------------------------------------------------


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
        ({"image_shape": (8, 9)}, r"image_shape=\(8, 9\) has 72 values, X has 64 features"),
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


# --- weights ----------------------------------------------------------------------------------------


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
        ({"image_shape": (28, 28)}, r"image_shape=\(28, 28\) has 784 values, X has 64 features"),
        ({"image_shape": (8, 8), "n_images": 0}, "n_images must be at least 1, got 0"),
    ],
)
def test_weights_that_are_not_there(embedding, given, message):
    with pytest.raises(ValueError, match=message):
        WeightsDisplay.from_estimator(embedding, **given)
    assert plt.get_fignums() == []


# --- all --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", [lambda model: model, lambda model: make_pipeline(model)])
def test_unfitted_estimators_are_refused(digits, inside):
    X, y = digits
    model = inside(TripletMetricTransformer())
    pictures = [
        lambda: TrainingCurveDisplay.from_estimator(model),
        lambda: EmbeddingDisplay.from_estimator(model, X, y),
        lambda: NeighborsDisplay.from_estimator(model, X, y, X, y, image_shape=(8, 8)),
        lambda: WeightsDisplay.from_estimator(model),
        lambda: PairDistanceDisplay.from_estimator(Verifier(), X, y),
    ]
    for draw in pictures:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of older pipelines, before the error
            with pytest.raises(NotFittedError):
                draw()


def test_importing_the_module_imports_no_matplotlib():
    code = "import sys, skmetric.plotting; print('matplotlib' in sys.modules)"
    assert output_of(code) == "False"


def test_pictures_need_no_display():
    code = """
from skmetric.plotting import PairDistanceDisplay
import io
PairDistanceDisplay.from_predictions([1, 0], [1, 2]).figure_.savefig(file := io.BytesIO())
print(len(file.getvalue()) > 1000)
"""
    assert output_of(code) == "True"


def output_of(code):
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_matplotlib_the_error_names_the_extra(monkeypatch, embedding):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "skmetric\[plot\]"'):
        TrainingCurveDisplay.from_estimator(embedding)
    with pytest.raises(ImportError, match=r'pip install "skmetric\[plot\]"'):
        EmbeddingDisplay.from_predictions(np.eye(2), [0, 1])
