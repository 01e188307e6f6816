"""How many small changes of the code do the tests notice?

``python benchmarks/bench_mutants.py [--share 1.0]``, with ``pip install -e ".[plot,test,quality]"``.

mutmut makes mutants: copies of a function with one change each. The settings, `tool.mutmut` in
pyproject.toml, say of which files and with which tests. Those tests are run that call the function. What
is found stays in the folder ``mutants``, so that the command goes on where it was interrupted.
``--again survived`` tries those once more, after there are new tests.
"""

import argparse
import ast
import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from common import save

ROOT = Path(__file__).parent.parent
HUNK = re.compile(r"@@ -(\d+)")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # processes are forked
os.chdir(ROOT)

from mutmut import __main__ as mutmut  # noqa: E402 (reads the settings of this folder)
from mutmut.mutation.data import SourceFileMutationData  # noqa: E402
from mutmut.mutation.diff_apply import get_diff_for_mutant  # noqa: E402
from mutmut.stats import status_by_exit_code  # noqa: E402
from mutmut.utils.format_utils import orig_function_and_class_names_from_key  # noqa: E402


def generate():
    Path("mutants").mkdir(exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(len(os.sched_getaffinity(0)))


def outcomes():
    """For each file, name of each mutant and what became of it."""
    table = {}
    for path in sorted(mutmut.walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        if data.exit_code_by_key:
            table[str(path)] = {
                name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()
            }
    return table


def chosen(table, share):
    """The same part of each file, at least one mutant. A larger share contains a smaller one."""
    names = {}
    for path, status_of in table.items():
        shuffled = random.Random(0).sample(sorted(status_of), len(status_of))
        names[path] = sorted(shuffled[: max(1, round(share * len(shuffled)))])
    return names


def position(path, name, removed, start):
    """Line of the file in which `removed` stands, near line `start` of the function."""
    function, class_name = orig_function_and_class_names_from_key(name)
    body = ast.parse(Path(path).read_text()).body
    if class_name:
        body = next(node.body for node in body if getattr(node, "name", None) == class_name)
    node = next(node for node in body if getattr(node, "name", None) == function)
    lines = Path(path).read_text().splitlines()
    same = [
        line
        for line in range(node.lineno, node.end_lineno + 1)
        if lines[line - 1].strip() == removed.strip()
    ]
    return min(same, key=lambda line: abs(line - node.lineno - start), default=node.lineno)


def described(path, name):
    """A mutant that survived: where it is, and the change."""
    diff = get_diff_for_mutant(name, path=path).splitlines()[2:]
    first = next(number for number, line in enumerate(diff) if line.startswith("-"))
    start = int(HUNK.match(diff[0]).group(1)) + first - 2
    return {
        "mutant": name,
        "line": position(path, name, diff[first][1:], start),
        "removed": [line[1:].strip() for line in diff if line.startswith("-")],
        "added": [line[1:].strip() for line in diff if line.startswith("+")],
    }


def report(table, names):
    """Counts of each file, and the mutants that were not killed."""
    files = {}
    for path, some in names.items():
        counts = Counter(table[path][name] for name in some)
        alive = [name for name in some if table[path][name] in ("survived", "no tests")]
        files[path] = {
            "mutants": len(table[path]),
            "tried": len(some) - counts["not checked"],
            **counts,
            "not_killed": [described(path, name) for name in alive],
        }
    return files


def summed(files):
    """Counts of all files. A mutant that does not end is noticed too."""
    total = Counter()
    for counts in files.values():
        total.update({name: number for name, number in counts.items() if name != "not_killed"})
    noticed = total["killed"] + total["timeout"]
    return {**total, "percent_killed": 100 * noticed / total["tried"]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0, help="part of the mutants of each file")
    parser.add_argument("--again", nargs="*", default=[], help="survived, timeout, killed")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    generate()
    table = outcomes()
    names = chosen(table, args.share)
    due = [
        name
        for path, some in names.items()
        for name in some
        if table[path][name] in ("not checked", "check was interrupted by user", *args.again)
    ]
    print(f"{len(due)} mutants to try", flush=True)
    if due:
        run = [Path(sys.executable).with_name("mutmut"), "run", "--max-children", str(args.processes)]
        subprocess.run([*run, *due], check=True, env=os.environ | ONE_THREAD)
    files = report(outcomes(), names)
    total = summed(files)
    print(total)
    save(
        "mutants", {"command": sys.argv, "total": total, "files": files}, "mutmut", "pytest", "hypothesis"
    )
