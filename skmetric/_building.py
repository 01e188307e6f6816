"""From hyper-parameters to a network and its optimizer: new ones, or those of a fitted model."""

import copy
import math

import numpy as np

from ._engine.batch_normalization import AS_THEY_ARE, BatchNormalization
from ._engine.initialization import initial_parameters, scale_to_distance
from ._engine.network import Network, outputs
from ._engine.optimizers import OPTIMIZERS
from ._engine.side_by_side import apart, side_by_side
from ._engine.standardization import AS_THEY_COME, standardization_of
from ._input import check_hidden_layer_sizes, dense, probed, sampled
from ._numbers import working_dtype
from ._warn import warn

DROWNING = 0.99  # fraction of the variance in one feature from which on the others hardly count


def _found_standardization(estimator, X, rows, targets):
    """Estimate the standardisation from training rows; ``targets[1]``, if present, are their weights."""
    if estimator.standardize is False:
        return AS_THEY_COME
    rows = sampled(X, rows)
    weights = targets[1][rows] if len(targets) > 1 else np.ones(len(rows))
    return standardization_of(X, rows, estimator.standardize, weights, working_dtype(X.dtype))


def _warn_if_drowned(estimator, X, rows):
    """Warn if one feature, as the network gets it, has nearly all of the variance."""
    some = dense(X[probed(X, rows)])
    estimator._standardization.apply(some)
    with np.errstate(over="ignore", invalid="ignore"):
        variances = some.var(axis=0)
        share = variances.max() / variances.sum()
    if DROWNING < share < 1:
        feature = variances.argmax()
        names = getattr(estimator, "feature_names_in_", None)
        name = feature if names is None else repr(str(names[feature]))
        warn(
            f"With standardize={estimator.standardize!r}, feature {name} has more than {DROWNING:.0%} of "
            "the variance of X, and the other features have hardly any effect. Set "
            "standardize='features', or scale the features first, with StandardScaler for example."
        )


def new_network(estimator, X, targets, n_networks, n_outputs, rows, rng):
    """Make networks with random weights, scaled to the initial distance of the estimator."""
    estimator._standardization = _found_standardization(estimator, X, rows, targets)
    _warn_if_drowned(estimator, X, rows)
    return side_by_side([_random_network(estimator, X, n_outputs, rows, rng) for _ in range(n_networks)])


def _random_network(estimator, X, n_outputs, rows, rng):
    widths = _widths(estimator, n_outputs)
    coefs, intercepts = initial_parameters(widths, estimator.activation, rng, working_dtype(X.dtype))
    coefs[0] /= estimator._standardization.shrinkage
    network = _network(estimator, (coefs, intercepts), X, rows, rng)
    distance = estimator._initial_distance()
    if distance < math.inf:
        scale_to_distance(network.coefs, outputs(network, X, probed(X, rows)), distance)
    return network


def continued_network(estimator, X, targets, n_networks, n_outputs, rows, rng):
    """Make networks with copies of the fitted weights, which a failure then leaves unchanged."""
    widths = _widths(estimator, n_outputs)
    fitted = apart(estimator.coefs_, estimator.intercepts_)
    if len(fitted) != n_networks:
        raise ValueError(
            f"n_networks={n_networks}, but the fitted model has {len(fitted)}. Call fit with "
            "warm_start=False to fit a new model."
        )
    coefs, _ = fitted[0]
    fitted_widths = [coefs[0].shape[0], *(W.shape[1] for W in coefs)]
    if fitted_widths != widths:
        raise ValueError(
            f"The fitted network has layers of {fitted_widths} units, but the data and the parameters "
            f"need {widths}. Call fit with warm_start=False to fit a new model."
        )
    networks = [_unfolded_network(estimator, X, *parameters, rows, rng) for parameters in fitted]
    network = side_by_side(networks)
    if not take_over(network.parameters, estimator._as_trained):
        network.unfold_normalization()
    return network


def _unfolded_network(estimator, X, coefs, intercepts, rows, rng):
    first, bias = estimator._standardization.unfold(coefs[0], intercepts[0])
    coefs = [first, *(W.copy() for W in coefs[1:])]
    intercepts = [bias, *(b.copy() for b in intercepts[1:])]
    return _network(estimator, (coefs, intercepts), X, rows, rng)


def take_over(arrays, kept):
    """Copy the values of `kept` into `arrays` if the shapes agree; return whether they do."""
    fits = [array.shape for array in arrays] == [array.shape for array in kept]
    if fits:
        for array, before in zip(arrays, kept):
            array[...] = before
    return fits


def _widths(estimator, n_outputs):
    hidden = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    return [estimator.n_features_in_, *hidden, n_outputs]


def _network(estimator, parameters, X, rows, rng):
    batch_size = batch_size_of(estimator, len(rows))
    return Network(
        *parameters,
        estimator.activation,
        batch_size,
        estimator.dropout,
        estimator.input_dropout,
        rng,
        estimator._standardization,
        _normalization(estimator, parameters[0], batch_size, X, rows),
        takes_sparse=estimator.adversarial == 0,
    )


def _normalization(estimator, coefs, batch_size, X, rows):
    if not estimator.batch_norm:
        return AS_THEY_ARE
    if len(coefs) == 1:
        raise ValueError(
            "batch_norm=True normalises hidden units, but hidden_layer_sizes=() has none. Add a hidden "
            "layer, or set batch_norm=False."
        )
    if batch_size == 1:
        raise ValueError(
            f"batch_norm=True needs at least 2 rows in a batch, got batch_size={estimator.batch_size} "
            f"and {len(rows)} training rows."
        )
    scales = [np.ones(W.shape[1], W.dtype) for W in coefs[:-1]]
    return BatchNormalization(scales, batch_size, X, sampled(X, rows))


def batch_size_of(estimator, n_rows):
    """Return the number of rows of a batch for some number of training rows."""
    if estimator.batch_size == "auto":
        # Small data needs small batches, so that an epoch has several steps.
        return min(256, max(32, n_rows // 8), n_rows)
    return min(int(estimator.batch_size), n_rows)


def make_optimizer(estimator, network, loss, continued):
    """Make the optimizer. A continued training uses the state of the one before, if it has this form."""
    parameters = [*network.blocks, *loss.parameters]
    decays = [estimator.alpha if W.ndim == 2 else 0.0 for W in network.blocks]
    decays += [0.0] * len(loss.parameters)
    make = OPTIMIZERS[estimator.solver]
    optimizer = make(parameters, decays, estimator.momentum, estimator.nesterovs_momentum)
    state = getattr(estimator, "_optimizer_state", {}) if continued else {}
    # The solver or the parameters may have changed since.
    if _form(state) == _form(optimizer.state):
        optimizer.state = copy.deepcopy(state)
    return optimizer


def _form(state):
    """Names and shapes of the state of an optimizer."""
    return {name: np.shape(value) for name, value in state.items()}
