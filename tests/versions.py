"""Run the tests with each supported Python and scikit-learn, on the oldest and on the newest packages.

Needs uv (``pip install uv``) and the Pythons. Words choose cells of the table; without words all run::

    python tests/versions.py
    python tests/versions.py 3.12 1.8
    python tests/versions.py 3.11 1.6 oldest --tests all
    python tests/versions.py 3.13t

"oldest" is the lowest version that `setup.cfg` allows and that has a wheel for this Python: of NumPy,
SciPy, the last part of scikit-learn's version, and all packages of the extras "plot" and "test". "newest"
is what pip installs. Each cell is a fresh environment.

Cells of `CORNERS` run all tests. The others run "core", the tests of what other packages have a part in.
Without the lock of the interpreter, "threads" runs. ``--tests`` runs the same in all cells. ``--save``
writes the rows to `benchmarks/results/versions.json`, where the rows of other cells stay.
"""

import argparse
import configparser
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

from uv import find_uv_bin

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "versions.json"

REGULAR = list(product(["3.11", "3.12", "3.13"], ["1.6", "1.7", "1.8", "1.9"], ["oldest", "newest"]))
# Without the lock of the interpreter. Run when it is named, since few machines have it.
FREE_THREADED = [("3.13t", "1.8", "newest")]
CORNERS = [
    ("3.11", "1.6", "oldest"),
    ("3.12", "1.7", "newest"),
    ("3.12", "1.8", "newest"),
    ("3.13", "1.9", "newest"),
]
FILES = {
    "all": [""],
    "core": """
        array_api callbacks estimator_checks html input interrupts metrics onnx persistence same_bits team
        training tuples_model typing
    """.split(),
    "threads": ["interrupts", "same_bits", "team"],
}
NO_WHEEL = {"3.13t": ["dask", "dask-ml", "faiss-cpu", "polars"]}

RESOLUTION = {"oldest": "lowest-direct", "newest": "highest"}
PACKAGES = "numpy scipy scikit-learn matplotlib pandas polars pyarrow dask skl2onnx skops".split()
COUNTS = ["passed", "failed", "skipped"]


def requirements(python_version):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    extras = settings["options.extras_require"]
    lines = (settings["options"]["install_requires"] + extras["plot"] + extras["test"]).split()
    missing = NO_WHEEL.get(python_version, [])
    return [line for line in lines if re.split(r"[\[>]", line)[0] not in missing]


def install(cell, folder):
    """A fresh environment in the folder; returns its Python."""
    python_version, sklearn_version, kind = cell
    python = folder / "bin" / "python"
    wanted = folder / "requirements.txt"
    command = [find_uv_bin(), "--quiet"]
    subprocess.run([*command, "venv", "--python", python_version, folder], check=True)
    wanted.write_text("\n".join([*requirements(python_version), f"scikit-learn=={sklearn_version}.*"]))
    command += ["pip", "install", "--python", python]
    oldest_or_newest = ["--only-binary=:all:", f"--resolution={RESOLUTION[kind]}"]
    subprocess.run([*command, *oldest_or_newest, "-r", wanted], check=True)
    subprocess.run([*command, "--no-deps", "--editable", ROOT], check=True)
    return python


def versions(python):
    """Versions of `PACKAGES` that are installed."""
    command = [find_uv_bin(), "pip", "freeze", "--quiet", "--python", python]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    installed = dict(line.split("==") for line in lines if "==" in line)
    return {name: installed[name] for name in PACKAGES if name in installed}


def test(python, tests, folder, environment):
    """How many tests passed, failed and were skipped."""
    report = folder / "report.xml"
    patterns = [f"test_{name}*.py" for name in FILES[tests]]
    files = sorted({path for pattern in patterns for path in (ROOT / "tests").glob(pattern)})
    command = [python, "-m", "pytest", "-q", "--tb=short", f"--junitxml={report}", *files]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment)
    suite = ElementTree.parse(report).find("testsuite")
    n_tests, errors, failures, skipped = (
        int(suite.get(name)) for name in ("tests", "errors", "failures", "skipped")
    )
    failed = errors + failures
    return {"passed": n_tests - failed - skipped, "failed": failed, "skipped": skipped}


def run(cell, tests):
    """One row of the table."""
    row = dict(zip(["python", "scikit-learn", "packages", "tests"], (*cell, tests)))
    print("\n==", *row.values(), flush=True)
    # Without PYTHON_GIL, an extension can take the lock back.
    environment = {"PYTHON_GIL": "0"} if cell in FREE_THREADED else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            python = install(cell, folder)
            return row | {"versions": versions(python)} | test(python, tests, folder, environment)
        except (subprocess.CalledProcessError, OSError, ElementTree.ParseError) as error:
            return row | {"error": str(error)}


def is_good(row):
    return row.get("passed", 0) > 0 and row["failed"] == 0


def save(rows):
    """Write the rows, and keep those of other cells."""
    known = json.loads(RESULTS.read_text())["cells"] if RESULTS.exists() else []
    keys = ("python", "scikit-learn", "packages")
    table = {tuple(row[key] for key in keys): row for row in [*known, *rows]}
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    result = {"date": date, "cpus": os.cpu_count(), "cells": [table[cell] for cell in sorted(table)]}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def show(row):
    cell = [row["python"], row["scikit-learn"], row["packages"], row["tests"]]
    numbers = [row.get("versions", {}).get(name, "-") for name in PACKAGES[:4]]
    counts = [f"{row[name]} {name}" for name in COUNTS if name in row] or [row["error"]]
    print("  ".join([*(f"{text:8}" for text in cell + numbers), ", ".join(counts)]))


def chosen(words):
    """The cells that have, in each column, one of the words if any of the words is in that column."""
    cells = [cell for cell in FREE_THREADED if cell[0] in words] or REGULAR
    columns = [set(column) for column in zip(*cells)]
    unknown = set(words).difference(*columns)
    if unknown:
        sys.exit(f"No cell has {', '.join(sorted(unknown))}")
    allowed = [column & set(words) or column for column in columns]
    return [cell for cell in cells if all(map(set.__contains__, allowed, cell))]


def tests_of(cell):
    if cell in FREE_THREADED:
        return "threads"
    return "all" if cell in CORNERS else "core"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="of Python, of scikit-learn, oldest or newest")
    parser.add_argument("--tests", choices=FILES, help="which ones to run in each cell")
    parser.add_argument("--save", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    options = parser.parse_args()
    rows = []
    for cell in chosen(options.words):
        rows.append(run(cell, options.tests or tests_of(cell)))
        if options.save:
            save(rows)
    print()
    for row in rows:
        show(row)
    sys.exit(not all(map(is_good, rows)))


if __name__ == "__main__":
    main()
