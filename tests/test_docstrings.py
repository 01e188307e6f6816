"""Docstrings: complete, parsed without a finding, and alike where they say the same."""

import doctest
import importlib
import inspect
import re
from pkgutil import iter_modules, resolve_name

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate
from shared import ESTIMATORS

import skmetric

# The package, and its modules that list public names.
MODULES = [
    f".{module.name}"
    for module in iter_modules(skmetric.__path__)
    if not module.name.startswith("_")
    and hasattr(importlib.import_module(f"skmetric.{module.name}"), "__all__")
]
# Examples of these modules run where the package of the extra is installed.
NEEDED = {"skmetric.dask": "dask", "skmetric.onnx": "skl2onnx"}
# A docstring may do without: a longer summary, See Also; it begins on its first line.
NOT_NEEDED = {"ES01", "SA01", "SA04", "GL01"}


def public_names():
    for module in (f"skmetric{suffix}" for suffix in ["", *MODULES]):
        for name in importlib.import_module(module).__all__:
            thing = getattr(importlib.import_module(module), name)
            if callable(thing):
                yield f"{module}.{name}"
            if inspect.isclass(thing):
                for method, value in inspect.getmembers(thing, callable):
                    is_own = str(getattr(value, "__module__", "")).startswith("skmetric")
                    if is_own and not method.startswith("_"):
                        yield f"{module}.{name}.{method}"


@pytest.mark.parametrize("name", list(public_names()))
def test_a_public_docstring_has_no_finding(name):
    is_method = "." in resolve_name(name).__qualname__
    not_needed = NOT_NEEDED | ({"EX01"} if is_method else set())
    assert [error for error in validate(name)["errors"] if error[0] not in not_needed] == []


@pytest.mark.parametrize("name", list(public_names()))
# The second is for data sets of scikit-learn before 1.9 with NumPy 2.5.
@pytest.mark.filterwarnings("error", "ignore:Setting the shape on a NumPy array:DeprecationWarning")
def test_the_example_of_a_docstring_runs(name):
    if name.startswith("skmetric.plotting"):
        pytest.importorskip("matplotlib").use("agg")
    for module, package in NEEDED.items():
        if name.startswith(f"{module}."):
            pytest.importorskip(package)
    if name.startswith("skmetric.callbacks.") and not hasattr(ESTIMATORS[0], "set_callbacks"):
        pytest.skip("scikit-learn before 1.9 has no callbacks")
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(resolve_name(name)))
    test = doctest.DocTest(examples, {}, name, None, None, None)
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


# --- parameters of the estimators ---------------------------------------------------------------------

EVERY = pytest.mark.parametrize("Estimator", ESTIMATORS)
# What is said of these depends on the estimator.
OWN_WORDS = {"loss", "n_networks", "reduction", "scoring"}


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
