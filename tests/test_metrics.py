import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context

from skmetric.metrics import recall_at_k

UNHURRIED = settings(deadline=None, max_examples=100)


def brute_force(Z, y, k, Z_gallery=None, y_gallery=None):
    """Recall in two loops; None where no query has anything to find."""
    alone = Z_gallery is None
    items, labels = (Z, y) if alone else (Z_gallery, y_gallery)
    found = []
    for i, query in enumerate(Z):
        others = [j for j in range(len(items)) if not (alone and j == i)]
        if not any(labels[j] == y[i] for j in others):
            continue
        nearest = sorted(others, key=lambda j: (np.sum((query - items[j]) ** 2), j))[:k]
        found.append(any(labels[j] == y[i] for j in nearest))
    return np.mean(found) if found else None


def checked(expected, *args, **options):
    """Compare with the brute force, which says None for what must raise."""
    if expected is None:
        with pytest.raises(ValueError, match="no query"):
            recall_at_k(*args, **options)
    else:
        assert recall_at_k(*args, **options) == pytest.approx(expected, abs=1e-12)


@st.composite
def lattices(draw, max_classes=5):
    """Points with small integer coordinates, many at equal distances, and their labels."""
    n, n_components = draw(st.integers(1, 25)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    Z = rng.integers(-2, 3, (n, n_components)).astype(draw(st.sampled_from([np.float64, np.float32])))
    return Z, rng.integers(draw(st.integers(1, max_classes)), size=n)


@UNHURRIED
@given(lattices(), st.integers(1, 4))
def test_recall_is_that_of_two_loops(data, k):
    Z, y = data
    checked(brute_force(Z, y, k), Z, y, k=k)


@UNHURRIED
@given(lattices(), st.integers(1, 25), st.integers(1, 4))
def test_recall_in_a_gallery_is_that_of_two_loops(data, n_queries, k):
    Z, y = data
    n_queries = min(n_queries, len(Z))
    queries, items = np.arange(len(Z)) < n_queries, np.arange(len(Z)) >= n_queries // 2
    arguments = Z[queries], y[queries]
    gallery = {"Z_gallery": Z[items], "y_gallery": y[items]}
    checked(brute_force(*arguments, k, **gallery), *arguments, k=k, **gallery)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_recall_of_continuous_embeddings(k, dtype):
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(80, 5)).astype(dtype), rng.integers(12, size=80)
    assert recall_at_k(Z, y, k=k) == brute_force(Z, y, k)
    gallery = {"Z_gallery": Z[30:], "y_gallery": y[30:]}
    assert recall_at_k(Z[:30], y[:30], k=k, **gallery) == brute_force(Z[:30], y[:30], k, **gallery)


# On a line: the nearest item of a sample of "a" is of "b", and so on.
LINE, NAMES = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array(["a", "b", "a", "b"])


@pytest.mark.parametrize("k, recall", [(1, 0.0), (2, 0.75), (3, 1.0), (100, 1.0)])
def test_recall_by_hand(k, recall):
    assert recall_at_k(LINE, NAMES, k=k) == recall


@pytest.mark.parametrize("label", [str, object, np.int8, np.float32])
def test_labels_may_be_of_any_type(label):
    y = np.array([10, 2, 10, 2]).astype(label)
    assert recall_at_k(LINE, y, k=2) == recall_at_k(LINE, NAMES, k=2)


def test_lists_will_do():
    expected = recall_at_k(LINE, NAMES, k=2)
    assert recall_at_k(LINE.tolist(), NAMES.tolist(), k=2) == expected
    gallery = {"Z_gallery": LINE.tolist(), "y_gallery": NAMES.tolist()}
    assert recall_at_k(LINE.tolist(), NAMES.tolist(), **gallery) == 1.0


def test_recall_is_a_python_float():
    assert type(recall_at_k(LINE, NAMES)) is float


def test_k_is_1_by_default():
    assert recall_at_k(LINE, NAMES) == recall_at_k(LINE, NAMES, k=1)


def test_queries_that_are_alone_in_their_class_are_left_out():
    Z = np.r_[LINE, [[100.0], [200.0]]]
    assert recall_at_k(Z, np.r_[NAMES, ["c", "d"]], k=2) == recall_at_k(LINE, NAMES, k=2)


def test_samples_that_are_alone_in_their_class_are_still_in_the_way():
    Z, y = np.array([[0.0], [1.0], [2.0]]), np.array(["a", "only", "a"])
    assert recall_at_k(Z, y, k=1) == 0.0


def test_a_query_does_not_find_itself_unless_it_is_in_the_gallery():
    assert recall_at_k(LINE, NAMES) == 0.0
    assert recall_at_k(LINE, NAMES, Z_gallery=LINE, y_gallery=NAMES) == 1.0


def test_queries_of_classes_that_the_gallery_lacks_are_left_out():
    Z_gallery, y_gallery = np.array([[0.1], [9.0]]), np.array(["a", "c"])
    assert recall_at_k(LINE[:2], NAMES[:2], Z_gallery=Z_gallery, y_gallery=y_gallery) == 1.0


def test_classes_of_the_gallery_that_no_query_has_are_in_the_way():
    Z_gallery, y_gallery = np.array([[0.1], [9.0]]), np.array(["c", "a"])
    options = {"Z_gallery": Z_gallery, "y_gallery": y_gallery}
    assert recall_at_k(LINE[:1], NAMES[:1], k=1, **options) == 0.0
    assert recall_at_k(LINE[:1], NAMES[:1], k=2, **options) == 1.0


@pytest.mark.parametrize("y_gallery, recall", [(["a", "b"], 1.0), (["b", "a"], 0.0)])
def test_of_two_at_the_same_distance_the_first_counts(y_gallery, recall):
    assert recall_at_k([[0.0]], ["a"], Z_gallery=[[1.0], [-1.0]], y_gallery=y_gallery) == recall


def duplicates(dtype):
    """Each point several times, with coordinates that are not exact in binary."""
    rng = np.random.default_rng(0)
    Z = np.repeat(rng.normal(size=(20, 7)), 5, axis=0).astype(dtype)
    return Z, rng.integers(3, size=100)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_of_duplicates_are_broken_by_index(k, dtype):
    Z, y = duplicates(dtype)
    assert recall_at_k(Z, y, k=k) == brute_force(Z, y, k)


@pytest.mark.parametrize("dtype, offset", [(np.float32, 1e3), (np.float64, 1e8)])
def test_recall_does_not_depend_on_where_the_origin_is(dtype, offset):
    rng = np.random.default_rng(0)
    Z = (rng.integers(-512, 512, (60, 3)) / 512 + offset).astype(dtype)
    y = rng.integers(8, size=60)
    assert recall_at_k(Z, y) == brute_force(Z, y, 1)


@UNHURRIED
@given(lattices(), st.integers(1, 4))
def test_more_neighbours_find_no_less(data, k):
    Z, y = data
    if brute_force(Z, y, k) is not None:
        assert recall_at_k(Z, y, k=k) <= recall_at_k(Z, y, k=k + 1)


def test_all_neighbours_find_everything():
    Z, y = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 5
    assert recall_at_k(Z, y, k=29) == 1.0


def test_arguments_are_left_alone():
    Z, y = LINE.copy(), NAMES.copy()
    recall_at_k(Z, y, Z_gallery=Z, y_gallery=y)
    np.testing.assert_array_equal(Z, LINE)
    np.testing.assert_array_equal(y, NAMES)


# --- memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3])
def test_recall_is_the_same_in_pieces(k):
    rng = np.random.default_rng(0)
    Z, y = rng.integers(-3, 4, (700, 3)).astype(float), rng.integers(100, size=700)
    whole = recall_at_k(Z, y, k=k), recall_at_k(Z[:400], y[:400], k=k, Z_gallery=Z, y_gallery=y)
    with config_context(working_memory=1):
        pieces = recall_at_k(Z, y, k=k), recall_at_k(Z[:400], y[:400], k=k, Z_gallery=Z, y_gallery=y)
    assert whole == pieces


def test_all_distances_are_never_in_memory_at_once():
    n = 3000
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(n, 2)), rng.integers(10, size=n)
    tracemalloc.start()
    try:
        with config_context(working_memory=1):
            recall_at_k(Z, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n * n * 8 / 4


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("only", [{"Z_gallery": LINE}, {"y_gallery": NAMES}], ids=["Z", "y"])
def test_half_a_gallery_raises(only):
    with pytest.raises(ValueError, match="Z_gallery and y_gallery"):
        recall_at_k(LINE, NAMES, **only)


def test_nothing_to_find_raises():
    with pytest.raises(ValueError, match="no query"):
        recall_at_k(LINE, np.arange(4))
    with pytest.raises(ValueError, match="no query"):
        recall_at_k(LINE, NAMES, Z_gallery=LINE, y_gallery=["c"] * 4)


@pytest.mark.parametrize("n_labels", [1, 3, 5])
def test_another_number_of_labels_than_of_rows_raises(n_labels):
    with pytest.raises(ValueError):
        recall_at_k(LINE, np.array(["a"] * n_labels))


@pytest.mark.parametrize("n_labels", [1, 3, 5])
def test_another_number_of_labels_than_of_items_raises(n_labels):
    with pytest.raises(ValueError):
        recall_at_k(LINE, NAMES, Z_gallery=LINE, y_gallery=np.array(["a"] * n_labels))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embeddings_that_are_not_finite_raise(value):
    with pytest.raises(ValueError):
        recall_at_k(np.array([[0.0], [value], [1.0]]), np.array([0, 0, 0]))
