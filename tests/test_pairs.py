import re
import tracemalloc
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from profiles import by_profile
from scipy import sparse
from scipy.stats import chisquare

from skmetric._draws import by_class
from skmetric.pairs import (
    check_pair_labels,
    check_tuples,
    make_pairs,
    make_triplets,
    pairs_from_chunklets,
)

UNHURRIED = settings(max_examples=by_profile(100, 2000))
Y = np.array([1, 0, 2, 0, 1, 1, 0, 3, 0])  # classes of 4, 3, 1 and 1 rows: 9 pairs of the same, 27 not


def unordered(pairs):
    return [tuple(sorted(pair)) for pair in pairs.tolist()]


def all_pairs(y, same):
    return {(i, j) for i, j in combinations(range(len(y)), 2) if (y[i] == y[j]) == same}


def assert_all_equally_likely(drawn, possible):
    counts = pd.Series(drawn).value_counts()
    assert set(counts.index) == set(possible)
    assert chisquare(counts).pvalue > 1e-3


# --- make_pairs ---------------------------------------------------------------------------------------


@UNHURRIED
@given(st.lists(st.integers(0, 4), min_size=2, max_size=30), st.integers(1, 60), st.integers(0, 99))
def test_pairs_are_distinct_and_as_their_labels_say(y, n_pairs, seed):
    y = np.array(y)
    n_different = n_pairs // 2
    n_same = n_pairs - n_different
    if n_same > len(all_pairs(y, True)) or n_different > len(all_pairs(y, False)) or len(set(y)) == 1:
        if n_pairs > 1:
            with pytest.raises(ValueError, match="were asked for, but there are only"):
                make_pairs(y, n_pairs, seed)
        return
    pairs, same = make_pairs(y, n_pairs, seed)
    assert pairs.shape == (n_pairs, 2) and same.sum() == n_same
    assert set(same.tolist()) <= {0, 1}
    assert_array_equal(y[pairs[:, 0]] == y[pairs[:, 1]], same)
    assert len(set(unordered(pairs))) == n_pairs
    assert all(i != j for i, j in pairs)


def test_all_the_pairs_there_are_can_be_had():
    pairs, same = make_pairs(Y, 18, 0)
    assert set(unordered(pairs[same == 1])) == all_pairs(Y, True)


@pytest.mark.parametrize("n_pairs", [2, 14])  # few of those there are, and most
def test_all_pairs_of_a_kind_are_equally_likely(n_pairs):
    rng = np.random.default_rng(0)
    drawn = {1: [], 0: []}
    for _ in range(6000 // n_pairs):
        pairs, same = make_pairs(Y, n_pairs, rng)
        for kind, found in drawn.items():
            found += unordered(pairs[same == kind])
    for kind, found in drawn.items():
        assert_all_equally_likely(found, all_pairs(Y, kind))


def test_a_few_of_very_many_pairs_are_equally_likely_too():
    y = np.repeat([0, 1], 30)  # 870 of the same: 100 are drawn by rejection
    rng = np.random.default_rng(0)
    drawn = [pair for _ in range(100) for pair in unordered(make_pairs(y, 200, rng)[0])]
    for possible in (all_pairs(y, True), all_pairs(y, False)):
        assert_all_equally_likely([pair for pair in drawn if pair in possible], possible)


def test_kinds_and_the_order_within_a_pair_are_mixed():
    pairs, same = make_pairs(np.repeat([0, 1], 500), 1000, 0)
    assert 200 < same[:500].sum() < 300
    assert 400 < np.sum(pairs[:, 0] < pairs[:, 1]) < 600


def test_labels_may_be_of_any_kind():
    names = np.array(list("abcd"))[Y]
    for y in (
        names,
        names.tolist(),
        pd.Series(names),
        pd.Series(names, dtype="category"),
        Y.astype(float),
    ):
        for drawn, expected in zip(make_pairs(y, 10, 0), make_pairs(Y, 10, 0)):
            assert_array_equal(drawn, expected)


def test_a_seed_gives_the_same_pairs_and_a_generator_goes_on():
    rng = np.random.default_rng(3)
    first, second = (make_pairs(Y, 10, rng)[0] for _ in range(2))
    assert_array_equal(first, make_pairs(Y, 10, 3)[0])
    assert (first != second).any()


def test_rows_of_a_class_keep_their_order():
    # NumPy's default sort is not stable, and another one on another processor: a seed would not repeat.
    order, starts, sizes = by_class(np.arange(1000) % 3)
    assert_array_equal(order, np.r_[0:1000:3, 1:1000:3, 2:1000:3])
    assert_array_equal(starts, np.repeat([0, 334, 667], [334, 333, 333]))
    assert_array_equal(sizes, np.repeat([334, 333, 333], [334, 333, 333]))


def test_many_pairs_of_many_rows_take_little_memory():
    y = np.random.default_rng(0).integers(10, size=20_000)
    tracemalloc.start()
    pairs, _ = make_pairs(y, 100_000, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * pairs.nbytes  # all pairs would be 2,000 times as large
    assert len(set(unordered(pairs))) == 100_000


@pytest.mark.parametrize(
    "y, n_pairs, message",
    [
        ([0, 0, 0], 2, "1 pairs of different classes were asked for, but there are only 0"),
        ([0, 1, 2], 2, "1 pairs of the same class were asked for, but there are only 0"),
        (Y, 20, "10 pairs of the same class were asked for, but there are only 9"),
        (
            np.arange(99) // 98,
            200,
            "100 pairs of different classes were asked for, but there are only 98",
        ),
        ([], 2, "only 0"),
        (Y, 0, "n_pairs"),
        (np.zeros((3, 2)), 2, "1d array"),
    ],
)
def test_pairs_that_do_not_exist(y, n_pairs, message):
    with pytest.raises(ValueError, match=message):
        make_pairs(y, n_pairs, 0)


def test_a_single_pair_is_of_the_same_class():
    """None of different classes is asked for, and none need be there."""
    pairs, same = make_pairs([7, 7], 1, 0)
    assert sorted(pairs[0].tolist()) == [0, 1] and same.tolist() == [1]


MISSING = [
    [0.0, np.nan, 0.0],
    ["a", None, "a"],
    np.array(["a", np.nan, "a"], dtype=object),
    pd.Series(["a", pd.NA, "a"], dtype="string"),
    pd.Series([1, None, 1], dtype="Int64"),
]


@pytest.mark.parametrize("draw", [make_pairs, make_triplets, pairs_from_chunklets])
@pytest.mark.parametrize("y", MISSING, ids=["floats", "list", "objects", "strings", "integers"])
def test_a_missing_label_is_no_class(draw, y):
    """NaN differs from itself, and np.unique takes it for a class."""
    name = "chunklets" if draw is pairs_from_chunklets else "y"
    with pytest.raises(ValueError, match=f"{name} contains NaN or None: 1 .* at position 1"):
        draw(y, 1, 0)


def test_minus_one_is_a_class_as_any_other():
    y = np.array([-1, 3, -1])
    pairs, same = make_pairs(y, 2, 0)
    assert {0, 2} in [set(pair) for pair in pairs[same == 1].tolist()]
    assert set(make_triplets(y, 20, 0)[:, 0].tolist()) == {0, 2}


def test_a_number_of_pairs_is_an_integer():
    with pytest.raises(TypeError, match="n_pairs"):
        make_pairs(Y, 2.5, 0)


# --- make_triplets ------------------------------------------------------------------------------------


@UNHURRIED
@given(st.lists(st.integers(0, 4), min_size=3, max_size=30), st.integers(0, 99))
def test_triplets_have_a_positive_and_a_negative(y, seed):
    y = np.array(y)
    if len(set(y)) == 1 or len(set(y)) == len(y):
        with pytest.raises(ValueError):
            make_triplets(y, 50, seed)
        return
    anchor, positive, negative = make_triplets(y, 50, seed).T
    assert_array_equal(y[anchor], y[positive])
    assert (anchor != positive).all() and (y[anchor] != y[negative]).all()


def test_anchors_then_positives_then_negatives_are_equally_likely():
    triplets = make_triplets(Y, 30_000, 0)
    assert_all_equally_likely(triplets[:, 0], np.flatnonzero(Y < 2))
    of_first = triplets[triplets[:, 0] == 3]
    assert_all_equally_likely(of_first[:, 1], [1, 6, 8])
    assert_all_equally_likely(of_first[:, 2], [0, 2, 4, 5, 7])


def test_triplets_repeat_with_a_seed():
    assert_array_equal(make_triplets(Y, 10, 4), make_triplets(Y, 10, np.random.default_rng(4)))


@pytest.mark.parametrize(
    "y, message",
    [
        ([0, 0], "2 classes"),
        ([0, 1], "class of at least 2 rows"),
        ([], "at least 2 rows"),
        ([[0, 1]], "1d"),
    ],
)
def test_triplets_that_do_not_exist(y, message):
    with pytest.raises(ValueError, match=message):
        make_triplets(y, 5, 0)


# --- chunklets ----------------------------------------------------------------------------------------


def test_pairs_from_chunklets_leave_out_rows_of_which_nothing_is_known():
    chunklets = np.array([-1, 4, 0, -1, 4, 0, 7, -1, 0])
    pairs, same = pairs_from_chunklets(chunklets, 8, 0)
    assert (chunklets[pairs] >= 0).all()
    assert_array_equal(chunklets[pairs[:, 0]] == chunklets[pairs[:, 1]], same)
    # 3 + 1 of the same, all of them asked for
    assert set(unordered(pairs[same == 1])) == {(2, 5), (2, 8), (5, 8), (1, 4)}


def test_chunklets_of_all_rows_are_classes():
    for drawn, expected in zip(pairs_from_chunklets(Y, 10, 0), make_pairs(Y, 10, 0)):
        assert_array_equal(drawn, expected)


@pytest.mark.parametrize(
    "chunklets, message",
    [
        (
            [0.0, 0.0, 1.0],
            "chunklets must be integers, with -1 for rows in no chunklet, got dtype float64",
        ),
        (["a", "a", "b"], "chunklets must be integers"),
        ([-1, -1, -1], "there are only 0"),
        ([0, 0, -1], "different classes were asked for, but there are only 0"),
    ],
)
def test_chunklets_that_give_no_pairs(chunklets, message):
    with pytest.raises(ValueError, match=message):
        pairs_from_chunklets(chunklets, 2, 0)


# --- check_tuples -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 3])
def test_rows_of_tuples_are_a_view(size):
    tuples = np.random.default_rng(0).random((5, size, 4)).astype(np.float32)
    X, index = check_tuples(tuples, None, size)
    assert np.shares_memory(X, tuples) and X.shape == (5 * size, 4)
    assert_array_equal(X[index], tuples)


def test_tuples_may_be_lists():
    X, index = check_tuples([[[1.0, 2.0], [3.0, 4.0]]], None, 2)
    assert_array_equal(X, [[1, 2], [3, 4]])
    assert_array_equal(index, [[0, 1]])


@pytest.mark.parametrize(
    "kind", [np.asarray, sparse.csr_matrix, sparse.csr_array, pd.DataFrame, np.ndarray.tolist]
)
@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_rows_that_numbers_are_of_stay_as_they_are(kind, dtype):
    rows = kind(np.eye(4))
    index = np.array([[0, 3], [3, 1]], dtype=dtype)
    X, same_index = check_tuples(index, rows, 2)
    assert X is rows and same_index is index


ROWS = np.zeros((4, 3))


@pytest.mark.parametrize(
    "tuples, X, size, message",
    [
        (np.zeros((5, 3, 2)), None, 2, "pairs must have shape (n, 2, n_features), got (5, 3, 2)."),
        (np.zeros((5, 2, 2)), None, 3, "triplets must have shape (n, 3, n_features), got (5, 2, 2)."),
        (np.zeros(5), None, 2, "pairs must have shape (n, 2, n_features), got (5,)."),
        (np.zeros((1, 2, 3, 4)), None, 2, "got (1, 2, 3, 4)."),
        (sparse.csr_matrix((4, 2)), None, 2, "got ()."),
        ([[0, 1]], None, 2, "got (1, 2). If it holds row numbers, pass the matrix X as well."),
        ([[0, 1, 2]], None, 3, "got (1, 3). If it holds row numbers, pass the matrix X as well."),
        (np.zeros((5, 2, 3)), ROWS, 2, "must have shape (n, 2) if X is given, got (5, 2, 3)."),
        ([[0, 1, 2]], ROWS, 2, "pairs must have shape (n, 2) if X is given, got (1, 3)."),
        ([0, 1], ROWS, 2, "got (2,)."),
        (
            [[0.0, 1.0]],
            ROWS,
            2,
            "pairs must hold row numbers of X, which are integers, got dtype float64.",
        ),
        ([[True, False]], ROWS, 2, "which are integers, got dtype bool."),
        ([[0, 4]], ROWS, 2, "pairs has row numbers from 0 to 4, but X has rows 0 to 3."),
        ([[-1, 2]], ROWS, 2, "pairs has row numbers from -1 to 2, but X has rows 0 to 3."),
        ([[0, 1, 9]], ROWS, 3, "triplets has row numbers from 0 to 9, but X has rows 0 to 3."),
        (np.zeros((0, 2, 3)), None, 2, "pairs must not be empty, got shape (0, 2, 3)."),
        (np.zeros((0, 2), int), ROWS, 2, "pairs must not be empty, got shape (0, 2)."),
    ],
)
def test_bad_tuples(tuples, X, size, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_tuples(tuples, X, size)


# --- check_pair_labels --------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [[0, 1, 1], [-1, 1, 1], [False, True, True], [0.0, 1.0, 1.0]])
@pytest.mark.parametrize("kind", [np.array, list, pd.Series])
def test_both_forms_of_labels(y, kind):
    same = check_pair_labels(kind(y), 3)
    assert same.dtype == bool
    assert_array_equal(same, [False, True, True])


@pytest.mark.parametrize("y", [[1, 1], [0, 0], [-1, -1]])
def test_one_kind_of_pairs(y):
    assert_array_equal(check_pair_labels(y, 2, both=False), np.array(y) == 1)
    with pytest.raises(ValueError, match=f"same and of different pairs, but all its labels are {y[0]}."):
        check_pair_labels(y, 2)


@pytest.mark.parametrize(
    "y, message",
    [
        ([0, 1], "y has 2 labels, but there are 3 pairs"),
        ([0, 1, 2], "got the values 0, 1, 2."),
        (
            [1, 0, -1],
            "or -1 and 1, with 1 for pairs of the same class, got the values 1, 0, -1.",
        ),
        ([0.5, 0, 1], "got the values 0.5, 0.0, 1.0."),
        ([0, 1, np.nan], "-1 and 1, with 1 for pairs of the same class, but y contains NaN or None: 1"),
        ([0, 1, None], "y contains NaN or None"),
        (pd.Series([1, pd.NA, 0], dtype="Int64"), "y contains NaN or None"),
        (["same", "different", "same"], "got the values 'same', 'different'."),
        (np.array([1, "a", 0], dtype=object), "the same class, got the values 1, 'a', 0."),
        (np.array([np.int64(1), np.float64(2), 0], dtype=object), "got the values 1, 2.0, 0."),
        ([[0, 1], [1, 0], [1, 1]], "1d array"),
    ],
)
def test_bad_labels(y, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_pair_labels(y, 3)


def test_of_many_wrong_labels_some_are_shown():
    with pytest.raises(ValueError, match=re.escape("0, 1, 2, 3, 4, ....")):
        check_pair_labels(np.arange(1000), 1000)
