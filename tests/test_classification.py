import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_softmax, softmax
from shared import X, Y, assert_same_parameters, over_seeds
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import SoftmaxMLPClassifier

CLASSES = np.unique(Y)
TWO = Y > 0  # the last two classes as one
HIDDEN = {
    "relu": lambda A: np.maximum(A, 0),
    "tanh": np.tanh,
    "logistic": expit,
    "identity": lambda A: A,
}


@pytest.fixture
def classifier(small):
    return lambda **parameters: small(SoftmaxMLPClassifier, **parameters)


def layers(model, rows, activation="relu"):
    """Outputs of all layers, the last without activation, in plain NumPy."""
    found = [rows]
    for W, b in zip(model.coefs_, model.intercepts_):
        found.append(found[-1] @ W + b)
        if W is not model.coefs_[-1]:
            found[-1] = HIDDEN[activation](found[-1])
    return found


def assert_near_parameters(model, other, **tolerance):
    for W, V in zip([*model.coefs_, *model.intercepts_], [*other.coefs_, *other.intercepts_]):
        assert_allclose(W, V, **tolerance)


# --- the loss and its descent -----------------------------------------------------------------------


def textbook_step(coefs, intercepts, rows, codes, rate, alpha):
    """One step of gradient descent on the cross-entropy, for relu layers."""
    H = [rows]
    for W, b in zip(coefs[:-1], intercepts[:-1]):
        H.append(np.maximum(H[-1] @ W + b, 0))
    delta = (softmax(H[-1] @ coefs[-1] + intercepts[-1], axis=1) - np.eye(3)[codes]) / len(rows)
    for layer in reversed(range(len(coefs))):
        dW, db = H[layer].T @ delta, delta.sum(axis=0)
        delta = (delta @ coefs[layer].T) * (H[layer] > 0)
        coefs[layer] = coefs[layer] - rate * (dW + alpha * coefs[layer])
        intercepts[layer] = intercepts[layer] - rate * db


@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_an_epoch_is_the_textbook_descent(hidden, alpha, classifier):
    settings = {"hidden_layer_sizes": hidden, "solver": "sgd", "momentum": 0.0, "shuffle": False}
    settings |= {"alpha": alpha, "max_iter": 1, "learning_rate_init": 0.1}
    start = classifier(learning_rate=lambda epoch: 0.0, **settings).fit(X, Y)
    coefs, intercepts = list(start.coefs_), list(start.intercepts_)
    for first in range(0, 150, 32):
        rows = slice(first, first + 32)
        textbook_step(coefs, intercepts, X[rows], Y[rows], 0.1, alpha)
    model = classifier(**settings).fit(X, Y)
    for W, expected in zip([*model.coefs_, *model.intercepts_], [*coefs, *intercepts]):
        assert_allclose(W, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_the_loss_is_the_mean_of_the_batches_with_the_penalty(alpha, classifier):
    settings = {"learning_rate": lambda epoch: 0.0, "solver": "sgd", "alpha": alpha, "max_iter": 1}
    model = classifier(**settings).fit(X, Y)
    P = softmax(layers(model, X)[-1], axis=1)
    penalty = 0.5 * alpha * sum((W**2).sum() for W in model.coefs_)
    assert_allclose(model.loss_, -np.log(P[np.arange(150), Y]).mean() + penalty)


@pytest.fixture(scope="module")
def digits():
    rows, labels = load_digits(return_X_y=True)
    return train_test_split(rows[:900] / 16, labels[:900], test_size=300, random_state=0)


@over_seeds(10)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_learns_as_well_as_mlp_classifier(digits, classifier, seed):
    train_rows, test_rows, train_labels, test_labels = digits
    settings = {"hidden_layer_sizes": (40,), "activation": "tanh", "solver": "sgd", "momentum": 0.0}
    settings |= {"learning_rate": "constant", "learning_rate_init": 0.2, "batch_size": 30}
    settings |= {"alpha": 0.0, "max_iter": 8, "n_iter_no_change": 100}
    losses, scores = np.empty((2, 4)), np.empty((2, 4))
    for run in range(4):
        random_state = 4 * seed + run
        ours = classifier(**settings, random_state=random_state)
        theirs = MLPClassifier(**settings, random_state=random_state)
        for i, model in enumerate([ours, theirs]):
            model.fit(train_rows, train_labels)
            losses[i, run] = model.loss_
            scores[i, run] = model.score(test_rows, test_labels)
    our_loss, their_loss = losses.mean(axis=1)
    our_score, their_score = scores.mean(axis=1)
    assert our_loss == pytest.approx(their_loss, rel=0.1)
    assert our_score == pytest.approx(their_score, abs=0.02)
    assert our_score > 0.9


def test_without_hidden_layers_it_is_logistic_regression(classifier):
    rows = StandardScaler().fit_transform(X)
    settings = {"hidden_layer_sizes": (), "alpha": 1 / 150, "solver": "sgd", "momentum": 0.9}
    settings |= {"batch_size": 150, "learning_rate_init": 0.5, "max_iter": 400}
    model = classifier(**settings).fit(rows, Y)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(rows, Y)
    assert_allclose(model.predict_proba(rows), theirs.predict_proba(rows), atol=1e-3)


@pytest.mark.parametrize("loss", ["log_loss", "binary_log_loss"])
@pytest.mark.parametrize("hidden", [(), (16,), (16, 16)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@over_seeds()
def test_it_learns(loss, hidden, dtype, classifier):
    model = classifier(loss=loss, hidden_layer_sizes=hidden, max_iter=60)
    model.fit(StandardScaler().fit_transform(X).astype(dtype), Y)
    assert model.loss_ < 0.5 * model.loss_curve_[0]
    assert model.score(StandardScaler().fit_transform(X).astype(dtype), Y) > 0.85


@over_seeds()
def test_the_losses_are_not_the_same(classifier):
    one, two = (classifier(loss=loss).fit(X, Y) for loss in ("log_loss", "binary_log_loss"))
    assert not np.array_equal(one.coefs_[0], two.coefs_[0])
    assert one.loss_curve_[0] < two.loss_curve_[0]


@over_seeds()
def test_cross_validation_in_a_pipeline(classifier):
    pipeline = make_pipeline(StandardScaler(), classifier(max_iter=60))
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.9


# --- predictions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
def test_outputs_are_those_of_plain_arrays(activation, hidden, classifier):
    model = classifier(activation=activation, hidden_layer_sizes=hidden).fit(X, Y)
    Z = layers(model, X, activation)[-1]
    assert_allclose(model.decision_function(X), Z, rtol=1e-10, atol=1e-12)
    assert_allclose(model.predict_proba(X), softmax(Z, axis=1), rtol=1e-10)
    assert_allclose(model.predict_log_proba(X), log_softmax(Z, axis=1), rtol=1e-10)
    assert_array_equal(model.predict(X), Z.argmax(axis=1))


@pytest.mark.parametrize("n", [1, 2, 1023, 1024, 1025, 2500])
def test_any_number_of_rows_can_be_predicted(n, classifier):
    model = classifier().fit(X, Y)
    rows = np.tile(X, (17, 1))[:n]
    assert_allclose(model.decision_function(rows), layers(model, rows)[-1], rtol=1e-10)


def test_scores_of_two_classes_are_one_column(classifier):
    model = classifier().fit(X, TWO)
    Z = layers(model, X)[-1]
    assert_allclose(model.decision_function(X), Z[:, 1] - Z[:, 0], rtol=1e-10, atol=1e-12)
    assert_array_equal(model.predict(X), model.decision_function(X) > 0)
    assert model.predict_proba(X).shape == (150, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [Y, TWO], ids=["three", "two"])
def test_probabilities_sum_to_one(dtype, labels, classifier):
    model = classifier().fit(X.astype(dtype), labels)
    P = model.predict_proba(X.astype(dtype))
    assert_allclose(P.sum(axis=1), 1, rtol=1e-6)
    assert (P >= 0).all()
    assert_allclose(np.log(P), model.predict_log_proba(X.astype(dtype)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [Y, TWO], ids=["three", "two"])
@pytest.mark.parametrize("factor", [1e6, 1e30])
def test_far_rows_have_finite_probabilities(dtype, labels, factor, classifier):
    model = classifier(hidden_layer_sizes=(8, 8)).fit(X.astype(dtype), labels)
    far = (X * factor).astype(dtype)
    assert np.isfinite(model.predict_log_proba(far)).all()
    assert np.isfinite(model.decision_function(far)).all()
    assert_allclose(model.predict_proba(far).sum(axis=1), 1, rtol=1e-6)


def test_score_is_the_accuracy(classifier):
    model = classifier().fit(X, Y)
    weights = np.random.default_rng(0).random(150)
    assert model.score(X, Y) == accuracy_score(Y, model.predict(X))
    assert model.score(X, Y, weights) == accuracy_score(Y, model.predict(X), sample_weight=weights)


@pytest.mark.parametrize(
    "names",
    [
        np.array(["lily", "aster", "rose"]),
        np.array(["lily", "aster", "rose"], dtype=object),
        np.array([40, -7, 1000]),
        np.array([2.0, -1.0, 5.0]),
    ],
    ids=["str", "object", "int", "float"],
)
@over_seeds()
def test_predictions_are_labels(names, classifier):
    model = classifier(max_iter=40).fit(X, names[Y])
    assert model.predict(X).dtype == names.dtype
    assert np.mean(model.predict(X) == names[Y]) > 0.9
    order = np.argsort(names)
    assert_array_equal(model.predict(X), names[order][model.predict_proba(X).argmax(axis=1)])


@over_seeds()
def test_predictions_of_bool_labels_are_bool(classifier):
    model = classifier(max_iter=40).fit(X, TWO)
    assert model.predict(X).dtype == bool
    assert np.mean(model.predict(X) == TWO) > 0.9


# --- transform --------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize("hidden", [(8,), (8, 5)])
def test_transform_gives_the_last_hidden_layer(activation, hidden, classifier):
    model = classifier(activation=activation, hidden_layer_sizes=hidden).fit(X, Y)
    assert_allclose(model.transform(X), layers(model, X, activation)[-2], rtol=1e-10, atol=1e-12)
    assert model.get_feature_names_out().shape == (hidden[-1],)


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("name", ["transform", "fit_transform", "get_feature_names_out", "set_output"])
def test_only_a_hidden_layer_is_a_transformer(fitted, name, classifier):
    model = classifier(hidden_layer_sizes=())
    if fitted:
        model.fit(X, Y)
    assert not hasattr(model, name)
    with pytest.raises(AttributeError, match=f"no attribute '{name}'") as caught:
        getattr(model, name)
    assert "hidden_layer_sizes=() has none" in str(caught.value.__cause__)
    assert hasattr(classifier(), name)


@over_seeds()
def test_transform_feeds_other_classifiers(classifier):
    pipeline = make_pipeline(StandardScaler(), classifier(max_iter=60), KNeighborsClassifier())
    assert pipeline.fit(X, Y).score(X, Y) > 0.9


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_hidden_units_are_finite_where_their_sum_is_too_large(activation):
    rng = np.random.default_rng(0)
    rows = (1e38 * rng.normal(size=(18, 3))).astype(np.float32)
    settings = {"activation": activation, "standardize": False, "max_iter": 2, "n_networks": 2}
    for state in range(20):
        model = SoftmaxMLPClassifier((3,), **settings, random_state=state).fit(rows, np.arange(18) % 3)
        assert np.abs(model.transform(rows)).max() == 1


def test_transform_may_give_a_data_frame(classifier):
    model = classifier().set_output(transform="pandas").fit(X, Y)
    frame = model.transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(model.get_feature_names_out())
    assert isinstance(model.predict_proba(X), np.ndarray)


# --- dropout ----------------------------------------------------------------------------------------


each_kind = pytest.mark.parametrize("kind", ["dropout", "input_dropout"])


@each_kind
def test_dropout_changes_training(kind, classifier):
    plain, dropped = (classifier(**{kind: dropout}).fit(X, Y) for dropout in (0.0, 0.5))
    assert not np.array_equal(plain.coefs_[0], dropped.coefs_[0])


@each_kind
@pytest.mark.parametrize("dropout", [0.0, 0.5, 0.9])
def test_dropout_does_not_change_prediction(dropout, kind, classifier):
    model = classifier(**{kind: dropout}, hidden_layer_sizes=(8, 8)).fit(X, Y)
    assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    assert_allclose(model.decision_function(X), layers(model, X)[-1], rtol=1e-10, atol=1e-12)


def test_dropout_without_hidden_layers_changes_nothing(classifier):
    plain, dropped = (
        classifier(dropout=dropout, hidden_layer_sizes=()).fit(X, Y) for dropout in (0.0, 0.5)
    )
    assert_same_parameters(plain, dropped)


# --- weights ----------------------------------------------------------------------------------------

ONE_BATCH = {"solver": "sgd", "batch_size": 10_000, "max_iter": 20, "learning_rate_init": 0.1}


@pytest.mark.parametrize("loss", ["log_loss", "binary_log_loss"])
def test_a_weight_of_two_is_a_row_given_twice(loss, classifier):
    times = np.random.default_rng(0).integers(1, 4, 150)
    weighted = classifier(loss=loss, **ONE_BATCH).fit(X, Y, sample_weight=times)
    repeated = classifier(loss=loss, **ONE_BATCH).fit(np.repeat(X, times, axis=0), np.repeat(Y, times))
    assert_near_parameters(weighted, repeated, rtol=1e-8, atol=1e-10)
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_)


def test_a_weight_of_zero_is_a_row_left_out(classifier):
    kept = np.random.default_rng(0).random(150) < 0.7
    weighted = classifier(**ONE_BATCH).fit(X, Y, sample_weight=kept)
    assert_near_parameters(weighted, classifier(**ONE_BATCH).fit(X[kept], Y[kept]), rtol=1e-8, atol=1e-10)


def test_only_the_ratio_of_weights_matters(classifier):
    weights = np.random.default_rng(0).random(150)
    one, two = (classifier().fit(X, Y, sample_weight=factor * weights) for factor in (1, 1024))
    assert_near_parameters(one, two, rtol=1e-8, atol=1e-12)


def test_equal_weights_are_no_weights(classifier):
    weighted = classifier().fit(X, Y, sample_weight=np.full(150, 3.0))
    assert_near_parameters(weighted, classifier().fit(X, Y), rtol=1e-8, atol=1e-12)


def test_class_weights_are_weights_of_rows(classifier):
    by_class = {0: 1.0, 1: 5.0, 2: 0.5}
    one = classifier(class_weight=by_class).fit(X, Y)
    two = classifier().fit(X, Y, sample_weight=np.array([1.0, 5.0, 0.5])[Y])
    assert_near_parameters(one, two, rtol=1e-8, atol=1e-12)


def test_class_weights_multiply_the_weights_of_rows(classifier):
    weights = np.random.default_rng(0).random(150)
    one = classifier(class_weight={0: 4.0}).fit(X, Y, sample_weight=weights)
    two = classifier().fit(X, Y, sample_weight=np.where(Y == 0, 4, 1) * weights)
    assert_near_parameters(one, two, rtol=1e-8, atol=1e-12)


def test_balanced_weights_are_inverse_to_the_sizes(classifier):
    rows, labels = X[40:], Y[40:]  # 10, 50 and 50
    one = classifier(class_weight="balanced").fit(rows, labels)
    two = classifier(class_weight={0: 5.0}).fit(rows, labels)
    assert_near_parameters(one, two, rtol=1e-8, atol=1e-12)


def test_class_weights_are_of_labels(classifier):
    names = np.array(["p", "q", "r"])
    one = classifier(class_weight={"p": 2.0}).fit(X, names[Y])
    assert_same_parameters(one, classifier(class_weight={0: 2.0}).fit(X, Y))


@over_seeds()
def test_a_heavy_class_is_predicted_more_often(classifier, seed):
    rows = np.random.default_rng(seed).normal(size=(300, 4))
    labels = np.random.default_rng(1000 + seed).integers(0, 2, 300)
    shares = [
        classifier(class_weight={1: weight}, max_iter=20).fit(rows, labels).predict(rows).mean()
        for weight in (0.1, 10)
    ]
    assert shares[0] < 0.2 < 0.8 < shares[1]


def test_early_stopping_takes_weights(classifier):
    weights = np.where(Y == 0, 0.25, 1.0)
    model = classifier(early_stopping=True, validation_fraction=0.2).fit(X, Y, sample_weight=weights)
    assert all(0 <= score <= 1 for score in model.validation_scores_)


WRONG_WEIGHTS = {
    "all zero": (np.zeros(150), "non-zero"),
    "negative": (-np.ones(150), "[Nn]egative"),
    "one negative": (np.r_[-0.1, np.ones(149)], "[Nn]egative"),
    "one class left": (np.where(Y == 1, 1.0, 0.0), "class"),
    "NaN": (np.r_[np.nan, np.ones(149)], "NaN"),
    "infinite": (np.r_[np.inf, np.ones(149)], "infinity"),
    "too few": (np.ones(149), r"\(149,\)"),
    "two columns": (np.ones((150, 2)), "1D|1d"),
}


@pytest.mark.parametrize("weights, words", WRONG_WEIGHTS.values(), ids=WRONG_WEIGHTS.keys())
def test_wrong_weights_are_refused(weights, words, classifier):
    with pytest.raises(ValueError, match=words):
        classifier().fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize("name", ["all zero", "negative", "NaN", "too few"])
def test_wrong_weights_are_refused_in_a_pass(name, classifier):
    weights, words = WRONG_WEIGHTS[name]
    with pytest.raises(ValueError, match=words):
        classifier().partial_fit(X, Y, classes=CLASSES, sample_weight=weights)


def test_early_stopping_refuses_weights_that_leave_nothing_to_validate(classifier):
    weights = np.zeros(150)
    weights[[0, 60]] = 1
    with pytest.raises(ValueError, match="validation_fraction"):
        classifier(early_stopping=True).fit(X, Y, sample_weight=weights)


# --- partial_fit ------------------------------------------------------------------------------------


def test_the_first_pass_needs_the_classes(classifier):
    with pytest.raises(ValueError, match="classes"):
        classifier().partial_fit(X, Y)


def test_a_pass_after_fit_needs_no_classes(classifier):
    model = classifier().fit(X, Y).partial_fit(X[:50], Y[:50])
    assert model.n_iter_ == 4
    assert_array_equal(model.classes_, CLASSES)


def test_a_pass_may_see_one_class(classifier):
    model = classifier().partial_fit(X[:50], Y[:50], classes=CLASSES)
    assert model.predict_proba(X).shape == (150, 3)
    assert_array_equal(model.classes_, CLASSES)


@pytest.mark.parametrize("classes", [[0, 1], [0, 1, 3]])
def test_unseen_labels_are_refused_in_the_first_pass(classes, classifier):
    with pytest.raises(ValueError, match="2"):
        classifier().partial_fit(X, Y, classes=classes)


def test_unseen_labels_are_refused_later(classifier):
    model = classifier().partial_fit(X, Y, classes=CLASSES)
    with pytest.raises(ValueError, match="7"):
        model.partial_fit(X, np.where(Y == 2, 7, Y))
    assert model.n_iter_ == 1


def test_other_classes_are_refused_later(classifier):
    model = classifier().partial_fit(X, Y, classes=CLASSES)
    with pytest.raises(ValueError, match="classes"):
        model.partial_fit(X, Y, classes=[0, 1, 2, 3])


def test_one_class_is_refused_in_a_pass(classifier):
    with pytest.raises(ValueError, match="class"):
        classifier().partial_fit(X[:50], Y[:50], classes=[0])


def test_classes_need_not_be_sorted(classifier):
    one, two = (classifier().partial_fit(X, Y, classes=classes) for classes in ([2, 0, 1], [0, 1, 2]))
    assert_same_parameters(one, two)
    assert_array_equal(one.classes_, [0, 1, 2])


def test_balanced_weights_are_refused_in_a_pass(classifier):
    with pytest.raises(ValueError, match="balanced"):
        classifier(class_weight="balanced").partial_fit(X, Y, classes=CLASSES)


def test_a_pass_takes_weights_of_rows(classifier):
    weights = np.random.default_rng(0).random(150)
    model = classifier(max_iter=1)
    passed = clone(model).partial_fit(X, Y, classes=CLASSES, sample_weight=weights)
    assert_same_parameters(passed, model.fit(X, Y, sample_weight=weights))


@pytest.mark.parametrize("sample_weight", [None, np.full(50, 7.0)])
def test_a_pass_over_one_class_feels_the_weight_of_its_class(sample_weight, classifier):
    def step_of(class_weight):
        model = classifier(
            class_weight=class_weight,
            solver="sgd",
            momentum=0,
            alpha=0,
            batch_size=50,
            hidden_layer_sizes=(),
        )
        model.partial_fit(X[100:], Y[100:], classes=CLASSES)
        before = model.coefs_[0].copy()
        model.partial_fit(X[:50], Y[:50], sample_weight=sample_weight)
        return before, model.coefs_[0] - before

    before, step = step_of(None)
    weighted_before, weighted_step = step_of({0: 3.0})
    assert_array_equal(weighted_before, before)
    np.testing.assert_allclose(weighted_step, 3 * step, rtol=1e-6)


def test_a_pass_over_a_block_without_a_weighted_class(classifier):
    model = classifier(class_weight={2: 3.0}).partial_fit(X[:100], Y[:100], classes=CLASSES)
    assert np.isfinite(model.loss_)


# --- warm start -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [TWO, Y + 1, np.array(["a", "b", "c"])[Y], np.arange(150) % 4],
    ids=["two", "int", "str", "four"],
)
def test_a_warm_start_refuses_other_classes(labels, classifier):
    model = classifier(warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(X, labels)
    assert_array_equal(model.classes_, CLASSES)
    assert set(model.predict(X)) <= set(CLASSES)


def test_a_plain_refit_takes_other_classes(classifier):
    model = classifier().fit(X, Y).fit(X, TWO)
    assert_array_equal(model.classes_, [False, True])


@pytest.mark.parametrize("n_networks", [1, 3])
@pytest.mark.parametrize("labels", [Y, TWO], ids=["three classes", "two classes"])
def test_the_largest_logits_have_finite_differences_and_logarithms(classifier, labels, n_networks):
    model = classifier(hidden_layer_sizes=(), n_networks=n_networks).fit(X.astype(np.float64), labels)
    for b in model.intercepts_:
        b[...] = np.linspace(-1, 1, b.shape[-1]) * 0.9 * np.finfo(np.float64).max
    last = np.eye(len(model.classes_))[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(model.predict_proba(X), np.tile(last, (len(X), 1)))
        logarithms = model.predict_log_proba(X)
        decisions = model.decision_function(X)
        assert_array_equal(model.predict(X), model.classes_[-1])
    assert np.isfinite(logarithms).all() and (logarithms[:, -1] == 0).all()
    assert np.isfinite(decisions).all()
