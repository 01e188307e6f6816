"""The page for users of other libraries: its old calls run, and do what the new ones do."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from skmetric.losses import (
    MetricLoss,
    all_pairs,
    contrastive,
    euclidean,
    on_sphere,
    over_active,
    over_anchors,
    over_valid,
    soft_neighbors,
    triplet,
)
from skmetric.metrics import recall_at_k
from skmetric.pairs import make_pairs

PAGE = (Path(__file__).parents[1] / "docs" / "coming_from.md").read_text(encoding="utf-8")
OLD = re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NEW = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
OF = {library: i for i, library in enumerate(["mlp", "nca", "lmnn", "itml", "pytorch"])}
HAS_FORCE_ALL_FINITE = tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8)


@pytest.fixture(scope="module")
def data():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    index, same = make_pairs(y, 2000, 0)
    return {"X": X, "y": y, "X_test": X_test, "y_test": y_test, "index": index, "same": same}


@pytest.fixture(scope="module")
def both(data):
    """``both(library) -> old, new``: what the two columns of the page define."""

    def run(library):
        names = [dict(data), dict(data)]
        for code, defined in zip([OLD[OF[library]], NEW[OF[library]]], names):
            exec(code, defined)
        return names

    return run


def test_each_old_call_has_a_new_one():
    assert len(OLD) == len(NEW) == len(OF)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_softmax_network_is_as_accurate_as_that_of_scikit_learn(both):
    old, new = both("mlp")
    assert new["accuracy"] >= old["accuracy"] > 0.9


def test_a_penalty_of_scikit_learn_is_ours_times_the_batch_size(data):
    from sklearn.neural_network import MLPClassifier

    from skmetric import SoftmaxMLPClassifier

    settings = {"hidden_layer_sizes": (20,), "batch_size": 100, "max_iter": 60, "random_state": 0}
    settings |= {"learning_rate_init": 0.01, "tol": 0.0, "n_iter_no_change": 100}
    rows = data["X"] / 16, data["y"]

    def size(model):
        return np.sqrt(sum(np.sum(W**2) for W in model.coefs_))

    def ours(alpha):
        model = SoftmaxMLPClassifier(**settings, alpha=alpha, learning_rate="constant", standardize=False)
        return size(model.fit(*rows))

    old = size(MLPClassifier(**settings, alpha=5.0).fit(*rows))
    assert ours(5.0 / 100) == pytest.approx(old, rel=0.1)
    assert ours(5.0) < 0.5 * old


def test_neighbourhood_components_are_those_of_scikit_learn(both):
    old, new = both("nca")
    scores = [
        KNeighborsClassifier(5)
        .fit(some["nca"].transform(rows), some["y"])
        .score(some["Z"], some["y_test"])
        for some, rows in [(old, old["scaler"].transform(old["X"])), (new, new["X"])]
    ]
    assert scores[1] == pytest.approx(scores[0], abs=0.06)
    assert min(scores) > 0.6  # in two dimensions
    assert np.linalg.matrix_rank(old["M"]) == np.linalg.matrix_rank(new["M"]) == 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", ["lmnn", "itml"])
def test_metric_learn_runs_with_old_versions_of_scikit_learn_alone(both, data, library):
    pytest.importorskip("metric_learn", reason="metric-learn is in the extra bench")
    if HAS_FORCE_ALL_FINITE:
        old, new = both(library)
        assert np.shape(old["M" if library == "lmnn" else "scores"]) == np.shape(
            new["M" if library == "lmnn" else "scores"]
        )
    else:
        with pytest.raises(TypeError, match="force_all_finite"):
            exec(OLD[OF[library]], dict(data))


def test_new_calls_in_place_of_metric_learn(data):
    linear, pairs = dict(data), dict(data)
    exec(NEW[OF["lmnn"]], linear)
    exec(NEW[OF["itml"]], pairs)
    difference = data["X_test"][0] - data["X_test"][1]
    assert linear["distance"] == pytest.approx(np.sqrt(difference @ linear["M"] @ difference), rel=1e-6)
    assert_allclose(pairs["scores"], -pairs["distances"])
    assert roc_auc_score(data["same"], pairs["scores"]) > 0.9
    assert np.mean(pairs["answers"] == data["same"]) > 0.85


# --- pytorch-metric-learning --------------------------------------------------------------------------


def test_an_estimator_takes_the_place_of_a_loop(both):
    pytest.importorskip("pytorch_metric_learning", reason="pytorch-metric-learning is in the extra bench")
    old, new = both("pytorch")
    recalls = [recall_at_k(some["Z"], some["y_test"]) for some in (old, new)]
    assert min(recalls) > 0.95
    assert recalls[1] >= recalls[0] - 0.005


def peers():
    from pytorch_metric_learning import distances, losses, miners, reducers

    squared = distances.LpDistance(normalize_embeddings=False, power=2)
    plain = distances.LpDistance(normalize_embeddings=False)
    sphere = distances.LpDistance(power=2)

    def of_triplets(reduction, comparison=all_pairs, **rule):
        return MetricLoss(partial(triplet, margin=0.7, **rule), comparison, reduction)

    def loss(distance=squared, **arguments):
        return losses.TripletMarginLoss(margin=0.7, distance=distance, **arguments)

    semihard = miners.TripletMarginMiner(margin=0.7, type_of_triplets="semihard", distance=squared)
    return {
        "active": (loss(), None, of_triplets(over_active)),
        "mean": (loss(reducer=reducers.MeanReducer()), None, of_triplets(over_valid)),
        "euclidean": (loss(plain), None, of_triplets(over_active, euclidean(all_pairs))),
        "sphere": (loss(sphere), None, of_triplets(over_active, on_sphere(all_pairs))),
        "semihard": (loss(), semihard, of_triplets(over_active, mining="semihard")),
        "hard": (
            loss(),
            miners.BatchHardMiner(distance=squared),
            of_triplets(over_active, mining="hard"),
        ),
        "neighbourhood components": (
            losses.NCALoss(softmax_scale=2, distance=squared),
            None,
            MetricLoss(partial(soft_neighbors, temperature=0.5), reduction=over_anchors),
        ),
        "supervised contrastive": (
            losses.SupConLoss(temperature=0.1),
            None,
            MetricLoss(
                partial(soft_neighbors, loss="supervised_contrastive", temperature=0.2),
                on_sphere(all_pairs),
                over_anchors,
            ),
        ),
    }


def embeddings():
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 4)), rng.integers(0, 4, 30)


def of_peer(loss, miner, Z, y):
    torch = pytest.importorskip("torch")
    Z, y = torch.tensor(Z, requires_grad=True), torch.tensor(y)
    value = loss(Z, y, None if miner is None else miner(Z, y))
    value.backward()
    return value.item(), Z.grad.numpy()


NAMES = ["active", "mean", "euclidean", "sphere", "semihard", "hard"]
NAMES += ["neighbourhood components", "supervised contrastive"]


@pytest.mark.parametrize("name", NAMES)
def test_losses_and_gradients_are_those_of_pytorch_metric_learning(name):
    pytest.importorskip("pytorch_metric_learning", reason="pytorch-metric-learning is in the extra bench")
    loss, miner, ours = peers()[name]
    value, dZ = of_peer(loss, miner, *embeddings())
    found, gradient = ours(*embeddings())
    assert found == pytest.approx(value, rel=1e-9)
    assert np.abs(dZ).max() > 1e-3
    assert_allclose(gradient, dZ, rtol=1e-7, atol=1e-10)


def test_the_contrastive_loss_of_pytorch_metric_learning_is_ours_with_other_factors():
    pytest.importorskip("pytorch_metric_learning", reason="pytorch-metric-learning is in the extra bench")
    from pytorch_metric_learning import distances, losses, reducers

    Z, y = embeddings()
    squared = distances.LpDistance(normalize_embeddings=False, power=2)
    loss = losses.ContrastiveLoss(0.5, 3, distance=squared, reducer=reducers.MeanReducer())
    value, dZ = of_peer(loss, None, Z, y)
    n_same = (y == y[:, np.newaxis]).sum() - len(y)
    n_different = (y != y[:, np.newaxis]).sum()
    rule = partial(
        contrastive, positive_margin=0.5, negative_margin=3, negative_weight=n_same / n_different
    )
    found, gradient = MetricLoss(rule, reduction=over_valid)(Z, y)
    factor = (n_same + n_different) / n_same
    assert found * factor == pytest.approx(value, rel=1e-9)
    assert_allclose(gradient * factor, dZ, rtol=1e-7, atol=1e-10)
