import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from skmetric.neighbors import BEHIND, INDEX, QUANTUM, Neighbors, distance_factors, sort_keys


def data(n_queries=7, n_items=30, n_components=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_queries, n_components)), rng.normal(size=(n_items, n_components))


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("factor", [1e-150, 1.0, 1e150])
def test_factors_multiply_to_squared_distances_in_one_unit(offset, factor):
    Z, gallery = data()
    A, B = distance_factors(factor * (Z + offset), factor * (gallery + offset))
    ratio = (A @ B.T - QUANTUM) / cdist(Z, gallery, "sqeuclidean")
    assert_allclose(ratio, ratio[0, 0], rtol=1e-5)
    assert 1e-3 < ratio[0, 0] < 10


def test_factors_leave_integers_exact():
    rng = np.random.default_rng(0)
    Z, gallery = rng.integers(-3, 4, (20, 3)).astype(float), rng.integers(-3, 4, (30, 3)).astype(float)
    A, B = distance_factors(Z, gallery)
    D = A @ B.T - QUANTUM
    # Equal distances are equal to the last bit.
    assert len(np.unique(D)) == len(np.unique(cdist(Z, gallery, "sqeuclidean")))


def test_keys_sort_by_distance_and_then_by_index():
    Z, gallery = data()
    gallery[20:] = gallery[:10]
    keys = sort_keys(*distance_factors(Z, gallery))
    assert_array_equal(keys & INDEX, np.tile(np.arange(30), (7, 1)))
    expected = np.argsort(cdist(Z, gallery), axis=1, kind="stable")
    assert_array_equal(np.argsort(keys, axis=1), expected)


@pytest.mark.parametrize("depth", [1, 5, 29, 30])
def test_hits_are_in_the_order_of_the_keys(depth):
    Z, gallery = data()
    labels, item_labels = np.arange(7) % 3, np.arange(30) % 3
    order = np.argsort(cdist(Z, gallery), axis=1)
    relevant = item_labels[order] == labels[:, np.newaxis]
    keys = sort_keys(*distance_factors(Z, gallery))
    neighbors = Neighbors(keys, labels, item_labels, np.full(7, 10), depth)
    assert_array_equal(neighbors.hits, relevant[:, :depth])
    assert_array_equal(neighbors.first_ranks, 1 + relevant.argmax(axis=1))
    assert_array_equal(neighbors.hits_within_r(), (relevant & (np.arange(30) < 10))[:, :depth])


def test_items_behind_come_last():
    Z, gallery = data()
    keys = sort_keys(*distance_factors(Z, gallery))
    keys[:, 3] |= BEHIND
    item_labels = np.zeros(30, dtype=int)
    item_labels[3] = 1
    neighbors = Neighbors(keys, np.ones(7, dtype=int), item_labels, np.ones(7), 30)
    assert_array_equal(neighbors.first_ranks, 30)
