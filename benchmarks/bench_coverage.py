"""Which lines and branches do the tests run?

``python benchmarks/bench_coverage.py [arguments of pytest]`` in an environment with
``pip install -e ".[plot,test,quality]"``. The processes that tests start count too.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import save

ROOT = Path(__file__).parent.parent
COVERAGE = [sys.executable, "-m", "coverage"]


def measured(arguments):
    """The report of coverage.py as JSON, and how pytest ended."""
    tests = subprocess.run([*COVERAGE, "run", "-m", "pytest", "-q", *arguments], cwd=ROOT)
    subprocess.run([*COVERAGE, "combine", "--quiet"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        subprocess.run([*COVERAGE, "json", "--quiet", "-o", path], cwd=ROOT, check=True)
        return json.loads(path.read_text()), tests.returncode


def rest(file):
    """What is not run: lines, and branches as (from line, to line); below 0 is the end of a function."""
    return {"lines": file["missing_lines"], "branches": file["missing_branches"]}


if __name__ == "__main__":
    report, exit_status = measured(sys.argv[1:])
    totals = report["totals"]
    not_run = {name: rest(file) for name, file in report["files"].items()}
    n_branches, n_lines = totals["num_branches"], totals["num_statements"]
    result = {
        "exit_status_of_pytest": exit_status,
        "lines": n_lines,
        "lines_run": totals["covered_lines"],
        "branches": n_branches,
        "branches_run": totals["covered_branches"],
        "percent_of_lines": 100 * totals["covered_lines"] / n_lines,
        "percent_of_branches": 100 * totals["covered_branches"] / n_branches,
        "not_run": {name: parts for name, parts in not_run.items() if any(parts.values())},
    }
    print({name: value for name, value in result.items() if name != "not_run"})
    save("coverage", {"command": sys.argv, **result}, "coverage", "pytest")
