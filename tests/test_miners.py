import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmetric.losses import MINERS, all_triplets, hard_triplets, semihard_triplets
from skmetric.losses._miners import n_chosen

every_mining = pytest.mark.parametrize("mining", MINERS.values(), ids=MINERS)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def random_case(n=9, seed=0, dtype=np.float64, top=6):
    """Integer distances, with many ties, and masks in which some pairs are neither."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=(n, n))
    return rng.integers(top, size=(n, n)).astype(dtype), kind == 1, kind == 2


def counted(D, positive, negative, chosen):
    C = np.zeros_like(D)
    for a in range(len(D)):
        for p in np.flatnonzero(positive[a]):
            for n in np.flatnonzero(negative[a]):
                if chosen(D[a, p], D[a, n]):
                    C[a, p] += 1
                    C[a, n] -= 1
    return C


@every_dtype
@pytest.mark.parametrize("seed", range(20))
def test_all_triplets_are_those_of_the_loop_for_any_masks(seed, dtype):
    D, positive, negative = random_case(seed=seed, dtype=dtype)
    C, n_valid = all_triplets(D, positive, negative, 2.0)
    assert_array_equal(C, counted(D, positive, negative, lambda dp, dn: dn < dp + 2))
    assert n_valid == (positive.sum(axis=1) * negative.sum(axis=1)).sum()


@every_dtype
@pytest.mark.parametrize("seed", range(20))
def test_semihard_triplets_are_those_of_the_loop_for_any_masks(seed, dtype):
    D, positive, negative = random_case(seed=seed, dtype=dtype)
    C, n_valid = semihard_triplets(D, positive, negative, 3.0)
    expected = counted(D, positive, negative, lambda dp, dn: dp < dn < dp + 3)
    assert_array_equal(C, expected)
    assert n_valid == expected[positive].sum()


@pytest.mark.parametrize("seed", range(20))
def test_hard_triplets_are_at_most_one_for_each_anchor_with_both(seed):
    D, positive, negative = random_case(seed=seed)
    C, n_valid = hard_triplets(D, positive, negative, 2.0)
    assert n_valid == (positive.any(axis=1) & negative.any(axis=1)).sum()
    for row, d, p, n in zip(C, D, positive, negative):
        active = p.any() and n.any() and d[p].max() + 2 > d[n].min()
        assert_array_equal(np.sort(row[row != 0]), [-1, 1] if active else [])
        if active:
            assert d[row == 1] == d[p].max() and p[row == 1]
            assert d[row == -1] == d[n].min() and n[row == -1]


@every_mining
def test_pairs_that_are_neither_are_never_chosen(mining):
    D, positive, negative = random_case(n=30, seed=1)
    C, _ = mining(D, positive, negative, 2.5)
    assert np.any(C)
    assert not C[~(positive | negative)].any()


@every_mining
def test_no_pairs_no_triplets(mining):
    none = np.zeros((4, 4), dtype=bool)
    C, n_valid = mining(np.ones((4, 4)), none, none, 1.0)
    assert n_valid == 0
    assert not C.any()


@every_mining
def test_memory_is_that_of_a_few_batches_squared(mining):
    n = 512
    rng = np.random.default_rng(0)
    D = rng.random((n, n), dtype=np.float32)
    positive = rng.random((n, n)) < 0.1
    tracemalloc.start()
    mining(D, positive, ~positive, 0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * D.nbytes


@pytest.mark.parametrize("mining", [all_triplets, semihard_triplets], ids=["all", "semihard"])
@every_dtype
def test_blocks_of_anchors_are_laid_together(mining, dtype, monkeypatch):
    D, positive, negative = random_case(n=23, dtype=dtype)
    whole, n_whole = mining(D, positive, negative, 2.0)
    monkeypatch.setattr("skmetric.losses._blocks.PAIRS", 100)  # 4 anchors at a time, and 3 at the end
    parts, n_parts = mining(D, positive, negative, 2.0)
    assert_array_equal(parts, whole)
    assert n_parts == n_whole


@every_mining
@every_dtype
@pytest.mark.parametrize("which", range(1, 8))
def test_memory_layout_changes_nothing(mining, dtype, which):
    arrays = random_case(n=11, dtype=dtype)
    laid = [np.asfortranarray(array) if which >> i & 1 else array for i, array in enumerate(arrays)]
    C, n_valid = mining(*laid, 2.0)
    expected, n_expected = mining(*arrays, 2.0)
    assert_array_equal(C, expected)
    assert n_valid == n_expected


def test_counts_beyond_the_digits_of_float32_are_exact():
    C = np.zeros((1, 8002), dtype=np.float32)
    C[0, 0], C[0, 1:] = 2**24 - 1, -5001
    assert n_chosen(C) == (2**24 - 1 + 8001 * 5001) / 2
