"""Types of the public interface: complete, and in agreement with what `fit` accepts."""

import configparser
import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from pathlib import Path
from pkgutil import resolve_name
from types import UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from shared import each
from test_docstrings import documented, public_names

from skmetric._constraints import FunctionOf, MeasureNames

ROOT = Path(__file__).parents[1]
SCRIPTS = pytest.mark.parametrize("script", ["typed_script", "typed_uses"])


def signatures():
    """Public functions and methods, and the ``__init__`` of classes that have one of their own."""
    for name in public_names():
        thing = resolve_name(name)
        if not inspect.isclass(thing):
            yield pytest.param(thing, id=name)
        elif "__init__" in vars(thing):
            yield pytest.param(thing.__init__, id=name)


@pytest.mark.parametrize("function", list(signatures()))
def test_the_signature_has_types(function):
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    assert set(function.__annotations__) == {*parameters, "return"}


# --- parameters and attributes of the estimators ------------------------------------------------------


def parts(hint):
    """The types in a union; a type that is no union is its only part."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def choices(hint):
    literals = [part for part in parts(hint) if get_origin(part) is Literal]
    return {value for literal in literals for value in get_args(literal)}


def hints_of_parameters(Estimator):
    hints = get_type_hints(Estimator.__init__)
    assert hints.pop("return") is type(None)
    return hints


MANY = 20  # choices, such as the names of all scorers of scikit-learn, are a str without a Literal,
# and so are names with a number in them


def options_of(constraint):
    options = {option for option in getattr(constraint, "options", ()) if isinstance(option, str | bool)}
    is_open = isinstance(constraint, MeasureNames) or len(options) >= MANY
    return set() if is_open else options


def allowed_choices(constraints):
    return set().union(*map(options_of, constraints))


KINDS = {
    "array-like": {Sequence},
    "boolean": {bool},
    "random_state": {int, np.random.RandomState, type(None)},
    "verbose": {bool, int},
    Integral: {int},
    Real: {float},
    callable: {Callable},
    dict: {dict},
    str: {str},
    None: {type(None)},
}


def allowed_kinds(constraint):
    if isinstance(constraint, FunctionOf):
        return {Callable}
    return {Literal} if options_of(constraint) else KINDS[getattr(constraint, "type", constraint)]


@each
def test_choices_in_types_are_those_that_are_allowed(Estimator):
    for name, hint in hints_of_parameters(Estimator).items():
        assert choices(hint) == allowed_choices(Estimator._parameter_constraints[name]), name


@each
def test_types_of_parameters_are_those_that_are_allowed(Estimator):
    for name, hint in hints_of_parameters(Estimator).items():
        constraints = Estimator._parameter_constraints[name]
        allowed = set().union(*map(allowed_kinds, constraints))
        assert {get_origin(part) or part for part in parts(hint)} == allowed, name


@each
def test_attributes_have_the_types_of_their_parameters(Estimator):
    hints = {name: hint for name, hint in get_type_hints(Estimator).items() if not name.startswith("_")}
    parameters = hints_of_parameters(Estimator)
    assert {name: hints[name] for name in parameters} == parameters
    assert hints.keys() == parameters.keys() | documented(Estimator, "Attributes").keys()


# --- a user's script ----------------------------------------------------------------------------------


def output_of(*arguments, **environment):
    command = [sys.executable, *arguments]
    environment = os.environ | environment
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


def checked(path, cache):
    """Exit code and output of mypy. Faults of the package are not reported, as if it were installed."""
    pytest.importorskip("mypy")
    options = ["--strict", "--ignore-missing-imports", "--follow-imports=silent", f"--cache-dir={cache}"]
    return output_of("-m", "mypy", *options, str(path), MYPYPATH=str(ROOT))


@SCRIPTS
def test_the_script_of_a_user_runs(script):
    path = ROOT / "tests" / f"{script}.py"
    code, output = output_of("-W", "ignore", str(path), PYTHONPATH=str(ROOT), MPLBACKEND="agg")
    assert code == 0, output


@SCRIPTS
def test_mypy_finds_no_fault_in_the_script_of_a_user(script, cache):
    code, output = checked(ROOT / "tests" / f"{script}.py", cache)
    assert code == 0, output


@pytest.mark.parametrize(
    "line, named",
    [
        ('TripletMetricTransformer(solver="adm")', "solver"),
        ("TripletMetricTransformer(2).coefs_.shape", "list[ndarray"),
        ("TripletMetricTransformer(2).fit([[1.0]], [1]).pairwise_distance()", "X1"),
    ],
)
def test_mypy_finds_the_fault_of_a_script(line, named, cache, tmp_path):
    script = tmp_path / "wrong.py"
    script.write_text(f"from skmetric import TripletMetricTransformer\n\n{line}\n")
    code, output = checked(script, cache)
    assert code == 1
    assert "wrong.py:3: error" in output and named in output


def test_the_package_says_that_it_has_types():
    assert (ROOT / "skmetric" / "py.typed").exists()
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    assert settings["options.package_data"]["skmetric"].split() == ["py.typed"]
