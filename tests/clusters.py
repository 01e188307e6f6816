"""Clusters of Dask for tests."""

from contextlib import contextmanager
from multiprocessing import resource_tracker

import psutil  # which distributed needs
import pytest
from distributed import Client, LocalCluster


def processes():
    """The children of this process, and theirs."""
    return set(psutil.Process().children(recursive=True))


@contextmanager
def cluster_of(n_workers, n_threads, folder):
    """Client of a cluster of processes on this machine, none of which is left afterwards."""
    resource_tracker.ensure_running()  # a process of Python that stays
    before = processes()
    started = set()
    with pytest.MonkeyPatch.context() as patch:
        # Threads as Dask sets them, whatever the tests were started with.
        for library in ("OMP", "MKL", "OPENBLAS"):
            patch.delenv(f"{library}_NUM_THREADS", raising=False)
        try:
            with (
                LocalCluster(
                    n_workers=n_workers,
                    threads_per_worker=n_threads,
                    host="127.0.0.1",
                    dashboard_address=":0",
                    local_directory=folder,
                ) as cluster,
                Client(cluster) as client,
            ):
                started = processes() - before
                yield client
        finally:
            _, left = psutil.wait_procs(started | processes() - before, timeout=30)
            assert not left
