"""Tests of the display of embeddings."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from pictures import STYLES, assert_readable, assert_within_figure, blobs, legend_names, strict_drawing
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.plotting import EmbeddingDisplay


@pytest.fixture(autouse=True)
def closed_figures():
    with strict_drawing():
        yield


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
    "y", [["b", "a", "c"], [2.0, -1, 0], [True, False, True], np.array(["b", "a", "c"], dtype=object)]
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
        ({"Z_test": np.eye(3)}, "must be given together"),
        ({"y_test": [0]}, "must be given together"),
        ({"Z_test": np.eye(3), "y_test": [0, 1]}, "inconsistent numbers of samples"),
        ({"Z_test": np.ones((2, 4)), "y_test": [0, 1]}, "Z has 3 columns, but Z_test has 4"),
        ({"Z": np.full((3, 3), np.nan)}, "NaN"),
    ],
)
def test_embeddings_that_do_not_fit(given, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_predictions(**({"Z": np.eye(3), "y": [0, 1, 1]} | given))
    assert plt.get_fignums() == []


MISSING = [
    [0.0, np.nan, 1.0],
    ["a", None, "b"],
    np.array(["a", np.nan, "b"], dtype=object),
    pd.Series(["a", pd.NA, "b"], dtype="string"),
    pd.Series([1, None, 2], dtype="Int64"),
]


@pytest.mark.parametrize("y", MISSING, ids=repr)
def test_a_missing_label_is_no_class(y):
    with pytest.raises(ValueError, match=r"y contains NaN or None: 1 .* at position 1"):
        EmbeddingDisplay.from_predictions(np.eye(3), y)
    with pytest.raises(ValueError, match="y_test contains NaN or None"):
        EmbeddingDisplay.from_predictions(np.eye(3), [0, 1, 2], Z_test=np.eye(3), y_test=y)


@pytest.mark.parametrize("y, y_test", [([1, 2, 3], ["1", "2", "3"]), (["a", "b", "c"], [1, 2, 3])])
def test_numbers_and_strings_are_not_the_same_classes(y, y_test):
    with pytest.raises(ValueError, match=r"y.* holds numbers and y.* holds strings"):
        EmbeddingDisplay.from_predictions(np.eye(3), y, Z_test=np.eye(3), y_test=y_test)


@pytest.mark.parametrize(
    "transform, message",
    [
        (lambda X: None, "must return a finite matrix"),
        (lambda X: X[:, 0], "got 1D array"),
        (lambda X: X * np.nan, "NaN"),
        (lambda X: X[1:], "must return a row for each row: got 149 rows for 150"),
    ],
)
def test_transformers_that_return_nonsense_are_named(iris, transform, message):
    with pytest.raises(ValueError, match=f"FunctionTransformer.transform.*{message}"):
        EmbeddingDisplay.from_estimator(FunctionTransformer(transform), *iris)
