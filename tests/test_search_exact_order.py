import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import by_profile
from retrieval_oracle import means_by_loops, means_of_functions, means_of_report
from sklearn import config_context

from skmetric._search.exact_order import ExactOrder, in_mixed_group, split_groups
from skmetric.metrics import precision_at_k, recall_at_k

UNHURRIED = settings(max_examples=by_profile(15, 500))
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")


def compared(Z, y, k, **gallery):
    expected = means_by_loops(Z, y, k, **gallery)
    if expected is None:
        with pytest.raises(ValueError, match="no query"):
            means_of_functions(Z, y, k, **gallery)
        return
    measured = means_of_functions(Z, y, k, **gallery)
    report = means_of_report(Z, y, k, **gallery)
    assert measured == pytest.approx({name: expected[name] for name in measured}, abs=1e-12)
    assert {name: report[name] for name in expected} == pytest.approx(expected, abs=1e-12)


# --- data that rounding makes hard ------------------------------------------------------------------


def clusters(rng, n, n_components, n_clusters, distance):
    Z = rng.normal(size=(n, n_components))
    return Z + distance * rng.integers(n_clusters, size=(n, 1))


def far_clusters(rng, n, n_components):
    return clusters(rng, n, n_components, rng.integers(2, 4), 10.0 ** rng.integers(0, 13))


def shifted_grid(rng, n, n_components):
    return rng.integers(-3, 4, (n, n_components)) + 10.0 ** rng.integers(0, 16)


def decimals(rng, n, n_components):
    return 0.1 * rng.integers(-5, 6, (n, n_components)) + 0.3 * rng.integers(2)


def decimals_of_any_unit(rng, n, n_components):
    return decimals(rng, n, n_components) * rng.choice([1e300, 1e200, 1e-200, 1e-310])


def rows_of_all_sizes(rng, n, n_components):
    factors = rng.choice([1e-300, 1e-200, 1e-100, 1.0, 1e100, 1e200], size=(n, 1))
    return factors * rng.normal(size=(n, n_components))


def entries_of_all_sizes(rng, n, n_components):
    factors = rng.choice([1, 1e-8, 1e-16, 1e-40, 1e-300], size=(n, n_components))
    return factors * rng.integers(-3, 4, (n, n_components))


def last_bits(rng, n, n_components):
    return 1 + rng.integers(8, size=(n, n_components)) * 2.0**-52


def smallest_and_largest(rng, n, n_components):
    return rng.integers(-3, 4, (n, n_components)) * rng.choice([5e-324, 5e307])


def copies(rng, n, n_components):
    return rng.normal(size=(n, n_components))[rng.integers(1 + n // 4, size=n)]


def large_integers(rng, n, n_components):
    # Their squared distances are too long for float32.
    return rng.integers(5000, 5006, (n, n_components)) * rng.integers(1, 3, (n, 1))


def of_float32(rng, n, n_components):
    exponents = rng.integers(-149, 128, (n, n_components)) * rng.integers(2)
    return np.ldexp(rng.normal(size=(n, n_components)).clip(-1.9, 1.9), exponents).astype(np.float32)


def any_floats(rng, n, n_components):
    # Random bits are floats of all sizes, denormals among them. Some rows occur twice.
    bits = rng.integers(0, 2**64, (n, n_components), dtype=np.uint64)
    Z = np.where(np.isfinite(bits.view(np.float64)), bits.view(np.float64), 0)
    return Z[rng.integers(n, size=n)]


def denormals(rng, n, n_components):
    return rng.integers(-9, 10, (n, n_components)) * 5e-324


HARD = [
    of_float32,
    any_floats,
    denormals,
    far_clusters,
    shifted_grid,
    decimals,
    decimals_of_any_unit,
    rows_of_all_sizes,
    entries_of_all_sizes,
    last_bits,
    smallest_and_largest,
    copies,
    large_integers,
]


@pytest.mark.parametrize("hard", HARD)
@UNHURRIED
@given(
    seed=st.integers(0, 2**20), n=st.integers(2, 16), n_components=st.integers(1, 5), k=st.integers(1, 25)
)
def test_measures_are_those_of_exact_arithmetic(hard, seed, n, n_components, k):
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        compared(hard(rng, n, n_components), rng.integers(1 + seed % 4, size=n), k)


@pytest.mark.parametrize("hard", HARD)
@UNHURRIED
@given(
    seed=st.integers(0, 2**20), n=st.integers(3, 16), n_components=st.integers(1, 5), k=st.integers(1, 25)
)
def test_measures_in_a_gallery_are_those_of_exact_arithmetic(hard, seed, n, n_components, k):
    rng = np.random.default_rng(seed)
    Z, y = hard(rng, n, n_components), rng.integers(1 + seed % 4, size=n)
    gallery = {"Z_gallery": Z[n // 3 :], "y_gallery": y[n // 3 :]}
    query_index = np.arange(n - n // 3) - n // 3
    half = slice(None, len(query_index))
    compared(Z[half], y[half], k, **gallery)
    compared(Z[half], y[half], k, query_index=np.maximum(query_index, -1), **gallery)


@pytest.mark.parametrize("hard", HARD)
def test_pieces_are_the_whole_where_rounding_is_hard(hard):
    rng = np.random.default_rng(0)
    Z, y = hard(rng, 50, 3), rng.integers(4, size=50)
    with config_context(working_memory=0.01):
        compared(Z, y, 7)


# --- by hand ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [0.0, 1e3, 1e6, 1e9, 1e12])
def test_a_second_cluster_far_away_changes_nothing(distance):
    Z = np.array([[0.0], [1.0], [3.0], [0.0], [1.0], [3.0]])
    Z[3:] += 100 + distance
    y = np.array([0, 1, 1, 0, 1, 1])
    # In both: 0 finds 1, which is wrong; 1 finds 0, wrong; 3 finds 1, right.
    assert recall_at_k(Z, y) == pytest.approx(1 / 3)
    assert recall_at_k(Z, y, k=2) == pytest.approx(2 / 3)


def test_distances_that_differ_in_the_last_bit_are_no_tie():
    step = 2.0**-52
    Z_gallery, y_gallery = [[-1.0 - step], [1.0]], ["far", "near"]
    assert recall_at_k([[0.0]], ["near"], Z_gallery=Z_gallery, y_gallery=y_gallery) == 1.0


def test_the_decimals_of_the_middle_are_not_in_the_middle():
    # 0.3 - 0.2 is less than 0.2 - 0.1 in binary, and the difference is rounded in neither.
    assert Fraction(0.3) - Fraction(0.2) < Fraction(0.2) - Fraction(0.1)
    assert recall_at_k([[0.2]], [1], Z_gallery=[[0.1], [0.3]], y_gallery=[0, 1]) == 1.0


def test_distances_that_float64_cannot_tell_apart_are_ordered():
    # |(2**27 + 1, 0)|^2 = 2**54 + 2**28 + 1 is a bit more than |(2**27 + 1 - tiny, ...)|^2.
    far, near = [2.0**27 + 1, 2.0**-30], [2.0**27 + 1, 0.0]
    assert np.sum(np.square(far)) == np.sum(np.square(near))
    gallery = {"Z_gallery": [far, near], "y_gallery": ["far", "near"]}
    assert recall_at_k([[0.0, 0.0]], ["near"], **gallery) == 1.0
    assert recall_at_k([[0.0, 0.0]], ["far"], **gallery) == 0.0


def test_ties_past_the_depth_come_by_index():
    # All eight items are at the same distance, which is rounded: the first two count.
    angles = [[3.0, 4.0], [4.0, 3.0], [-3.0, 4.0], [5.0, 0.0]]
    Z_gallery = 0.7 * np.array(angles + [[-a, -b] for a, b in angles])
    for relevant in range(8):
        y_gallery = np.arange(8) == relevant
        expected = means_by_loops([[0.0, 0.0]], [True], 2, Z_gallery=Z_gallery, y_gallery=y_gallery)
        precision = precision_at_k([[0.0, 0.0]], [True], k=2, Z_gallery=Z_gallery, y_gallery=y_gallery)
        assert precision == expected["precision_at_k"]


# --- parts ------------------------------------------------------------------------------------------


def test_candidates_are_ordered_in_their_groups_only():
    Z, Z_gallery = np.zeros((2, 1)), np.array([[3.0], [2.0], [1.0], [1.0]])
    group, query, item = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1]), np.array([0, 3, 2, 1, 2])
    relevant = np.array([True, False, True, False, True])
    order = ExactOrder(Z, Z_gallery, 1000).order(group, query, item, relevant)
    assert item[order].tolist() == [2, 3, 0, 2, 1]
    assert group[order].tolist() == group.tolist()


def test_groups_of_one_kind_are_not_mixed():
    group = np.array([0, 0, 1, 1, 2, 3, 3, 3])
    relevant = np.array([True, True, False, True, False, False, False, False])
    assert in_mixed_group(group, relevant).tolist() == [False, False, True, True] + [False] * 4


def test_groups_are_split_where_distances_differ_by_more_than_rounding():
    D = np.array([1.0, 1.0 + 2.0**-50, 1.1, 1.1, 2.0])
    assert split_groups(np.array([0, 0, 0, 1, 1]), D, 3).tolist() == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("budget", [1, 1000, 10**7])
@pytest.mark.parametrize("hard", [decimals, rows_of_all_sizes, last_bits, smallest_and_largest])
def test_integers_have_all_digits_of_distances(hard, budget):
    rng = np.random.default_rng(0)
    Z, Z_gallery = hard(rng, 5, 3), hard(rng, 6, 3)
    query, item = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    digits = ExactOrder(Z, Z_gallery, budget).by_integers(query, item)
    exact = [
        sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(Z[i].tolist(), Z_gallery[j].tolist()))
        for i, j in zip(query, item)
    ]
    integers = list(zip(*digits[::-1].tolist()))
    by_digits = sorted(range(30), key=lambda pair: (integers[pair], pair))
    assert by_digits == sorted(range(30), key=lambda pair: (exact[pair], pair))
    assert len(set(integers)) == len(set(exact))
