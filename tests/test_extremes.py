"""Extreme rows and extreme parameters: a finite model or an error that says why, never NaN."""

import numpy as np
from any_model import applied, fitted_or_refused, names_a_cause, only_known_warnings
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import by_profile
from shared import each

LARGEST = float(np.finfo(np.float64).max)
# Scales of the rows: from denormals to the largest floats.
SCALES = [1e-320, 1e-310, 1e-300, 1e-160, 1e-40, 1e-30, 1e-5, 1.0, 1e5, 1e19, 1e30, 1e38, 1e160, 1e300]
SIZES = [1e-300, 1e-30, 1e-8, 1e8, 1e30, 1e300, LARGEST]
scales = st.sampled_from(SCALES)
# Parameters without an upper limit, and those whose limit is a number.
EXTREME = {
    "learning_rate_init": st.sampled_from([1e-300, 1e-30, 1e-8, 1e2, 1e10, 1e30, 1e300]),
    **dict.fromkeys(["alpha", "decay_rate", "tol", "adversarial"], st.sampled_from([0.0, *SIZES])),
    **dict.fromkeys(["margin", "temperature"], st.sampled_from(SIZES)),
    **dict.fromkeys(
        ["positive_margin", "negative_margin", "negative_weight", "input_weight", "head_weight"],
        st.sampled_from([0.0, *SIZES]),
    ),
    **dict.fromkeys(["dropout", "input_dropout"], st.sampled_from([1e-300, 1 - 2**-53])),
    "momentum": st.sampled_from([0.0, 1e-300, 1 - 2**-53, 1.0]),
}
CHOICES = {
    "solver": ["adam", "sgd"],
    "activation": ["relu", "tanh", "logistic", "identity"],
    "hidden_layer_sizes": [(), (3,), (4, 3, 3)],
    "standardize": ["auto", "common", "features", False],
    "normalize": [False, True],
    "batch_norm": [False, False, True],
    "early_stopping": [False, False, True],
    "n_networks": [1, 2],
    "loss": None,
    "mining": ["all", "semihard", "hard"],
    "distance": ["euclidean", "sqeuclidean"],
    "reduction": ["active", "mean", "grid"],
    "input_weight": ["auto", 0.0, 1.0],
    "batch_size": ["auto", 5],
    "class_weight": [None, None, "balanced", {0: 0.0, 1: LARGEST, 2: 1e-300}],
}


@st.composite
def extreme_rows(draw, n_features=3):
    """Rows of one or several scales, with offsets, duplicates and constants, in some dtype."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.normal(size=(18, n_features)) + np.arange(18)[:, np.newaxis] % 3
    kind = draw(st.sampled_from(["one scale", "offset", "scale of columns", "scale of rows", "entries"]))
    if kind == "entries":
        X = rng.choice([0.0, -0.0, 1e-320, 1e-300, -1e-160, 1.0, 1e160, -1e300, LARGEST], X.shape)
    elif kind.startswith("scale of"):
        shape = (1, n_features) if kind == "scale of columns" else (18, 1)
        X *= rng.choice(SCALES, shape)
    else:
        X *= draw(scales)
        X += draw(scales) * (kind == "offset")
    if draw(st.booleans()):
        X[:: draw(st.sampled_from([1, 2, 5]))] = X[0]
    if draw(st.booleans()):
        X[:, 0] = draw(st.sampled_from([0.0, 1e-320, 1.0, 1e300]))
    return of_dtype(np.clip(X, -LARGEST, LARGEST), draw(st.sampled_from(["f8", "f8", "f4", "f2"])))


def of_dtype(X, dtype):
    """The rows in a dtype; what is too large for it becomes its largest number."""
    largest = np.finfo(dtype).max
    return np.clip(X, -largest, largest).astype(dtype)


@st.composite
def extreme_parameters(draw, Estimator):
    """Up to three extreme parameters, and choices among the others."""
    known = Estimator().get_params()
    losses = ["log_loss", "binary_log_loss"] if "class_weight" in known else None
    choices = CHOICES | {"loss": losses or ["neighborhood_components", "supervised_contrastive"]}
    parameters = {"n_components": 2} if "n_components" in known else {}
    for name, values in choices.items():
        if name in known:
            parameters[name] = draw(st.sampled_from(values))
    extreme = draw(st.lists(st.sampled_from(sorted(EXTREME.keys() & known)), max_size=3, unique=True))
    parameters |= {name: draw(EXTREME[name]) for name in extreme}
    return parameters | {"max_iter": 2, "random_state": 0, "validation_fraction": 0.4}


def fit_tuples(model, X):
    """Learn from pairs or triplets of rows, for the estimators that do."""
    if hasattr(model, "fit_pairs"):
        return model.fit_pairs(np.arange(18).reshape(9, 2), np.arange(9) % 2, X=X)
    return model.fit_triplets(np.arange(18).reshape(6, 3), X=X)


METHODS = {
    "fit": lambda X, y: lambda model: model.fit(X, y),
    "partial_fit": lambda X, y: lambda model: model.partial_fit(X, y, classes=[0, 1, 2]),
    "tuples": lambda X, y: lambda model: fit_tuples(model, X),
}


def methods_of(Estimator):
    learns_tuples = hasattr(Estimator, "fit_pairs") or hasattr(Estimator, "fit_triplets")
    return st.sampled_from(["fit", "fit", "partial_fit", "tuples" if learns_tuples else "fit"])


def assert_finite_or_refused(model, X, y):
    """All that a model computes of rows is finite, or an error says why not; return what is refused."""
    refused = []
    for name, call in applied(model, X, y).items():
        with only_known_warnings():
            try:
                values = call()
            except ValueError as error:
                assert names_a_cause(error, model), str(error)
                refused.append(name)
                continue
        assert name == "predict" or np.isfinite(values).all(), name
    return refused


def fit_of_extremes(Estimator, parameters, rows, method):
    """Fit a model on some rows, and apply it to these and others; return whether it was fitted."""
    X, other = rows
    y = np.arange(18) % 3
    model = Estimator(**parameters)
    if not fitted_or_refused(model, METHODS[method](X, y)):
        return False
    refused = assert_finite_or_refused(model, X, y)
    # What a model was fitted on, it can embed. Squares may be too large for the dtype.
    assert set(refused) <= {"pairwise_distance", "pairwise_distance, squared"}, refused
    assert_finite_or_refused(model, other, y)
    return True


@each
def test_extremes_give_a_finite_model_or_an_error_that_names_the_cause(Estimator, record_property):
    fitted = []

    @settings(max_examples=by_profile(25, 1000))
    @given(
        extreme_parameters(Estimator),
        st.tuples(extreme_rows(), extreme_rows()),
        methods_of(Estimator),
    )
    def check(parameters, rows, method):
        fitted.append(fit_of_extremes(Estimator, parameters, rows, method))

    check()
    record_property(f"draws_{Estimator.__name__}", len(fitted))
    record_property(f"fitted_{Estimator.__name__}", sum(fitted))
    assert sum(fitted) > 0.1 * len(fitted)  # else it says little
