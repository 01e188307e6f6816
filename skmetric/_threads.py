"""How many threads BLAS works in."""

import threading
from functools import cache

from threadpoolctl import ThreadpoolController


class OneBlasThread:
    """Context in which BLAS works in one thread.

    The threads of OpenBLAS change the last bits of a product, and `n_jobs` changes their number: only a
    fixed number makes a model repeatable. Two threads also wait for each other on a busy machine. The
    number belongs to the process: it is set back when the last of the contexts that overlap, in
    several threads of Python, is left. A thread of its own holds the limit, since threadpoolctl lets
    only the thread that set one take it back.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.users = 0

    def __enter__(self):
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

    def __exit__(self, *error):
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.left.set()
                self.holder.join()


@cache
def blas_libraries():
    """Controller of the BLAS libraries. To look for them takes time: once, and not at import."""
    return ThreadpoolController()


one_blas_thread = OneBlasThread()
