import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_matrix, csr_array, csr_matrix, issparse

from skmetric._engine.activations import ACTIVATIONS
from skmetric._engine.initialization import GAINS
from skmetric._engine.layers import BiasGradient, WeightGradient
from skmetric._engine.network import Network, outputs
from skmetric.losses import LABEL_LOSSES, MetricLoss, all_pairs, log_loss, on_sphere, over_active, triplet
from skmetric.testing import check_gradient


def strided(X):
    return np.repeat(X, 2, axis=1)[:, ::2]


def reversed_rows(X):
    return np.ascontiguousarray(X[::-1])[::-1]


def big_endian(X):
    return X.astype(X.dtype.newbyteorder(">"))


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def misaligned(X):
    # As in a memory map that begins after a header of odd length.
    raw = np.zeros(X.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(X.dtype).reshape(X.shape)
    view[...] = X
    return view


# What a batch may be gathered from, made of an array in C order.
LAYOUTS = {
    "C order": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "strided": strided,
    "reversed rows": reversed_rows,
    "big-endian": big_endian,
    "big-endian Fortran": lambda X: np.asfortranarray(big_endian(X)),
    "read-only": read_only,
    "misaligned": misaligned,
    "float16": lambda X: X.astype(np.float16),
    "uint8": lambda X: X.astype(np.uint8),
    "int64": lambda X: X.astype(np.int64),
    "bool": lambda X: X > 100,
    "CSR matrix": csr_matrix,
    "CSR array": csr_array,
    "CSR matrix of uint8": lambda X: csr_matrix(X.astype(np.uint8)),
    "CSC matrix": csc_matrix,
}
ROWS = {
    "slice": slice(3, 11),
    "slice at the end": slice(15, 30),
    "one row": np.array([7]),
    "repeated rows": np.array([4, 0, 4, 19]),
    "strided rows": np.random.default_rng(0).permutation(20)[::3],
    "int32 rows": np.array([5, 2], dtype=np.int32),
}
NUMPY_ACTIVATIONS = {
    "identity": lambda A: A,
    "logistic": lambda A: 1 / (1 + np.exp(-A)),
    "tanh": np.tanh,
    "relu": lambda A: np.maximum(A, 0),
}
HIDDEN = {"no hidden layer": (), "one": (6,), "two": (6, 4), "of width 1": (1, 3)}
LOSSES = {
    **LABEL_LOSSES,
    "triplet": MetricLoss(triplet, all_pairs, over_active),
    "triplet-sphere": MetricLoss(triplet, on_sphere(all_pairs), over_active),
}

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_layout = pytest.mark.parametrize("layout", LAYOUTS)
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
every_depth = pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN.keys())
every_update = pytest.mark.parametrize("alpha, beta", [(1, 0), (-0.1, 1), (-0.1, 0.9)])
every_length = pytest.mark.parametrize("n", [1, 5, 8])  # of batches, in buffers of 8 rows


def tolerance(dtype):
    return dict(rtol=100 * np.finfo(dtype).eps, atol=100 * np.finfo(dtype).eps)


def images(n=20, n_features=5, dtype=np.float64):
    # Integers below 256, many zeros: exact in all the types of LAYOUTS.
    rng = np.random.default_rng(0)
    return (rng.integers(0, 200, (n, n_features)) * (rng.random((n, n_features)) < 0.3)).astype(dtype)


def rows_and_labels(n=8, n_features=5, dtype=np.float64):
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, n_features)).astype(dtype), np.arange(n) % 3


def make_network(hidden=(6,), activation="relu", batch_size=8, dtype=np.float64, n_features=5, **options):
    rng = np.random.default_rng(0)
    widths = [n_features, *hidden, 3]
    coefs = [rng.normal(size=shape).astype(dtype) for shape in pairwise(widths)]
    intercepts = [rng.normal(size=width).astype(dtype) for width in widths[1:]]
    return Network(coefs, intercepts, activation, batch_size, **options)


def plain_forward(network, X, activation):
    H = X
    for W, b in zip(network.coefs[:-1], network.intercepts[:-1]):
        H = NUMPY_ACTIVATIONS[activation](H @ W + b)
    return H @ network.coefs[-1] + network.intercepts[-1]


def peak_memory(function, *args):
    function(*args)  # once before, for what is made only once
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def as_function_of_parameters(network, X, loss, y):
    """``theta -> (value, gradient)`` with all parameters in one vector; the dropped units stay."""
    state = network.rng.bit_generator.state if network.rng else None

    def function(theta):
        parts = np.split(theta, np.cumsum([p.size for p in network.parameters])[:-1])
        for parameter, part in zip(network.parameters, parts):
            parameter[...] = part.reshape(parameter.shape)
        if network.rng:
            network.rng.bit_generator.state = state
        value, dZ = loss(network.forward(X), y)
        network.backward(dZ)
        gradients = [np.zeros_like(parameter) for parameter in network.parameters]
        for gradient, out in zip(network.gradients(), gradients):
            gradient.add_to(out, 1, 0)
        return value, np.concatenate([gradient.ravel() for gradient in gradients])

    return function


def flat(parameters):
    return np.concatenate([parameter.ravel() for parameter in parameters])


# --- forward ----------------------------------------------------------------------------------------


def test_every_activation_has_a_gain_and_a_plain_version_here():
    assert NUMPY_ACTIVATIONS.keys() == ACTIVATIONS.keys() == GAINS.keys()


@every_depth
@every_activation
@every_dtype
@every_length
def test_forward_is_plain_numpy(hidden, activation, dtype, n):
    network = make_network(hidden, activation, dtype=dtype)
    X, _ = rows_and_labels(n, dtype=dtype)
    Z = network.forward(X)
    assert Z.dtype == dtype and Z.shape == (n, 3)
    assert_allclose(Z, plain_forward(network, X, activation), **tolerance(dtype))


@every_depth
@every_activation
def test_batched_is_unbatched(hidden, activation):
    network = make_network(hidden, activation)
    X, _ = rows_and_labels()
    one_by_one = np.vstack([network.forward(X[i : i + 1]).copy() for i in range(len(X))])
    assert_allclose(network.forward(X), one_by_one, rtol=1e-12)


@every_depth
@every_length
def test_forward_writes_into_the_buffers(hidden, n):
    network = make_network(hidden)
    X = rows_and_labels(n)[0]
    Z = network.forward(X)
    layers = zip(network.coefs[:-1], network.intercepts[:-1])
    for H, buffer, (W, b) in zip(network.buffers, network.buffers[1:], layers):
        assert_allclose(buffer[:n], np.maximum(H[:n] @ W + b, 0), rtol=1e-12)
    assert np.shares_memory(Z, network.buffers[-1])


def test_forward_leaves_batch_and_parameters_as_they_are():
    network, (X, _) = make_network((6, 4)), rows_and_labels()
    before, X_before = flat(network.parameters), X.copy()
    network.forward(X)
    assert_array_equal(flat(network.parameters), before)
    assert_array_equal(X, X_before)


@every_depth
def test_an_earlier_batch_leaves_no_trace_not_even_nan(hidden):
    network, (X, _) = make_network(hidden), rows_and_labels()
    expected = network.forward(X).copy()
    with np.errstate(invalid="ignore"):
        network.forward(np.full_like(X, np.nan))
    assert_array_equal(network.forward(X), expected)


def test_parameters_are_the_arrays_given():
    network = make_network((6, 4))
    given = [*network.coefs, *network.intercepts]
    assert len(network.parameters) == 6
    assert all(mine is yours for mine, yours in zip(network.parameters, given))


# --- gradients: add_to ------------------------------------------------------------------------------


@every_update
@every_dtype
@every_length
@pytest.mark.parametrize("shape", [(6, 4), (6, 1), (1, 4), (1, 1)])
def test_weight_gradient_is_added_in_place(alpha, beta, dtype, n, shape):
    rng = np.random.default_rng(0)
    # Views of buffers, as for a short last batch.
    H, delta = (rng.normal(size=(8, width)).astype(dtype)[:n] for width in shape)
    out = rng.normal(size=shape).astype(dtype)
    expected = beta * out + alpha * (H.T @ delta)
    WeightGradient(H, delta).add_to(out, alpha, beta)
    assert_allclose(out, expected, **tolerance(dtype))


@every_update
@every_dtype
@every_length
@pytest.mark.parametrize("width", [1, 4])
def test_bias_gradient_is_added_in_place(alpha, beta, dtype, n, width):
    rng = np.random.default_rng(0)
    delta, ones = rng.normal(size=(8, width)).astype(dtype)[:n], np.ones(n, dtype)
    out = rng.normal(size=width).astype(dtype)
    expected = beta * out + alpha * delta.sum(axis=0)
    BiasGradient(delta, ones).add_to(out, alpha, beta)
    assert_allclose(out, expected, **tolerance(dtype))


@every_dtype
def test_beta_0_forgets_even_nan(dtype):
    network, (X, y) = make_network((6,), dtype=dtype), rows_and_labels(dtype=dtype)
    network.backward(log_loss(network.forward(X), y)[1])
    for gradient, parameter in zip(network.gradients(), network.parameters):
        fresh, stale = np.zeros_like(parameter), np.full_like(parameter, np.nan)
        gradient.add_to(fresh, 1, 0)
        gradient.add_to(stale, 1, 0)
        assert np.isfinite(stale).all()
        assert_array_equal(stale, fresh)


@every_update
@every_dtype
@every_depth
@every_length
def test_gradients_are_added_to_all_parameters_in_place(alpha, beta, dtype, hidden, n):
    network, (X, y) = make_network(hidden, "tanh", dtype=dtype), rows_and_labels(n, dtype=dtype)
    network.backward(log_loss(network.forward(X), y)[1])
    gradients = [np.zeros_like(parameter) for parameter in network.parameters]
    for gradient, out in zip(network.gradients(), gradients):
        gradient.add_to(out, 1, 0)
    expected = beta * flat(network.parameters) + alpha * flat(gradients)
    for gradient, parameter in zip(network.gradients(), network.parameters):
        gradient.add_to(parameter, alpha, beta)
    assert np.abs(flat(gradients)).max() > 1e-3
    assert_allclose(flat(network.parameters), expected, **tolerance(dtype))


@every_dtype
@every_length
def test_backward_is_plain_numpy(dtype, n):
    network, (X, _) = make_network((6, 4), "tanh", dtype=dtype), rows_and_labels(n, dtype=dtype)
    dZ = np.random.default_rng(2).normal(size=(n, 3)).astype(dtype)
    network.forward(X)
    network.backward(dZ)
    H1 = np.tanh(X @ network.coefs[0] + network.intercepts[0])
    H2 = np.tanh(H1 @ network.coefs[1] + network.intercepts[1])
    delta2 = (dZ @ network.coefs[2].T) * (1 - H2**2)
    delta1 = (delta2 @ network.coefs[1].T) * (1 - H1**2)
    expected = [X.T @ delta1, H1.T @ delta2, H2.T @ dZ]
    expected += [delta.sum(axis=0) for delta in (delta1, delta2, dZ)]
    for gradient, parameter, wanted in zip(network.gradients(), network.parameters, expected):
        out = np.zeros_like(parameter)
        gradient.add_to(out, 1, 0)
        assert_allclose(out, wanted, **tolerance(dtype))


@every_length
def test_backward_writes_into_the_buffers_and_leaves_dZ_as_it_is(n):
    network = make_network((6, 4), "tanh")
    X, y = rows_and_labels(n)
    _, dZ = log_loss(network.forward(X), y)
    before = dZ.copy()
    network.backward(dZ)
    assert_array_equal(dZ, before)
    following = zip(network.buffers[1:], network.coefs[1:], network.delta_buffers[1:])
    for buffer, (H, W, delta) in zip(network.delta_buffers[:-1], following, strict=True):
        assert_allclose(buffer[:n], delta[:n] @ W.T * (1 - H[:n] ** 2), rtol=1e-12)


def test_gradients_of_the_parts_of_a_batch_add_up_to_those_of_the_batch():
    network, (X, _) = make_network((6, 4), "tanh"), rows_and_labels()
    dZ = np.random.default_rng(2).normal(size=(8, 3))
    sums = []
    for parts in ([slice(0, 8)], [slice(0, 5), slice(5, 8)]):
        out = [np.zeros_like(parameter) for parameter in network.parameters]
        for part in parts:
            network.forward(X[part])
            network.backward(dZ[part])
            for gradient, total in zip(network.gradients(), out):
                gradient.add_to(total, 1, 1)
        sums.append(flat(out))
    assert_allclose(sums[1], sums[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
@every_activation
@every_depth
def test_gradient_of_the_whole_network_is_that_of_central_differences(loss, activation, hidden):
    network, (X, y) = make_network(hidden, activation), rows_and_labels()
    function = as_function_of_parameters(network, X, loss, y)
    theta = 0.5 * flat(network.parameters)
    assert check_gradient(function, theta).max() < 1e-6


def test_a_training_step_allocates_no_array_of_the_size_of_the_weights():
    network = make_network((400,), n_features=300, batch_size=64)
    X, y = rows_and_labels(64, 300)
    _, dZ = log_loss(network.forward(X), y)

    def step():
        network.forward(X)
        network.backward(dZ)
        for gradient, parameter in zip(network.gradients(), network.parameters):
            gradient.add_to(parameter, -1e-3, 1)

    assert peak_memory(step) < network.coefs[0].nbytes / 10


# --- dropout ----------------------------------------------------------------------------------------


def ones_network(dropout, dtype=np.float64, batch_size=50, width=400, seed=0):
    """Two hidden layers of units that are 1 where none is dropped before."""
    coefs = [np.ones((1, width)), np.full((width, width), 1 / width), np.full((width, 1), 1 / width)]
    intercepts = [np.zeros(width), np.zeros(width), np.zeros(1)]
    parameters = [[p.astype(dtype) for p in some] for some in (coefs, intercepts)]
    rng = np.random.default_rng(seed) if dropout else None
    return Network(*parameters, "identity", batch_size, dropout, rng=rng)


@every_dtype
@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.8])
def test_dropout_drops_its_fraction_and_scales_the_rest(dropout, dtype):
    network = ones_network(dropout, dtype)
    network.forward(np.ones((50, 1), dtype))
    H = network.batch.H[1]
    dropped = H == 0
    n_sigma = abs(dropped.sum() - dropout * H.size) / np.sqrt(H.size * dropout * (1 - dropout))
    assert n_sigma < 5
    assert_allclose(H[~dropped], 1 / (1 - dropout), rtol=1e-6)
    # Every layer draws its own units.
    assert abs(np.mean(network.batch.H[2] == 0) - dropout) < 0.05
    assert not np.array_equal(dropped, network.batch.H[2] == 0)


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.8])
def test_dropout_keeps_the_expectation(dropout):
    network, X = ones_network(dropout), np.ones((50, 1))
    outcomes = np.array([network.forward(X).copy() for _ in range(20)])
    assert np.std(outcomes) > 1e-3
    assert abs(outcomes.mean() - 1) < 5 * np.std(outcomes) / np.sqrt(outcomes.size)


@every_depth
def test_dropout_touches_neither_input_nor_output(hidden):
    network = make_network(hidden, dropout=0.9, rng=np.random.default_rng(0))
    X, _ = rows_and_labels()
    before = X.copy()
    Z = network.forward(X)
    assert_array_equal(X, before)
    assert_allclose(Z, network.batch.H[-2] @ network.coefs[-1] + network.intercepts[-1], rtol=1e-12)


def test_dropout_draws_again_for_each_batch_and_the_same_from_the_same_state():
    network, (X, _) = make_network((40,), dropout=0.5, rng=np.random.default_rng(0)), rows_and_labels()
    state = network.rng.bit_generator.state
    first, second = network.forward(X).copy(), network.forward(X).copy()
    network.rng.bit_generator.state = state
    assert_array_equal(network.forward(X), first)
    assert not np.array_equal(first, second)


@every_activation
@pytest.mark.parametrize("dropout", [0.2, 0.7])
def test_gradient_is_right_for_the_units_that_were_dropped(activation, dropout):
    rng = np.random.default_rng(5)
    network = make_network((9, 7), activation, dropout=dropout, rng=rng)
    X, y = rows_and_labels()
    function = as_function_of_parameters(network, X, log_loss, y)
    assert check_gradient(function, 0.5 * flat(network.parameters)).max() < 1e-6
    assert (network.batch.H[1] == 0).any()


@pytest.mark.parametrize("dropout", [0.1, 0.5])
def test_input_dropout_drops_its_fraction_of_the_inputs_and_scales_the_rest(dropout):
    network = make_network((40,), batch_size=200, input_dropout=dropout, rng=np.random.default_rng(0))
    X = np.ones((200, network.coefs[0].shape[0]))
    network.forward(X)
    inputs = network.batch.H[0]
    dropped = inputs == 0
    n_sigma = abs(dropped.sum() - dropout * inputs.size) / np.sqrt(inputs.size * dropout * (1 - dropout))
    assert n_sigma < 4
    assert_allclose(inputs[~dropped], 1 / (1 - dropout), rtol=1e-6)
    assert_array_equal(X, 1)


@pytest.mark.parametrize("kind", ["dropout", "input_dropout"])
def test_nothing_is_dropped_from_rows_that_are_only_looked_at(kind):
    network = make_network((40,), **{kind: 0.5}, rng=np.random.default_rng(0))
    X, _ = rows_and_labels()
    without = make_network((40,))
    for W, own in zip(without.parameters, network.parameters):
        W[...] = own
    assert_array_equal(network.infer(X), without.forward(X))


@every_activation
def test_gradient_is_right_for_the_inputs_that_were_dropped(activation):
    rng = np.random.default_rng(5)
    network = make_network((9, 7), activation, input_dropout=0.4, rng=rng)
    X, y = rows_and_labels()
    function = as_function_of_parameters(network, X, log_loss, y)
    assert check_gradient(function, 0.5 * flat(network.parameters)).max() < 1e-6
    assert (network.batch.H[0] == 0).any()


@every_dtype
def test_infer_is_forward_on_rows_of_a_larger_array_that_stay_where_they_are(dtype):
    X, network = images(dtype=dtype), make_network((6,), "tanh", 8, dtype=dtype)
    Z = network.infer(X[3:9]).copy()
    assert not network.buffers[0].any()
    assert_array_equal(network.forward(network.gather(X, slice(3, 9))), Z)


@every_activation
def test_no_unit_is_dropped_without_dropout(activation):
    network = make_network((9, 7), activation)
    X, _ = rows_and_labels()
    first = network.forward(X).copy()
    assert_array_equal(network.forward(X), first)
    assert_allclose(first, plain_forward(network, X, activation), rtol=1e-12)


# --- gather and outputs -----------------------------------------------------------------------------


def dense(X):
    return X.toarray() if issparse(X) else X


@every_layout
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS.keys())
@every_dtype
@pytest.mark.parametrize("X_dtype", [np.float32, np.float64])
def test_gather_gives_the_rows_in_the_dtype_of_the_network(layout, rows, dtype, X_dtype):
    X, network = LAYOUTS[layout](images(dtype=X_dtype)), make_network(dtype=dtype)
    batch = network.gather(X, rows)
    assert batch.dtype == dtype and batch.flags.c_contiguous
    assert np.shares_memory(batch, network.buffers[0])
    assert_array_equal(batch, dense(X)[rows].astype(dtype))


@every_layout
def test_gather_forgets_the_batch_before(layout):
    X, network = LAYOUTS[layout](images()), make_network()
    network.gather(X, slice(0, 8))
    batch = network.gather(X, np.arange(12, 18))
    assert_array_equal(batch, dense(X)[12:18])


@every_layout
def test_gather_leaves_the_data_as_they_are(layout):
    X, network = LAYOUTS[layout](images()), make_network()
    before = dense(X).copy()
    network.gather(X, np.arange(8))[...] = -1
    assert_array_equal(dense(X), before)


# The rows of a CSC matrix are found by going through all of it; estimators make CSR of it before.
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "CSC matrix"])
@pytest.mark.parametrize("rows", [slice(100, 150), np.arange(7, 2000, 40)], ids=["slice", "rows"])
def test_gather_never_copies_the_data_whole(layout, rows):
    X = LAYOUTS[layout](images(2000, 100, np.float32))
    network = make_network(batch_size=50, n_features=100, dtype=np.float32)
    batch_bytes = network.buffers[0].size * max(4, X.dtype.itemsize)
    assert peak_memory(network.gather, X, rows) < 3 * batch_bytes + 10_000  # 10 kB for small objects


@every_layout
@pytest.mark.parametrize("batch_size", [1, 7, 8])
def test_outputs_are_those_of_all_rows_at_once(layout, batch_size):
    X, network = LAYOUTS[layout](images()), make_network((6,), "tanh", batch_size)
    Z = outputs(network, X)
    assert_allclose(Z, plain_forward(network, dense(X), "tanh"), rtol=1e-10, atol=1e-12)


@every_layout
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_outputs_of_chosen_rows_come_in_their_order(layout, batch_size):
    X, network = LAYOUTS[layout](images()), make_network((6,), "tanh", batch_size)
    rows = np.array([3, 19, 0, 3, 11, 8, 7])
    Z = outputs(network, X, rows)
    assert_allclose(Z, plain_forward(network, dense(X)[rows], "tanh"), rtol=1e-10, atol=1e-12)


@every_dtype
def test_outputs_own_their_memory_and_have_the_dtype_of_the_network(dtype):
    network = make_network(batch_size=20, dtype=dtype)
    Z = outputs(network, images())
    assert Z.dtype == dtype and Z.shape == (20, 3)
    assert not np.shares_memory(Z, network.buffers[-1])


def test_outputs_of_no_rows_have_no_rows():
    assert outputs(make_network(), images(), np.array([], dtype=int)).shape == (0, 3)


@pytest.mark.parametrize("layout", ["uint8", "Fortran order", "big-endian", "int64"])
def test_outputs_never_copy_the_data_whole(layout):
    X = LAYOUTS[layout](images(2000, 100, np.float32))
    network = make_network(batch_size=50, n_features=100, dtype=np.float32)
    batch_bytes = network.buffers[0].size * max(4, X.dtype.itemsize)
    Z_bytes = 2000 * 3 * 4
    assert peak_memory(outputs, network, X) < Z_bytes + 3 * batch_bytes + 10_000
