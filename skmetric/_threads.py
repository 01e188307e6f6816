"""How many threads BLAS works in."""

import threading
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def blas_libraries():
    """Controller of the BLAS libraries. To look for them takes time: once, and not at import."""
    return ThreadpoolController()


@contextmanager
def one_blas_thread():
    """Let BLAS work in one thread, in this context and in all that overlap with it.

    The threads of OpenBLAS change the last bits of a product, and `n_jobs` changes their number: only a
    fixed number makes a model repeatable. Two threads also wait for each other on a busy machine.
    """
    SHARED_LIMIT.acquire()
    try:
        # Where the caller has set a limit of its own, only its thread may change it.
        with blas_libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        SHARED_LIMIT.release()


class SharedLimit:
    """Limit of one thread that lasts from the first `acquire` to the last `release`.

    The number of threads belongs to the process, and threadpoolctl lets only the thread of Python that
    set a limit take it back: a thread of its own does both, so that contexts may end in any order.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.users = 0

    def acquire(self):
        """Set the limit, unless it is set already."""
        with self.lock:
            if self.users == 0:
                limited, self.left = threading.Event(), threading.Event()
                self.holder = threading.Thread(target=self._hold, args=(limited,), daemon=True)
                self.holder.start()
                limited.wait()
            self.users += 1

    def _hold(self, limited):
        try:
            with blas_libraries().limit(limits=1, user_api="blas"):
                limited.set()
                self.left.wait()
        finally:
            limited.set()

    def release(self):
        """Take the limit back, if nobody else needs it."""
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.left.set()
                self.holder.join()


SHARED_LIMIT = SharedLimit()
