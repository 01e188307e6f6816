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
# Name: the promise, and the tests of it.
PROMISES = {
    "kill": (
        "A training with a checkpoint that is killed (`SIGKILL`) at any moment loses one epoch at most, "
        "and goes on to the same bits",
        ["tests/test_checkpoint.py", "-k", "killed"],
    ),
    "checkpoints": (
        "A full disk, a read-only file or a folder that cannot be written stops no training, and the "
        "last good checkpoint stays; other data are refused",
        ["tests/test_checkpoint.py", "-k", "not killed"],
    ),
    "interrupts": (
        "Ctrl-C at any moment leaves the model before, or that of the last complete epoch, and BLAS with "
        "its threads",
        ["tests/test_interrupts.py"],
    ),
    "user_code": (
        "Any error of a function of yours (schedule, mining, scoring, callback) in any epoch leaves the "
        "model before, or, if it is Ctrl-C, that of the last complete epoch",
        ["tests/test_user_code.py", "tests/test_failures.py"],
    ),
    "processes": (
        "Processes (fork, spawn, forkserver, loky) and threads that begin while models are fitted fit "
        "the same bits, and none hangs",
        ["tests/test_processes.py"],
    ),
    "resources": (
        "Fits, passes and failing fits keep no memory, threads or files",
        ["tests/test_resources.py"],
    ),
    "sequences": (
        "After any sequence of calls, an estimator has the state that a new one would have",
        ["tests/test_sequences_of_calls.py"],
    ),
    "parameters": (
        "Any parameters and any rows, up to the largest floats, give a whole model, or an error that "
        "names the cause",
        ["tests/test_any_parameters.py", "tests/test_extremes.py"],
    ),
    "gradients": (
        "Gradients of every loss, reduction, distance, activation and option equal finite differences",
        ["tests/test_gradients.py"],
    ),
    "values": (
        "Losses, distances, measures and thresholds of any floats are finite, or an error says why not",
        ["tests/test_extreme_values.py"],
    ),
    "losses": (
        "Losses and miners equal loops that are easy to read",
        ["tests/test_losses.py", "tests/test_losses_invariances.py", "tests/test_miners.py"],
    ),
    "retrieval": (
        "Retrieval measures order neighbours as exact arithmetic of fractions does",
        ["tests/test_search_exact_order.py", "tests/test_search_measures.py"],
    ),
    "readers": (
        "Files that are damaged are refused in words, in little memory",
        ["tests/test_data_files_mutated.py"],
    ),
    "mistakes": (
        "The likeliest mistakes get an error that names the parameter, its value and a remedy",
        ["tests/test_errors.py", "tests/test_messages.py", "tests/test_unlearnable.py"],
    ),
    "bits": (
        "The same `random_state` gives the same bits, with any number of threads and under `n_jobs`",
        ["tests/test_same_bits.py", "tests/test_team.py"],
    ),
    "conventions": (
        "Estimators follow scikit-learn's conventions",
        ["tests/test_estimator_checks.py"],
    ),
    "weights": (
        "Without dropout, a weight of 2 has the effect of a row given twice",
        ["tests/test_weights.py"],
    ),
    "input": ("`X` is never copied as a whole", ["tests/test_input.py"]),
    "saved": (
        "Saved models (pickle, joblib, skops) keep every bit and hold no training rows; those of earlier "
        "versions load, those of newer ones are refused; skops asks to trust types of skmetric alone",
        ["tests/test_persistence.py", "tests/test_skops.py", "tests/test_versions.py"],
    ),
    "validation": (
        "The rows that early stopping sets aside stay the same for the life of a model",
        ["tests/test_validation_rows.py"],
    ),
    "pages": (
        "The code of this documentation runs and prints what the pages show",
        ["tests/test_documentation.py"],
    ),
    "seeds": (
        "What a test says is learned is learned with any seed",
        ["tests", "-k", "seed and not test_seed"],
    ),
}


def command(name):
    _, arguments = PROMISES[name]
    tests = [f'"{argument}"' if " " in argument else argument for argument in arguments]
    return " ".join(["python -m pytest", *tests, "--hypothesis-profile=nightly"])


def counted(report):
    """Numbers of tests by outcome, and sum and maximum of what the tests have recorded."""
    suite = ElementTree.parse(report).getroot().find("testsuite")
    outcomes = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    records = {}
    for entry in suite.iter("property"):
        records.setdefault(entry.get("name"), []).append(json.loads(entry.get("value")))
    totals = {name: {"sum": sum(values), "max": max(values)} for name, values in records.items()}
    return outcomes | {"records": totals}


def run(name):
    promise, arguments = PROMISES[name]
    pytest = [sys.executable, "-m", "pytest", "-q", *arguments, "--hypothesis-profile=nightly"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        began = time.perf_counter()
        subprocess.run([*pytest, f"--junitxml={report}"], cwd=ROOT)
        seconds = round(time.perf_counter() - began)
        return {"promise": promise, "command": command(name), "seconds": seconds, **counted(report)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PROMISES], metavar="NAME")
    names = parser.parse_args().names or PROMISES
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {"promises": {}}
    results["python"] = platform.python_version()
    results["versions"] = {name: version(name) for name in PACKAGES}
    for name in names:
        results["promises"][name] = run(name)
        RESULT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
