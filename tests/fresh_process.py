"""Code that runs in a process of its own, with a watchdog, and what it finds prepared there."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
SETTING = """
import gc, os, signal, sys, threading, time, warnings
import numpy as np
import skmetric
from fits_elsewhere import *

end_after({seconds})
warnings.simplefilter("ignore")
# A process in the background ignores Ctrl-C, and so do its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
before = held()
"""


def output_of(code, seconds=300):
    """What the code prints; an error, or a process that has not ended in time, is an AssertionError."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]),
        "OPENBLAS_NUM_THREADS": "2",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SETTING.format(seconds=seconds) + code],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
