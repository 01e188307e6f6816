import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skmetric

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "skmetric").glob("*.py"))
TREES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
PUBLIC = [name for name in TREES if not name.startswith("_")]

# A module may import from the layers below its own.
LAYERS = [
    {
        "_binary",
        "_callbacks",
        "_drawing",
        "_input",
        "_labels",
        "_threads",
        "activations",
        "datasets",
        "distances",
        "initialization",
        "logit_losses",
        "mining",
        "pairs",
        "testing",
    }
    | {"optimizers", "sampling", "schedules", "training"},
    {
        "_distance_keys",
        "_exact_order",
        "_image_displays",
        "_learned_distance",
        "losses",
        "network",
        "verification",
    },
    {"_base", "_search", "plotting", "soft_neighbors"},
    {"_retrieval"},
    {"metrics"},
    {"_metric_transformer", "_weak_supervision", "classification"},
    {"embedding", "neighborhood"},
    {"__init__"},
]
# These have a closer rule: what they may import of skmetric, and of others but the standard library.
OF_SKMETRIC = {"losses": {"mining"}, "network": {"activations"}}
OF_OTHERS = {
    "_binary": {"numpy"},
    "_distance_keys": {"numpy"},
    "_exact_order": {"numpy"},
    "_search": {"numpy"},
    "_threads": {"threadpoolctl"},
    "initialization": {"numpy"},
    "logit_losses": {"numpy"},
    "losses": {"numpy"},
    "mining": {"numpy"},
    "soft_neighbors": {"numpy"},
}
OF_OTHERS |= {"training": {"numpy"}, "schedules": set()}
ESTIMATORS = {"classification", "embedding", "neighborhood", "verification"}
USE_SKLEARN = ESTIMATORS | {
    "_base",
    "_callbacks",
    "_drawing",
    "_image_displays",
    "_input",
    "_labels",
    "_learned_distance",
    "_metric_transformer",
    "_retrieval",
    "_weak_supervision",
    "datasets",
    "metrics",
    "pairs",
    "plotting",
}

MAX_LINES = dict.fromkeys(ESTIMATORS, 350)
MAX_FUNCTION_LINES = 40
OPTIONAL = {"matplotlib", "pandas", "polars", "pyarrow", "rich"}

MODULES = pytest.mark.parametrize("module", TREES)
PUBLIC_MODULES = pytest.mark.parametrize("module", PUBLIC)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


# --- imports ----------------------------------------------------------------------------------------


def at_import(node):
    """Nodes that run when the module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, FUNCTIONS | ast.Lambda):
            yield from at_import(child)


def imported(nodes):
    """Dotted names, relative ones from ``skmetric`` on."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, ["skmetric" if node.level else "", node.module]))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def of_skmetric(module):
    names = [name.split(".") for name in imported(ast.walk(TREES[module]))]
    return {name[1] for name in names if name[0] == "skmetric"}


def of_others(nodes):
    names = {name.partition(".")[0] for name in imported(nodes)}
    return names - {"skmetric"} - set(sys.stdlib_module_names)


def layer(module):
    found = [height for height, modules in enumerate(LAYERS) if module in modules]
    assert len(found) == 1, f"LAYERS in {__file__} must name {module} once"
    return found[0]


@MODULES
def test_imports_run_one_way(module):
    upwards = {name for name in of_skmetric(module) if layer(name) >= layer(module)}
    assert upwards == set()


@pytest.mark.parametrize("module", sorted(LAYERS[0] & set(TREES)))
def test_the_lowest_layer_imports_nothing_of_the_package(module):
    assert of_skmetric(module) == set()


@pytest.mark.parametrize("module", OF_SKMETRIC)
def test_parts_know_only_the_parts_below_them(module):
    assert of_skmetric(module) <= OF_SKMETRIC[module]


@MODULES
def test_what_is_imported_from_others(module):
    surface = {"sklearn"} if module in USE_SKLEARN else set()
    allowed = OF_OTHERS.get(module, {"numpy", "scipy"} | surface)
    assert of_others(at_import(TREES[module])) <= allowed


@MODULES
def test_scikit_learn_enters_at_the_surface_only(module):
    assert module in USE_SKLEARN or "sklearn" not in of_others(ast.walk(TREES[module]))


@MODULES
def test_nothing_is_imported_whole(module):
    assert not [name for name in imported(ast.walk(TREES[module])) if name.endswith(".*")]


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


# --- size -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_are_short(path):
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines < MAX_LINES.get(path.stem, 300)


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
    lengths = [
        (length_without_docstring(function), function.name) for function in functions(TREES[module])
    ]
    assert [(n_lines, name) for n_lines, name in lengths if n_lines > MAX_FUNCTION_LINES] == []


# --- form -------------------------------------------------------------------------------------------


def calls(node, name):
    called = [child for child in ast.walk(node) if isinstance(child, ast.Call)]
    return [call for call in called if isinstance(call.func, ast.Name) and call.func.id == name]


@MODULES
def test_nothing_is_printed_outside_training(module):
    assert module == "training" or calls(TREES[module], "print") == []


def test_training_prints_only_where_verbose():
    tree = TREES["training"]
    branches = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    verbose = [node for node in branches if ast.unparse(node.test) == "verbose"]
    printers = [function.name for function in functions(tree) if calls(function, "print")]
    assert len(printers) == len(calls(tree, "print")) == 1
    guarded = [call for node in verbose for call in calls(node, printers[0])]
    assert guarded == calls(tree, printers[0]) != []


def test_no_file_is_called_utils():
    assert [str(path) for path in (ROOT / "skmetric").rglob("*util*")] == []


@PUBLIC_MODULES
def test_each_module_has_its_tests(module):
    assert (ROOT / "tests" / f"test_{module}.py").exists()


def test_tests_are_of_a_module():
    known = {"architecture", "estimator_checks", "real_images", "step"} | {
        name.strip("_") for name in TREES
    }
    names = {path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")}
    assert names - known == set()


# --- documentation ----------------------------------------------------------------------------------


def public(nodes, kinds):
    return [node for node in nodes if isinstance(node, kinds) and not node.name.startswith("_")]


def documentable(tree):
    """Public classes, functions and methods: (name, node)."""
    for node in public(tree.body, FUNCTIONS | ast.ClassDef):
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{method.name}", method) for method in public(node.body, FUNCTIONS))


@MODULES
def test_each_module_says_what_it_is(module):
    assert ast.get_docstring(TREES[module])


@MODULES
def test_all_that_is_public_has_a_docstring(module):
    assert [name for name, node in documentable(TREES[module]) if not ast.get_docstring(node)] == []


@PUBLIC_MODULES
def test_functions_are_in_the_api_documentation(module):
    names = [function.name for function in public(TREES[module].body, FUNCTIONS)]
    if not names:
        return
    words = set(re.findall(r"\w+", (ROOT / "docs" / "api.md").read_text(encoding="utf-8")))
    assert [name for name in names if name not in words] == []


def test_what_the_package_exports_is_in_the_api_documentation():
    words = set(re.findall(r"\w+", (ROOT / "docs" / "api.md").read_text(encoding="utf-8")))
    assert set(skmetric.__all__) <= words


@pytest.mark.parametrize("page", ["user_guide", "search"])
def test_the_code_of_the_documentation_runs(page):
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    assert code
    code = f"import matplotlib\nmatplotlib.use('agg')\n{code}\nprint('to the end')"
    assert output_of(code).endswith("to the end")
