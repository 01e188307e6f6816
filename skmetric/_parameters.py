"""Parameters that all estimators have: which values are valid, and how they are stored."""

from numbers import Integral, Real

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Options, StrOptions

from ._constraints import FunctionOf, Interval, Scorers
from ._engine.activations import ACTIVATIONS
from ._engine.optimizers import OPTIMIZERS
from ._engine.schedules import SCHEDULES
from ._engine.standardization import FACTORS

CONSTRAINTS = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "n_networks": [Interval(Integral, 1, None, closed="left")],
    "solver": [StrOptions(set(OPTIMIZERS))],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions(set(SCHEDULES)), FunctionOf("epoch")],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "decay_rate": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean", StrOptions({"blocks"})],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "scoring": [StrOptions(set(get_scorer_names())), Scorers(), None],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "standardize": [StrOptions(set(FACTORS)), Options(bool, {False})],
    "batch_norm": ["boolean"],
    "adversarial": [Interval(Real, 0, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "input_dropout": [Interval(Real, 0, 1, closed="left")],
}
# Usual ranges of parameters whose size can make the training diverge.
USUAL = {"alpha": (0.0, 1e8), "adversarial": (0.0, 1e8)}


def store_parameters(estimator, arguments):
    """Store the arguments of ``__init__``, given as its ``locals()``, under their names."""
    parameters = {name: value for name, value in arguments.items() if name not in ("self", "__class__")}
    vars(estimator).update(parameters)
