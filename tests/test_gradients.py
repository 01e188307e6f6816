"""Gradients of random losses and of whole training objectives are central differences."""

from functools import partial

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from loss_tables import (
    REDUCTIONS,
    RULES,
    compares_selves,
    embeddings,
    embeddings_of_tuples,
    metric_loss,
    seeds,
)
from profiles import tried

from skmetric._engine.activations import ACTIVATIONS
from skmetric._engine.adversarial import AtRows
from skmetric._engine.batch_normalization import AS_THEY_ARE, BatchNormalization
from skmetric._engine.initialization import initial_parameters
from skmetric._engine.network import Network
from skmetric._engine.optimizers import SGD
from skmetric._engine.side_by_side import side_by_side
from skmetric.losses import (
    DISTANCES,
    LABEL_LOSSES,
    NEIGHBOR_TARGETS,
    LabelLoss,
    MetricLoss,
    OnEachNetwork,
    WithSoftmaxHead,
    all_pairs,
    given_tuples,
    on_sphere,
    over_anchors,
    soft_neighbors,
)
from skmetric.testing import check_gradient

STEP = 1e-6
RTOL = 2e-5
N_FEATURES = 3
N_CLASSES = 3
N_COMPONENTS = 3  # and logits


def has_kink(loss, Z, *targets, seed):
    """Whether the loss may have a kink between the points that `check_gradient` compares.

    A kink changes a central difference by at most half the difference of those ahead and behind. This
    says nothing of the gradient, so that a wrong one is not given up.
    """
    V = np.random.default_rng(seed).normal(size=Z.shape)
    V *= STEP / np.linalg.norm(V)
    here, ahead, behind = (loss(Z + move, *targets) for move in (0, V, -V))
    size = np.linalg.norm(here[1]) or 1.0
    return abs(ahead[0] - 2 * here[0] + behind[0]) / STEP > RTOL * size


def check_off_kinks(loss, Z, *targets, seed):
    assume(not has_kink(loss, Z, *targets, seed=seed))
    check_gradient(loss, Z, *targets, n_directions=1, step=STEP, rtol=RTOL, random_state=seed)


@pytest.mark.parametrize("error", [0, 1e-3])
def test_a_kink_is_given_up_and_a_wrong_gradient_is_not(error):
    def hinge(Z):
        return float(np.maximum(Z, 0).sum()), (1 + error) * (Z > 0)

    assert has_kink(hinge, np.array([[0.0, 2.0]]), seed=0)
    assert not has_kink(hinge, np.array([[1.0, 2.0]]), seed=0)


# --- on embeddings ----------------------------------------------------------------------------------


def size_of(rule):
    return 2 if rule == "contrastive" else 3


def of_labels(rule, reduction):
    return partial(all_pairs, self_pairs=compares_selves(rule, reduction))


def of_tuples(rule, reduction):
    return partial(given_tuples, size=size_of(rule))


COMPARISONS = {"labels": of_labels, "tuples": of_tuples}


def rows_for(comparison, rule, n_components, seed):
    """Embeddings and labels of 4 to 11 rows or tuples."""
    n = 4 + seed % 8
    if comparison == "tuples":
        return embeddings_of_tuples(n, size_of(rule), seed, n_components=n_components)
    return embeddings(n, n_components, 2 + seed % 3, seed=seed)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("sphere", [False, True])
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_gradient_of_every_metric_loss(rule, reduction, distance, sphere, comparison, record_property):
    loss = metric_loss(rule, reduction, distance, sphere, COMPARISONS[comparison](rule, reduction))

    def check(seed):
        # On a line, embeddings on the sphere are of two points.
        check_off_kinks(loss, *rows_for(comparison, rule, 2 + seed % 3, seed), seed=seed)

    record_property("gradients_checked", tried(seeds, check, 3, 100))


# --- on the parameters of a network -----------------------------------------------------------------

# Options that a loss or a network without hidden layers does not have are not used.
OPTIONS = st.fixed_dictionaries(
    {
        "reduction": st.sampled_from(REDUCTIONS),
        "distance": st.sampled_from(list(DISTANCES)),
        "sphere": st.booleans(),
        "comparison": st.sampled_from(list(COMPARISONS)),
        "headed": st.booleans(),
        "weighted": st.booleans(),
        "n_networks": st.integers(1, 2),
        "hidden": st.sampled_from([(5,), (5, 4), ()]),
        "batch_norm": st.booleans(),
        "dropout": st.sampled_from([0.0, 0.3]),
        "input_dropout": st.sampled_from([0.0, 0.3]),
        "alpha": st.sampled_from([0.0, 0.1]),
        "seed": seeds,
    }
)


def of_metric(rule, options):
    """The loss of one network that embeds rows, of the width of the embeddings."""
    comparison = COMPARISONS[options["comparison"]](rule, options["reduction"])
    if rule in RULES:
        loss = metric_loss(rule, options["reduction"], options["distance"], options["sphere"], comparison)
    else:
        comparison = on_sphere(comparison) if options["sphere"] else comparison
        comparison = DISTANCES[options["distance"]](comparison)
        loss = MetricLoss(partial(soft_neighbors, loss=rule, temperature=0.7), comparison, over_anchors)
    if options["headed"] and options["comparison"] == "labels":
        return WithSoftmaxHead(loss, 0.7, N_COMPONENTS, N_CLASSES)
    return loss


def of_classifier(name, options):
    return LabelLoss(LABEL_LOSSES[name])


LOSSES = dict.fromkeys([*RULES, *NEIGHBOR_TARGETS], of_metric)
LOSSES |= dict.fromkeys(LABEL_LOSSES, of_classifier)


def targets_for(name, options, rng):
    """Labels, and weights if there are any."""
    n = int(rng.integers(4, 10))
    if name in LABEL_LOSSES:
        y = rng.integers(0, N_CLASSES, n)
        return [y, rng.uniform(0, 2, n)] if options["weighted"] else [y]
    if options["comparison"] == "labels":
        return [rng.integers(0, N_CLASSES, n)]
    return [embeddings_of_tuples(n, size_of(name), options["seed"])[1]]


def network_for(activation, X, options, rng):
    """One network or two, with random parameters."""
    return side_by_side([one_network(activation, X, options, rng) for _ in range(options["n_networks"])])


def one_network(activation, X, options, rng):
    widths = [N_FEATURES, *options["hidden"], N_COMPONENTS]
    coefs, intercepts = initial_parameters(widths, activation, rng, np.float64)
    for b in intercepts:
        b[...] = rng.normal(0, 0.3, b.shape)
    normalization = AS_THEY_ARE
    if options["batch_norm"] and options["hidden"]:
        scales = [rng.uniform(0.5, 2, width) for width in options["hidden"]]
        normalization = BatchNormalization(scales, len(X), X, np.arange(len(X)))
    dropout = options["dropout"], options["input_dropout"]
    return Network(coefs, intercepts, activation, len(X), *dropout, rng, normalization=normalization)


class Objective:
    """All that training makes small, and its gradient as a step of size 1 takes it."""

    def __init__(self, network, loss, X, targets, alpha, rng):
        self.network = network
        self.loss = loss
        self.X = X
        self.targets = targets
        self.rng = rng
        self.parameters = [*network.blocks, *loss.parameters]
        decays = [alpha if W.ndim == 2 else 0.0 for W in network.blocks] + [0.0] * len(loss.parameters)
        self.optimizer = SGD(decays, self.parameters)
        self.dropped = rng.bit_generator.state

    @property
    def theta(self):
        return np.concatenate([W.ravel() for W in self.parameters])

    def __call__(self, theta):
        ends = np.cumsum([W.size for W in self.parameters])
        for W, part in zip(self.parameters, np.split(theta, ends[:-1]), strict=True):
            W[...] = part.reshape(W.shape)
        self.rng.bit_generator.state = self.dropped
        batch = self.network.gather(self.X, np.arange(len(self.X)))
        value, gradients = AtRows().differentiate(self.network, self.loss, batch, self.targets)
        value += self.optimizer.penalty(self.parameters)
        self.optimizer.step(self.parameters, gradients, 1.0)
        return value, theta - self.theta


class SumOverNetworks(OnEachNetwork):
    """The value whose gradient it is: that of each network is of its own loss, and not of the mean."""

    def __call__(self, Z, *targets):
        value, dZ = super().__call__(Z, *targets)
        return len(self.losses) * value, dZ


def objective(name, activation, options):
    rng = np.random.default_rng(options["seed"])
    targets = targets_for(name, options, rng)
    X = rng.normal(size=(len(targets[0]), N_FEATURES))
    network = network_for(activation, X, options, rng)
    loss = SumOverNetworks([LOSSES[name](name, options) for _ in range(options["n_networks"])])
    for V in loss.parameters:
        V[...] = rng.normal(size=V.shape)
    return Objective(network, loss, X, targets, options["alpha"], rng)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_of_every_training_objective(name, activation, record_property):
    def check(options):
        found = objective(name, activation, options)
        check_off_kinks(found, found.theta, seed=options["seed"])

    record_property("gradients_checked", tried(OPTIONS, check, 3, 500))
