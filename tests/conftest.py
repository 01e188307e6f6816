import os
import sys

import numpy as np
import profiles  # noqa: F401 (registers the profiles of hypothesis)
import pytest

# scikit-learn's checks with array API input are skipped without it. SciPy reads it when it is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Rows as they come: what is computed by hand has them, and `standardize` has tests of its own.
QUICK = {
    "n_networks": 1,
    "standardize": False,
    "hidden_layer_sizes": (8,),
    "solver": "adam",
    "batch_size": 32,
    "learning_rate": "constant",
    "learning_rate_init": 0.01,
    "max_iter": 3,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "tol": 0.0,
    "n_iter_no_change": np.inf,
}
# The mean over active terms may rise while they get fewer; this one falls. What is kept of the input has
# tests of its own.
OF_EMBEDDINGS = {"n_components": 4, "reduction": "mean", "input_weight": 0.0}


def pytest_make_parametrize_id(val):
    """Patterns without backslashes: pytest does not find a test by a name that has one."""
    return val.replace("\\", "") if isinstance(val, str) and "\\" in val else None


@pytest.fixture(autouse=True)
def figures_are_closed():
    """Examples of displays leave figures open, of which matplotlib warns when there are many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def seed(request, record_property):
    """Seed of the estimators, 0 but in tests that `shared.over_seeds` runs with several."""
    seed, n_seeds = getattr(request, "param", (0, None))
    if n_seeds is not None:
        record_property("seeds", n_seeds)
    return seed


@pytest.fixture
def small(seed):
    """``small(Estimator, **parameters)``: an estimator that is trained in milliseconds."""

    def make(Estimator, **parameters):
        known = Estimator().get_params()
        more = {name: value for name, value in OF_EMBEDDINGS.items() if name in known}
        return Estimator(**(QUICK | {"random_state": seed} | more | parameters))

    return make


@pytest.fixture
def outputs():
    """``outputs(model, X)``: what the last layer gives, whatever the estimator calls it."""

    def compute(model, X):
        name = "decision_function" if hasattr(model, "decision_function") else "transform"
        return getattr(model, name)(X)

    return compute


@pytest.fixture
def make(small):
    """``make(kind, **parameters)``: an estimator that learns from that kind of tuples."""
    return lambda kind, **parameters: small(kind.Estimator, **parameters)
