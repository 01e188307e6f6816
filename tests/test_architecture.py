"""How the package is built: which way imports run, how long things are, how they are written."""

import ast
import importlib
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import skmetric

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "skmetric").rglob("*.py"))


def dotted(path):
    """``losses._triplet`` for ``skmetric/losses/_triplet.py``; a package is called by its own name."""
    parts = path.relative_to(ROOT / "skmetric").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


TREES = {dotted(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
ESTIMATORS = ["classification", "contrastive", "neighborhood", "triplet"]
USES = ["datasets", "metrics", "model_selection", "pairs", "plotting", "testing", "verification"]
# Converters are registered by class, and a checkpoint names one.
PUBLIC = [*ESTIMATORS, *USES, "callbacks", "dask", "losses", "onnx"]
MATHEMATICS = [name for name in TREES if name.split(".")[0] == "losses"]
ENGINE = [name for name in TREES if name.split(".")[0] == "_engine"]
# How threads share work and get along with forks: needed by the mathematics and by the engine.
SHARED = ["_team", "_blas_threads", "_steps", "_lazy"]
OPTIONAL = {
    "dask",
    "distributed",
    "matplotlib",
    "onnx",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "skl2onnx",
}
REQUIRED = {"numpy", "scipy", "sklearn"}

MAX_CODE_LINES = 200
MAX_FUNCTION_LINES = 40
MODULES = pytest.mark.parametrize("module", TREES)
PUBLIC_MODULES = pytest.mark.parametrize("module", PUBLIC)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


# --- imports ----------------------------------------------------------------------------------------


def at_import(node):
    """Nodes that run when the module is imported: not bodies of functions and of ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        yield child
        is_type_checking = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not isinstance(child, FUNCTIONS | ast.Lambda) and not is_type_checking:
            yield from at_import(child)


def imported(module, nodes):
    """Dotted names, those of the package from ``skmetric`` on."""
    package = ["skmetric", *module.split(".")]
    is_package = (ROOT / "skmetric" / module.replace(".", "/") / "__init__.py").exists()
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = len(package) - node.level + is_package if node.level else 0
            base = ".".join([*package[:up], *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def own_imports(module):
    """Modules of the package that a module imports."""
    found = set()
    for name in imported(module, ast.walk(TREES[module])):
        parts = name.split(".")[1:] if name.startswith("skmetric.") else []
        found |= {".".join(parts[:n]) for n in (1, 2)} & TREES.keys() - {module}
    return found


def others(module, nodes):
    names = {name.partition(".")[0] for name in imported(module, nodes)}
    return names - {"skmetric"} - set(sys.stdlib_module_names)


def reached(module):
    """All modules of the package that a module needs."""
    found, new = set(), {module}
    while new:
        found |= new
        new = set().union(*(own_imports(name) for name in new)) - found
    return found - {module}


def test_the_imports_of_this_test_are_found():
    assert own_imports("losses._triplet") >= {"losses._miners"}
    assert own_imports("triplet") >= {"_metric_transformer", "losses"}
    assert {"_engine.training", "losses._sphere", "metrics"} <= reached("triplet")


@MODULES
def test_no_import_leads_back(module):
    back = {name for name in reached(module) if module in reached(name)}
    # A package and its own files name each other.
    assert {name for name in back if name.split(".")[0] != module.split(".")[0]} == set()


@pytest.mark.parametrize("module", MATHEMATICS)
def test_the_mathematics_needs_numpy_alone(module):
    assert {name.split(".")[0] for name in reached(module)} <= {"losses", *SHARED}
    assert others(module, ast.walk(TREES[module])) <= {"numpy"}


@pytest.mark.parametrize("module", ENGINE)
def test_the_engine_needs_numpy_and_scipy_alone(module):
    assert {name.split(".")[0] for name in reached(module)} <= {"_engine", *SHARED}
    assert others(module, ast.walk(TREES[module])) <= {"numpy", "scipy"}


def test_the_training_loop_knows_none_of_the_parts():
    assert own_imports("_engine.training") == {"_engine", "_engine.interrupts", "_steps"}
    assert others("_engine.training", ast.walk(TREES["_engine.training"])) == {"numpy"}


@pytest.mark.parametrize("module", USES)
def test_the_uses_need_no_estimator(module):
    below = {name.split(".")[0] for name in reached(module)}
    assert below & {*ESTIMATORS, "_network_estimator", "_embedding", "_engine", "losses"} == set()


@MODULES
def test_only_what_is_required_is_imported_at_once(module):
    # `skmetric.dask` is of no use without Dask, and says so when it is imported.
    allowed = {"dask", "distributed"} if module in ("dask", "_dask_partitions") else set()
    assert others(module, at_import(TREES[module])) <= REQUIRED | {"threadpoolctl"} | allowed


@MODULES
def test_no_property_holds_a_lock_that_a_child_may_inherit(module):
    # Before Python 3.12, that of functools is one for all instances, see `_lazy`.
    assert "functools.cached_property" not in imported(module, ast.walk(TREES[module]))


@MODULES
def test_nothing_is_imported_whole(module):
    assert not [name for name in imported(module, ast.walk(TREES[module])) if name.endswith(".*")]


def output_of(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_imports_nothing_optional():
    # scikit-learn itself imports pandas and rich where they are installed: what comes on top?
    code = f"""
import contextlib, sys
import sklearn.metrics, sklearn.model_selection, sklearn.neural_network
with contextlib.suppress(ImportError):
    import sklearn.callback
before = set(sys.modules)
import skmetric
print(sorted({OPTIONAL} & (sys.modules.keys() - before)), "matplotlib" in sys.modules)
"""
    assert output_of(code) == "[] False"


def test_the_package_imports_where_nothing_optional_is_installed():
    code = f"""
import sys
sys.modules.update(dict.fromkeys({OPTIONAL}))
import skmetric
print(skmetric.__version__)
"""
    assert output_of(code) == skmetric.__version__


# --- ancestry ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", skmetric.__all__)
def test_an_estimator_has_at_most_three_own_classes_above_it(name):
    lineage = [cls for cls in getattr(skmetric, name).__mro__ if cls.__module__.startswith("skmetric")]
    # scikit-learn before 1.9 has no class for callbacks: a stand-in without a method takes its place.
    lineage = [cls for cls in lineage if cls.__name__ != "CallbackSupportMixin"]
    assert len(lineage) - 1 <= 3


def classes(tree):
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


@MODULES
def test_no_class_is_a_mixin(module):
    mixins = [cls.name for cls in classes(TREES[module]) if "Mixin" in cls.name]
    stand_in = ["CallbackSupportMixin"] if module == "_callbacks" else []
    # The stand-in is defined where scikit-learn has none, below the first level of the module.
    assert mixins == [] and stand_in == [
        node.name
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.ClassDef) and "Mixin" in node.name
    ]


# --- size and form ----------------------------------------------------------------------------------


def docstring_lines(tree):
    """Numbers of the lines that are in docstrings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | FUNCTIONS) and ast.get_docstring(node):
            found |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return found


def declaration_lines(tree):
    """Numbers of the lines that only say of which type an attribute or an imported name is."""
    found = set()
    for node in ast.walk(tree):
        is_type = isinstance(node, ast.AnnAssign) and node.value is None
        if is_type or (isinstance(node, ast.ImportFrom) and node.module in ("_typing", "typing")):
            found |= set(range(node.lineno, node.end_lineno + 1))
    return found


def code_lines(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    left_out = docstring_lines(tree) | declaration_lines(tree)
    lines = enumerate(text.splitlines(), start=1)
    code = [line.strip() for number, line in lines if number not in left_out]
    return [line for line in code if line and not line.startswith("#")]


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_files_are_short(path):
    assert len(code_lines(path)) <= MAX_CODE_LINES


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def length_without_docstring(function):
    n_lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return n_lines
    docstring = function.body[0]
    return n_lines - (docstring.end_lineno - docstring.lineno + 1)


@MODULES
def test_functions_are_short(module):
    # An estimator has as many parameters as it has; its __init__ has one statement.
    lengths = {
        function.name: length_without_docstring(function)
        for function in functions(TREES[module])
        if function.name != "__init__" or len(function.body) > 1
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_most_functions_are_very_short():
    lengths = [length_without_docstring(f) for tree in TREES.values() for f in functions(tree)]
    assert statistics.median(lengths) <= 6


def assigned_side_by_side(tree):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Tuple)
    ]


def test_names_are_seldom_assigned_side_by_side():
    n_assigned = sum(len(assigned_side_by_side(tree)) for tree in TREES.values())
    n_lines = sum(len(code_lines(path)) for path in FILES)
    assert n_assigned < 5 * n_lines / 1000


@MODULES
def test_no_conditional_expression_is_in_another(module):
    outer = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.IfExp)]
    inner = [node for one in outer for node in ast.walk(one) if isinstance(node, ast.IfExp)]
    assert len(inner) == len(outer)


def calls(node, name):
    called = [child for child in ast.walk(node) if isinstance(child, ast.Call)]
    return [call for call in called if isinstance(call.func, ast.Name) and call.func.id == name]


@MODULES
def test_nothing_is_printed_outside_training(module):
    assert module == "_engine.training" or calls(TREES[module], "print") == []


def test_training_prints_only_where_verbose():
    tree = TREES["_engine.training"]
    branches = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    verbose = [node for node in branches if ast.unparse(node.test) == "verbose"]
    printers = [function.name for function in functions(tree) if calls(function, "print")]
    assert len(printers) == len(calls(tree, "print")) == 1
    guarded = [call for node in verbose for call in calls(node, printers[0])]
    assert guarded == calls(tree, printers[0]) != []


def test_no_file_is_called_utils():
    assert [str(path) for path in (ROOT / "skmetric").rglob("*util*")] == []


# --- documentation ----------------------------------------------------------------------------------


def public(nodes, kinds):
    named = [node for node in nodes if isinstance(node, kinds) and not node.name.startswith("_")]
    return [node for node in named if "overload" not in map(ast.unparse, node.decorator_list)]


def documentable(tree):
    """Classes, functions and methods without an underscore: (name, node)."""
    for node in public(tree.body, FUNCTIONS | ast.ClassDef):
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{method.name}", method) for method in public(node.body, FUNCTIONS))


@MODULES
def test_each_module_says_what_it_is(module):
    assert ast.get_docstring(TREES[module])


@MODULES
def test_all_that_has_no_underscore_has_a_docstring(module):
    assert [name for name, node in documentable(TREES[module]) if not ast.get_docstring(node)] == []


def test_what_is_not_public_has_an_underscore():
    rooms = {name.split(".")[0] for name in TREES} - {"__init__"}
    assert {name for name in rooms if not name.startswith("_")} == set(PUBLIC)
    assert all(name.split(".")[1].startswith("_") for name in MATHEMATICS if "." in name)


@PUBLIC_MODULES
def test_public_names_are_in_the_api_documentation_and_no_others(module):
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    section = "" if module in ESTIMATORS else f".{module}"
    text = re.search(rf"^## `skmetric{section}`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)[1]
    module = f"skmetric{section}"
    # Names stand in the lists of autosummary, which makes a page of each.
    blocks = re.findall(r"^\.\. autosummary::\n((?: {3}.*\n|\n)+)", text, re.MULTILINE)
    documented = [name for block in blocks for name in re.findall(r"^ {3}(\w+)$", block, re.MULTILINE)]
    assert re.findall(r"^\.\. currentmodule:: (.*)$", text, re.MULTILINE) == [module]
    assert all("   :toctree: api\n" in block for block in blocks)
    assert sorted(documented) == sorted(importlib.import_module(module).__all__)
