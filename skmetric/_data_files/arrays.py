"""Readers of arrays in IDX, .npy and .npz files that do not trust the headers.

A few compressed kilobytes may decompress to gigabytes, and a header may announce more or less than the
file contains. Therefore the header is read first and checked by the caller. Then at most one byte more
than it announces is decompressed, piece by piece.
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
PIECE = 2**18  # bytes that are decompressed at a time
LONGEST_HEADER = 10_000  # bytes of the header of a .npy file, as in NumPy
NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# Other methods cannot decompress in pieces.
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class UnexpectedArrayError(ValueError):
    """The header announces an array that the caller does not accept."""


def accept_any(dtype, shape):
    """Accept any header."""


def read_idx(path, check=accept_any):
    """Read the array of an IDX file, plain or gzip; ``check(dtype, shape)`` may raise an error."""
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
    except ValueError as error:  # no elements, but the product of other dimensions overflows
        raise ValueError(f"{path} is not an IDX file: its header announces the shape {shape}.") from error


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
    """Read the bytes of the array, `start` included; raise an error if there are more or fewer."""
    needed = math.prod(shape) * dtype.itemsize
    content = bytearray(start)
    # One byte more, because a stream compares its checksum when it reaches its end.
    while len(content) <= needed:
        piece = stream.read(min(PIECE, needed + 1 - len(content)))
        if not piece:
            break
        content += piece
    if len(content) < needed:
        raise ValueError(
            f"{path} is truncated: it has {len(content)} of the {needed} bytes of {dtype} {shape}."
        )
    if len(content) > needed:
        raise ValueError(f"{path} has trailing bytes after the {needed} bytes of {dtype} {shape}.")
    return content


def read_npy(path, check):
    """Read the array of a .npy file; ``check(dtype, shape)`` may raise an error."""
    return _undamaged(path, path.name, lambda file: _read_npy(file, path, check))


def read_npz(path, key, largest, check):
    """Read the array `key` of a .npz file, whose .npy file must have at most `largest` bytes."""
    return _undamaged(path, key, lambda file: _read_member(file, path, key, largest, check))


def _undamaged(path, key, read):
    with open(path, "rb") as file:
        try:
            return read(file)
        except UnexpectedArrayError:
            raise
        # Damaged files raise many kinds of exceptions, such as TokenError and MemoryError.
        except Exception as error:
            raise ValueError(f"{path} is damaged: {key} cannot be read ({error}).") from error


def _read_member(file, path, key, largest, check):
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo(f"{key}.npy")
        if member.file_size > largest:
            raise UnexpectedArrayError(
                f"{path} announces {member.file_size} bytes for {key}, but at most {largest} are "
                "expected."
            )
        if member.compress_type not in ZIP_METHODS:
            raise ValueError("only the compression method deflate is supported")
        with archive.open(member) as stream:
            return _read_npy(stream, path, check)


def _read_npy(stream, path, check):
    # np.load would trust the header, and treat other files as pickles.
    start = io.BytesIO(stream.read(LONGEST_HEADER))
    version = np.lib.format.read_magic(start)
    if version not in NPY_HEADERS:
        raise ValueError(f"version {version[0]}.{version[1]} of the format is not supported")
    shape, is_fortran, dtype = NPY_HEADERS[version](start)
    check(dtype, shape)
    content = _read_announced(stream, path, dtype, shape, start.read())
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")
