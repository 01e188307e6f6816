"""Weights of rows and of classes: a weight of 2 is a row given twice, in every combination."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from shared import X, Y, parameters_of

from skmetric import SoftmaxMLPClassifier

CLASSES = np.unique(Y)
TWICE = np.random.default_rng(0).permutation(150)[:60]
WEIGHTS = np.ones(150)
WEIGHTS[TWICE] = 2
ROWS = np.concatenate([np.arange(150), TWICE])  # each row as often as its weight says
# Class 2 has few rows, so that "balanced" is something else than no weights.
SOME = np.arange(115)
CLASS_WEIGHTS = [None, "balanced", {0: 2.0}, {0: 0.5, 2: 3.0}, {1: 0.0}]
SOLVERS = [{"solver": "sgd", "momentum": 0.0}, {"solver": "adam"}]


def classifier(**parameters):
    full_batch = {
        "batch_size": 10**6,
        "max_iter": 5,
        "learning_rate": "constant",
        "tol": 0.0,
        "shuffle": False,
    }
    return SoftmaxMLPClassifier(
        **(full_batch | {"hidden_layer_sizes": (5,), "random_state": 0} | parameters)
    )


def assert_near(model, other, rtol=1e-8):
    for W, V in zip(parameters_of(model), parameters_of(other), strict=True):
        assert_allclose(W, V, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("class_weight", CLASS_WEIGHTS, ids=repr)
@pytest.mark.parametrize("solver", SOLVERS, ids=["sgd", "adam"])
@pytest.mark.parametrize("loss", ["log_loss", "binary_log_loss"])
@pytest.mark.parametrize("form", [np.asarray, np.float32, list])
def test_a_weight_of_2_is_a_row_given_twice(class_weight, solver, loss, form):
    settings = {"class_weight": class_weight, "loss": loss} | solver
    rows = np.concatenate([SOME, SOME[WEIGHTS[SOME] == 2]])
    weighted = classifier(**settings).fit(X[SOME], Y[SOME], sample_weight=form(WEIGHTS[SOME]))
    assert_near(weighted, classifier(**settings).fit(X[rows], Y[rows]))


@pytest.mark.parametrize("class_weight", [None, {0: 2.0}, {0: 0.5, 2: 3.0}, {1: 0.0}], ids=repr)
@pytest.mark.parametrize("solver", SOLVERS, ids=["sgd", "adam"])
def test_a_weight_of_2_is_a_row_given_twice_in_a_pass(class_weight, solver):
    settings = {"class_weight": class_weight} | solver
    weighted = classifier(**settings).partial_fit(X, Y, classes=CLASSES, sample_weight=WEIGHTS)
    assert_near(weighted, classifier(**settings).partial_fit(X[ROWS], Y[ROWS], classes=CLASSES))


@pytest.mark.parametrize("solver", SOLVERS, ids=["sgd", "adam"])
def test_a_class_weight_of_2_is_each_row_of_the_class_given_twice(solver):
    twice = np.concatenate([np.arange(150), np.flatnonzero(Y == 1)])
    weighted = classifier(class_weight={1: 2.0}, **solver).fit(X, Y)
    assert_near(weighted, classifier(**solver).fit(X[twice], Y[twice]))


def test_balanced_weights_are_those_of_the_formula():
    sums = np.bincount(Y[SOME], weights=WEIGHTS[SOME])
    balanced = WEIGHTS[SOME] * (sums.sum() / (3 * sums))[Y[SOME]]
    model = classifier(class_weight="balanced").fit(X[SOME], Y[SOME], sample_weight=WEIGHTS[SOME])
    assert_near(model, classifier().fit(X[SOME], Y[SOME], sample_weight=balanced))


@pytest.mark.parametrize("unit", [1e308, 1e-300, 5e-324, 7.0])
@pytest.mark.parametrize("incremental", [False, True])
def test_the_unit_of_the_weights_does_not_matter(unit, incremental):
    def learned(weights):
        model = classifier(class_weight={0: 2.0})
        if incremental:
            return model.partial_fit(X, Y, classes=CLASSES, sample_weight=weights)
        return model.fit(X, Y, sample_weight=weights)

    ones = np.where(WEIGHTS == 2, 1.0, 0.0)
    with np.errstate(over="raise", invalid="raise"):
        assert_near(learned(unit * ones), learned(ones))


@pytest.mark.parametrize("unit", [1e308, 1e-300])
def test_the_unit_of_the_class_weights_does_not_matter(unit):
    one, other = ({0: 0.0, 1: 1.0, 2: 1.0}, {0: 0.0, 1: unit, 2: unit})
    assert_near(classifier(class_weight=one).fit(X, Y), classifier(class_weight=other).fit(X, Y))


def test_the_weight_of_a_class_that_is_missing_may_be_given():
    some = Y > 0
    model = classifier(class_weight={0: 5.0, 1: 2.0, 2: 1.0}).fit(X[some], Y[some])
    assert_near(model, classifier(class_weight={1: 2.0}).fit(X[some], Y[some]))


WRONG = {
    "nan": ({0: np.nan}, r"class_weight must have finite values >= 0, got nan for the class 0"),
    "inf": ({1: np.inf}, r"class_weight .* got inf for the class 1"),
    "negative": ({1: -1}, r"class_weight .* got -1 for the class 1"),
    "all zero": ({0: 0, 1: 0, 2: 0}, r"class_weight must contain at least one non-zero number"),
    "misspelt": ({"0": 2.0}, r"class_weight has factors for \['0'\], .* none for \[0, 1, 2\]"),
}


@pytest.mark.parametrize("class_weight, message", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("incremental", [False, True])
def test_wrong_class_weights_are_named(class_weight, message, incremental):
    model = classifier(class_weight=class_weight)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, Y, classes=CLASSES) if incremental else model.fit(X, Y)


@pytest.mark.parametrize("weight", [np.nan, np.inf, -1.0])
def test_wrong_sample_weights_are_named(weight):
    weights = np.ones(150)
    weights[3] = weight
    with pytest.raises(ValueError, match="sample_weight"):
        classifier().fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize("solver", SOLVERS, ids=["sgd", "adam"])
def test_weights_that_are_all_alike_change_nothing(solver):
    model = classifier(**solver).fit(X, Y)
    for W, V in zip(
        parameters_of(classifier(**solver).fit(X, Y, np.full(150, 4.0))), parameters_of(model)
    ):
        assert_array_equal(W, V)
