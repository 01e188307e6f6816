"""Ctrl-C during training: it is deferred until training can stop safely."""

import signal
import threading
from contextlib import contextmanager

# Python calls signal handlers in the main thread only.
_noted = threading.local()


@contextmanager
def deferred_interrupts():
    """Defer Ctrl-C until `raise_if_interrupted` is called.

    Code between two such calls is not interrupted. A pending interrupt is raised at the end of the
    context. A second Ctrl-C raises KeyboardInterrupt at once. If SIGINT has another handler than Python's
    own, nothing is deferred.
    """
    is_ours = threading.current_thread() is threading.main_thread()
    if not (is_ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
        yield
        return
    _noted.interrupt = False
    signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    raise_if_interrupted()


def _note(signum, frame):
    if _noted.interrupt:
        raise KeyboardInterrupt
    _noted.interrupt = True


def raise_if_interrupted():
    """Raise KeyboardInterrupt if Ctrl-C was pressed; each one is raised once."""
    if getattr(_noted, "interrupt", False):
        _noted.interrupt = False
        raise KeyboardInterrupt
