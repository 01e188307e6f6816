"""Tests of the display of distances in pairs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import STYLES, assert_readable, assert_within_figure, legend_names, strict_drawing
from sklearn.base import BaseEstimator
from sklearn.preprocessing import FunctionTransformer

from skmetric.plotting import PairDistanceDisplay
from skmetric.verification import PairVerifier


@pytest.fixture(autouse=True)
def closed_figures():
    with strict_drawing():
        yield


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
        ([1, 0], [1.0], "y has 2 labels, but there are 1 pairs"),
        ([1, 2], [1.0, 2.0], "y of pairs must be 0 and 1, or -1 and 1, .* got the values 1, 2"),
        (
            [1, 0, -1],
            [1.0, 2.0, 3.0],
            "y of pairs must be 0 and 1, or -1 and 1, .* got the values 1, 0, -1",
        ),
        ([1, np.nan], [1.0, 2.0], "y contains NaN or None"),
        ([1, None], [1.0, 2.0], "y contains NaN or None"),
        ([0, 1], [1.0, np.inf], "Input distances contains infinity"),
        ([1, 0], [1.0, np.nan], "NaN"),
        ([], [], "0 sample"),
    ],
)
def test_pairs_that_do_not_fit(y, distances, message):
    with pytest.raises(ValueError, match=message):
        PairDistanceDisplay.from_predictions(y, distances)


def test_a_verifier_that_accepts_nothing_is_drawn():
    X = np.array([[0.0], [1.0], [0.0], [3.0]])
    with pytest.warns(UserWarning, match="All pairs are predicted to be different"):
        verifier = PairVerifier(FunctionTransformer()).fit([[0, 1], [2, 3]], [0, 1], X=X)
    assert verifier.threshold_ == -np.inf
    display = PairDistanceDisplay.from_estimator(verifier, [[0, 1], [2, 3]], [0, 1], X=X)
    assert display.line_ is None and display.distances.tolist() == [1, 3]
