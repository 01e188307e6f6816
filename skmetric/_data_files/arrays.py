"""Readers of arrays in IDX, .npy and .npz files, whose headers are not believed.

A few kilobytes of a compressed file may inflate to gigabytes, and a header may announce more than the
file holds, or less. The header is read first, the caller checks it, and then at most one byte more than
it announces is inflated, piece by piece.
"""

import gzip
import io
import math
import zipfile
import zlib

import numpy as np

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 32  # of NumPy before 2.0
GZIP_MAGIC = b"\x1f\x8b"
PIECE = 2**18  # bytes that are inflated at a time
LONGEST_HEADER = 10_000  # bytes of a .npy file; as NumPy's limit, which is there for its parser
NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# Other methods cannot be told to inflate a piece only.
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class UnexpectedArrayError(ValueError):
    """An array that is announced is not one of those that the caller accepts."""


def accept_any(dtype, shape):
    """Check of a header that finds nothing wrong."""


def read_idx(path, check=accept_any):
    """The array of an IDX file, plain or gzip; ``check(dtype, shape)`` may refuse its header."""
    with open(path, "rb") as file:
        is_gzip = file.read(2) == GZIP_MAGIC
        file.seek(0)
        if not is_gzip:
            return _read_idx(file, path, check)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                return _read_idx(stream, path, check)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}.") from error


def _read_idx(stream, path, check):
    dtype, shape = _idx_header(stream, path)
    check(dtype, shape)
    content = _read_announced(stream, path, dtype, shape)
    array = np.frombuffer(content, dtype)
    if not dtype.isnative:
        array = array.byteswap(inplace=True).view(dtype.newbyteorder("="))
    try:
        return array.reshape(shape)
    except ValueError as error:  # no elements, but dimensions whose product overflows
        raise ValueError(f"{path} is not an IDX file: it announces the shape {shape}.") from error


def _idx_header(stream, path):
    magic = stream.read(4)
    known = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in IDX_TYPES
    if not known or not 1 <= magic[3] <= MAX_DIMENSIONS:
        raise ValueError(f"{path} is not an IDX file: it begins with the bytes {magic!r}.")
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{path} is truncated: it ends within the header.")
    return np.dtype(IDX_TYPES[magic[2]]), tuple(np.frombuffer(sizes, ">u4").tolist())


def _read_announced(stream, path, dtype, shape, start=b""):
    """The bytes of the array, `start` among them, or a ValueError where there are more or fewer."""
    needed = math.prod(shape) * dtype.itemsize
    content = bytearray(start)
    # One byte more: a stream that is at its end has compared its checksum.
    while len(content) <= needed:
        piece = stream.read(min(PIECE, needed + 1 - len(content)))
        if not piece:
            break
        content += piece
    if len(content) < needed:
        raise ValueError(
            f"{path} is truncated: {len(content)} bytes for {dtype} {shape}, {needed} needed."
        )
    if len(content) > needed:
        raise ValueError(f"{path} has trailing bytes: more than the {needed} of {dtype} {shape}.")
    return content


def read_npy(path, check):
    """The array of a .npy file; ``check(dtype, shape)`` may refuse its header."""
    return _undamaged(path, path.name, lambda file: _read_npy(file, path, check))


def read_npz(path, key, largest, check):
    """The array `key` of a .npz file, whose .npy file must not have more than `largest` bytes."""
    return _undamaged(path, key, lambda file: _read_member(file, path, key, largest, check))


def _undamaged(path, key, read):
    with open(path, "rb") as file:
        try:
            return read(file)
        except UnexpectedArrayError:
            raise
        # Damage shows as a dozen kinds of exceptions, TokenError and MemoryError among them.
        except Exception as error:
            raise ValueError(f"{path} is damaged: {key} cannot be read ({error}).") from error


def _read_member(file, path, key, largest, check):
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo(f"{key}.npy")
        if member.file_size > largest:
            raise UnexpectedArrayError(
                f"{path} announces {member.file_size} bytes for {key}, more than the {largest} expected."
            )
        if member.compress_type not in ZIP_METHODS:
            raise ValueError("it is compressed by another method than deflate")
        with archive.open(member) as stream:
            return _read_npy(stream, path, check)


def _read_npy(stream, path, check):
    # Not np.load, which takes a file of another kind for a pickle, and believes every header.
    start = io.BytesIO(stream.read(LONGEST_HEADER))
    version = np.lib.format.read_magic(start)
    if version not in NPY_HEADERS:
        raise ValueError(f"version {version[0]}.{version[1]} of the format is not supported")
    shape, is_fortran, dtype = NPY_HEADERS[version](start)
    check(dtype, shape)
    content = _read_announced(stream, path, dtype, shape, start.read())
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")
