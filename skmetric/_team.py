"""A team of threads: it shares tasks that are independent of each other.

What is cut into tasks, and where, depends on shapes alone, and BLAS works in one thread. So each number
is the same sum in the same order, whatever the number of threads: they change the time and no bit.
"""

import threading
from collections import deque
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np

from ._blas_threads import one_blas_thread

NAME = "skmetric"  # of the helpers
MANY = 2**14  # rows


class Team:
    """The calling thread and its helpers, which begin with the first tasks that can be shared.

    The caller takes tasks too, and waits only for tasks that a helper has begun. Helpers that are late,
    or that a fork has not taken along, cost time and nothing else.

    Parameters
    ----------
    n_threads : int
        Number of threads, the calling one included.
    """

    def __init__(self, n_threads):
        self.n_helpers = n_threads - 1
        self.helpers = []
        self.inbox = SimpleQueue()

    def run(self, tasks):
        """Run all tasks; raise the first error that one of them has raised."""
        n_invited = min(self.n_helpers, len(tasks) - 1)
        if not n_invited:
            for task in tasks:
                task()
            return
        self._begin()
        left = deque(tasks)
        outcomes = SimpleQueue()
        for _ in range(n_invited):
            self.inbox.put((left, outcomes))
        _work(left, outcomes)
        errors = [outcomes.get() for _ in tasks]
        for error in filter(None, errors):
            raise error

    def _begin(self):
        while len(self.helpers) < self.n_helpers:
            # Daemons, since a helper must not keep a process alive whose training was cut off.
            helper = threading.Thread(target=_help, args=(self.inbox,), name=NAME, daemon=True)
            try:
                helper.start()
            except RuntimeError:  # the system gives no more threads, or the interpreter is about to end
                self.n_helpers = len(self.helpers)
                return
            self.helpers.append(helper)

    def dismiss(self):
        """Let the helpers end, and wait for them."""
        for _ in self.helpers:
            self.inbox.put(None)
        for helper in self.helpers:
            helper.join()


def _help(inbox):
    # Settings that belong to a thread: those of training, which looks at its numbers itself.
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        while True:
            job = inbox.get()
            if job is None:
                return
            _work(*job)


def _work(left, outcomes):
    """Run tasks as long as some are left, and note the error of each, or None."""
    while left:
        try:
            task = left.popleft()
        except IndexError:  # another thread was faster
            return
        try:
            task()
        except BaseException as error:
            outcomes.put(error)
        else:
            outcomes.put(None)


class _Current(threading.local):
    team = Team(1)


_current = _Current()


@contextmanager
def team():
    """Let `share` use as many threads as BLAS would, in this context and in this thread of Python.

    BLAS itself works in one thread here, see `one_blas_thread`.
    """
    before = _current.team
    with one_blas_thread() as n_threads:
        _current.team = Team(n_threads)
        try:
            yield
        finally:
            _current.team.dismiss()
            _current.team = before


def team_of_caller(n_rows):
    """Return the context in which some rows are embedded: with `team` where there are many.

    Fewer rows than `MANY` are worked on by the thread that calls, so that a server has its threads for
    requests, and BLAS works in one thread there too.
    """
    return team() if n_rows >= MANY else one_blas_thread()


def share(tasks):
    """Run tasks in the team of this thread of Python; return when all have ended.

    Parameters
    ----------
    tasks : list of callable
        Functions without arguments that may run at the same time, in any order.
    """
    if len(tasks) == 1:
        tasks[0]()
    else:
        _current.team.run(tasks)
