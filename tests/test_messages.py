"""Words that name the culprit, the value and the way out."""

import warnings

import numpy as np
import pytest
from shared import TRANSFORMERS, X, Y, each, each_transformer

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)

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
    assert f"The cause is {name}={value}: use a value between 1e-08 and 1e+08." in message
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
            super().__init__(hidden_layer_sizes=(width,), max_iter=rounds, random_state=0)
            self.width = width
            self.rounds = rounds

    model = Own(rounds=2).fit(X, Y)
    assert model.n_iter_ == 2 and model.coefs_[0].shape == (4, 8)
    assert model.get_params() == {"width": 8, "rounds": 2}
    plain = Estimator(hidden_layer_sizes=(8,), max_iter=2, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(outputs(model, X), outputs(plain, X))


@pytest.mark.parametrize("Estimator", TRANSFORMERS)
def test_a_subclass_may_have_no_init(Estimator):
    class Own(Estimator):
        """Nothing new."""

    assert Own(3, max_iter=2, random_state=0).fit(X, Y).transform(X).shape == (150, 3)
