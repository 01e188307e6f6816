import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.spatial.distance import cdist

from skmetric._search.candidates import Search, to_front

N_QUERIES, N_ITEMS = 7, 30
LABELS, ITEM_LABELS = np.arange(N_QUERIES) % 3, np.arange(N_ITEMS) % 3
NOWHERE = np.full(N_QUERIES, -1)


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(N_QUERIES, 4)), rng.normal(size=(N_ITEMS, 4))


def relevance(Z, gallery, item_labels=ITEM_LABELS):
    order = np.argsort(cdist(Z, gallery), axis=1)
    return item_labels[order] == LABELS[:, np.newaxis]


def neighbors_of(search, depth, n_relevant=10):
    return search.neighbors(np.arange(N_QUERIES), np.full(N_QUERIES, n_relevant), depth)


@pytest.mark.parametrize("depth", [1, 5, 29, 30])
def test_hits_are_in_the_order_of_the_distances(depth):
    Z, gallery = data()
    relevant = relevance(Z, gallery)
    neighbors = neighbors_of(Search(Z, gallery, LABELS, ITEM_LABELS, NOWHERE, 2**20), depth)
    assert_array_equal(neighbors.hits, relevant[:, :depth])
    assert_array_equal(neighbors.first_ranks, 1 + relevant.argmax(axis=1))
    assert_array_equal(neighbors.hits_within_r(), (relevant & (np.arange(N_ITEMS) < 10))[:, :depth])


@pytest.mark.parametrize("depth", [1, 3, 30])
def test_the_first_rank_is_found_however_deep_it_is(depth):
    Z, gallery = data()
    item_labels = np.full(N_ITEMS, 5)
    order = np.argsort(cdist(Z, gallery), axis=1)
    for rank in (1, 2, 17, 30):
        item_labels[:] = 5
        item_labels[order[0, rank - 1]] = 0
        search = Search(Z, gallery, LABELS, item_labels, NOWHERE, 2**20)
        neighbors = search.neighbors(np.array([0]), np.array([1]), depth)
        assert neighbors.first_ranks.tolist() == [rank]


def test_a_query_does_not_find_the_item_that_it_is():
    Z, gallery = data()
    own = np.array([3, -1, 5, 0, -1, 29, 12])
    found = np.flatnonzero(own >= 0)
    gallery[own[found]] = Z[found]
    search = Search(Z, gallery, LABELS, LABELS[np.arange(N_ITEMS) % 7], own, 2**20)
    hits = neighbors_of(search, N_ITEMS).hits
    for i in range(N_QUERIES):
        order = [j for j in np.argsort(cdist(Z[i : i + 1], gallery)[0]) if j != own[i]]
        assert hits[i, : len(order)].tolist() == [LABELS[j % 7] == LABELS[i] for j in order]
        assert not hits[i, len(order) :].any()


def test_a_small_budget_searches_one_query_at_a_time():
    Z, gallery = data()
    assert Search(Z, gallery, LABELS, ITEM_LABELS, NOWHERE, 1).n_rows == 1
    assert Search(Z, gallery, LABELS, ITEM_LABELS, NOWHERE, 2**20).n_rows == N_QUERIES
    assert Search(Z, gallery, LABELS, ITEM_LABELS, NOWHERE, 28 * 30 * 3).n_rows == 3


@pytest.mark.parametrize("depth", [1, 4, 9, 10])
def test_the_smallest_come_to_the_front_and_the_next_one_behind(depth):
    keys = np.random.default_rng(0).permuted(np.tile(np.arange(10), (5, 1)), axis=1)
    to_front(keys, depth)
    assert_array_equal(keys[:, : depth + 1], np.tile(np.arange(10), (5, 1))[:, : depth + 1])
    assert_array_equal(np.sort(keys, axis=1), np.tile(np.arange(10), (5, 1)))
