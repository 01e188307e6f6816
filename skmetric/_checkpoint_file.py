"""The file of a checkpoint: an .npz archive with JSON for all that is not an array. It needs no pickle.

JSON has no tuples, and its keys are strings. Therefore an object ``{"tuple": [...]}`` stands for a tuple,
``{"dict": [[key, value], ...]}`` for a dict, and so on: its only key is the type of the value.
"""

import json
import zipfile

import numpy as np

from . import __version__
from ._engine.standardization import AS_THEY_COME, NoStandardization, Standardization
from ._files import replaced
from ._versions import check_readable

ENTRY = "checkpoint"  # name of the entry that holds the JSON


class Encoder:
    """Turn values into what JSON can hold, and collect the arrays.

    Attributes
    ----------
    arrays : dict of ndarray
        The arrays, each of them once.
    """

    def __init__(self):
        self.arrays = {}
        self.names = {}

    def encode(self, value):
        """Return the value for JSON.

        Raises
        ------
        TypeError
            If the value, or a part of it, can only be stored with pickle.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return [self.encode(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": self.encode(list(value))}
        if isinstance(value, dict):
            return {"dict": [[self.encode(key), self.encode(item)] for key, item in value.items()]}
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, np.random.Generator):
            return {"generator": self.encode(value.bit_generator.state)}
        if isinstance(value, Standardization):
            return {"standardization": self.encode(vars(value))}
        if isinstance(value, NoStandardization):
            return {"standardization": None}
        raise TypeError(f"A value of type {type(value).__name__} cannot be stored: {value!r}")

    def _array(self, array):
        if array.dtype.kind == "O":
            return {"objects": self.encode(array.tolist())}
        if id(array) not in self.names:
            name = f"array_{len(self.arrays)}"
            self.names[id(array)] = name
            self.arrays[name] = array
        return {"array": self.names[id(array)]}


def can_be_stored(value):
    """Return whether a file can hold a value."""
    try:
        Encoder().encode(value)
    except TypeError:
        return False
    return True


def decode(value, arrays):
    """Return the value that `Encoder` encoded."""
    if isinstance(value, list):
        return [decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    return KINDS[kind](decode(content, arrays))


def _objects(items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


def _generator(state):
    generator = np.random.default_rng()
    generator.bit_generator.state = state
    return generator


def _standardization(attributes):
    return AS_THEY_COME if attributes is None else Standardization(**attributes)


KINDS = {
    "tuple": tuple,
    "dict": dict,
    "objects": _objects,
    "generator": _generator,
    "standardization": _standardization,
}


def write_checkpoint(path, content):
    """Write a dict to a file, which is replaced as a whole.

    Parameters
    ----------
    path : str
        The file.
    content : dict
        Values that `Encoder` can encode.
    """
    encoder = Encoder()
    text = json.dumps({"version": __version__, "content": encoder.encode(content)})
    entry = np.frombuffer(text.encode(), np.uint8)
    with replaced(path) as file:
        np.savez(file, allow_pickle=False, **{ENTRY: entry}, **encoder.arrays)


def read_checkpoint(path):
    """Read the dict that `write_checkpoint` wrote.

    Raises
    ------
    ValueError
        If the file is no checkpoint, is damaged, or was written by a newer version of skmetric.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive}
        checkpoint = json.loads(arrays.pop(ENTRY).tobytes())
        version, content = checkpoint["version"], checkpoint["content"]
    except (ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no checkpoint, or it is damaged: {error}") from error
    check_readable(version)
    return decode(content, arrays)
