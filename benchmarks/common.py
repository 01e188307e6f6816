"""What all benchmarks share: the machine, and where results go."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import threadpoolctl

RESULTS = Path(__file__).parent / "results"
PACKAGES = ["skmetric", "numpy", "scipy", "scikit-learn"]


def environment(*more_packages):
    """Machine, versions and BLAS threads."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in (*PACKAGES, *more_packages)},
        "blas": [
            {key: pool[key] for key in ("internal_api", "version", "num_threads")}
            for pool in threadpoolctl.threadpool_info()
            if pool["user_api"] == "blas"
        ],
    }


def save(name, result, *more_packages):
    """Write a result as ``results/name.json``, with the environment, and print it."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**environment(*more_packages), **result}, indent=1) + "\n")
    print(f"written: {path}")
