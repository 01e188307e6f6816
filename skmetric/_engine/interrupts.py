"""Ctrl-C while a network is trained: it waits for a moment at which training can end."""

import signal
import threading
from contextlib import contextmanager

# Python calls handlers of signals in the main thread: no other thread ever sees an interrupt here.
_noted = threading.local()


@contextmanager
def deferred_interrupts():
    """Note Ctrl-C and raise `KeyboardInterrupt` for it where `raise_if_interrupted` is called.

    What is done between two such calls is done whole. An interrupt that is left is raised at the end of
    the context. A second Ctrl-C is raised at once, and a handler that is not Python's own is left alone.
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
    """Raise `KeyboardInterrupt` if one was noted; each is raised once."""
    if getattr(_noted, "interrupt", False):
        _noted.interrupt = False
        raise KeyboardInterrupt
