"""Files that are replaced as a whole."""

import os
import uuid
from contextlib import contextmanager
from glob import escape, glob

TEMPORARY = "tmp"  # last part of the names of files that are not complete


@contextmanager
def replaced(path):
    """Open a file that replaces `path` when it is complete and on the disk.

    Whatever happens, `path` is the old file or the new one, as a whole.

    Parameters
    ----------
    path : str or Path
        The file to write.

    Yields
    ------
    file : file object
        New file under a temporary name, opened for writing.
    """
    temporary = f"{path}.{uuid.uuid4().hex}.{TEMPORARY}"
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(os.path.dirname(path))
    except BaseException:
        _remove(temporary)
        raise


def remove_incomplete(path):
    """Remove what `replaced` left beside `path` in processes that were killed."""
    for temporary in glob(f"{escape(str(path))}.{'?' * 32}.{TEMPORARY}"):
        _remove(temporary)


def _remove(path):
    if os.path.exists(path):
        os.remove(path)


def _sync_folder(folder):
    """Write the new name to the disk; Windows has no such call."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
