"""One epoch of a softmax classifier on MNIST, against its peers and against the bare products.

``python benchmarks/bench_epoch.py [--threads 1] [--repeats 5]`` (extra `bench`)

Same network (784-hidden-10, logistic), batch, dtype (float32), rate, solver and number of threads; the
loss after the epoch stands beside the time, so that nobody wins by doing less. The floor is the
unavoidable work alone: gather the batch; the matrix products of forward and backward.
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
from skmetric._blas_threads import one_blas_thread  # noqa: E402
from skmetric._engine.initialization import initial_parameters  # noqa: E402
from skmetric._engine.network import Network  # noqa: E402
from skmetric.datasets import fetch_mnist  # noqa: E402

torch.set_num_threads(args.threads)
warnings.simplefilter("ignore")
X, y = fetch_mnist(return_X_y=True)
X = X / np.float32(255)
y = y.astype(np.int64)
ROWS = np.random.default_rng(0).permutation(len(X))
SIZES = [(64, 128), (64, 32), (256, 128), (1024, 256)]
RATES = {"sgd": 0.1, "adam": 0.001}


def floor(hidden, batch, solver):
    parameters = initial_parameters([784, hidden, 10], "logistic", np.random.default_rng(0), np.float32)
    network = Network(*parameters, "logistic", batch)
    targets = [np.zeros_like(W) for W in network.coefs]

    def run():
        with one_blas_thread():
            for start in range(0, len(X), batch):
                views = network.batches.get(len(network.gather(X, ROWS[start : start + batch])))
                if views is None:
                    network.forward(network.buffers[0][: min(batch, len(X) - start)])
                    views = network.batch
                H, (delta, dZ) = views.H, views.deltas
                for layer, W in enumerate(network.coefs):
                    network.gemm(1.0, W.T, H[layer].T, c=H[layer + 1].T, overwrite_c=1)
                network.gemm(1.0, network.coefs[1].T, dZ.T, c=delta.T, trans_a=1, overwrite_c=1)
                for gradient, out in zip(views.gradients, targets):
                    gradient.add_to(out, 1.0, 0.0)

    return run


def skmetric_epoch(hidden, batch, solver):
    def run():
        model = SoftmaxMLPClassifier(
            (hidden,), "logistic", solver=solver, alpha=0, momentum=0, batch_size=batch, max_iter=1,
            learning_rate="constant", learning_rate_init=RATES[solver], standardize=False, random_state=0,
        )  # fmt: skip
        return model.fit(X, y)

    return run


def sklearn_epoch(hidden, batch, solver):
    def run():
        model = MLPClassifier(
            (hidden,), "logistic", solver=solver, alpha=0, momentum=0, batch_size=batch, max_iter=1,
            learning_rate_init=RATES[solver], random_state=0,
        )  # fmt: skip
        return model.fit(X, y)

    return run


def torch_epoch(hidden, batch, solver):
    tensor_X, tensor_y = torch.from_numpy(X), torch.from_numpy(y)

    def run():
        torch.manual_seed(0)
        layers = torch.nn.Linear(784, hidden), torch.nn.Sigmoid(), torch.nn.Linear(hidden, 10)
        model = torch.nn.Sequential(*layers)
        make = torch.optim.SGD if solver == "sgd" else torch.optim.Adam
        optimizer = make(model.parameters(), lr=RATES[solver])
        order = torch.from_numpy(ROWS)
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            loss = torch.nn.functional.cross_entropy(model(tensor_X[rows]), tensor_y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return model

    return run


def jax_loss(parameters, X, y):
    W1, b1, W2, b2 = parameters
    logits = jax.nn.sigmoid(X @ W1 + b1) @ W2 + b2
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


def jax_epoch(hidden, batch, solver):
    step = jax_sgd if solver == "sgd" else jax_adam

    def run():
        (W1, W2), (b1, b2) = initial_parameters(
            [784, hidden, 10], "logistic", np.random.default_rng(0), np.float32
        )
        parameters = [jnp.asarray(part) for part in (W1, b1, W2, b2)]
        zeros = [jnp.zeros_like(part) for part in parameters]
        state = (0.0, zeros, zeros)
        for start in range(0, len(X), batch):
            rows = ROWS[start : start + batch]
            parameters, state = step(parameters, state, X[rows], y[rows])
        return [np.asarray(part) for part in parameters]

    return run


def loss_after(result):
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
    for hidden, batch in SIZES:
        for solver in RATES:
            contestants = {name: make(hidden, batch, solver) for name, make in CONTESTANTS.items()}
            times, results = interleaved(contestants, args.repeats)
            table = summary(times, "skmetric")
            for name, entry in table.items():
                entry["loss_after"] = loss_after(results[name])
                ratio = 1 / entry["ratio_to_skmetric"][0]
                entry["skmetric_over_this"] = ratio
                print(f"{hidden}x{batch} {solver:4s} {name:14s} {entry['median_s']:.3f} s, ", end="")
                print(f"skmetric / this {ratio:.2f}, loss {entry['loss_after']}", flush=True)
            rows.append({"hidden": hidden, "batch": batch, "solver": solver, "contestants": table})
    name = f"epoch_{args.threads}_threads"
    save(name, {"command": sys.argv, "rows": rows}, "torch", "jax")
