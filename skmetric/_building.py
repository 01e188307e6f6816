"""From hyper-parameters to a network: a new one, or one that goes on from a fitted model."""

import math

import numpy as np

from ._engine.initialization import initial_parameters, probed, scale_to_distance
from ._engine.network import Network, outputs
from ._engine.standardization import AS_THEY_COME, standardization_of
from ._input import check_hidden_layer_sizes, sampled, working_dtype


def _found_standardization(estimator, X, rows, targets):
    """Estimate the standardisation from rows to train on; the second of the targets are their weights."""
    if estimator.standardize is False:
        return AS_THEY_COME
    rows = sampled(rows, X.shape[1])
    weights = targets[1][rows] if len(targets) > 1 else np.ones(len(rows))
    return standardization_of(X, rows, estimator.standardize, weights, working_dtype(X.dtype))


def new_network(estimator, X, targets, n_outputs, rows, rng):
    """Make a network with random weights, scaled to the distance that the loss asks for."""
    estimator._standardization = _found_standardization(estimator, X, rows, targets)
    widths = _widths(estimator, n_outputs)
    parameters = initial_parameters(widths, estimator.activation, rng, working_dtype(X.dtype))
    network = _network(estimator, parameters, len(rows), rng)
    distance = estimator._initial_distance()
    if distance < math.inf:
        scale_to_distance(network.coefs, outputs(network, X, rows[probed(len(rows))]), distance)
    return network


def continued_network(estimator, n_outputs, n_rows, rng):
    """Make a network with copies of the fitted weights, so that a failure leaves those alone."""
    widths = _widths(estimator, n_outputs)
    fitted = [estimator.coefs_[0].shape[0], *(W.shape[1] for W in estimator.coefs_)]
    if fitted != widths:
        raise ValueError(
            f"The fitted network has layers of {fitted} units, but the data and the parameters "
            f"ask for {widths}. Call fit with warm_start=False to begin anew."
        )
    if estimator._first_layer is None:
        first, bias = estimator._standardization.unfold(estimator.coefs_[0], estimator.intercepts_[0])
    else:
        first, bias = (array.copy() for array in estimator._first_layer)
    coefs = [first, *(W.copy() for W in estimator.coefs_[1:])]
    intercepts = [bias, *(b.copy() for b in estimator.intercepts_[1:])]
    return _network(estimator, (coefs, intercepts), n_rows, rng)


def _widths(estimator, n_outputs):
    hidden = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    return [estimator.n_features_in_, *hidden, n_outputs]


def _network(estimator, parameters, n_rows, rng):
    return Network(
        *parameters,
        estimator.activation,
        _batch_size(estimator, n_rows),
        estimator.dropout,
        estimator.input_dropout,
        rng,
        estimator._standardization,
    )


def _batch_size(estimator, n_rows):
    if estimator.batch_size == "auto":
        # Small data needs small batches: an epoch of one step teaches little.
        return min(256, max(32, n_rows // 8), n_rows)
    return min(int(estimator.batch_size), n_rows)
