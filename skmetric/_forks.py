"""Forks that wait until no other thread is within BLAS.

OpenBLAS takes a lock whenever it needs memory for a product. A child that is forked at this moment
inherits the lock as it is, and waits forever at its first product.
"""

import threading
from contextlib import ContextDecorator

PATIENCE = 1.0  # seconds; a fork that waits, and what waits for a fork, goes on after this time


class ForksWait(ContextDecorator):
    """Context, or decorator of a function, for whose end forks of other threads wait.

    It should be a single step of some work, because a fork waits for `PATIENCE` at most. Longer work is
    less dangerous: it takes the lock of OpenBLAS less often.
    """

    def __init__(self):
        self.changed = threading.Condition()
        self.depths = {}  # number of contexts that each thread of Python is in
        self.fork_waits = False

    def __enter__(self):
        thread = threading.get_ident()
        with self.changed:
            depth = self.depths.get(thread, 0)
            if self.fork_waits and not depth:
                self.changed.wait_for(lambda: not self.fork_waits, PATIENCE)
            self.depths[thread] = depth + 1

    def __exit__(self, *error):
        thread = threading.get_ident()
        with self.changed:
            self.depths[thread] -= 1
            if not self.depths[thread]:
                del self.depths[thread]
            if self.fork_waits:
                self.changed.notify_all()

    def before_fork(self):
        """Wait until no thread but this one is in a context, and let none enter."""
        self.changed.acquire()
        self.fork_waits = True
        self.changed.wait_for(lambda: self.depths.keys() <= {threading.get_ident()}, PATIENCE)

    def go_on_in_parent(self):
        """Let threads enter again."""
        self.fork_waits = False
        self.changed.notify_all()
        self.changed.release()

    def begin_in_child(self):
        """Forget other threads, which do not exist in a child."""
        thread = threading.get_ident()
        own_depth = self.depths.get(thread)
        self.__init__()
        if own_depth:
            self.depths[thread] = own_depth


forks_wait = ForksWait()
