"""A team of threads that share independent tasks.

How work is cut into tasks depends on shapes alone, and BLAS uses one thread. Therefore each number is the
same sum in the same order for any number of threads, and all results are the same to the last bit.
"""

import threading
from collections import deque
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np

from ._blas_threads import one_blas_thread

NAME = "skmetric"  # name of the helper threads
MANY = 2**14  # rows from which `team_of_caller` uses several threads


class Team:
    """The calling thread and its helpers, which are started when there are tasks to share.

    The calling thread runs tasks too, and waits only for tasks that a helper has begun. If helpers are
    late, or do not exist in a forked process, the calling thread runs all tasks.

    Parameters
    ----------
    n_threads : int
        Number of threads, including the calling one.
    """

    def __init__(self, n_threads):
        self.n_helpers = n_threads - 1
        self.helpers = []
        self.inbox = SimpleQueue()

    def run(self, tasks):
        """Run all tasks; raise the first error of a task, if there is any."""
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
            # Daemons, so that a helper does not keep a process alive whose training was aborted.
            helper = threading.Thread(target=_help, args=(self.inbox,), name=NAME, daemon=True)
            try:
                helper.start()
            except RuntimeError:  # the system has no more threads, or the interpreter is shutting down
                self.n_helpers = len(self.helpers)
                return
            self.helpers.append(helper)

    def dismiss(self):
        """Stop the helpers and wait for them."""
        for _ in self.helpers:
            self.inbox.put(None)
        for helper in self.helpers:
            helper.join()


def _help(inbox):
    # The settings of NumPy belong to a thread. Training checks its results itself.
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        while True:
            job = inbox.get()
            if job is None:
                return
            _work(*job)


def _work(left, outcomes):
    """Run tasks as long as some are left; put the error of each, or None, into `outcomes`."""
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

    BLAS itself is limited to one thread, see `one_blas_thread`.
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
    """Return the context in which rows are embedded: `team` for at least `MANY` rows.

    Fewer rows are embedded in the calling thread, so that a server can use its threads for requests. BLAS
    uses one thread in either case.
    """
    return team() if n_rows >= MANY else one_blas_thread()


def share(tasks):
    """Run tasks in the team of this thread of Python and wait for all of them.

    Parameters
    ----------
    tasks : list of callable
        Functions without arguments that may run at the same time, in any order.
    """
    if len(tasks) == 1:
        tasks[0]()
    else:
        _current.team.run(tasks)
