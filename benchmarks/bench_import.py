"""What `import skmetric` adds to `import sklearn.neighbors`, in new processes.

``python benchmarks/bench_import.py [--repeats 15]``
"""

import argparse
import statistics
import subprocess
import sys

from common import save

TIMED = """
import time
start = time.perf_counter()
import sklearn.neighbors
between = time.perf_counter()
import skmetric
print(between - start, time.perf_counter() - between)
"""


def milliseconds():
    """Of the first import, and of the second after it."""
    done = subprocess.run([sys.executable, "-c", TIMED], check=True, capture_output=True, text=True)
    return [1000 * float(part) for part in done.stdout.split()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    milliseconds()  # once for the disk
    first, added = zip(*(milliseconds() for _ in range(args.repeats)))
    result = {
        "sklearn_neighbors_ms": [statistics.median(first), min(first), max(first)],
        "skmetric_adds_ms": [statistics.median(added), min(added), max(added)],
    }
    print(result)
    save("import", {"command": sys.argv, **result})
