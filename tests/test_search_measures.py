import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import by_profile
from retrieval_oracle import WITH_K, WITHOUT_K, means_by_loops, means_of_functions, means_of_report
from sklearn.exceptions import UndefinedMetricWarning

from skmetric._numbers import check_count
from skmetric._search.measures import MEASURES
from skmetric.metrics import make_retrieval_scorer, r_precision, recall_at_k, retrieval_report

FUNCTIONS = [*WITH_K.values(), *WITHOUT_K.values(), retrieval_report]
EACH = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
OF_K = pytest.mark.parametrize("function", [*WITH_K.values(), retrieval_report])
TRIVIAL = "ignore::sklearn.exceptions.UndefinedMetricWarning"

# On a line: the nearest item of a sample of "a" is of "b", and so on.
LINE, NAMES = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array(["a", "b", "a", "b"])


def random_data(n=40, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(-3, 4, (n, 2)).astype(float), rng.integers(n_classes, size=n)


def compared(Z, y, k, **options):
    expected = means_by_loops(Z, y, k, **options)
    report = means_of_report(Z, y, k, **options)
    assert {name: report[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    measured = means_of_functions(Z, y, k, **options)
    assert measured == pytest.approx({name: expected[name] for name in measured}, abs=1e-12)
    return expected


# --- labels -----------------------------------------------------------------------------------------

MISSING = [
    np.array([0.0, 1.0, np.nan, 1.0]),
    np.array(["a", None, "a", "b"], dtype=object),
    np.array(["a", np.nan, "a", "b"], dtype=object),
    pd.Series([0, 1, pd.NA, 1], dtype="Int64"),
    pd.Series(["a", pd.NA, "b", "b"], dtype="string"),
]


@EACH
@pytest.mark.parametrize("y", MISSING, ids=["nan", "None", "object nan", "NA", "NA of strings"])
def test_missing_labels_are_no_class(function, y):
    with pytest.raises(ValueError, match=r"^y contains NaN"):
        function(LINE, y)
    with pytest.raises(ValueError, match=r"^y_gallery contains NaN"):
        function(LINE, [0, 1, 0, 1], Z_gallery=LINE, y_gallery=y)


@EACH
def test_numbers_and_strings_are_not_the_same_classes(function):
    with pytest.raises(ValueError, match="y holds numbers and y_gallery holds strings"):
        function(LINE, [0, 1, 0, 1], Z_gallery=LINE, y_gallery=["0", "1", "0", "1"])


def test_minus_one_is_an_ordinary_class():
    Z, y = random_data()
    assert retrieval_report(Z, y - 1)["classes"].keys() == {-1, 0, 1, 2}
    assert list(retrieval_report(Z, y - 1).values())[:5] == list(retrieval_report(Z, y).values())[:5]


@pytest.mark.parametrize(
    "convert", [lambda y: y == 1, lambda y: y.astype(str), lambda y: y.astype(float)]
)
def test_the_type_of_labels_makes_no_difference(convert):
    Z, y = random_data(n_classes=2)
    gallery = {"Z_gallery": Z[5:], "y_gallery": convert(y[5:])}
    assert recall_at_k(Z, convert(y)) == recall_at_k(Z, y)
    assert recall_at_k(Z, convert(y), **gallery) == recall_at_k(Z, y, Z_gallery=Z[5:], y_gallery=y[5:])


def test_strings_may_be_of_two_dtypes():
    gallery = {"Z_gallery": LINE, "y_gallery": NAMES.astype(object)}
    assert (
        recall_at_k(LINE + 0.4, NAMES, **gallery)
        == recall_at_k(LINE + 0.4, NAMES.tolist(), **gallery)
        == 1.0
    )


# --- where all neighbours are right -----------------------------------------------------------------


@EACH
def test_rows_of_one_class_warn(function):
    with pytest.warns(UndefinedMetricWarning, match=r"StratifiedKFold\(shuffle=True\)") as caught:
        function(LINE, ["a"] * 4)
    assert [warning.filename for warning in caught] == [__file__]


@EACH
def test_a_gallery_without_items_of_another_class_warns(function):
    with pytest.warns(UndefinedMetricWarning) as caught:
        function(LINE, NAMES, Z_gallery=LINE[::2], y_gallery=NAMES[::2])
    assert [str(warning.message) for warning in caught] == [
        "Retrieval measures do not depend on the embedding here, since all items have the label of the "
        "query. In cross-validation, use folds that contain several classes, such as "
        "StratifiedKFold(shuffle=True)."
    ]


@EACH
def test_two_classes_do_not_warn(function):
    # The queries are all of one class, but there is something to confuse them with.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(LINE, NAMES)
        function(LINE[::2], NAMES[::2], Z_gallery=LINE, y_gallery=NAMES)
        function([*LINE, [1e3]], ["a", "a", "a", "a", "alone"])


def test_an_item_of_another_class_that_only_the_query_itself_is_does_not_count():
    with pytest.warns(UndefinedMetricWarning):
        recall_at_k([[0.0]], ["a"], Z_gallery=[[0.0], [1.0]], y_gallery=["a", "a"], query_index=[0])


def test_scorers_warn_too():
    class Identity:
        def transform(self, X):
            return X

    with pytest.warns(UndefinedMetricWarning):
        assert make_retrieval_scorer("r_precision")(Identity(), LINE, ["a"] * 4) == 1.0


# --- queries that are in the gallery ----------------------------------------------------------------


@EACH
def test_leave_one_out_is_a_gallery_of_the_queries(function):
    Z, y = random_data()
    gallery = {"Z_gallery": Z, "y_gallery": y, "query_index": np.arange(len(y))}
    assert function(Z, y, **gallery) == function(Z, y)
    # Without it, they find themselves, or another one in the same place.
    assert (
        recall_at_k(np.arange(40)[:, np.newaxis], y, Z_gallery=np.arange(40)[:, np.newaxis], y_gallery=y)
        == 1
    )


@pytest.mark.filterwarnings(TRIVIAL)
@settings(max_examples=by_profile(50, 1000))
@given(st.integers(0, 2**20), st.integers(1, 30), st.booleans())
def test_queries_are_left_out_of_their_own_neighbours(seed, k, some_are_not_there):
    rng = np.random.default_rng(seed)
    Z, y = random_data(n=20, n_classes=3, seed=seed)
    query_index = rng.permutation(20)[:8]
    arguments = Z[query_index], y[query_index]
    if some_are_not_there:
        query_index[::3] = -1
    gallery = {"Z_gallery": Z, "y_gallery": y, "query_index": query_index}
    if means_by_loops(*arguments, k, **gallery) is not None:
        compared(*arguments, k, **gallery)


def test_two_queries_may_be_the_same_item():
    Z, y = random_data()
    compared(Z[[3, 3, 5]], y[[3, 3, 5]], 2, Z_gallery=Z, y_gallery=y, query_index=[3, 3, 5])


@EACH
@pytest.mark.parametrize(
    "query_index, message",
    [
        ([0, 1, 2], r"query_index must have shape \(4,\).* got \(3,\)"),
        ([[0, 1, 2, 3]], r"query_index must have shape \(4,\).* got \(1, 4\)"),
        (0, r"query_index must have shape \(4,\).* got \(\)"),
        ([0.0, 1.0, 2.0, 3.0], "query_index must hold integers, got an array of float64"),
        ([True, False, True, False], "query_index must hold integers, got an array of bool"),
        ([0, 1, 2, 4], "query_index must hold row numbers .* 0 to 3, .*Got 4 for query 3"),
        ([0, -2, 2, 3], "query_index must hold row numbers .* 0 to 3, .*Got -2 for query 1"),
        ([0, 1, 3, 2], "query 2 is item 3, but their labels in y and y_gallery differ: 'a' and 'b'"),
    ],
)
def test_wrong_positions_raise_in_words(function, query_index, message):
    with pytest.raises(ValueError, match=message):
        function(LINE, NAMES, Z_gallery=LINE, y_gallery=NAMES, query_index=query_index)


@EACH
def test_positions_without_a_gallery_raise(function):
    with pytest.raises(ValueError) as caught:
        function(LINE, NAMES, query_index=[0, 1, 2, 3])
    assert str(caught.value) == (
        "query_index holds positions in Z_gallery and y_gallery, which must be given as well. "
        "Without a gallery, no query finds itself, and query_index is not needed."
    )


# --- weights ----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings(TRIVIAL)
@settings(max_examples=by_profile(50, 1000))
@given(st.integers(0, 2**20), st.integers(1, 30), st.booleans())
def test_weighted_means_are_those_of_loops(seed, k, with_gallery):
    rng = np.random.default_rng(seed)
    Z, y = random_data(n=20, n_classes=5, seed=seed)
    weights = rng.integers(4, size=20) * rng.uniform(size=20)
    gallery = {"Z_gallery": Z[7:], "y_gallery": y[7:]} if with_gallery else {}
    if means_by_loops(Z, y, k, weights, **gallery) is not None:
        compared(Z, y, k, sample_weight=weights, **gallery)


@EACH
def test_equal_weights_make_no_difference(function):
    Z, y = random_data()
    unweighted = function(Z, y)
    for weight in (1, 2.5, 1e300, 1e-300):
        assert function(Z, y, sample_weight=np.full(40, weight)) == unweighted


@EACH
def test_queries_of_tiny_weight_count(function):
    """Divided by the largest weight, the weight of "a" is 0."""
    Z = np.r_[LINE, [[9.0]]]
    y = [*NAMES, "alone"]
    weights = [1e-300, 1e-300, 1e-300, 1e-300, 1e300]
    assert function(Z, y, sample_weight=weights) == function(Z, y)
    weights = [1e-300, 1e300, 1e-300, 1e300, 0]
    report = retrieval_report(Z, y, sample_weight=weights)
    assert report["n_queries"] == 4
    assert report["classes"]["a"] == retrieval_report(Z, y)["classes"]["a"]


def test_weight_2_is_a_query_given_twice_to_a_gallery():
    Z, y = random_data()
    gallery = {"Z_gallery": Z[20:], "y_gallery": y[20:]}
    weights, rows = np.r_[2, np.ones(19)], np.r_[0, np.arange(20)]
    doubled = r_precision(Z[rows], y[rows], **gallery)
    assert r_precision(Z[:20], y[:20], sample_weight=weights, **gallery) == pytest.approx(doubled)
    assert doubled != r_precision(Z[:20], y[:20], **gallery)


def test_queries_of_weight_0_do_not_count_but_are_found():
    Z = np.r_[LINE, [[50.0]]]
    report = retrieval_report(Z, [*NAMES, "alone"], k=2, sample_weight=[1, 0, 0, 0, 1])
    assert report["recall_at_2"] == 1.0
    assert (report["n_queries"], report["n_excluded"]) == (1, 1)
    assert list(report["classes"]) == ["a"]


def test_weights_enter_the_means_of_classes():
    report = retrieval_report(LINE, NAMES, k=2, sample_weight=[3, 1, 1, 1])
    # At k=2, the query at 1 has neighbours of "a" alone.
    assert report["recall_at_2"] == pytest.approx(5 / 6)
    assert report["classes"]["b"]["recall_at_2"] == pytest.approx(1 / 2)
    weighted = retrieval_report(LINE, NAMES, k=2, sample_weight=[1, 3, 1, 1])
    assert weighted["classes"]["b"]["recall_at_2"] == pytest.approx(1 / 4)
    assert weighted["classes"]["a"] == report["classes"]["a"]


@EACH
@pytest.mark.parametrize(
    "weights, message",
    [
        ([1, 1, 1], r"sample_weight must have shape \(4,\).*got \(3,\)"),
        ([[1], [1], [1], [1]], r"sample_weight must have shape \(4,\).*got \(4, 1\)"),
        ([1, 1, -0.5, 1], r"sample_weight must not be negative, got -0\.5"),
        ([1, np.nan, 1, 1], "sample_weight contains NaN"),
        ([1, np.inf, 1, 1], "sample_weight contains infinity"),
        ([0, 0, 0, 0], "^sample_weight must be positive for at least one query, but all weights are 0.$"),
    ],
)
def test_wrong_weights_raise(function, weights, message):
    with pytest.raises(ValueError, match=message):
        function(LINE, NAMES, sample_weight=weights)


@EACH
def test_weights_on_queries_that_do_not_count_alone_raise(function):
    with pytest.raises(ValueError) as caught:
        function([*LINE, [9.0]], [*NAMES, "alone"], sample_weight=[0, 0, 0, 0, 1])
    assert str(caught.value) == (
        "sample_weight is 0 for all queries that have a relevant item, that is, another item with their "
        "label."
    )


@EACH
def test_unknown_arguments_raise(function):
    with pytest.raises(TypeError, match="weights"):
        function(LINE, NAMES, weights=np.ones(4))


# --- k ----------------------------------------------------------------------------------------------


@OF_K
@pytest.mark.parametrize("k", [2.0, np.float64(2.0), "2", None, True, np.True_, [2]])
def test_a_k_that_is_no_integer_raises(function, k):
    with pytest.raises(TypeError, match="k must be an integer of at least 1, got ") as caught:
        function(LINE, NAMES, k=k)
    assert "np." not in str(caught.value)


@OF_K
@pytest.mark.parametrize("k", [0, -3, np.int64(0)])
def test_a_k_below_1_raises(function, k):
    with pytest.raises(ValueError, match=rf"k must be an integer of at least 1, got {int(k)}\."):
        function(LINE, NAMES, k=k)


@pytest.mark.parametrize("k", [1, np.int64(7), np.uint8(3), 10**30])
def test_a_k_of_any_integer_type_will_do(k):
    assert check_count(k, "k") == k
    assert type(check_count(k, "k")) is int


def test_a_very_large_k_finds_everything():
    assert recall_at_k(LINE, NAMES, k=10**30) == 1.0
    assert f"recall_at_{10**30}" in retrieval_report(LINE, NAMES, k=10**30)


def test_all_measures_have_a_function():
    assert set(MEASURES) == {*WITH_K, *WITHOUT_K}
