"""Pages of the documentation: their code runs, and prints what they show."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "docs" / "pages.py"
# A page may need what the tests do not install. Callbacks came with scikit-learn 1.9.
OPTIONAL = r"sklearn\.callback|skl2onnx|onnx|onnxruntime|skops|dask|dask_ml|distributed|faiss"
OPTIONAL += "|torch|pytorch_metric_learning|metric_learn"


def loaded(script):
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = loaded(SCRIPT)


def checked(page):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, SCRIPT, "--check", page]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("page", PAGES.with_code(), ids=lambda page: page.stem)
def test_the_code_of_the_documentation_runs_and_prints_what_is_shown(page):
    done = checked(page)
    missing = re.search(rf"ModuleNotFoundError: No module named '({OPTIONAL})\b", done.stderr)
    if missing:
        pytest.skip(f"{page.name} needs {missing[1]}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "code, shown, message",
    [
        ("print(f'{0.5:.2f} of 30')", "0.52 of 30", None),
        ("x = 1\n```\n\n```python\nprint('x is', x)", "x  is 1", None),
        ("print(0.50)", "0.60", "shows\n0.60\n\nand the code prints\n0.5"),
        ("print('two words')", "two", "shows\ntwo\n\nand the code prints\ntwo words"),
        ("print(1, 2)", "1", "and the code prints"),
        ("\n1 / 0", "1", 'page.md", line 5'),
    ],
)
def test_a_page_that_shows_something_else_is_found(code, shown, message, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n```python\n{code}\n```\n\n```text\n{shown}\n```\n")
    done = checked(page)
    assert message is None or message in done.stderr
    assert (done.returncode == 0) == (message is None)


def test_what_the_code_prints_is_written_below_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n```\n\nwords\n\n```python\nprint(3)\n```\n")
    subprocess.run([sys.executable, SCRIPT, page], check=True)
    assert page.read_text() == (
        "```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n\nwords\n\n```python\nprint(3)\n```\n"
    )


# --- what pages refer to ------------------------------------------------------------------------------


FOLDERS = "tests|benchmarks|docs|skmetric"
NAMED = re.compile(rf"(?:/main/|(?<![\w/]))((?:{FOLDERS})/[\w/]*\.(?:py|md|json|png))\b")


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.stem
)
def test_files_of_the_repository_that_a_page_names_exist(page):
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def messages():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    return re.findall(r"^\| \*(.*?)\* \|", page, flags=re.MULTILINE)


def texts(path):
    """Texts of a module, with ... for each value that is put in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [getattr(part, "value", "...") for part in node.values]
            yield "".join(part if isinstance(part, str) else "..." for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_messages_on_the_page_are_those_of_the_package():
    written = [text for path in (ROOT / "skmetric").rglob("*.py") for text in texts(path)]
    assert len(messages()) > 15
    assert [message for message in messages() if not any(message in text for text in written)] == []
