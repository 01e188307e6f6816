"""One or two BLAS threads for the products of a training step, on a quiet and on a busy machine?

``python benchmarks/bench_threads.py``

The products of a step of 784-hidden-10, float32, in SciPy's BLAS; "busy" adds a process on each core that
competes for it.
"""

import sys

import numpy as np
from common import busy_machine, interleaved, save, summary
from threadpoolctl import ThreadpoolController

from skmetric._engine.initialization import initial_parameters
from skmetric._engine.network import Network
from skmetric._engine.optimizers import SGD

SIZES = [(64, 32), (64, 128), (256, 128), (1024, 256)]


def steps(hidden, batch, n_threads):
    """About a second of steps: forward, backward and the update in place."""
    rng = np.random.default_rng(0)
    network = Network(
        *initial_parameters([784, hidden, 10], "identity", rng, np.float32), "identity", batch
    )
    X, dZ = rng.random((batch, 784), dtype=np.float32), rng.random((batch, 10), dtype=np.float32)
    network.buffers[0][...] = X
    X = network.buffers[0][:batch]  # in its place already, as after `gather`
    controller = ThreadpoolController()
    optimizer, n_steps = SGD([0.0] * 4), max(3, 2**33 // (784 * hidden * batch))

    def run():
        with controller.limit(limits=n_threads, user_api="blas"):
            for _ in range(n_steps):
                network.forward(X)
                network.backward(dZ)
                optimizer.step(network.parameters, network.gradients(), 1e-9)

    return run


def measured(label):
    rows = []
    for hidden, batch in SIZES:
        contestants = {f"{n} threads": steps(hidden, batch, n) for n in (1, 2)}
        times, _ = interleaved(contestants, 7)
        table = summary(times, "1 threads")
        two = table["2 threads"]["ratio_to_1 threads"]
        print(f"{label} {hidden}x{batch}: two threads take {two[0]:.2f} ({two[1]:.2f} to {two[2]:.2f})")
        rows.append({"hidden": hidden, "batch": batch, "two_over_one": two, "times": table})
    return rows


if __name__ == "__main__":
    quiet = measured("quiet")
    with busy_machine():
        busy = measured("busy")
    save("threads", {"command": sys.argv, "quiet": quiet, "busy": busy})
