"""Steps of work within BLAS: how many run at the same time, and how they get along with forks."""

import os
import threading
from contextlib import ContextDecorator

PATIENCE = 1.0  # seconds after which whatever waits here goes on: waiting makes nothing right or wrong


def n_cpus():
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Steps(ContextDecorator):
    """Context of a step of some work, or decorator of a function that is one.

    A thread may be in several such contexts, one within another. The outermost one waits until
    `may_begin`.
    """

    def __init__(self):
        self.changed = threading.Condition()
        self.depths = {}  # number of contexts that each thread of Python is in

    def may_begin(self):
        """Return whether another thread may begin a step."""
        return True

    def __enter__(self):
        thread = threading.get_ident()
        with self.changed:
            depth = self.depths.get(thread, 0)
            if not depth and not self.may_begin():
                self.changed.wait_for(self.may_begin, PATIENCE)
            self.depths[thread] = depth + 1

    def __exit__(self, *error):
        thread = threading.get_ident()
        with self.changed:
            self.depths[thread] -= 1
            if not self.depths[thread]:
                del self.depths[thread]
            self.changed.notify_all()

    def begin_in_child(self):
        """Forget the threads of the parent, but the one that has forked."""
        thread = threading.get_ident()
        own_depth = self.depths.get(thread)
        self.__init__()
        if own_depth:
            self.depths[thread] = own_depth


class ForksWait(Steps):
    """Steps for whose end forks of other threads wait.

    OpenBLAS takes a lock whenever it needs memory for a product. A child that is forked at this moment
    inherits the lock as it is, and waits forever at its first product. Steps should be short, since a
    fork waits for `PATIENCE` at most. Long ones are less dangerous: they take the lock less often.
    """

    def __init__(self):
        super().__init__()
        self.fork_waits = False

    def may_begin(self):
        """Return whether no fork waits."""
        return not self.fork_waits

    def before_fork(self):
        """Wait until no thread but this one is in a step, and let none begin."""
        self.changed.acquire()
        self.fork_waits = True
        self.changed.wait_for(lambda: self.depths.keys() <= {threading.get_ident()}, PATIENCE)

    def go_on_in_parent(self):
        """Let steps begin again."""
        self.fork_waits = False
        self.changed.notify_all()
        self.changed.release()


class Turns(Steps):
    """Steps of which as many run at the same time as there are CPUs.

    More threads than CPUs are slower than one after another, because they compete for the lock of the
    interpreter.
    """

    def may_begin(self):
        """Return whether a CPU is free."""
        return not self.depths or len(self.depths) < n_cpus()


forks_wait = ForksWait()
turns = Turns()
