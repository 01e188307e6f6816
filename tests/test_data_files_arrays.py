"""Tests of the readers of arrays: what they return, refuse, and allocate."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest
from mnist_files import IDX_TYPES, to_idx, traced
from numpy.testing import assert_array_equal

from skmetric._data_files import arrays as array_files
from skmetric._data_files.arrays import UnexpectedArrayError, read_npy, read_npz
from skmetric.datasets import read_idx

# --------------------------------------------------------------------------------------------------
# read_idx


@pytest.mark.parametrize("code", IDX_TYPES)
@pytest.mark.parametrize("shape", [(24,), (4, 6), (2, 3, 4), (2, 1, 3, 1, 4), (0, 28, 28), (1,) * 32])
@pytest.mark.parametrize("compressed", [False, True])
def test_read_idx_returns_what_was_written(tmp_path, code, shape, compressed):
    dtype = np.dtype(IDX_TYPES[code])
    size = int(np.prod(shape))
    array = np.linspace(0, 120, size).astype(dtype).reshape(shape)
    if dtype.kind != "u":
        np.negative(array, out=array)
    head = struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)
    content = head + array.tobytes()
    # a name that says the opposite: the content decides
    file = tmp_path / ("file" if compressed else "file.gz")
    file.write_bytes(gzip.compress(content) if compressed else content)
    for path in (file, str(file)):
        result = read_idx(path)
        assert result.dtype == dtype.newbyteorder("=") and result.dtype.isnative
        assert result.shape == shape
        assert_array_equal(result, array)
        assert result.flags.writeable and result.flags.c_contiguous


def test_read_idx_reads_big_endian(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"\0\0\x0b\x01\0\0\0\x02\x01\x02\xff\xfe")
    assert read_idx(file).tolist() == [258, -2]


def test_read_idx_of_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_idx(tmp_path / "nowhere")


MATRIX = to_idx(np.arange(6, dtype=np.int32).reshape(2, 3))
PACKED = gzip.compress(MATRIX)

REFUSED = {
    "empty": (b"", "not an IDX file"),
    "three bytes": (MATRIX[:3], "not an IDX file"),
    "first byte": (b"\1" + MATRIX[1:], "not an IDX file"),
    "second byte": (MATRIX[:1] + b"\1" + MATRIX[2:], "not an IDX file"),
    "type 0x0a": (MATRIX[:2] + b"\x0a" + MATRIX[3:], "not an IDX file"),
    "type 0x00": (MATRIX[:2] + b"\0" + MATRIX[3:], "not an IDX file"),
    "no dimension": (b"\0\0\x08\0" + b"\0", "not an IDX file"),
    "33 dimensions": (b"\0\0\x08\x21" + b"\0\0\0\1" * 33 + b"\0", "not an IDX file"),
    "text": (b"label,pixel1,pixel2\n5,0,0\n", "not an IDX file"),
    "npz": (b"PK\3\4" + bytes(40), "not an IDX file"),
    "no header": (MATRIX[:4], "truncated.*header"),
    "half a header": (MATRIX[:11], "truncated.*header"),
    "header only": (MATRIX[:12], "truncated.* 0 of the 24 bytes"),
    "last byte": (MATRIX[:-1], "truncated.* 23 of the 24 bytes"),
    "last element": (MATRIX[:-4], "truncated.* 20 of the 24 bytes"),
    "huge": (b"\0\0\x0e\4" + b"\xff" * 16 + bytes(8), "truncated"),
    "one more byte": (MATRIX + b"\0", "trailing bytes after the 24 bytes of"),
    "twice": (MATRIX * 2, "trailing bytes"),
    "gzip of text": (gzip.compress(b"label,pixel1"), "not an IDX file"),
    "gzip of truncated": (gzip.compress(MATRIX[:-1]), "truncated"),
    "gzip of trailing": (gzip.compress(MATRIX + b"\0"), "trailing"),
    "gzip magic only": (PACKED[:2], "damaged gzip"),
    "gzip method": (PACKED[:2] + b"\0" + PACKED[3:], "damaged gzip"),
    "gzip header cut": (PACKED[:6], "damaged gzip"),
    "gzip stream cut": (PACKED[: len(PACKED) // 2], "damaged gzip"),
    "gzip checksum cut": (PACKED[:-6], "damaged gzip"),
    "gzip stream changed": (PACKED[:10] + b"\xff" * 8 + PACKED[18:], "damaged gzip"),
    "gzip checksum changed": (
        PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:],
        "damaged gzip file: CRC",
    ),
    "gzip length changed": (
        PACKED[:-4] + bytes([PACKED[-4] ^ 1]) + PACKED[-3:],
        "damaged gzip file: Incorrect length",
    ),
    "gzip and more": (PACKED + b"more", "damaged gzip"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_read_idx_refuses(tmp_path, case):
    content, message = REFUSED[case]
    file = tmp_path / "some-idx2-int"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"some-idx2-int .*{message}") as info:
        read_idx(file)
    assert str(file) in str(info.value)


def test_read_idx_refuses_every_prefix(tmp_path):
    file = tmp_path / "file"
    for content in (MATRIX, PACKED):
        for size in range(len(content)):
            file.write_bytes(content[:size])
            with pytest.raises(ValueError, match="file "):
                read_idx(file)


def test_read_idx_takes_pieces_of_any_size(tmp_path, monkeypatch):
    file = tmp_path / "file"
    for content in (MATRIX, PACKED):
        file.write_bytes(content)
        for piece in (1, 5, 24, 25):
            monkeypatch.setattr(array_files, "PIECE", piece)
            assert read_idx(file).tolist() == [[0, 1, 2], [3, 4, 5]]


# --------------------------------------------------------------------------------------------------
# files that inflate, and headers that lie

MEGABYTE = 2**20
BOMB = 100 * MEGABYTE


def zeros_after(head, n_bytes=BOMB, compress=gzip.compress):
    """Some bytes and then many zeros, compressed in parts of one megabyte: quick, and small."""
    one = compress(bytes(MEGABYTE))
    return compress(head) + one * (n_bytes // MEGABYTE)


def idx_head(*shape, code=8):
    return struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)


LYING_IDX = {
    "claims little, has much": (zeros_after(idx_head(10)), "trailing bytes after the 10 bytes of uint8"),
    "claims nothing, has much": (zeros_after(idx_head(0)), "trailing bytes after the 0 bytes of uint8"),
    "is no IDX file": (zeros_after(b"\0\0\0\0"), "not an IDX file"),
    "gzip that claims 4 GB": (gzip.compress(idx_head(2**32 - 1) + b"1234"), "truncated: it has 4 of the"),
    "plain that claims 4 GB": (idx_head(2**32 - 1) + b"1234", "truncated: it has 4 of the"),
    "claims 2**513 bytes": (idx_head(*[2**32 - 1] * 16, code=14) + b"1234", "truncated: it has 4 of the"),
    "no elements in 2**96 rows": (idx_head(0, *[2**32 - 1] * 3), "announces the shape|truncated"),
}


@pytest.mark.parametrize("case", LYING_IDX)
def test_an_idx_file_whose_header_lies_is_refused_before_it_is_inflated(tmp_path, case):
    content, message = LYING_IDX[case]
    file = tmp_path / "file"
    file.write_bytes(content)
    assert len(content) < MEGABYTE
    with traced() as peak, pytest.raises(ValueError, match=message):
        read_idx(file)
    assert peak() < 2 * MEGABYTE


@pytest.mark.parametrize("code", [8, 14])
@pytest.mark.parametrize("compressed", [False, True])
def test_an_honest_idx_file_is_held_once(tmp_path, code, compressed):
    n_bytes = 16 * MEGABYTE
    head = idx_head(n_bytes // np.dtype(IDX_TYPES[code]).itemsize, code=code)
    file = tmp_path / "file"
    file.write_bytes(zeros_after(head, n_bytes) if compressed else head + bytes(n_bytes))
    with traced() as peak:
        array = read_idx(file)
    assert array.nbytes == n_bytes
    assert peak() < 1.3 * n_bytes + 2 * MEGABYTE


def at_most_ten(dtype, shape):
    if shape[0] > 10:
        raise UnexpectedArrayError("more than ten")


def npy_head(shape, version=(1, 0), dtype="|u1"):
    head = io.BytesIO()
    write = {(1, 0): np.lib.format.write_array_header_1_0, (2, 0): np.lib.format.write_array_header_2_0}
    write[version](head, {"descr": dtype, "fortran_order": False, "shape": shape})
    return head.getvalue()


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_files_of_both_versions_and_orders(tmp_path, version, order):
    array = np.asarray(np.arange(12, dtype=np.uint8).reshape(3, 4), order=order)
    file = tmp_path / "array.npy"
    with open(file, "wb") as stream:
        np.lib.format.write_array(stream, array, version=version)
    found = read_npy(file, at_most_ten)
    assert_array_equal(found, array)
    assert found.flags.writeable


LYING_NPY = {
    "claims little, has more": (npy_head((3,)) + b"1234", "trailing bytes after the 3"),
    "claims 4 GB": (npy_head((4, 2**30)) + b"1234", "truncated: it has 4 of the"),
    "claims a negative number": (npy_head((-4,)) + b"1234", "trailing bytes"),
    "claims a header of 4 GB": (b"\x93NUMPY\2\0\xff\xff\xff\xff" + b"{" * 50, "array header"),
    "version 3": (b"\x93NUMPY\3\0" + npy_head((3,))[8:] + b"123", "version 3.0"),
    "Python objects": (npy_head((3,), dtype="|O") + bytes(24), "(?i)object"),
    "more than is accepted": (npy_head((11,)) + b"12345678901", "more than ten"),
}


@pytest.mark.parametrize("case", LYING_NPY)
@pytest.mark.parametrize("archived", [False, True])
def test_a_npy_file_whose_header_lies_is_refused(tmp_path, case, archived):
    content, message = LYING_NPY[case]
    file = tmp_path / "file.npy"
    file.write_bytes(content)
    if archived:
        with zipfile.ZipFile(tmp_path / "file.npz", "w") as archive:
            archive.write(file, "key.npy")
    with traced() as peak, pytest.raises(ValueError, match=message):
        if archived:
            read_npz(tmp_path / "file.npz", "key", 10_000, at_most_ten)
        else:
            read_npy(file, at_most_ten)
    assert peak() < 2 * MEGABYTE


def write_archive(path, content, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        with archive.open("key.npy", "w") as member:
            for piece in content:
                member.write(piece)


def many_zeros(head):
    return [head] + [bytes(MEGABYTE)] * (BOMB // MEGABYTE)


def test_a_member_that_announces_more_than_is_expected_is_not_opened(tmp_path):
    file = tmp_path / "file.npz"
    write_archive(file, many_zeros(npy_head((3,))))
    assert file.stat().st_size < MEGABYTE
    with traced() as peak, pytest.raises(ValueError, match=r"announces \d+ bytes for key, but at most"):
        read_npz(file, "key", MEGABYTE, at_most_ten)
    assert peak() < MEGABYTE


def test_a_member_that_is_larger_than_the_archive_says_is_not_inflated(tmp_path):
    """The directory of the archive claims 131 bytes where there are 100 MB."""
    file = tmp_path / "file.npz"
    write_archive(file, many_zeros(npy_head((3,))))
    content = file.read_bytes()
    claimed = struct.pack("<I", len(npy_head((3,))) + 3)
    true = struct.pack("<I", len(npy_head((3,))) + BOMB)
    assert true in content
    file.write_bytes(content.replace(true, claimed))
    with traced() as peak, pytest.raises(ValueError, match="is damaged: key"):
        read_npz(file, "key", MEGABYTE, at_most_ten)
    assert peak() < 2 * MEGABYTE


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_inflate_all_at_once_are_refused(tmp_path, method):
    file = tmp_path / "file.npz"
    write_archive(file, [npy_head((3,)), b"123"], method)
    with pytest.raises(ValueError, match="only the compression method deflate"):
        read_npz(file, "key", MEGABYTE, at_most_ten)
