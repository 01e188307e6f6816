"""Strategies of hypothesis for models: any parameters, any data, and what holds for any fit of them."""

import functools
import re
import warnings
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array, csr_matrix
from shared import parameters_of
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils._param_validation import Interval, Options, StrOptions

from skmetric._constraints import FunctionOf

# --- parameters -------------------------------------------------------------------------------------


def one_half(estimator, X, y, sample_weight=None):
    """The simplest callable for `scoring`."""
    return 0.5


def slower(epoch):
    """A learning rate that falls."""
    return 0.5**epoch


def negatives_nearest_first(D, positive, negative, margin):
    """A callable for `mining` that pulls all positives and pushes all negatives."""
    return positive * 1.0 - negative, float(positive.sum())


# Callables of the parameters that take one.
CALLABLES = {"scoring": one_half, "learning_rate": slower, "mining": negatives_nearest_first}
widths = st.integers(1, 4)


def mostly(usual, rare):
    """A usual value in 15 of 16 draws: with many parameters, most models then have one rare value."""
    return st.integers(0, 15).flatmap(lambda number: rare if number == 15 else usual)


# Of these parameters, all values are allowed but most take long; or the constraint is wider than what is
# documented.
BY_NAME = {
    "hidden_layer_sizes": widths
    | st.lists(widths, max_size=2).flatmap(
        lambda sizes: st.sampled_from([tuple(sizes), sizes, np.array(sizes, dtype=int)])
    ),
    "max_iter": st.integers(1, 2),
    "n_components": widths,
    "n_networks": st.integers(1, 3),
    "batch_size": st.integers(1, 30) | st.just(10**12),
    "validation_fraction": mostly(
        st.sampled_from([0.3, 0.4, 0.5]), st.floats(0, 1, exclude_min=True, exclude_max=True)
    ),
    "class_weight": st.dictionaries(
        st.integers(0, 2), st.floats(0, 10) | st.floats(0, allow_infinity=False), max_size=3
    ),
}


def from_reals(interval):
    """Usual numbers of an interval, and any."""
    low = 0.0 if interval.left is None else float(interval.left)
    high = None if interval.right is None else float(interval.right)
    bounds = {
        "min_value": low,
        "max_value": high,
        "exclude_min": interval.closed in ("neither", "right"),
        "exclude_max": high is not None and interval.closed in ("neither", "left"),
    }
    usual = [value for value in (0.0, 1e-3, 0.1, 0.3, 0.5, 1.0, 1, 3.0) if value in interval]
    return mostly(st.sampled_from(usual), st.floats(**bounds, allow_infinity=False))


def from_constraint(constraint, name):
    """The strategy of one of scikit-learn's constraints."""
    if isinstance(constraint, StrOptions | Options):
        return st.sampled_from(sorted(constraint.options))
    if isinstance(constraint, Interval):
        return from_reals(constraint) if constraint.type is Real else st.integers(int(constraint.left), 5)
    strategies = {
        "boolean": st.booleans() | st.sampled_from([np.True_, np.False_]),
        "verbose": st.sampled_from([False, False, True, 0, 2]),
        "random_state": st.none()
        | st.integers(0, 2**32 - 1)
        | st.builds(np.random.RandomState, st.integers(0, 9)),
        None: st.none(),
    }
    if isinstance(constraint, FunctionOf):
        return st.just(CALLABLES[name])
    return strategies[constraint]


def values_of(Estimator, name):
    """The strategy of one parameter: any of its constraints; of a size that `BY_NAME` may limit."""
    replaced = [Integral, Real, dict, "array-like"] if name in BY_NAME else []
    strategies = [BY_NAME[name]] if name in BY_NAME else []
    for constraint in Estimator._parameter_constraints[name]:
        if getattr(constraint, "type", constraint) not in replaced:
            strategies.append(from_constraint(constraint, name))
    return st.one_of(strategies)


@functools.cache
def any_parameters(Estimator):
    """All parameters of an estimator at once."""
    return st.fixed_dictionaries({name: values_of(Estimator, name) for name in Estimator().get_params()})


# --- data -------------------------------------------------------------------------------------------

DTYPES = ["f8", "f4", "f2", "i8", "u8", "i4", "u1", "i1", "?", ">f8", ">i2", "longdouble"]
FORMS = {
    "array": np.asarray,
    "Fortran": np.asfortranarray,
    "list": np.ndarray.tolist,
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "CSR matrix": csr_matrix,
    "CSR array": csr_array,
}
NOT_SPARSE = ("f2", ">f8", ">i2")  # dtypes that SciPy's sparse matrices do not have
LABELS = {
    "integers": lambda codes: codes,
    "negative": lambda codes: codes - 1,
    "large": lambda codes: codes + 2**62,
    "floats": lambda codes: codes.astype(float),
    "strings": lambda codes: np.array(["b", "a", "ccc", "", "é", "b "])[codes],
    "objects": lambda codes: np.array(["b", "a", "ccc", "", "é", "b "], dtype=object)[codes],
    "list": lambda codes: codes.tolist(),
    "bools": lambda codes: codes > 0,
}


def column_kinds(X, rng):
    """Make some columns constant, of zeros, or equal to another one; some rows duplicates."""
    kind = rng.integers(8, size=X.shape[1])
    X[:, kind == 0] = 3.0
    X[:, kind == 1] = 0.0
    X[:, kind == 2] = X[:, :1]
    if rng.integers(3) == 0:
        X[rng.integers(len(X), size=len(X) // 2)] = X[0]
    return X


@st.composite
def any_data(draw):
    """Rows and labels, of 2 to 20 rows and 1 to 5 features, of any usual type and form."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows = 20 - draw(st.integers(0, 18))
    n_features = draw(st.integers(1, 5))
    codes = rng.integers(draw(st.sampled_from([2, 3, 2, 3, 2, 6, 1])), size=n_rows)
    centres = rng.normal(size=(6, n_features))
    X = column_kinds(centres[codes] + rng.normal(0, 0.5, (n_rows, n_features)), rng)
    dtype = draw(st.sampled_from(DTYPES))
    if np.dtype(dtype).kind in "iu":
        X = np.round(np.abs(X) * 30)
    forms = [form for form in FORMS if not (form.startswith("CSR") and dtype in NOT_SPARSE)]
    rows = FORMS[draw(st.sampled_from(forms))](X.astype(dtype))
    return rows, LABELS[draw(st.sampled_from(sorted(LABELS)))](codes)


# --- what holds for any fit -------------------------------------------------------------------------

# The package's own warnings, and those of scikit-learn about labels.
KNOWN_WARNINGS = [
    "The embedding collapses",
    "Nothing was learned",
    "With standardize=.* has more than 99% of",
    ".* validates on rows that it may have learned from",
    ".* got rows of one class only",
    "Retrieval measures do not depend on the embedding here",
    "The number of unique classes is greater than 50% of the number of samples",
    "X has feature names, but|X does not have valid feature names",
]
DATA = r"X|y|class(es)?|samples?|rows?|features?|weights?|pairs|triplets"


def is_known(warning):
    """Whether a warning is one of `KNOWN_WARNINGS`, or is about the measure that `scoring` names."""
    is_of_measure = "sklearn/metrics" in Path(warning.filename).as_posix()
    if is_of_measure and warning.category in (UserWarning, UndefinedMetricWarning):
        return True
    return re.match("|".join(KNOWN_WARNINGS), str(warning.message)) is not None


@contextmanager
def only_known_warnings():
    """Fail at a warning that is none of `KNOWN_WARNINGS`; a RuntimeWarning of NumPy in particular."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    unknown = [str(one) for one in caught if not is_known(one)]
    assert unknown == [], unknown


def names_a_cause(error, model):
    """Whether a message names a parameter of the model or the data."""
    causes = "|".join([*model.get_params(), DATA])
    return re.search(rf"\b({causes})\b", str(error)) is not None


def frozen(value):
    """A value of plain types that is equal for equal bits; without the seconds that epochs took."""
    if isinstance(value, np.ndarray):
        bits = value.tolist() if value.dtype.kind == "O" else value.tobytes()
        return value.dtype.str, value.shape, bits
    if isinstance(value, dict):
        return {name: frozen(entry) for name, entry in value.items() if name != "seconds"}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(frozen, value)]
    if isinstance(value, np.random.Generator):
        return frozen(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return frozen(value.get_state())
    if hasattr(value, "__dict__") and not callable(value):
        return type(value).__name__, frozen(vars(value))
    return repr(value)


def state_of(model):
    """All attributes of a model, as plain values; without the user's generator, which moves on."""
    return frozen({name: value for name, value in vars(model).items() if name != "random_state"})


def fitted_or_refused(model, fit):
    """Call ``fit(model)``; if it raises, the cause is named and the model is as it was.

    Returns whether the model was fitted. It is finite then.
    """
    before = state_of(model)
    with only_known_warnings():
        try:
            fit(model)
        except ValueError as error:
            assert names_a_cause(error, model), str(error)
            assert state_of(model) == before
            return False
    assert all(np.isfinite(W).all() for W in parameters_of(model))
    assert len(model.loss_curve_) == len(model.history_) == model.n_iter_
    assert np.isfinite(model.loss_curve_).all()
    return True


def applied(model, X, y):
    """What a fitted model computes of rows: by name."""
    calls = {"score": lambda: model.score(X, y)}
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform"):
        if hasattr(model, name):
            calls[name] = functools.partial(getattr(model, name), X)
    if hasattr(model, "pairwise_distance"):
        calls["pairwise_distance"] = lambda: model.pairwise_distance(X)
        calls["pairwise_distance, squared"] = lambda: model.pairwise_distance(X, squared=True)
        calls["pair_distance"] = lambda: model.pair_distance([[0, 1], [1, 1]], X=X)
    return calls
