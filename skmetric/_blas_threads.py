"""The number of threads of BLAS."""

import os
import threading
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

from ._steps import forks_wait, n_cpus, turns


@cache
def blas_libraries():
    """Return a controller of the BLAS libraries; the slow search runs once, and not at import."""
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def one_blas_thread():
    """Limit BLAS to one thread, in this context and in all that overlap with it.

    The last bits of a product depend on the number of threads, which depends on `n_jobs`. With one thread
    a model is reproducible. The other CPUs are used by `_team`.

    Yields
    ------
    n_threads : int
        Number of threads that BLAS would use without the limit, at most the CPUs of the process.
    """
    n_threads, own_limit = SHARED_LIMIT.acquire()
    try:
        yield n_threads
    finally:
        SHARED_LIMIT.release(own_limit)


def _set_threads(library, n_threads):
    # threadpoolctl silently ignores changes by any thread of Python but the one that has set the limit.
    # Here contexts of several threads share one limit and end in any order.
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n_threads)


class SharedLimit:
    """Limit of one thread that lasts from the first `acquire` to the last `release`.

    The number of threads belongs to the process. It is changed with the lock held, for which forks wait:
    OpenBLAS has a lock of its own for changes, and a child that inherits it locked waits forever.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.n_users = 0
        self.before = []

    def acquire(self):
        """Set the limit, unless it is already set.

        Returns
        -------
        n_threads : int
            Number of threads without the limit.
        own_limit : object
            Limit of this thread of Python, for `release`.
        """
        with self.lock:
            if self.n_users == 0:
                libraries = blas_libraries().lib_controllers
                self.before = [(library, library.get_num_threads()) for library in libraries]
                for library in libraries:
                    _set_threads(library, 1)
            self.n_users += 1
            # In some libraries the limit belongs to a thread of Python, so it is set for this one too.
            own_limit = blas_libraries().limit(limits=1)
            return min([n_cpus(), *(n_threads for _, n_threads in self.before)]), own_limit

    def release(self, own_limit):
        """Remove the limit, unless another context needs it."""
        with self.lock:
            own_limit.restore_original_limits()
            # A child process that was forked within a context has no users.
            self.n_users = max(0, self.n_users - 1)
            if self.n_users == 0:
                self._restore()

    def _restore(self):
        for library, n_threads in self.before:
            _set_threads(library, n_threads)
        self.before = []

    def begin_in_child(self):
        """Remove the limit in a child process: the users are threads of its parent."""
        self.lock.release()
        self.n_users = 0
        self._restore()


SHARED_LIMIT = SharedLimit()


def _before_fork():
    # In this order: a thread for which a fork waits may itself wait for the lock of the limit.
    forks_wait.before_fork()
    SHARED_LIMIT.lock.acquire()


def _after_fork_in_parent():
    SHARED_LIMIT.lock.release()
    forks_wait.go_on_in_parent()


def _after_fork_in_child():
    SHARED_LIMIT.begin_in_child()
    forks_wait.begin_in_child()
    turns.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
