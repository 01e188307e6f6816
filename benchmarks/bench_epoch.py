"""One epoch of a softmax classifier on MNIST, against its peers and against the bare products.

``python benchmarks/bench_epoch.py [--threads 1] [--repeats 5]`` (extra `bench`)

Same network (784-hidden-10, logistic), batch, dtype (float32), rate, solver and number of threads; the
loss after the epoch stands beside the time, so that nobody wins by doing less. The floor is the
unavoidable work alone, in as many threads of BLAS: gather the batch; the matrix products of forward and
backward. The widest network learns from the first 15,000 rows.
"""

import argparse
import sys

from common import interleaved, limit_threads, save, summary

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--repeats", type=int, default=5)
args = parser.parse_args()
limit_threads(args.threads)  # before any of them is imported

import warnings  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

from skmetric import SoftmaxMLPClassifier  # noqa: E402
from skmetric._engine.initialization import initial_parameters  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402

torch.set_num_threads(args.threads)
warnings.simplefilter("ignore")
ALL_X, ALL_Y = fetch_mnist(return_X_y=True)
ALL_X = ALL_X / np.float32(255)
ALL_Y = ALL_Y.astype(np.int64)
CASES = [
    ((64,), 128, 60000),
    ((64,), 32, 60000),
    ((256,), 128, 60000),
    ((1024,), 256, 60000),
    ((2048, 2048), 512, 15000),
]
RATES = {"sgd": 0.1, "adam": 0.001}


def order(X):
    return np.random.default_rng(0).permutation(len(X))


def floor(X, y, hidden, batch, solver):
    coefs, _ = initial_parameters([784, *hidden, 10], "logistic", np.random.default_rng(0), np.float32)
    gradients = [np.zeros_like(W) for W in coefs]
    buffers = [np.zeros((batch, width), np.float32) for width in (784, *hidden, 10)]
    deltas = [np.zeros_like(buffer) for buffer in buffers[1:]]
    rows = order(X)

    def run():
        for start in range(0, len(X), batch):
            some = rows[start : start + batch]
            H = [buffer[: len(some)] for buffer in buffers]
            delta = [buffer[: len(some)] for buffer in deltas]
            X.take(some, axis=0, out=H[0], mode="clip")
            for layer, W in enumerate(coefs):
                np.matmul(H[layer], W, out=H[layer + 1])
            for layer in range(len(coefs) - 1, 0, -1):
                np.matmul(delta[layer], coefs[layer].T, out=delta[layer - 1])
            for layer, g in enumerate(gradients):
                np.matmul(H[layer].T, delta[layer], out=g)

    return run


def skmetric_epoch(X, y, hidden, batch, solver):
    def run():
        model = SoftmaxMLPClassifier(
            hidden, "logistic", solver=solver, alpha=0, momentum=0, batch_size=batch, max_iter=1,
            learning_rate="constant", learning_rate_init=RATES[solver], standardize=False, random_state=0,
        )  # fmt: skip
        return model.fit(X, y)

    return run


def sklearn_epoch(X, y, hidden, batch, solver):
    def run():
        model = MLPClassifier(
            hidden, "logistic", solver=solver, alpha=0, momentum=0, batch_size=batch, max_iter=1,
            learning_rate_init=RATES[solver], random_state=0,
        )  # fmt: skip
        return model.fit(X, y)

    return run


def torch_epoch(X, y, hidden, batch, solver):
    tensor_X, tensor_y = torch.from_numpy(X), torch.from_numpy(y)
    torch_order = torch.from_numpy(order(X))

    def run():
        torch.manual_seed(0)
        layers = []
        for fan_in, fan_out in zip([784, *hidden], hidden):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.Sigmoid()]
        model = torch.nn.Sequential(*layers, torch.nn.Linear(hidden[-1], 10))
        make = torch.optim.SGD if solver == "sgd" else torch.optim.Adam
        optimizer = make(model.parameters(), lr=RATES[solver])
        for start in range(0, len(X), batch):
            rows = torch_order[start : start + batch]
            loss = torch.nn.functional.cross_entropy(model(tensor_X[rows]), tensor_y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return model

    return run


def jax_loss(parameters, X, y):
    *hidden, (W, b) = parameters
    for W_hidden, b_hidden in hidden:
        X = jax.nn.sigmoid(X @ W_hidden + b_hidden)
    logits = X @ W + b
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))


@jax.jit
def jax_sgd(parameters, state, X, y):
    gradients = jax.grad(jax_loss)(parameters, X, y)
    return jax.tree.map(lambda W, g: W - RATES["sgd"] * g, parameters, gradients), state


@jax.jit
def jax_adam(parameters, state, X, y):
    t, first, second = state
    gradients, t = jax.grad(jax_loss)(parameters, X, y), t + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    step = RATES["adam"] * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    moved = jax.tree.map(lambda W, m, v: W - step * m / (jnp.sqrt(v) + 1e-8), parameters, first, second)
    return moved, (t, first, second)


def jax_epoch(X, y, hidden, batch, solver):
    step = jax_sgd if solver == "sgd" else jax_adam

    jax_order = order(X)

    def run():
        widths = [784, *hidden, 10]
        layers = zip(*initial_parameters(widths, "logistic", np.random.default_rng(0), np.float32))
        parameters = [(jnp.asarray(W), jnp.asarray(b)) for W, b in layers]
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        state = (0.0, zeros, zeros)
        for start in range(0, len(X), batch):
            rows = jax_order[start : start + batch]
            parameters, state = step(parameters, state, X[rows], y[rows])
        return jax.block_until_ready(parameters)

    return run


def loss_after(result, X, y):
    """Mean log loss on the training rows, however the contestant keeps its parameters."""
    if hasattr(result, "predict_proba"):
        P = np.clip(result.predict_proba(X), 1e-12, 1)
        return float(-np.log(P[np.arange(len(y)), y]).mean())
    if isinstance(result, torch.nn.Module):
        with torch.no_grad():
            return float(
                torch.nn.functional.cross_entropy(result(torch.from_numpy(X)), torch.from_numpy(y))
            )
    return float(jax_loss(result, X, y)) if result is not None else None


CONTESTANTS = {
    "skmetric": skmetric_epoch,
    "floor": floor,
    "MLPClassifier": sklearn_epoch,
    "PyTorch": torch_epoch,
    "JAX": jax_epoch,
}

if __name__ == "__main__":
    rows = []
    for hidden, batch, n_rows in CASES:
        X, y = ALL_X[:n_rows], ALL_Y[:n_rows]
        for solver in RATES:
            contestants = {name: make(X, y, hidden, batch, solver) for name, make in CONTESTANTS.items()}
            times, results = interleaved(contestants, args.repeats)
            table = summary(times, "skmetric")
            for name, entry in table.items():
                entry["loss_after"] = loss_after(results[name], X, y)
                ratio = 1 / entry["ratio_to_skmetric"][0]
                entry["skmetric_over_this"] = ratio
                size = f"{'-'.join(map(str, hidden))} x {batch} {solver:4s} {name:14s}"
                print(size, f"{entry['median_s']:.3f} s, ", end="")
                print(f"skmetric / this {ratio:.2f}, loss {entry['loss_after']}", flush=True)
            rows.append({"hidden": hidden, "batch": batch, "solver": solver, "contestants": table})
    name = f"epoch_{args.threads}_threads"
    save(name, {"command": sys.argv, "rows": rows}, "torch", "jax")
