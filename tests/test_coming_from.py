"""The page that compares with other libraries: its code runs, and old and new calls agree.

Blocks of the language ``py`` are the old calls, and what compares them with the new ones. Blocks of the
language ``python`` are the new calls: they run without the other library.
"""

import re
from importlib import import_module
from importlib.metadata import version
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import sklearn.utils
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from skmetric import SoftmaxMLPClassifier

PAGE = (Path(__file__).parents[1] / "docs" / "coming_from.md").read_text(encoding="utf-8")
SETUP, *REST = re.split(r"^## ", PAGE, flags=re.MULTILINE)
SECTIONS = {text.partition("\n")[0].split()[-1]: text for text in REST}


def blocks(text, languages="py|python"):
    return re.findall(rf"^```(?:{languages})\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def run(section, languages="py|python"):
    """Run the blocks of a section after those of the setup; the names that they define."""
    names = {}
    for code in [*blocks(SETUP), *blocks(SECTIONS[section], languages)]:
        exec(compile(code, f"coming_from.md, {section}", "exec"), names)
    return names


def accuracy(Z, y):
    """Leave-one-out accuracy of a nearest neighbour."""
    found = KNeighborsClassifier(1).fit(Z, y).kneighbors(return_distance=False)[:, 0]
    return np.mean(y[found] == y)


def test_the_sections_are_found_and_each_has_old_and_new_calls():
    assert list(SECTIONS) == [
        "MLPClassifier",
        "NeighborhoodComponentsAnalysis",
        "pytorch-metric-learning",
        "metric-learn",
    ]
    for text in SECTIONS.values():
        assert blocks(text, "py") and blocks(text, "python")


@pytest.mark.parametrize("section", SECTIONS)
def test_the_new_calls_run_alone(section):
    run(section, "python")


@pytest.mark.parametrize("package", ["pytorch-metric-learning", "metric-learn"])
def test_the_page_names_the_versions_that_it_was_run_with(package):
    named = re.search(rf"{package} (\d+\.\d+\.\d+)", SETUP)[1]
    pytest.importorskip(package.replace("-", "_"), reason=f"{package} is in the extra bench only")
    assert version(package) == named, "run this file, then name the new version on the page"


# --- scikit-learn -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_mlp_classifier():
    names = run("MLPClassifier")
    y = names["y_test"]
    old = np.mean(names["old_answers"] == y)
    new = np.mean(names["answers"] == y)
    assert min(old, new) > 0.93 and abs(old - new) < 0.04
    assert names["chances"].shape == names["old_chances"].shape


def test_a_step_of_sgd_is_that_of_mlp_classifier_if_alpha_is_divided():
    names = run("MLPClassifier", "python")
    X, y = names["X"], names["y"]
    common = {"hidden_layer_sizes": (7,), "solver": "sgd", "momentum": 0, "batch_size": len(X)}
    common |= {"shuffle": False, "learning_rate": "constant", "learning_rate_init": 0.1}
    theirs = MLPClassifier(alpha=3.0, random_state=0, **common).partial_fit(X, y, classes=np.unique(y))
    ours = SoftmaxMLPClassifier(alpha=3.0 / len(X), standardize=False, random_state=0, **common)
    ours.partial_fit(X, y, classes=np.unique(y))
    theirs.coefs_ = [W.copy() for W in ours.coefs_]
    theirs.intercepts_ = [b.copy() for b in ours.intercepts_]
    # The optimizer of scikit-learn holds the arrays that it moves.
    del theirs._optimizer
    theirs.set_params(warm_start=True, max_iter=1)
    with pytest.warns(UserWarning, match="(?i)iterations"):
        theirs.fit(X, y)
    before = [W.copy() for W in ours.coefs_]
    ours.partial_fit(X, y)
    for one, other, start in zip(ours.coefs_, theirs.coefs_, before):
        assert np.abs(one - start).max() > 1e-3
        assert_allclose(one, other, rtol=0, atol=1e-12)


def test_the_defaults_on_the_page_are_those_of_both_classifiers():
    table = re.findall(
        r"^\| `(\w+)` \| `?(.+?)`? \| `?([^`:|]+?)`?(?::.*)? \|$", SECTIONS["MLPClassifier"], re.M
    )
    rows = {name: defaults for name, *defaults in table}
    for name in ("learning_rate_init", "hidden_layer_sizes", "max_iter"):
        estimators = (MLPClassifier, SoftmaxMLPClassifier)
        assert rows[name] == [str(signature(model).parameters[name].default) for model in estimators]


def test_neighborhood_components_analysis():
    names = run("NeighborhoodComponentsAnalysis")
    old = accuracy(names["old_Z"], names["y_test"])
    new = accuracy(names["Z"], names["y_test"])
    assert min(old, new) > 0.9 and abs(old - new) < 0.08
    for Z, M in ((names["old_Z"], names["old_M"]), (names["Z"], names["M"])):
        difference = names["X_test"][0] - names["X_test"][1]
        assert_allclose(difference @ M @ difference, np.sum((Z[0] - Z[1]) ** 2))


# --- pytorch-metric-learning ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch_names():
    reason = "pytorch-metric-learning is in the extra bench only"
    pytest.importorskip("pytorch_metric_learning", reason=reason)
    return run("pytorch-metric-learning")


def test_the_loop_of_pytorch_metric_learning_and_fit_learn_as_well(torch_names):
    old = accuracy(torch_names["old_Z"], torch_names["y_test"])
    new = accuracy(torch_names["Z_of_rows"], torch_names["y_test"])
    assert min(old, new) > 0.9 and abs(old - new) < 0.08


LOSSES = [
    "triplet",
    "triplet, plain distances",
    "triplet, on the sphere",
    "contrastive",
    "NCA",
    "supervised contrastive",
]


def compared(names, name, miner=None, ours=None):
    """Value and gradient of both."""
    torch = import_module("torch")
    embeddings = torch.tensor(names["Z"], requires_grad=True)
    codes = torch.tensor(names["codes"])
    mined = miner(embeddings, codes) if miner else None
    value = names["theirs"][name](embeddings, codes, mined)
    (gradient,) = torch.autograd.grad(value, embeddings)
    return (value.item(), gradient.numpy()), (ours or names["ours"][name])(names["Z"], names["codes"])


@pytest.mark.parametrize("name", LOSSES)
def test_the_losses_of_pytorch_metric_learning_are_ours(torch_names, name):
    assert list(torch_names["theirs"]) == list(torch_names["ours"]) == LOSSES
    (value, gradient), (our_value, dZ) = compared(torch_names, name)
    assert value > 0 and np.abs(gradient).max() > 0
    assert_allclose(our_value, value, rtol=1e-12)
    assert_allclose(dZ, gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())


@pytest.mark.parametrize("mining", ["hard", "semihard"])
def test_the_miners_of_pytorch_metric_learning_are_ours(torch_names, mining):
    names = torch_names
    rule = names["partial"](names["triplet"], margin=1, mining=mining)
    ours = names["MetricLoss"](rule, names["all_pairs"], names["over_active"])
    (value, gradient), (our_value, dZ) = compared(names, "triplet", names[mining], ours)
    assert_allclose(our_value, value, rtol=1e-12)
    assert_allclose(dZ, gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())


def test_the_measures_of_pytorch_metric_learning_are_ours(torch_names):
    names = torch_names
    report = names["retrieval_report"](names["Z_of_rows"], names["y_test"])
    assert len(names["old_report"]) == 4
    for name, value in names["old_report"].items():
        assert_allclose(report[name], value, atol=1e-3)  # theirs in float32


# --- metric-learn -----------------------------------------------------------------------------------

REMOVED = "force_all_finite" not in signature(sklearn.utils.check_array).parameters


@pytest.fixture
def metric_learn():
    reason = "metric-learn is in the extra bench only"
    return pytest.importorskip("metric_learn", reason=reason)


@pytest.mark.skipif(
    not REMOVED, reason="scikit-learn before 1.8 has the argument that metric-learn needs"
)
def test_metric_learn_fails_as_the_page_says(metric_learn):
    with pytest.raises(TypeError, match="force_all_finite"):
        run("metric-learn")


def renamed(check):
    def checked(*args, force_all_finite=True, **options):
        return check(*args, ensure_all_finite=force_all_finite, **options)

    return checked


@pytest.fixture
def metric_learn_names(metric_learn, monkeypatch):
    """Names of the section, with the removed argument under its new name."""
    if REMOVED:
        util = import_module("metric_learn._util")
        monkeypatch.setattr(util, "check_array", renamed(sklearn.utils.check_array))
        monkeypatch.setattr(util, "check_X_y", renamed(sklearn.utils.check_X_y))
    return run("metric-learn")


@pytest.mark.filterwarnings("ignore")
def test_metric_learn(metric_learn_names):
    names = metric_learn_names
    assert min(names["old_area"], names["area"]) > 0.95
    assert names["M"].shape == names["old_M"].shape
    for answers in (names["old_answers"], names["answers"]):
        of_different = answers[names["same"] == 0]
        assert np.mean(of_different != 1) >= 0.9
    for distances in (names["old_distances"], names["distances"]):
        assert roc_auc_score(names["same"], -distances) > 0.95
    for Z in (names["old_Z_triplets"], names["Z_triplets"], names["old_Z"], names["Z"]):
        assert accuracy(Z, names["y_test"]) > 0.9
    u, v = names["X_test"][:2]
    for metric, Z in ((names["old_metric"], names["old_Z"]), (names["metric"], names["Z"])):
        assert_allclose(metric(u, v), np.linalg.norm(Z[0] - Z[1]))
