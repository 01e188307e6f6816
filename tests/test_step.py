"""The cost of one training step, counted instead of timed: no machine is too slow for it."""

import tracemalloc

import numpy as np
import pytest

from skmetric._engine.adversarial import AtRows
from skmetric._engine.gemm import Gemm
from skmetric._engine.initialization import initial_parameters
from skmetric._engine.network import Network
from skmetric._engine.optimizers import SGD, Adam
from skmetric._engine.training import run_epoch
from skmetric.losses import LabelLoss, log_loss

BATCH, WIDTHS = 64, [300, 200, 10]
OPTIMIZERS = {
    "sgd": lambda parameters: SGD([0.0] * 4, parameters),
    "adam": lambda parameters: Adam([0.0] * 4, parameters),
}
each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def steps(make, n_steps):
    """A function that takes some steps."""
    rng = np.random.default_rng(0)
    X = rng.random((n_steps * BATCH, WIDTHS[0]), dtype=np.float32)
    y = rng.integers(10, size=len(X))
    network = Network(*initial_parameters(WIDTHS, "logistic", rng, np.float32), "logistic", BATCH)
    optimizer = make(network.parameters)
    batches = np.arange(len(X)).reshape(n_steps, BATCH)
    return lambda: run_epoch(network, LabelLoss(log_loss), AtRows(), optimizer, 0.01, batches, X, (y,))


@each_optimizer
@pytest.mark.parametrize("n_steps", [1, 5])
def test_a_step_makes_the_products_it_needs_and_no_more(make, n_steps, monkeypatch):
    n_products = []

    def counted(product):
        def call(*args, **options):
            n_products.append(1)
            return product(*args, **options)

        return call

    monkeypatch.setattr(np, "matmul", counted(np.matmul))
    monkeypatch.setattr(Gemm, "__call__", counted(Gemm.__call__))
    steps(make, n_steps)()
    # Two layers forward, one back, two gradients of weights and two of biases.
    assert len(n_products) == 7 * n_steps


@pytest.mark.parametrize("name, gradient", [("sgd", 0), ("adam", 4 * WIDTHS[0] * WIDTHS[1])])
def test_a_step_allocates_no_more_than_a_few_small_arrays(name, gradient):
    make = OPTIMIZERS[name]
    run = steps(make, 10)
    run()
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    hidden, logits = 4 * BATCH * WIDTHS[1], 8 * BATCH * WIDTHS[2]
    # One temporary of the size of the hidden layer (its derivative), a few of the size of the logits, and
    # for Adam the gradient of the weights that are moved at the time: nothing of the size of the rows.
    assert peak < 2 * hidden + 8 * logits + gradient
