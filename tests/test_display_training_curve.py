"""Tests of the display of training curves."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from pictures import assert_within_figure, line_of, strict_drawing
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.plotting import TrainingCurveDisplay, WeightsDisplay


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


def test_training_curve_is_the_history(embedding):
    display = TrainingCurveDisplay.from_estimator(embedding)
    # The mean over the active triplets alone need not fall: the mean over all of them is drawn.
    names = {"loss": "mean_loss", "learning_rate": "learning_rate", "active_fraction": "active_fraction"}
    assert len(display.axes_) == len(names) and display.ax_ is display.axes_[0]
    for ax, (label, name) in zip(display.axes_, names.items()):
        assert line_of(ax) == ([1, 2, 3], [entry[name] for entry in embedding.history_])
        assert ax.get_ylabel().replace("\n", "_") == label
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
    losses = [entry["mean_loss"] for entry in embedding.history_]
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), losses)


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


@pytest.mark.parametrize("history", [[{}], [{"loss": np.nan}, {"loss": None}], [{"other": 1.0}]])
def test_a_history_without_values_is_an_error(history):
    with pytest.raises(ValueError, match="history has no values of loss, validation_score"):
        TrainingCurveDisplay(history).plot()
    assert plt.get_fignums() == []
