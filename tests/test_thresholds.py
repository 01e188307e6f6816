import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from profiles import by_profile
from sklearn.metrics import fbeta_score

from skmetric._thresholds import THRESHOLDS, resolution_of

UNHURRIED = settings(max_examples=by_profile(100, 2000))
LARGEST = np.finfo(float).max


def choose(name, distances, same, beta=1.0, min_rate=0.95):
    return THRESHOLDS[name](np.array(same, dtype=bool), np.array(distances, float), 0.0, beta, min_rate)


def cuts(distances):
    """A threshold for each way to part the distances, made one by one."""
    values = sorted(set(distances))
    between = [low + (high - low) / 2 for low, high in pairwise(values)]
    return [-np.inf, *between, 1.001 * values[-1]]


def cut_above(distances, chosen):
    """The threshold that accepts all distances up to the chosen one."""
    return cuts(distances)[1 + sorted(set(distances)).index(chosen)]


def merits(same, accepted, beta, min_rate):
    """What each choice makes as large as it can; below 0 what it may not choose."""
    tpr, tnr = accepted[same].sum() / same.sum(), (~accepted)[~same].sum() / (~same).sum()
    return {
        "accuracy": np.mean(accepted == same),
        "f_beta": fbeta_score(same, accepted, beta=beta, zero_division=0),
        "max_tpr": tpr if tnr >= min_rate else -1,
        "max_tnr": tnr if tpr >= min_rate else -1,
    }


@st.composite
def measured(draw):
    """Distances of pairs of both kinds, many of them equal."""
    pair = st.tuples(st.integers(0, 8), st.booleans())
    distances, same = map(np.array, zip(*draw(st.lists(pair, min_size=2, max_size=25))))
    assume(same.any() and not same.all())
    return same, distances / 2


# --- which threshold --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", THRESHOLDS)
@UNHURRIED
@given(measured(), st.sampled_from([0, 0.5, 1, 2]), st.sampled_from([0, 0.1, 0.5, 0.9, 0.95, 1]))
def test_no_threshold_is_better(name, data, beta, min_rate):
    same, distances = data
    nearest_same = distances <= distances[same].min()
    if name == "max_tpr" and merits(same, nearest_same, beta, min_rate)[name] == -1:
        with pytest.raises(ValueError, match="min_rate"):
            choose(name, distances, same, beta, min_rate)
        return
    found = choose(name, distances, same, beta, min_rate)
    best = max(merits(same, distances <= cut, beta, min_rate)[name] for cut in cuts(distances))
    assert found in cuts(distances)
    assert merits(same, distances <= found, beta, min_rate)[name] == pytest.approx(best, abs=1e-12) != -1


@settings(max_examples=by_profile(30, 1000))
@given(measured(), st.sampled_from([0, 0.5, 0.9, 1]))
def test_of_equal_rates_the_other_rate_decides(data, min_rate):
    same, distances = data
    for name, other in (("max_tpr", "max_tnr"), ("max_tnr", "max_tpr")):
        try:
            found = distances <= choose(name, distances, same, min_rate=min_rate)
        except ValueError:  # see above
            continue
        mine, its = (merits(same, found, 1.0, rate)[key] for key, rate in ((name, min_rate), (other, 0)))
        for cut in cuts(distances):
            there = merits(same, distances <= cut, 1.0, min_rate)[name]
            assert there < mine or merits(same, distances <= cut, 1.0, 0)[other] <= its


# From calibrate_threshold of metric-learn 0.7.0 (scikit-learn 1.9.1): the largest distance accepted.
TIED = (
    [0.2, 0.3, 0.3, 0.5, 0.7, 0.7, 0.9, 1.1, 1.1, 1.2, 1.6, 1.6, 1.9, 2.0, 2.3, 2.3],
    [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0],
)
DISTINCT = (
    [0.15, 0.4, 0.55, 0.6, 0.85, 1.0, 1.3, 1.45, 1.7, 2.2, 2.4, 3.1],
    [1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1],
)
OF_METRIC_LEARN = [
    (TIED, "f_beta", {"beta": 1.0}, 1.2),
    (TIED, "f_beta", {"beta": 0.5}, 1.2),
    (TIED, "f_beta", {"beta": 2.0}, 1.9),
    (TIED, "f_beta", {"beta": 0.0}, 0.3),
    (TIED, "max_tpr", {"min_rate": 0.5}, 1.2),
    (TIED, "max_tpr", {"min_rate": 0.7}, 1.2),
    (TIED, "max_tpr", {"min_rate": 0.8}, 0.9),
    (TIED, "max_tpr", {"min_rate": 1.0}, 0.3),
    (TIED, "max_tnr", {"min_rate": 0.8}, 1.2),
    (TIED, "max_tnr", {"min_rate": 0.9}, 1.9),
    (TIED, "max_tnr", {"min_rate": 1.0}, 1.9),
    (DISTINCT, "accuracy", {}, 1.3),
    (DISTINCT, "f_beta", {"beta": 1.0}, 1.7),
    (DISTINCT, "f_beta", {"beta": 0.5}, 1.3),
    (DISTINCT, "f_beta", {"beta": 2.0}, 3.1),
    (DISTINCT, "f_beta", {"beta": 0.0}, 0.4),
    (DISTINCT, "max_tpr", {"min_rate": 0.5}, 1.3),
    (DISTINCT, "max_tpr", {"min_rate": 0.7}, 0.6),
    (DISTINCT, "max_tpr", {"min_rate": 0.9}, 0.4),
    (DISTINCT, "max_tnr", {"min_rate": 0.5}, 1.3),
    (DISTINCT, "max_tnr", {"min_rate": 0.8}, 1.7),
    (DISTINCT, "max_tnr", {"min_rate": 0.9}, 3.1),
]


def test_the_farthest_same_pair_counts_in_the_recall():
    # F1 is 2/3 with the nearest pair alone and with all of them; of equal ones it is the highest.
    assert choose("f_beta", [1.0, 2.0, 3.0, 4.0], [1, 0, 0, 1]) == cut_above([1.0, 2.0, 3.0, 4.0], 4.0)


@pytest.mark.parametrize("data, name, options, expected", OF_METRIC_LEARN)
def test_the_pairs_accepted_are_those_of_metric_learn(data, name, options, expected):
    distances, same = data
    assert choose(name, distances, same, **options) == cut_above(distances, expected)


@pytest.mark.parametrize(
    "name, options, of_metric_learn, expected",
    [
        ("accuracy", {}, 1.1, 1.2),  # it counts one of the two pairs at 1.1
        ("max_tnr", {"min_rate": 0.5}, 0.7, 0.9),  # no other pair between: TPR 6/9 in place of 5/9
        ("max_tnr", {"min_rate": 0.7}, 1.1, 1.2),
    ],
)
def test_where_distances_are_equal_thresholds_are_better(name, options, of_metric_learn, expected):
    distances, same = np.array(TIED[0]), np.array(TIED[1], dtype=bool)
    found = choose(name, distances, same, **options)
    assert found == cut_above(TIED[0], expected)
    ours, theirs = (np.mean((distances <= cut) == same) for cut in (found, of_metric_learn))
    assert ours > theirs


def test_a_rate_that_no_threshold_reaches_is_an_error_that_gives_the_best():
    distances, same = [1.0, 2.0, 3.0, 4.0], [0, 0, 1, 0]
    with pytest.raises(ValueError) as caught:
        choose("max_tpr", distances, same, min_rate=0.7)
    assert str(caught.value) == (
        "No threshold that accepts a same pair has a true negative rate of at least min_rate=0.7: the "
        "best is 0.3333, since different pairs are at least as near as the nearest same pair. Set a "
        "lower min_rate."
    )
    assert choose("max_tpr", distances, same, min_rate=0.3) == 3.5


# --- midway -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lower, upper, expected",
    [
        (1.0, 2.0, 1.5),
        (0.0, 1e-300, 5e-301),
        (1e308, 1.5e308, 1.25e308),  # their sum overflows
        (1.0, np.nextafter(1.0, 2), 1.0),
        (np.nextafter(1.0, 2), np.nextafter(np.nextafter(1.0, 2), 2), np.nextafter(1.0, 2)),
        (0.0, 5e-324, 0.0),
        (5e-324, 1e-323, 5e-324),
        (np.nextafter(LARGEST, 0), LARGEST, np.nextafter(LARGEST, 0)),
    ],
)
def test_thresholds_lie_midway_and_below_the_next_distance(lower, upper, expected):
    found = choose("accuracy", [lower, upper], [1, 0])
    assert found == expected
    assert lower <= found < upper


@pytest.mark.parametrize(
    "largest, expected", [(3.0, 3.0 * 1.001), (0.0, 0.0), (LARGEST, LARGEST), (1.0, 1.001)]
)
def test_a_threshold_at_the_largest_distance_lies_a_thousandth_above(largest, expected):
    found = choose("max_tnr", [largest, largest / 2, largest], [1, 0, 1], min_rate=1)
    assert found == pytest.approx(expected, rel=1e-15) and largest <= found < np.inf


def test_where_it_is_best_to_accept_nothing_nothing_is_accepted():
    assert choose("accuracy", [1.0, 2.0, 3.0, 4.0], [0, 0, 1, 0]) == -np.inf


# --- extreme settings -------------------------------------------------------------------------------

MIXED = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    "beta, expected",
    [(0, 1.5), (5e-324, 1.5), (1e-200, 1.5), (1e10, 4.5), (1e154, 4.5), (1e200, 4.5), (LARGEST, 4.5)],
)
def test_extreme_weights_are_precision_alone_and_recall_alone(beta, expected):
    """Of the thresholds with a recall of 1, the one with the highest precision is the best."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert choose("f_beta", *MIXED, beta=beta) == expected


@pytest.mark.parametrize("beta", [10**400, np.float32(1e30), np.float64(1e300), np.int64(2**62)])
def test_a_weight_may_be_any_number(beta):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose("f_beta", *MIXED, beta=beta) == 4.5


@pytest.mark.parametrize(
    "name, min_rate, expected", [("max_tpr", 0, 4.5), ("max_tpr", 1, 1.5), ("max_tnr", 1, 4.5)]
)
def test_rates_of_0_and_1(name, min_rate, expected):
    assert choose(name, *MIXED, min_rate=min_rate) == expected


@pytest.mark.parametrize("same, expected", [([1, 0, 1, 1, 0, 0], 1.5), ([0, 1, 1, 1, 0, 0], -np.inf)])
def test_without_a_rate_to_keep_no_wrong_pair_is_accepted(same, expected):
    assert choose("max_tnr", MIXED[0], same, min_rate=0) == expected


@pytest.mark.parametrize("n_pairs", [20, 60, 340])
def test_a_rate_that_is_just_reached_is_reached(n_pairs):
    """19 of 20 are at least 0.95, whatever binary fractions make of it."""
    distances = np.arange(2.0 * n_pairs)
    same = distances % 2 == 0
    n_kept = round(0.95 * n_pairs)
    found = choose("max_tnr", distances, same, min_rate=0.95)
    assert np.sum(distances[same] <= found) == n_kept
    found = choose("max_tpr", distances, same, min_rate=0.95)
    assert np.sum(distances[~same] > found) == n_kept


@pytest.mark.parametrize("name", THRESHOLDS)
def test_distances_within_the_resolution_are_accepted_together(name):
    same = np.array([True, False, True, False])
    distances = np.array([1.0, 1.0 + 1e-7, 1.0 + 2e-7, 2.0])
    threshold = THRESHOLDS[name](same, distances, 1.5e-7, 1.0, 0.5)
    assert threshold == pytest.approx(1.5)
    assert not 1.0 <= THRESHOLDS[name](same, distances, 1.5, 1.0, 0.0) <= 2.0


def test_the_resolution_is_a_few_last_places_of_the_longest_row():
    Z = np.array([[3.0, -4.0], [0.0, 1.0]])
    assert resolution_of(Z) == pytest.approx(8 * np.finfo(float).eps * 4 * np.sqrt(2))
    assert resolution_of(Z.astype(np.float32)) == pytest.approx(8 * 2.0**-23 * 4 * np.sqrt(2))
