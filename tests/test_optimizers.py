import copy

import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from skmetric import TripletMetricTransformer
from skmetric._engine import optimizers
from skmetric._engine.optimizers import OPTIMIZERS, SGD, Adam, Momentum

# name: (key of OPTIMIZERS, momentum, nesterov)
TABLE = {
    "sgd": ("sgd", 0.0, False),
    "momentum": ("sgd", 0.9, False),
    "nesterov": ("sgd", 0.9, True),
    "adam": ("adam", 0.9, True),
}
ALL = pytest.mark.parametrize("name", TABLE)
DTYPES = pytest.mark.parametrize("dtype, rtol", [(np.float32, 2e-6), (np.float64, 1e-12)])
SHAPES = [(5, 3), (3,), (3, 2), (2,)]


class PlainGradient:
    def __init__(self, g):
        self.g = g

    def add_to(self, out, alpha, beta):
        assert out.dtype == self.g.dtype  # BLAS adds a product to an array of its dtype only
        out[...] = (out * beta if beta else 0) + alpha * self.g


def made(name, parameters, decays=None):
    key, momentum, nesterov = TABLE[name]
    return OPTIMIZERS[key](parameters, decays or [0.0] * len(parameters), momentum, nesterov)


def random_arrays(seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES]


def gradients(step, dtype=np.float64):
    return [PlainGradient(g) for g in random_arrays(100 + step, dtype)]


def steps(optimizer, parameters, numbers, rate=0.1):
    for step in numbers:
        optimizer.step(parameters, gradients(step, parameters[0].dtype), rate)


# --- the update formulas, in plain numpy ------------------------------------------------------------


def plain_sgd(W, g, rate, memory):
    return W - rate * g


def plain_momentum(W, g, rate, memory):
    memory["v"] = 0.9 * memory.get("v", 0) - rate * g
    return W + memory["v"]


def plain_nesterov(W, g, rate, memory):
    memory["v"] = 0.9 * memory.get("v", 0) - rate * g
    return W + 0.9 * memory["v"] - rate * g


def plain_adam(W, g, rate, memory):
    t = memory["t"] = memory.get("t", 0) + 1
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * g**2
    m_hat, v_hat = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return W - rate * m_hat / (np.sqrt(v_hat) + 1e-8)


PLAIN = {"sgd": plain_sgd, "momentum": plain_momentum, "nesterov": plain_nesterov, "adam": plain_adam}


@ALL
@DTYPES
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("n_steps", [1, 2, 7])
def test_steps_follow_the_formula(name, dtype, rtol, decay, n_steps):
    parameters = random_arrays(0, dtype)
    decays = [decay, 0.0, 2 * decay, 0.0]
    expected, memories = random_arrays(0), [{} for _ in SHAPES]
    optimizer = made(name, parameters, decays)
    for step in range(n_steps):
        rate = 0.1 / (1 + step)
        optimizer.step(parameters, gradients(step, dtype), rate)
        for i, gradient in enumerate(gradients(step)):
            g = gradient.g.astype(dtype).astype(np.float64) + decays[i] * expected[i]
            expected[i] = PLAIN[name](expected[i], g, rate, memories[i])
    for W, expected_W in zip(parameters, expected):
        np.testing.assert_allclose(W, expected_W, rtol=rtol, atol=rtol)


THEIRS = {
    "momentum": lambda parameters: SGDOptimizer(parameters, 0.1, momentum=0.9, nesterov=False),
    "nesterov": lambda parameters: SGDOptimizer(parameters, 0.1, momentum=0.9, nesterov=True),
    "sgd": lambda parameters: SGDOptimizer(parameters, 0.1, momentum=0.0, nesterov=False),
    "adam": lambda parameters: AdamOptimizer(parameters, 0.1, epsilon=0.0),
}


@ALL
def test_steps_are_those_of_scikit_learn(monkeypatch, name):
    # scikit-learn's Adam does not correct the bias of its epsilon: the rest must agree.
    monkeypatch.setattr(Adam, "epsilon", 0.0)
    ours, theirs = random_arrays(0), random_arrays(0)
    optimizer = THEIRS[name](theirs)
    steps(made(name, ours), ours, range(10))
    for step in range(10):
        optimizer.update_params(theirs, [gradient.g for gradient in gradients(step)])
    for W, their_W in zip(ours, theirs):
        np.testing.assert_allclose(W, their_W, rtol=1e-12, atol=1e-12)


def test_nesterov_parameters_are_the_point_where_sutskever_looks_ahead():
    curvature, rate, momentum = np.array([1.0, 10.0]), 0.05, 0.9
    theta, v = np.array([1.0, -2.0]), np.zeros(2)
    W = theta.copy()
    optimizer = Momentum([0.0], [W], momentum, nesterov=True)
    for _ in range(20):
        optimizer.step([W], [PlainGradient(curvature * W)], rate)
        v = momentum * v - rate * curvature * (theta + momentum * v)  # equation 3
        theta = theta + v  # equation 4
        np.testing.assert_allclose(W, theta + momentum * v, rtol=1e-10, atol=1e-14)


# --- what every optimizer does ----------------------------------------------------------------------

RATES = {"sgd": 1.0, "momentum": 0.5, "nesterov": 0.5, "adam": 0.05}
CURVATURES = {"well": np.array([1.0, 0.8, 1.0, 0.9]), "badly": np.array([1.0, 0.01, 0.1, 0.5])}


@ALL
@DTYPES
@pytest.mark.parametrize("conditioned", CURVATURES)
def test_solves_a_quadratic(name, dtype, rtol, conditioned):
    curvature = CURVATURES[conditioned].astype(dtype)
    target = np.array([3.0, -1.0, 0.5, 2.0], dtype=dtype)
    W = np.zeros(4, dtype=dtype)
    optimizer = made(name, [W])
    for _ in range(1500):
        optimizer.step([W], [PlainGradient(curvature * (W - target))], RATES[name])
    np.testing.assert_allclose(W, target, rtol=1e-4)


@ALL
@DTYPES
@pytest.mark.parametrize("rate", [0.1, np.float64(0.1)], ids=["float", "numpy float"])
def test_parameters_change_in_place_and_keep_their_dtype(name, dtype, rtol, rate):
    parameters = random_arrays(0, dtype)
    before = list(parameters)
    steps(made(name, parameters, [0.1] * 4), parameters, range(3), rate)
    for W, same_W, start in zip(parameters, before, random_arrays(0, dtype)):
        assert W is same_W
        assert W.dtype == dtype
        assert (start != W).all()


@ALL
@DTYPES
def test_memory_is_of_the_dtype_of_the_parameters(name, dtype, rtol):
    parameters = random_arrays(0, dtype)
    optimizer = made(name, parameters, [0.1] * 4)
    steps(optimizer, parameters, range(2))
    memories = [value for name, value in optimizer.state.items() if name != "t"]
    assert memories or name == "sgd"
    assert {array.dtype for memory in memories for array in memory} <= {np.dtype(dtype)}


@ALL
@DTYPES
def test_state_holds_all_that_is_remembered(name, dtype, rtol):
    parameters = random_arrays(0, dtype)
    optimizer = made(name, parameters, [0.1] * 4)
    steps(optimizer, parameters, range(3))
    state, resumed = copy.deepcopy(optimizer.state), [W.copy() for W in parameters]
    steps(optimizer, parameters, range(3, 8))
    fresh = made(name, resumed, [0.1] * 4)
    fresh.state = state
    steps(fresh, resumed, range(3, 8))
    for W, resumed_W in zip(parameters, resumed):
        np.testing.assert_array_equal(W, resumed_W)


@ALL
def test_gradients_are_left_alone(name):
    parameters, given = random_arrays(0), gradients(0)
    made(name, parameters, [0.1] * 4).step(parameters, given, 0.1)
    for gradient, original in zip(given, gradients(0)):
        np.testing.assert_array_equal(gradient.g, original.g)


@ALL
def test_rate_0_moves_nothing(name):
    parameters = random_arrays(0)
    steps(made(name, parameters, [0.1] * 4), parameters, range(3), rate=0.0)
    for W, start in zip(parameters, random_arrays(0)):
        np.testing.assert_array_equal(W, start)


@ALL
def test_without_gradient_and_decay_nothing_moves(name):
    parameters = random_arrays(0)
    nothing = [PlainGradient(np.zeros_like(W)) for W in parameters]
    made(name, parameters).step(parameters, nothing, 0.1)
    for W, start in zip(parameters, random_arrays(0)):
        np.testing.assert_array_equal(W, start)


# --- penalty ----------------------------------------------------------------------------------------


@ALL
@DTYPES
def test_penalty_is_half_the_weighted_sum_of_squares(name, dtype, rtol):
    parameters = random_arrays(0, dtype)
    decays = [0.3, 0.0, 0.1, 0.0]
    squares = [np.sum(W.astype(np.float64) ** 2) for W in parameters]
    expected = 0.5 * np.dot(decays, squares)
    penalty = made(name, parameters, decays).penalty(parameters)
    assert type(penalty) is float
    assert penalty == pytest.approx(expected, rel=rtol)


@ALL
def test_penalty_is_0_without_decay(name):
    parameters = random_arrays(0)
    assert made(name, parameters).penalty(parameters) == 0.0


def test_decay_is_the_gradient_of_the_penalty():
    W = random_arrays(0)[0]
    start, decay, rate, h = W.copy(), 0.3, 0.1, 1e-6
    optimizer = SGD([decay], [W])
    optimizer.step([W], [PlainGradient(np.zeros_like(W))], rate)
    direction = random_arrays(1)[0]
    ahead, behind = (optimizer.penalty([start + sign * h * direction]) for sign in (1, -1))
    assert np.sum((start - W) / rate * direction) == pytest.approx((ahead - behind) / (2 * h), rel=1e-7)


# --- how Adam works -----------------------------------------------------------------------------------


@ALL
@DTYPES
@pytest.mark.parametrize("cached", [1, 4, 15, 16, 80])
def test_steps_in_groups_and_blocks_are_steps_in_one(name, monkeypatch, dtype, rtol, cached):
    whole, in_blocks = random_arrays(0, dtype), random_arrays(0, dtype)
    steps(made(name, whole, [0.1] * 4), whole, range(5))
    monkeypatch.setattr(optimizers, "CACHED", cached)
    monkeypatch.setattr(optimizers, "WORTH", cached)
    steps(made(name, in_blocks, [0.1] * 4), in_blocks, range(5))
    for W, W_in_blocks in zip(whole, in_blocks):
        np.testing.assert_array_equal(W, W_in_blocks)


@pytest.mark.parametrize("worth, sizes", [(1, [1] * 4), (3, [1, 1, 2]), (8, [1, 3]), (12, [4])])
def test_groups_hold_each_parameter_once_and_are_worth_a_thread(monkeypatch, worth, sizes):
    monkeypatch.setattr(optimizers, "WORTH", worth)
    groups = SGD([0.0] * 4, random_arrays(0)).groups  # of 15, 3, 6 and 2 entries
    assert [i for group in groups for i in range(4)[group]] == [0, 1, 2, 3]
    assert [group.stop - group.start for group in groups] == sizes


def test_adam_moves_a_parameter_that_is_larger_than_the_cache():
    W = np.linspace(-1, 1, 2 * optimizers.CACHED + 3).reshape(1, -1)
    start = W.copy()
    optimizer = made("adam", [W])
    optimizer.step([W], [PlainGradient(2.0 * np.ones_like(W))], 0.1)
    np.testing.assert_allclose(W, start - 0.1, rtol=1e-7, atol=1e-9)


def test_adam_steps_do_not_depend_on_the_scale_of_the_gradient():
    small, large = random_arrays(0), random_arrays(0)
    ours, theirs = made("adam", small), made("adam", large)
    for step in range(5):
        ours.step(small, gradients(step), 0.1)
        theirs.step(large, [PlainGradient(1e3 * gradient.g) for gradient in gradients(step)], 0.1)
    for W, other_W in zip(small, large):
        np.testing.assert_allclose(W, other_W, rtol=1e-5, atol=1e-7)


def test_sgd_without_momentum_remembers_nothing():
    assert made("sgd", random_arrays(0)).state == {}


@DTYPES
@pytest.mark.parametrize("name", ["momentum", "nesterov", "adam"])
@pytest.mark.parametrize("cached", [7, 100])
def test_moments_below_the_smallest_normal_number_are_flushed(name, dtype, rtol, cached, monkeypatch):
    monkeypatch.setattr(optimizers, "CACHED", cached)
    parameters = random_arrays(0, dtype)
    optimizer = made(name, parameters)
    steps(optimizer, parameters, range(3))
    nothing = [PlainGradient(np.zeros_like(W)) for W in parameters]
    key = "first" if name == "adam" else "velocities"
    smallest = np.finfo(dtype).smallest_normal
    for _ in range(10_000):
        optimizer.step(parameters, nothing, 0.1)
    moments = optimizer.state[key]
    assert np.count_nonzero((moments != 0) & (np.abs(moments) < smallest)) > 10  # they do not reach 0
    moments[:2] = 1, -1
    optimizer.flush()
    assert moments[0] == 1 and moments[1] == -1
    assert not moments[2:].any()


def test_training_of_what_is_learned_leaves_no_moments_that_slow_it_down():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    X = (rng.normal(size=(400, 20)) + 10 * y[:, np.newaxis]).astype(np.float32)
    settings = {"n_networks": 1, "batch_size": 50, "max_iter": 300, "tol": 0, "alpha": 0}
    model = TripletMetricTransformer(4, warm_start=True, random_state=0, **settings).fit(X, y)
    moments = model._optimizer_state["first"]
    assert model.history_[-1]["active_fraction"] == 0
    assert not ((moments != 0) & (np.abs(moments) < np.finfo(np.float32).smallest_normal)).any()
