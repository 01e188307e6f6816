import inspect
import re

import numpy as np
import pytest
from shared import (
    ESTIMATORS,
    TRANSFORMERS,
    X,
    Y,
    assert_same_model,
    each,
    over_seeds,
    parameters_of,
)
from sklearn.datasets import load_digits, make_blobs

import skmetric

pytestmark = pytest.mark.filterwarnings(
    "ignore:The embedding collapses", "ignore:Nothing was learned", "ignore:The number of unique classes"
)

DIGITS, DIGIT_LABELS = (part[:300] for part in load_digits(return_X_y=True))
DIGITS = DIGITS / 16


def passes(model, k, X=X, y=Y):
    for _ in range(k):
        model.partial_fit(X, y, classes=np.unique(Y))
    return model


def assert_finite(model, values):
    assert all(np.isfinite(W).all() for W in parameters_of(model))
    assert np.isfinite(values).all()


# --- parameters -------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("batch_size", [1, 2, 149, 150, 151, 10**9])
def test_any_batch_size_trains(Estimator, batch_size, small, outputs):
    model = small(Estimator, batch_size=batch_size, max_iter=2).fit(X, Y)
    assert_finite(model, outputs(model, X))
    assert model.n_iter_ == 2


@each
def test_a_batch_is_clipped_to_the_rows(Estimator, small):
    one, two = (small(Estimator, batch_size=size).fit(X, Y) for size in (150, 10**9))
    assert_same_model(one, two)


@each
@pytest.mark.parametrize("batch_size", ["auto", 64])
@over_seeds()
def test_more_batches_than_one_may_be_asked_for(Estimator, batch_size, small):
    model = small(Estimator, batch_size=batch_size, max_iter=20).fit(DIGITS, DIGIT_LABELS)
    assert model.loss_ < model.loss_curve_[0]


ALL = ESTIMATORS
METRIC = TRANSFORMERS
SOFTMAX, TRIPLET, CONTRASTIVE, NEIGHBORHOOD = ([Estimator] for Estimator in ESTIMATORS)
WRONG = [
    (ALL, "hidden_layer_sizes", 0, r"\[1, inf\)"),
    (ALL, "hidden_layer_sizes", -3, r"\[1, inf\)"),
    (ALL, "hidden_layer_sizes", 2.5, "int"),
    (ALL, "hidden_layer_sizes", None, "int"),
    (ALL, "activation", "gelu", "'relu'"),
    (ALL, "activation", np.tanh, "'tanh'"),
    (ALL, "solver", "lbfgs", "'adam'"),
    (ALL, "alpha", -1e-9, "inf"),
    (ALL, "dropout", 1.0, "0.0, 1.0|0, 1"),
    (ALL, "dropout", -0.1, "0.0, 1.0|0, 1"),
    (ALL, "input_dropout", 1.0, "0.0, 1.0|0, 1"),
    (ALL, "input_dropout", -0.1, "0.0, 1.0|0, 1"),
    (ALL, "batch_size", 0, "'auto'"),
    (ALL, "batch_size", 2.5, "'auto'"),
    (ALL, "batch_size", "all", "'auto'"),
    (ALL, "learning_rate", "step", "'cosine'"),
    (ALL, "learning_rate_init", 0.0, "inf"),
    (ALL, "learning_rate_init", -1.0, "inf"),
    (ALL, "decay_rate", -1.0, "inf"),
    (ALL, "max_iter", 0, r"\[1, inf\)"),
    (ALL, "max_iter", 2.5, "int"),
    (ALL, "shuffle", "yes", "bool"),
    (ALL, "random_state", "seed", "RandomState"),
    (ALL, "tol", -1.0, "inf"),
    (ALL, "warm_start", "yes", "bool"),
    (ALL, "momentum", 1.5, "1"),
    (ALL, "nesterovs_momentum", "yes", "bool"),
    (ALL, "early_stopping", "yes", "bool"),
    (ALL, "validation_fraction", 0.0, "1"),
    (ALL, "validation_fraction", 1.0, "1"),
    (ALL, "n_iter_no_change", 0, "inf"),
    (METRIC, "n_components", 0, r"\[1, inf\)"),
    (METRIC, "n_components", 2.5, "int"),
    (TRIPLET + CONTRASTIVE, "reduction", "sum", "'active'"),
    (METRIC, "normalize", "l2", "bool"),
    (METRIC, "batch_sampler", "random", "'balanced'"),
    (TRIPLET, "margin", 0.0, "inf"),
    (TRIPLET, "margin", -1.0, "inf"),
    (TRIPLET, "distance", "cosine", "'euclidean'"),
    (TRIPLET, "mining", "easy", "'semihard'"),
    (CONTRASTIVE, "positive_margin", -1.0, "inf"),
    (CONTRASTIVE, "negative_margin", -1.0, "inf"),
    (CONTRASTIVE, "negative_weight", -1.0, "inf"),
    (NEIGHBORHOOD, "loss", "log_loss", "'neighborhood_components'"),
    (NEIGHBORHOOD, "temperature", 0.0, "inf"),
    (NEIGHBORHOOD, "temperature", -1.0, "inf"),
    (NEIGHBORHOOD, "temperature", "auto", "float"),
    (SOFTMAX, "loss", "hinge", "'log_loss'"),
    (SOFTMAX, "class_weight", "even", "'balanced'"),
]


@pytest.mark.parametrize(
    "Estimator, name, value, allowed",
    [(Estimator, *rest) for estimators, *rest in WRONG for Estimator in estimators],
)
def test_a_wrong_parameter_is_refused_with_the_allowed_values(Estimator, name, value, allowed, small):
    model = small(Estimator, **{name: value})
    expected = f"The '{name}' parameter of {Estimator.__name__} must be .*({allowed})"
    with pytest.raises(ValueError, match=expected):
        model.fit(X, Y)
    with pytest.raises(ValueError, match=expected):
        model.partial_fit(X, Y)


@each
@pytest.mark.parametrize("hidden", [(4, 0), (-1,), (4, 2.5), ("a",), (None,), [4, -2]], ids=repr)
def test_a_wrong_layer_is_refused(Estimator, hidden, small):
    with pytest.raises(ValueError, match="hidden_layer_sizes must be"):
        small(Estimator, hidden_layer_sizes=hidden).fit(X, Y)


@each
def test_parameters_are_keywords_but_the_first_two(Estimator):
    names = list(inspect.signature(Estimator).parameters.values())
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in names[2:])
    assert not any(parameter.kind is parameter.KEYWORD_ONLY for parameter in names[:2])


# --- verbose ----------------------------------------------------------------------------------------

LINE = (
    r"Epoch {}/3, Loss: [-+.e\d]+, Learning Rate: [-+.e\d]+(, Active: [.\d]+%)?"
    r"(, Validation Score: [.\d]+)?, Time Left: \d+ s"
)


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_a_line_an_epoch(Estimator, early_stopping, small, capsys):
    small(Estimator, verbose=True, early_stopping=early_stopping).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(LINE.format(number), line)


@each
def test_nothing_is_printed_otherwise(Estimator, small, capsys):
    passes(small(Estimator).fit(X, Y), 1).score(X, Y)
    assert capsys.readouterr() == ("", "")


@each
def test_verbose_changes_no_bit(Estimator, small, capsys):
    assert_same_model(small(Estimator, verbose=True).fit(X, Y), small(Estimator).fit(X, Y))
    assert "Epoch 3/3" in capsys.readouterr().out


def test_public_names():
    assert sorted(skmetric.__all__) == sorted(Estimator.__name__ for Estimator in ESTIMATORS)
    assert re.match(r"\d+\.\d+", skmetric.__version__)


@each
@over_seeds()
def test_far_clusters_are_told_apart(Estimator, small):
    rows, labels = make_blobs(200, centers=4, n_features=6, random_state=0)
    assert small(Estimator, max_iter=20).fit(rows, labels).score(rows, labels) > 0.95


@each
def test_weights_that_explode_but_stay_finite_are_refused(Estimator):
    model = Estimator(hidden_layer_sizes=(8,), learning_rate_init=1e30, max_iter=5, random_state=0)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit(X.astype(np.float64), Y)
