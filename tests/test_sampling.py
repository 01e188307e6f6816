import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from profiles import by_profile

from skmetric._engine.sampling import (
    BATCH_SAMPLERS,
    GROUP_SIZE,
    auto_batches,
    balanced_batches,
    batches_in_blocks,
    shuffled_batches,
    tuple_batches,
)

SAMPLERS = pytest.mark.parametrize("name", BATCH_SAMPLERS)
UNHURRIED = settings(max_examples=by_profile(60, 1000))


def many_classes(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 7, rng.integers(200, 260)).tolist()


CLASS_SIZES = st.one_of(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.lists(st.integers(1, 60), min_size=2, max_size=2),
    st.integers(1, 5).map(lambda k: [99 * k, k]),
    st.integers(1, 300).map(lambda n: [n]),
    st.integers(1, 40).map(lambda n: [1] * n),
    st.integers(0, 1000).map(many_classes),
)
SEEDS = st.none() | st.integers(0, 1000)


def labelled_rows(sizes, order=0):
    """Row numbers that are not 0..n-1, and labels that are not sorted, unless order is None."""
    y = np.repeat(np.arange(len(sizes)) * 3 + 5, sizes)
    if order is None:
        return np.arange(len(y)) + 1000, y
    rng = np.random.default_rng(order)
    return rng.choice(10 * len(y) + 100, size=len(y), replace=False), rng.permutation(y)


def one_epoch(name, sizes, batch_size, seed, order=0):
    rows, y = labelled_rows(sizes, order)
    batches = list(BATCH_SAMPLERS[name](rows, y, batch_size, made_rng(seed)))
    return dict(zip(rows.tolist(), y.tolist())), batches


def made_rng(seed):
    return None if seed is None else np.random.default_rng(seed)


def labels(label_of, batch):
    return Counter(label_of[row] for row in batch.tolist())


def lists(batches):
    return [batch.tolist() for batch in batches]


# --- any sampler ------------------------------------------------------------------------------------


@SAMPLERS
@UNHURRIED
@given(CLASS_SIZES, st.integers(1, 300), SEEDS)
@example([3], 300, 0)
@example([1], 1, None)
def test_every_row_is_seen_and_no_other(name, sizes, batch_size, seed):
    label_of, batches = one_epoch(name, sizes, batch_size, seed)
    assert set(np.concatenate(batches).tolist()) == set(label_of)


@SAMPLERS
@UNHURRIED
@given(CLASS_SIZES, st.integers(1, 300), SEEDS)
def test_batches_are_neither_empty_nor_too_large(name, sizes, batch_size, seed):
    _, batches = one_epoch(name, sizes, batch_size, seed)
    assert all(1 <= len(batch) <= batch_size for batch in batches)


@SAMPLERS
@UNHURRIED
@given(CLASS_SIZES, st.integers(1, 300), SEEDS)
def test_no_row_comes_twice_in_a_batch(name, sizes, batch_size, seed):
    _, batches = one_epoch(name, sizes, batch_size, seed)
    assert all(len(set(batch.tolist())) == len(batch) for batch in batches)


@SAMPLERS
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_same_random_state_gives_same_batches(name, seed):
    sizes = [30, 7, 1, 50]
    assert lists(one_epoch(name, sizes, 16, seed)[1]) == lists(one_epoch(name, sizes, 16, seed)[1])


@SAMPLERS
def test_another_random_state_gives_other_batches(name):
    sizes = [30, 7, 1, 50]
    assert lists(one_epoch(name, sizes, 16, 0)[1]) != lists(one_epoch(name, sizes, 16, 1)[1])


@SAMPLERS
def test_one_epoch_differs_from_the_next(name):
    rows, y = labelled_rows([30, 7, 1, 50])
    rng = np.random.default_rng(0)
    first, second = (lists(BATCH_SAMPLERS[name](rows, y, 16, rng)) for _ in range(2))
    assert first != second


@SAMPLERS
@pytest.mark.parametrize("seed", [None, 0])
def test_arguments_are_left_alone(name, seed):
    rows, y = labelled_rows([30, 7, 1, 50])
    rows_before, y_before = rows.copy(), y.copy()
    list(BATCH_SAMPLERS[name](rows, y, 16, made_rng(seed)))
    np.testing.assert_array_equal(rows, rows_before)
    np.testing.assert_array_equal(y, y_before)


@SAMPLERS
@pytest.mark.parametrize("dtype", [str, np.uint8, object])
def test_labels_may_be_of_any_type(name, dtype):
    rows, y = labelled_rows([30, 7, 1, 50])
    two_digits = y + 10  # in the same order as numbers and as strings
    expected = BATCH_SAMPLERS[name](rows, two_digits, 16, made_rng(0))
    batches = BATCH_SAMPLERS[name](rows, two_digits.astype(dtype), 16, made_rng(0))
    assert lists(batches) == lists(expected)


# --- shuffled ---------------------------------------------------------------------------------------


@UNHURRIED
@given(CLASS_SIZES, st.integers(1, 300), SEEDS)
def test_shuffled_batches_see_each_row_once_in_full_batches(sizes, batch_size, seed):
    label_of, batches = one_epoch("shuffle", sizes, batch_size, seed)
    assert sorted(np.concatenate(batches).tolist()) == sorted(label_of)
    assert all(len(batch) == batch_size for batch in batches[:-1])


def test_shuffled_batches_keep_the_order_without_rng():
    rows, y = labelled_rows([30, 7, 1, 50])
    batches = shuffled_batches(rows, y, 16, None)
    np.testing.assert_array_equal(np.concatenate(list(batches)), rows)


# --- balanced ---------------------------------------------------------------------------------------


@UNHURRIED
@given(CLASS_SIZES, st.integers(GROUP_SIZE + 1, 300), SEEDS)
@example([99, 1], 5, 0)
@example([1000, 1], 100, 0)
def test_balanced_batches_hold_two_classes_where_the_data_do(sizes, batch_size, seed):
    label_of, batches = one_epoch("balanced", sizes, batch_size, seed)
    assert all(len(labels(label_of, batch)) >= min(2, len(sizes)) for batch in batches)


def lonely_rows(sizes, batch_size, seed):
    """Classes that could bring a positive to a batch, and did not."""
    label_of, batches = one_epoch("balanced", sizes, batch_size, seed)
    total = Counter(label_of.values())
    counts = [labels(label_of, batch) for batch in batches]
    return [(c, count) for count in counts for c in count if count[c] < 2 <= total[c]]


@UNHURRIED
@given(CLASS_SIZES, st.integers(2 * GROUP_SIZE, 300), SEEDS)
def test_a_class_in_a_balanced_batch_brings_positives(sizes, batch_size, seed):
    assert lonely_rows(sizes, batch_size, seed) == []


@pytest.mark.parametrize("batch_size", range(GROUP_SIZE + 1, 2 * GROUP_SIZE))
def test_a_class_in_a_small_balanced_batch_brings_positives(batch_size):
    assert lonely_rows([99, 5], batch_size, 0) == []


def extra_rows(label_of, batches):
    return sum(map(len, batches)) - len(label_of)


@UNHURRIED
@given(CLASS_SIZES, st.integers(1, 300), SEEDS)
def test_balanced_batches_repeat_rows_only_to_bring_in_a_second_class(sizes, batch_size, seed):
    label_of, batches = one_epoch("balanced", sizes, batch_size, seed)
    counts = [labels(label_of, batch) for batch in batches]
    joined = [
        min(GROUP_SIZE, count[label_of[batch[-1]]])
        for count, batch in zip(counts, batches)
        if len(count) == 2 and batch_size > GROUP_SIZE
    ]
    assert extra_rows(label_of, batches) <= sum(joined)


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("sizes, batch_size", [([64, 64], 16), ([5] * 250, 100), ([100] * 10, 100)])
def test_balanced_batches_see_each_row_once_where_classes_mix(sizes, batch_size, seed):
    label_of, batches = one_epoch("balanced", sizes, batch_size, seed)
    assert extra_rows(label_of, batches) == 0


@UNHURRIED
@given(CLASS_SIZES, st.integers(2 * GROUP_SIZE, 300), SEEDS)
def test_balanced_batches_but_the_last_are_nearly_full(sizes, batch_size, seed):
    _, batches = one_epoch("balanced", sizes, batch_size, seed)
    assert all(len(batch) > batch_size - 2 * GROUP_SIZE for batch in batches[:-1])


def test_balanced_batches_spread_each_class_over_the_epoch():
    label_of, batches = one_epoch("balanced", [600, 300, 100], 50, 0)
    majority = [labels(label_of, batch)[5] / len(batch) for batch in batches]
    assert min(majority) > 0.4 and max(majority) < 0.8


def test_any_class_may_begin_an_epoch():
    rows, y = labelled_rows([20, 20, 20])
    label_of = dict(zip(rows.tolist(), y.tolist()))
    epochs = [next(balanced_batches(rows, y, 8, made_rng(seed))) for seed in range(30)]
    assert {label_of[batch[0]] for batch in epochs} == set(y.tolist())


def test_each_row_meets_all_others_of_its_class_sooner_or_later():
    rows, y = labelled_rows([8] * 50)
    rng, met = np.random.default_rng(0), {row: set() for row in rows.tolist()}
    for _ in range(20):
        for batch in balanced_batches(rows, y, 20, rng):
            for row in batch.tolist():
                met[row].update(batch.tolist())
    same_class = {row: set(rows[y == label].tolist()) for row, label in zip(rows.tolist(), y)}
    assert all(same_class[row] <= met[row] for row in met)


def python_calls(function):
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


@SAMPLERS
def test_cost_in_calls_grows_with_batches_and_not_with_rows(name):
    def calls(n, batch_size):
        rows, y = labelled_rows([n // 10] * 10)
        return python_calls(lambda: list(BATCH_SAMPLERS[name](rows, y, batch_size, made_rng(0))))

    n_batches = 60
    few, many = calls(6_000, 6_000 // n_batches), calls(60_000, 60_000 // n_batches)
    assert many <= few + 2 * n_batches
    assert many <= 100 * n_batches


# --- auto -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("sizes", [[5] * 250, [2] * 500, [1] * 20 + [4] * 250, [990, 10]], ids=len)
def test_auto_batches_hold_positives_and_negatives(sizes, seed):
    label_of, batches = one_epoch("auto", sizes, 100, seed)
    counts = [labels(label_of, batch) for batch in batches]
    assert all(len(count) > 1 and max(count.values()) > 1 for count in counts)


@pytest.mark.parametrize("seed", [None, 0])
def test_auto_batches_are_shuffled_where_classes_are_few_and_even(seed):
    rows, y = labelled_rows([100] * 10)
    expected = shuffled_batches(rows, y, 100, made_rng(seed))
    assert lists(auto_batches(rows, y, 100, made_rng(seed))) == lists(expected)


@pytest.mark.parametrize("seed", [None, 0])
def test_auto_batches_are_balanced_where_classes_are_many(seed):
    rows, y = labelled_rows([5] * 250)
    expected = balanced_batches(rows, y, 100, made_rng(seed))
    assert lists(auto_batches(rows, y, 100, made_rng(seed))) == lists(expected)


def test_auto_batches_hold_negatives_where_sorted_rows_are_not_shuffled():
    label_of, batches = one_epoch("auto", [100] * 10, 100, seed=None, order=None)
    assert all(len(labels(label_of, batch)) > 1 for batch in batches)


# --- tuples -----------------------------------------------------------------------------------------


def tuples_of_rows(n, size, batch_size, seed):
    """Tuples of row numbers that are not 0..n-1, and the batches of one epoch."""
    rows = np.random.default_rng(1).choice(10 * n * size, size=n * size, replace=False)
    batches = tuple_batches(rows, np.zeros(n * size), batch_size, made_rng(seed), size=size)
    return [tuple(some) for some in rows.reshape(n, size).tolist()], list(batches)


def cut(batch, size):
    return [tuple(batch[start : start + size].tolist()) for start in range(0, len(batch), size)]


TUPLES = given(st.integers(1, 120), st.sampled_from([2, 3]), st.integers(3, 90), SEEDS)


@UNHURRIED
@TUPLES
@example(1, 3, 3, None)
def test_each_tuple_is_seen_once_and_whole(n, size, batch_size, seed):
    tuples, batches = tuples_of_rows(n, size, batch_size, seed)
    assert all(len(batch) % size == 0 for batch in batches)
    assert sorted(some for batch in batches for some in cut(batch, size)) == sorted(tuples)


@UNHURRIED
@TUPLES
def test_batches_hold_as_many_tuples_as_they_have_room_for(n, size, batch_size, seed):
    _, batches = tuples_of_rows(n, size, batch_size, seed)
    assert all(len(batch) == batch_size - batch_size % size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= batch_size


@pytest.mark.parametrize("size", [2, 3])
def test_tuples_keep_their_order_without_rng(size):
    tuples, batches = tuples_of_rows(50, size, 17, None)
    assert [some for batch in batches for some in cut(batch, size)] == tuples


@pytest.mark.parametrize("size", [2, 3])
def test_tuples_come_in_another_order_in_each_epoch_and_the_same_for_a_seed(size):
    tuples, first = tuples_of_rows(50, size, 17, 0)
    assert lists(tuples_of_rows(50, size, 17, 0)[1]) == lists(first)
    assert lists(tuples_of_rows(50, size, 17, 1)[1]) != lists(first)
    rows, rng = np.ravel(tuples), np.random.default_rng(0)
    one, two = (lists(tuple_batches(rows, rows, 17, rng, size=size)) for _ in range(2))
    assert one == lists(first) != two


@pytest.mark.parametrize("size", [2, 3])
def test_tuples_are_left_alone(size):
    rows = np.arange(30)
    rows.flags.writeable = False
    batches = list(tuple_batches(rows, rows, 12, made_rng(0), size=size))
    np.testing.assert_array_equal(rows, np.arange(30))
    assert not any(np.shares_memory(batch, rows) for batch in batches)


def test_any_place_of_a_tuple_is_equally_likely():
    rng, rows = np.random.default_rng(0), np.arange(10)
    first = Counter(next(tuple_batches(rows, rows, 2, rng, size=2))[0].item() for _ in range(2000))
    assert set(first) == {0, 2, 4, 6, 8}
    assert min(first.values()) > 330


# --- blocks -----------------------------------------------------------------------------------------


@UNHURRIED
@given(CLASS_SIZES, SEEDS, st.integers(1, 60), st.integers(1, 9), st.sampled_from(sorted(BATCH_SAMPLERS)))
def test_blocks_are_mixed_in_groups_of_any_size(sizes, seed, block, n_blocks, name):
    rows, y = labelled_rows(sizes)
    rng = None if seed is None else np.random.default_rng(seed)
    batches = list(
        batches_in_blocks(rows, y, 20, rng, sampler=BATCH_SAMPLERS[name], block=block, n_blocks=n_blocks)
    )
    assert set(np.concatenate(batches)) == set(rows)
    assert max(map(len, batches)) <= 20
    # From the first batch with rows of a block to the last one, the block must be in memory.
    first, last = {}, {}
    for number, batch in enumerate(batches):
        for one in set((batch // block).tolist()):
            first.setdefault(one, number)
            last[one] = number
    for number in range(len(batches)):
        assert sum(first[one] <= number <= last[one] for one in first) <= n_blocks


def test_blocks_without_a_generator_come_in_order():
    rows = np.arange(100)
    settings = {"sampler": shuffled_batches, "block": 10, "n_blocks": 3}
    in_order = batches_in_blocks(rows, rows, 7, None, **settings)
    assert np.concatenate(list(in_order)).tolist() == rows.tolist()
    drawn = np.concatenate(list(batches_in_blocks(rows, rows, 7, np.random.default_rng(0), **settings)))
    assert sorted(drawn) == rows.tolist()
    # Blocks and their rows are both in another order.
    assert (np.diff(drawn[:30]) != 1).mean() > 0.9
    assert len(set((drawn[:30] // 10).tolist())) == 3
    assert set((drawn[:30] // 10).tolist()) != {0, 1, 2}
