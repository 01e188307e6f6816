import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from skmetric._search.distance_keys import BEHIND, INDEX, DistanceKeys, centred, values_of


def data(n_queries=7, n_items=30, n_components=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_queries, n_components)), rng.normal(size=(n_items, n_components))


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("factor", [2.0**-400, 1.0, 2.0**400])
def test_factors_multiply_to_squared_distances_in_one_unit(offset, factor):
    Z, gallery = data()
    distances = DistanceKeys(factor * (Z + offset), factor * (gallery + offset), 7)
    ratio = (distances.A @ distances.B.T) / cdist(Z, gallery, "sqeuclidean")
    assert_allclose(ratio, ratio[0, 0], rtol=1e-5)
    assert 1e-3 < ratio[0, 0] < 10


def test_keys_sort_by_distance_and_then_by_index():
    Z, gallery = np.round(4 * data()[0]), np.round(4 * data()[1])
    gallery[20:] = gallery[:10]
    keys = DistanceKeys(Z, gallery, 7).keys(np.arange(7))
    assert_array_equal(keys & INDEX, np.tile(np.arange(30), (7, 1)))
    expected = np.argsort(cdist(Z, gallery, "sqeuclidean"), axis=1, kind="stable")
    assert_array_equal(np.argsort(keys, axis=1), expected)


def test_keys_are_of_the_queries_that_are_asked_for():
    Z, gallery = data()
    distances = DistanceKeys(Z, gallery, 7)
    whole = distances.keys(np.arange(7)).copy()
    assert_array_equal(distances.keys(np.array([5, 2])), whole[[5, 2]])


@pytest.mark.parametrize("far", [1.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_what_is_in_the_wrong_order_is_close(far, scale):
    rng = np.random.default_rng(0)
    Z, gallery = (
        scale * rng.integers(-9, 9, (n, 3)) + far * rng.integers(2, size=(n, 1)) for n in (20, 200)
    )
    distances = DistanceKeys(Z, gallery, 20)
    rows = np.arange(20)
    keys = np.sort(distances.keys(rows), axis=1)
    # In longer numbers, and without a product.
    D = ((Z[:, np.newaxis] - gallery).astype(np.longdouble) ** 2).sum(axis=2)
    D = np.take_along_axis(D, keys & INDEX, axis=1)
    wrong = D[:, 1:] < D[:, :-1]
    close = distances.are_close(keys, rows)
    assert not (wrong & ~close).any()
    # What comes within the limit of a key is all that may be as near.
    limits = distances.limits(keys[:, 9], rows)
    nearer = D < D[:, 9:10]
    assert (keys[nearer] <= np.broadcast_to(limits[:, np.newaxis], keys.shape)[nearer]).all()


def test_few_of_many_are_close_where_the_data_are_ordinary():
    Z, gallery = data(n_queries=20, n_items=2000, n_components=16)
    distances = DistanceKeys(Z, gallery, 20)
    keys = np.sort(distances.keys(np.arange(20)), axis=1)
    assert distances.are_close(keys, np.arange(20)).mean() < 0.005


@pytest.mark.parametrize("offset", [0, 1000, 10**15])
def test_ties_of_integers_need_no_second_look(offset):
    rng = np.random.default_rng(0)
    Z = rng.integers(-3, 4, (50, 3)) + float(offset)
    distances = DistanceKeys(Z, Z, 50)
    keys = np.sort(distances.keys(np.arange(50)), axis=1)
    assert len(np.unique(values_of(keys))) == len(np.unique(cdist(Z, Z, "sqeuclidean")))
    assert not distances.are_close(keys, np.arange(50)).any()


def test_integers_whose_distances_are_too_long_for_float32_are_looked_at_again():
    Z = np.array([[0.0], [4097.0], [4098.0], [5000.0]])
    # 4097^2 has 25 bits, and 4096^2 is the last number of which float32 has all.
    distances = DistanceKeys(Z[:1], Z[1:], 1)
    keys = np.sort(distances.keys(np.arange(1)), axis=1)
    assert distances.exact_below > 0
    assert values_of(keys)[0, 0] >= distances.exact_below


def test_the_largest_key_comes_behind_all_others():
    Z = np.array([[0.0], [1e-150], [1.0]]) * 2.0**500
    keys = DistanceKeys(Z, Z, 3).keys(np.arange(3))
    assert keys.max() < BEHIND


def test_centring_is_exact_on_a_grid_and_says_so():
    rng = np.random.default_rng(0)
    Z = rng.integers(-5, 5, (8, 2)) + 1e15
    moved, moved_gallery, grid = centred(Z, Z[:6])
    assert grid == 0
    assert_array_equal(np.diff(moved, axis=0), np.diff(Z, axis=0))
    assert_array_equal(moved[:6], moved_gallery)
    assert np.abs(moved).max() < 10
    assert centred(Z + 0.1 * np.arange(8)[:, np.newaxis], Z)[2] < 0
    assert centred(rng.normal(size=(8, 2)) * 1e6, Z / 1e15)[2] == -np.inf
