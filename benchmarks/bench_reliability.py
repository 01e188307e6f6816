"""Run the promises of docs/reliability.md in the nightly profile, and record how much each was tried.

``python benchmarks/bench_reliability.py [NAME ...]``

Each promise is a set of tests. What they count, with pytest's `record_property`, and how many of them
passed goes to results/reliability.json; promises that are not named keep their earlier result.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "reliability.json"
PACKAGES = ["numpy", "scipy", "scikit-learn", "hypothesis"]
PROMISES = {
    "kill": ["tests/test_checkpoint.py", "-k", "killed"],
    "disk": ["tests/test_checkpoint.py", "-k", "folder or read_only or full_disk"],
}


def command(name):
    return ["python", "-m", "pytest", *PROMISES[name], "--hypothesis-profile=nightly"]


def counted(report):
    """Numbers of tests by outcome, and what the tests have recorded: sums, or lists of other values."""
    suite = ElementTree.parse(report).getroot().find("testsuite")
    outcomes = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    records = {}
    for entry in suite.iter("property"):
        records.setdefault(entry.get("name"), []).append(json.loads(entry.get("value")))
    return outcomes | {"records": records}


def run(name):
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        began = time.perf_counter()
        subprocess.run([sys.executable, *command(name)[1:], "-q", f"--junitxml={report}"], cwd=ROOT)
        seconds = time.perf_counter() - began
        return counted(report) | {"seconds": round(seconds), "command": " ".join(command(name))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PROMISES], metavar="NAME")
    names = parser.parse_args().names or PROMISES
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {"promises": {}}
    results["machine"] = platform.processor() or platform.machine()
    results["versions"] = {name: version(name) for name in PACKAGES}
    for name in names:
        results["promises"][name] = run(name)
        RESULT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
