"""Docstrings: complete, without a finding, with examples that run, alike where they say the same."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate
from shared import ESTIMATORS

import skmetric

# A docstring may do without a longer summary, See Also and, in a method, an example.
NOT_NEEDED = {"ES01", "SA01", "SA04", "EX01", "GL01"}
# Examples of these modules run where the package of the extra is installed.
NEEDED = {"skmetric.dask": "dask", "skmetric.onnx": "skl2onnx", "skmetric.plotting": "matplotlib"}


def public_modules():
    names = [module.name for module in pkgutil.iter_modules(skmetric.__path__, "skmetric.")]
    modules = [importlib.import_module(name) for name in names if "._" not in name]
    return [skmetric, *(module for module in modules if hasattr(module, "__all__"))]


def public_names():
    """``(name, object)`` of what can be called: functions, classes."""
    for module in public_modules():
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                yield f"{module.__name__}.{name}", thing


def with_methods():
    for name, thing in public_names():
        yield name, thing
        if inspect.isclass(thing):
            for method, value in inspect.getmembers(thing, callable):
                is_own = str(getattr(value, "__module__", "")).startswith("skmetric")
                if is_own and not method.startswith("_"):
                    yield f"{name}.{method}", value


PUBLIC = dict(public_names())
DOCUMENTED = dict(with_methods())
EXAMPLES = [name for name, thing in DOCUMENTED.items() if ">>>" in (inspect.getdoc(thing) or "")]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_public_docstring_has_no_finding(name):
    assert [error for error in validate(name)["errors"] if error[0] not in NOT_NEEDED] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_an_example(name):
    assert ">>>" in "".join(NumpyDocString(inspect.getdoc(PUBLIC[name]))["Examples"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_it_shows(name, tmp_path, monkeypatch):
    for module, package in NEEDED.items():
        if name.startswith(f"{module}."):
            pytest.importorskip(package)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    (test,) = doctest.DocTestFinder(recurse=False).find(DOCUMENTED[name], name, module=False)
    report = []
    runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


# --- parameters of the estimators ---------------------------------------------------------------------

EVERY = pytest.mark.parametrize("Estimator", ESTIMATORS)
# What is said of these depends on the estimator.
OWN_WORDS = {"loss", "n_networks", "reduction"}


def documented(Estimator, section="Parameters"):
    """``{name: (type, text)}``."""
    parsed = NumpyDocString(inspect.getdoc(Estimator))
    return {entry.name: (entry.type, " ".join(entry.desc)) for entry in parsed[section]}


@EVERY
def test_parameters_are_documented_in_the_order_of_the_signature(Estimator):
    assert list(documented(Estimator)) == list(inspect.signature(Estimator).parameters)


@EVERY
def test_documented_defaults_are_those_of_the_signature(Estimator):
    for name, parameter in inspect.signature(Estimator).parameters.items():
        default = re.search(r"default=(.*)$", documented(Estimator)[name][0])[1]
        assert eval(default) == parameter.default, name


@EVERY
def test_documented_choices_are_those_that_are_allowed(Estimator):
    for name, (kind, _) in documented(Estimator).items():
        choices = re.match(r"\{(.*)\}", kind)
        if choices:
            allowed = [
                constraint.options
                for constraint in Estimator._parameter_constraints[name]
                if hasattr(constraint, "options")
            ]
            names = {option for options in allowed for option in options if isinstance(option, str)}
            assert set(eval(f"[{choices[1]}]")) == names, name


def test_what_estimators_share_is_said_in_the_same_words():
    said = {}
    for Estimator in ESTIMATORS:
        for name, (kind, text) in documented(Estimator).items():
            said.setdefault(name, set()).add((re.sub("default=.*", "", kind), text))
    assert [name for name, words in said.items() if len(words) > 1 and name not in OWN_WORDS] == []


@EVERY
def test_attributes_of_a_fitted_estimator_are_documented(Estimator, small):
    import pandas as pd

    frame = pd.DataFrame([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]], columns=["a", "b"])
    model = small(Estimator, early_stopping=False).fit(frame, [0, 0, 1, 1])
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    assert fitted == set(documented(Estimator, "Attributes"))


def test_the_verifier_documents_what_it_has():
    from skmetric.verification import PairVerifier

    parameters = documented(PairVerifier)
    assert list(parameters) == list(inspect.signature(PairVerifier).parameters)
    for name, parameter in list(inspect.signature(PairVerifier).parameters.items())[1:]:
        assert eval(re.search(r"default=(.*)$", parameters[name][0])[1]) == parameter.default


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert skmetric.__version__ == version("skmetric")
