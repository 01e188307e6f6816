"""Words that name the culprit, the value and the way out."""

import warnings

import numpy as np
import pandas as pd
import pytest
from shared import TRANSFORMERS, X, Y, each, each_transformer
from sklearn.exceptions import UndefinedMetricWarning

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.pairs import make_pairs
from skmetric.verification import PairVerifier

EXTREME = [
    (TripletMetricTransformer, "margin", 1e300),
    (TripletMetricTransformer, "margin", 1e30),
    (NeighborhoodMetricTransformer, "temperature", 1e300),
    (NeighborhoodMetricTransformer, "temperature", 1e-300),
    (ContrastiveMetricTransformer, "negative_margin", 1e300),
    (ContrastiveMetricTransformer, "negative_weight", 1e300),
    (SoftmaxMLPClassifier, "alpha", 1e300),
    (TripletMetricTransformer, "alpha", 1e300),
]


@pytest.mark.parametrize("Estimator, name, value", EXTREME)
def test_a_divergence_is_blamed_on_the_parameter_that_is_extreme(Estimator, name, value, small):
    model = small(Estimator, **{name: value})
    with warnings.catch_warnings(), pytest.raises(ValueError) as caught:
        warnings.simplefilter("error")
        model.fit(X.astype(np.float32), Y)
    message = str(caught.value)
    assert message.startswith(f"Training of {Estimator.__name__} diverged")
    assert f"The cause is {name}={value}: use a value between " in message
    assert message.endswith(" and 1e+08.")
    assert "learning_rate_init" not in message


@each
def test_a_divergence_is_blamed_on_the_rate_if_nothing_else_is_extreme(Estimator, small):
    model = small(Estimator, solver="sgd", learning_rate_init=1e30)
    with pytest.raises(
        ValueError, match=r"diverged: .* Lower learning_rate_init \(now 1e\+30\), or scale X"
    ):
        model.fit(X, Y)


@each
def test_a_penalty_that_overshoots_is_named(Estimator, small):
    model = small(Estimator, solver="sgd", momentum=0.0, alpha=1e4, learning_rate_init=0.01, max_iter=50)
    with pytest.raises(
        ValueError, match=r"The cause is alpha=10000.0: its product with learning_rate_init=0.01"
    ):
        model.fit(X, Y)


@each
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30])
def test_rows_of_any_size_bring_no_raw_warnings(Estimator, scale, small):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        try:
            small(Estimator).fit(scale * X, Y)
        except ValueError as error:
            assert "scale X" in str(error) or "Scale X" in str(error)


@each
@pytest.mark.parametrize("factor", [None, 1j, np.ones(3), "fast", -1.0, np.nan], ids=repr)
def test_a_learning_rate_function_that_returns_no_factor_is_named(Estimator, factor, small):
    model = small(Estimator, learning_rate=lambda epoch: factor)
    with pytest.raises(ValueError, match="A learning_rate function must return a finite number >= 0"):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("mined", [None, 3.0, (np.ones((2, 2)), 1.0), (None, None)], ids=repr)
def test_a_mining_function_that_returns_nonsense_is_named(mined, small):
    model = small(TripletMetricTransformer, mining=lambda *_: mined)
    with pytest.raises((TypeError, ValueError), match="A mining function must return"):
        model.fit(X, Y)


@each
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_missing_labels_are_asked_for_by_the_estimator(Estimator, method, small):
    model = small(Estimator)
    arguments = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match=f"This {Estimator.__name__} estimator requires y to be passed"):
        getattr(model, method)(X, **arguments)


@each_transformer
def test_missing_labels_of_fit_transform_are_asked_for(Estimator, small):
    with pytest.raises(ValueError, match=f"This {Estimator.__name__} estimator requires y to be passed"):
        small(Estimator).fit_transform(X)


def test_missing_labels_of_pairs_are_asked_for(small):
    with pytest.raises(ValueError, match="ContrastiveMetricTransformer needs the labels y of the pairs"):
        small(ContrastiveMetricTransformer).fit_pairs([[0, 1]], X=X)


@each
@pytest.mark.parametrize(
    "labels", [np.array([1.0, np.nan, 2.0]), np.array(["a", None, "b"], dtype=object)]
)
def test_labels_that_are_missing_are_refused(Estimator, labels, small):
    with pytest.raises(ValueError, match=r"NaN|None|missing"):
        small(Estimator).fit(X, np.tile(labels, 50))


@each
def test_minus_1_is_a_class_as_any_other(Estimator, small, outputs):
    one, other = (small(Estimator).fit(X, y) for y in (Y, Y - 1))
    np.testing.assert_array_equal(outputs(one, X), outputs(other, X))
    assert other.classes_.tolist() == [-1, 0, 1]


@each
@pytest.mark.parametrize("label", [np.int64(1), np.float64(2.0), np.str_("a")], ids=repr)
def test_labels_in_messages_are_written_as_users_write_them(Estimator, label, small):
    with pytest.raises(ValueError, match=f"only one class: {label.item()!r}"):
        small(Estimator).fit(X, np.full(150, label))


@each
@pytest.mark.parametrize("sizes", [True, (4, True), [[3, 4], [1, 2]], 2.5, "8"], ids=repr)
def test_hidden_layers_that_are_no_widths_are_refused(Estimator, sizes, small):
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        small(Estimator, hidden_layer_sizes=sizes).fit(X, Y)


# --- subclasses -------------------------------------------------------------------------------------


@each
def test_a_subclass_may_have_parameters_of_its_own(Estimator, small, outputs):
    class Own(Estimator):
        def __init__(self, width=8, rounds=3):
            super().__init__(hidden_layer_sizes=(width,), n_networks=1, max_iter=rounds, random_state=0)
            self.width = width
            self.rounds = rounds

    model = Own(rounds=2).fit(X, Y)
    assert model.n_iter_ == 2 and model.coefs_[0].shape == (4, 8)
    assert model.get_params() == {"width": 8, "rounds": 2}
    plain = Estimator(hidden_layer_sizes=(8,), n_networks=1, max_iter=2, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(outputs(model, X), outputs(plain, X))


@pytest.mark.parametrize("Estimator", TRANSFORMERS)
def test_a_subclass_may_have_no_init(Estimator):
    class Own(Estimator):
        """Nothing new."""

    assert Own(3, max_iter=2, random_state=0).fit(X, Y).transform(X).shape == (150, 3)


# --- where warnings point ---------------------------------------------------------------------------


def test_warnings_point_at_the_line_of_the_user(small):
    collapsing = small(
        ContrastiveMetricTransformer, negative_weight=0.0, learning_rate_init=0.05, max_iter=60
    )
    with pytest.warns(UserWarning, match="collapses") as seen:
        collapsing.fit(X, Y)
    with pytest.warns(UserWarning, match="one class only") as seen_one_class:
        collapsing.partial_fit(X[:9], Y[:9])
    with pytest.warns(UndefinedMetricWarning) as seen_score:
        collapsing.score(X[:9], Y[:9])
    for warning in (seen[0], seen_one_class[0], seen_score[0]):
        assert warning.filename == __file__


# --- what a hostile user tried ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "classes, later",
    [
        (np.array(["a", "b", "c"])[Y], np.array(["apple", "bad", "cow"])[Y]),
        (Y.astype("u1"), Y + 256),
        (Y > 0, Y + 5),
        (Y, Y.astype(str)),
    ],
    ids=["longer strings", "wider integers", "bools", "strings"],
)
def test_a_pass_refuses_labels_that_only_look_like_known_ones(classes, later, small):
    model = small(SoftmaxMLPClassifier).fit(X, classes)
    with pytest.raises(
        ValueError, match=r"y has labels that are not in classes_|holds strings"
    ) as caught:
        model.partial_fit(X, later)
    assert "np." not in str(caught.value)


@each_transformer
def test_labels_that_floats_merge_are_refused(Estimator, small):
    model = small(Estimator).fit(X, (Y + 2**60).astype("u8"))
    with pytest.raises(ValueError, match=r"Labels beyond 2\*\*53 .* y and classes_: int64, uint64"):
        model.partial_fit(X, Y)


@each
def test_dates_may_be_classes_but_no_missing_ones(Estimator, small):
    dates = np.array(["2020-01-01", "2021-01-01", "2022-01-01"], dtype="M8[D]")
    with pytest.raises(ValueError, match="y contains NaN or None: 50 labels are missing"):
        small(Estimator).fit(X, np.where(Y == 0, np.datetime64("NaT"), dates[Y]))


@each
@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16])
def test_numbers_of_small_types_are_numbers(Estimator, kind, small):
    rows = np.tile(X, (3, 1))
    labels = np.tile(Y, 3)
    settings = {"batch_size": kind(100), "max_iter": kind(100), "warm_start": True}
    model = small(Estimator, **settings).fit(rows, labels).fit(rows, labels)
    assert model.n_iter_ == 200


def test_a_penalty_whose_squares_overflow_is_named(small):
    with pytest.raises(ValueError, match=r"The cause is alpha=1e\+25"):
        small(SoftmaxMLPClassifier, alpha=1e25).fit(X.astype(np.float32), Y)


@pytest.mark.parametrize("name, Estimator", [("margin", TripletMetricTransformer)])
def test_a_margin_that_the_dtype_rounds_to_0_is_named(name, Estimator, small):
    with pytest.raises(ValueError, match="The cause is margin=1e-46"):
        small(Estimator, margin=1e-46).fit(X.astype(np.float32), Y)


@each
def test_small_values_of_other_parameters_are_not_blamed(Estimator, small):
    model = small(Estimator, alpha=1e-10, learning_rate_init=1e30, solver="sgd")
    with pytest.raises(ValueError, match="Lower learning_rate_init"):
        model.fit(X, Y)


def test_tuples_beyond_the_dtype_of_a_warm_model_are_refused(small):
    model = small(ContrastiveMetricTransformer, warm_start=True).fit(X.astype(np.float32), Y)
    with pytest.raises(ValueError, match="X has a value of size"):
        model.fit_pairs([[0, 1], [0, 60]], [1, 0], X=X * 1e40)


@pytest.mark.parametrize("weights", [{"class_weight": {0: 0, 1: 0}}, {}])
def test_weights_that_leave_one_class_are_named(weights, small):
    sample_weight = None if weights else (Y == 0) * 1.0
    with pytest.raises(ValueError, match="sample_weight and class_weight leave fewer"):
        small(SoftmaxMLPClassifier, **weights).fit(X, Y, sample_weight=sample_weight)


@pytest.mark.parametrize("factor", ["a", None, 1j, np.array([1, 2])], ids=repr)
def test_class_weights_that_are_no_numbers_are_named(factor, small):
    with pytest.raises(ValueError, match="class_weight must have finite values >= 0"):
        small(SoftmaxMLPClassifier, class_weight={0: factor}).fit(X, Y)


@each
def test_missing_strings_of_pandas_are_named(Estimator, small):
    labels = pd.Series(np.array(["a", "b", "c"])[Y], dtype="string")
    labels[3] = pd.NA
    with pytest.raises(ValueError, match="y contains NaN or None"):
        small(Estimator).fit(X, labels)


def test_layers_of_a_fitted_classifier_are_those_it_has(small):
    model = (
        small(SoftmaxMLPClassifier, hidden_layer_sizes=()).fit(X, Y).set_params(hidden_layer_sizes=(5,))
    )
    assert not hasattr(model, "transform")
    model = small(SoftmaxMLPClassifier).fit(X, Y).set_params(hidden_layer_sizes=())
    assert model.transform(X).shape == (150, 8)


def test_rows_in_tuples_have_no_names_to_warn_of(small):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = small(ContrastiveMetricTransformer).fit(frame, Y)
    pairs, same = make_pairs(Y, 60, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verifier = PairVerifier(model).fit(X[pairs], same)
        verifier.predict(X[pairs])
        model.partial_fit_pairs(X[pairs], same)


@each_transformer
@pytest.mark.parametrize("size", [1e-200, 1e160])
def test_distances_of_all_pairs_stand_any_size(Estimator, size, small):
    model = small(Estimator, hidden_layer_sizes=()).fit(X, Y)
    rows = X[:5] * size
    D = model.pairwise_distance(rows)
    expected = model.pair_distance(
        np.stack(
            [
                np.zeros(4, int),
                np.arange(1, 5),
            ],
            axis=1,
        )[:, :2],
        X=rows,
    )
    np.testing.assert_allclose(D[0, 1:], expected, rtol=1e-12)


@each_transformer
def test_a_distance_beyond_the_dtype_is_refused(Estimator, small):
    model = small(Estimator, hidden_layer_sizes=()).fit(X.astype(np.float32), Y)
    with pytest.raises(ValueError, match="A distance is larger than the largest float32"):
        model.pairwise_distance((X[[0, 100]] * 1e36).astype(np.float32), squared=True)


def test_a_mining_function_that_returns_nan_is_named(small):
    model = small(TripletMetricTransformer, mining=lambda D, *_: (np.full_like(D, np.nan), 1.0))
    with pytest.raises(ValueError, match="A mining function must return finite C"):
        model.fit(X, Y)


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True, "validation_fraction": 0.3}])
def test_validation_on_rows_that_were_learned_is_warned_of(settings, small):
    model = small(SoftmaxMLPClassifier, warm_start=True, **settings).fit(X, Y)
    with pytest.warns(UserWarning, match="validates on rows that it may have learned from"):
        model.set_params(early_stopping=True, validation_fraction=0.2).fit(X, Y)
