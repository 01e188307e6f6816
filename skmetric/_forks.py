"""Forks that wait until no other thread is within BLAS.

OpenBLAS takes a lock whenever it needs memory for a product. A child that is forked at this moment
inherits the lock as it is, and waits forever at its first product.
"""

import threading
from contextlib import contextmanager

PATIENCE = 1.0  # seconds; what waits for a fork, or a fork that waits, goes on after this time


class BusyThreads:
    """Threads of Python that are within BLAS, for which a fork waits."""

    def __init__(self):
        self.changed = threading.Condition()
        self.threads = set()
        self.fork_waits = False

    def begin(self):
        """Note that this thread is busy, after a fork that waits; return False if it already was."""
        thread = threading.get_ident()
        if thread in self.threads:
            return False
        with self.changed:
            self.changed.wait_for(lambda: not self.fork_waits, PATIENCE)
            self.threads.add(thread)
        return True

    def end(self):
        """Note that this thread is not busy any more."""
        with self.changed:
            self.threads.discard(threading.get_ident())
            self.changed.notify_all()

    def before_fork(self):
        """Wait until no thread but this one is busy, and let none begin."""
        self.changed.acquire()
        self.fork_waits = True
        self.changed.wait_for(lambda: self.threads <= {threading.get_ident()}, PATIENCE)

    def after_in_parent(self):
        """Let the threads go on."""
        self.fork_waits = False
        self.changed.notify_all()
        self.changed.release()

    def after_in_child(self):
        """Forget the threads: they are those of the parent."""
        self.__init__()


BUSY_THREADS = BusyThreads()


@contextmanager
def forks_wait():
    """Let forks wait for the end of this context, which should be a single step of some work.

    A fork waits for `PATIENCE` at most. Longer work is less dangerous: it takes the lock of OpenBLAS less
    often.
    """
    begun = BUSY_THREADS.begin()
    try:
        yield
    finally:
        if begun:
            BUSY_THREADS.end()
