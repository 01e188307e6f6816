"""Mutated files: each is read as what it announces, or refused with an error that names the file."""

import gzip
import io
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from mnist_files import (
    IDX_TYPES,
    make_arrays,
    to_idx,
    without_network,
    write_idx,
    write_idx_gz,
    write_npy,
    write_npz,
)
from numpy.testing import assert_array_equal
from profiles import by_profile

from skmetric._data_files.arrays import read_npy, read_npz
from skmetric.datasets import fetch_mnist, read_idx

MOST_MEMORY = 2**20  # bytes, for files of less than 100 kB
EXTREMES = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1"]
# What headers in text are made of, and the number of rows that no memory has.
WORDS = [b"1152921504606846976", b"-1", b"0", b"(", b")", b",", b"'", b"{", b"}", b"L", b"\\", b"\n"]
WORDS += [b"|O", b"<f8", b"|V0", b"True", b"[", b"9" * 40]


# --- mutations: each changes some bytes at a random place -------------------------------------------


def flip_a_bit(content, place, rng):
    content[place : place + 1] = bytes([content[place] ^ (1 << int(rng.integers(8)))])


def change_a_byte(content, place, rng):
    content[place : place + 1] = rng.bytes(1)


def insert_bytes(content, place, rng):
    content[place:place] = rng.bytes(int(rng.integers(1, 9)))


def delete_bytes(content, place, rng):
    del content[place : place + int(rng.integers(1, 9))]


def truncate(content, place, rng):
    del content[place:]


def repeat_bytes(content, place, rng):
    content[place:place] = content[place : place + int(rng.integers(1, 40))]


def write_an_extreme(content, place, rng):
    content[place : place + 4] = EXTREMES[rng.integers(len(EXTREMES))]


def write_a_word(content, place, rng):
    word = WORDS[rng.integers(len(WORDS))]
    content[place : place + int(rng.integers(len(word) + 1))] = word


MUTATIONS = [
    flip_a_bit,
    change_a_byte,
    insert_bytes,
    delete_bytes,
    truncate,
    repeat_bytes,
    write_an_extreme,
    write_a_word,
]


def mutated(content, seed):
    """The content with one to three mutations, half of them where headers are."""
    rng = np.random.default_rng(seed)
    content = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if content:
            places = min(len(content), int(rng.choice([64, len(content)])) or 1)
            MUTATIONS[rng.integers(len(MUTATIONS))](content, int(rng.integers(places)), rng)
    return bytes(content)


# --- what a file contains, as NumPy and the libraries of Python read it -----------------------------

ARRAY = np.arange(6, dtype=np.int16).reshape(2, 3)


def idx_array(content):
    """The array of an IDX file whose content is whole."""
    dtype = np.dtype(IDX_TYPES[content[2]])
    shape = np.frombuffer(content, ">u4", content[3], 4).tolist()
    array = np.frombuffer(content, dtype, offset=4 + 4 * content[3]).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def gzip_idx_array(content):
    return idx_array(gzip.decompress(content))


def npy_array(content):
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def npz_array(content):
    """The checksums of an archive leave no other array."""
    return ARRAY


def accept(dtype, shape):
    """Accept any header."""


def npy_content():
    file = io.BytesIO()
    np.save(file, ARRAY)
    return file.getvalue()


def npz_content(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("key.npy", npy_content())
        archive.writestr("other.npy", npy_content())
    return file.getvalue()


def read_key(path):
    return read_npz(path, "key", 10_000, accept)


FORMATS = {
    "idx": (to_idx(ARRAY), read_idx, idx_array),
    "idx.gz": (gzip.compress(to_idx(ARRAY)), read_idx, gzip_idx_array),
    "npy": (npy_content(), lambda path: read_npy(path, accept), npy_array),
    "npz stored": (npz_content(zipfile.ZIP_STORED), read_key, npz_array),
    "npz deflated": (npz_content(zipfile.ZIP_DEFLATED), read_key, npz_array),
}


def read_or_refused(read, path):
    """The array, or None for an error that names the file. Neither takes much memory."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        return read(path)
    except ValueError as error:
        assert str(path) in str(error)
        return None
    finally:
        assert tracemalloc.get_traced_memory()[1] - before < MOST_MEMORY


@pytest.fixture
def traced_memory():
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("form", FORMATS)
def test_a_mutated_file_is_what_it_announces_or_an_error(form, tmp_path, traced_memory, record_property):
    content, read, expected = FORMATS[form]
    path = tmp_path / "mutated"
    n_read = 0
    n_files = by_profile(200, 20_000)
    for seed in range(n_files):
        damaged = mutated(content, seed)
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = read_or_refused(read, path)
        if found is not None:
            n_read += 1
            assert_array_equal(found, expected(damaged), strict=True, err_msg=f"seed {seed}")
    assert 0 < n_read < n_files
    record_property("mutated_files", n_files)
    record_property("mutated_files_read", n_read)


# --- loaders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [write_npz, write_idx, write_idx_gz, write_npy])
def test_a_set_with_a_mutated_file_is_of_images_or_an_error(
    write, monkeypatch, tmp_path, traced_memory, record_property
):
    without_network(monkeypatch, tmp_path)
    write(tmp_path, "mnist", make_arrays())
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    whole = {path: path.read_bytes() for path in files}
    n_files = by_profile(30, 3_000)
    for seed in range(n_files):
        path = files[seed % len(files)]
        path.write_bytes(mutated(whole[path], seed))
        try:
            X, y = fetch_mnist(subset="all", data_home=tmp_path, return_X_y=True)
        except ValueError as error:
            assert str(path) in str(error), seed
        else:
            assert X.dtype == y.dtype == np.uint8 and X.shape == (len(y), 784) and y.max(initial=0) < 10
        path.write_bytes(whole[path])
    record_property("mutated_files", n_files)
