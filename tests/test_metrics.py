import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import by_profile
from retrieval_oracle import means_by_loops
from shared import over_seeds
from sklearn import config_context
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import TripletMetricTransformer
from skmetric._search.measures import MEASURES
from skmetric._shown import shown
from skmetric.metrics import (
    make_retrieval_scorer,
    mean_average_precision_at_r,
    mean_reciprocal_rank,
    precision_at_k,
    r_precision,
    recall_at_k,
    retrieval_report,
)

UNHURRIED = settings(max_examples=by_profile(100, 2000))
# Few rows of few classes are often of one.
TRIVIAL = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")


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


@TRIVIAL
@UNHURRIED
@given(lattices(), st.integers(1, 4))
def test_recall_is_that_of_two_loops(data, k):
    Z, y = data
    checked(brute_force(Z, y, k), Z, y, k=k)


@TRIVIAL
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


@TRIVIAL
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


# --- all measures -----------------------------------------------------------------------------------

FUNCTIONS = {
    "recall_at_k": recall_at_k,
    "precision_at_k": precision_at_k,
    "r_precision": lambda *data, k, **gallery: r_precision(*data, **gallery),
    "mean_average_precision_at_r": lambda *data, k, **gallery: mean_average_precision_at_r(
        *data, **gallery
    ),
    "mean_reciprocal_rank": lambda *data, k, **gallery: mean_reciprocal_rank(*data, **gallery),
}


def compared(Z, y, k, **gallery):
    expected = means_by_loops(Z, y, k, **gallery)
    if expected is None:
        for function in [*FUNCTIONS.values(), retrieval_report]:
            with pytest.raises(ValueError, match="no query"):
                function(Z, y, k=k, **gallery)
        return
    report = retrieval_report(Z, y, k=k, **gallery)
    assert report["n_queries"] == expected.pop("n_queries")
    assert report["n_queries"] + report["n_excluded"] == len(Z)
    for name, value in expected.items():
        value = pytest.approx(value, abs=1e-12)
        assert FUNCTIONS[name](Z, y, k=k, **gallery) == value
        assert report[name.replace("_k", f"_{k}")] == value


@TRIVIAL
@UNHURRIED
@given(lattices(), st.integers(1, 30))
def test_measures_are_those_of_loops(data, k):
    compared(*data, k)


@TRIVIAL
@UNHURRIED
@given(lattices(), st.integers(0, 24), st.integers(1, 30))
def test_measures_in_a_gallery_are_those_of_loops(data, n_items, k):
    # Some of the queries are items too, and some classes are on one side only.
    Z, y = data
    items = slice(min(n_items, len(Z) - 1), None)
    compared(Z, y, k, Z_gallery=Z[items], y_gallery=y[items])


@TRIVIAL
@UNHURRIED
@given(lattices(max_classes=2), st.integers(1, 30))
def test_measures_of_few_classes_are_those_of_loops(data, k):
    compared(*data, k)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_measures_of_continuous_embeddings_are_those_of_loops(dtype):
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(150, 5)).astype(dtype), rng.integers(9, size=150) ** 2
    compared(Z, y, 4)
    compared(Z[:60], y[:60], 4, Z_gallery=Z[50:], y_gallery=y[50:])


def test_ties_of_duplicates_are_broken_by_index_in_all_measures():
    compared(*duplicates(np.float64), 7)


@pytest.mark.parametrize("factor", [1e-160, 1e-30, 1e30, 1e150])
def test_units_do_not_matter(factor):
    Z, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 7
    assert retrieval_report(factor * Z, y) == retrieval_report(Z, y)


def test_one_row_far_away_does_not_matter():
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(60, 3)), np.arange(60) % 7
    Z[0] = 1e9
    compared(Z[1:], y[1:], 3, Z_gallery=Z, y_gallery=y)


def test_points_in_one_place_come_by_index():
    compared(np.ones((9, 2)), np.arange(9) % 2, 3)
    compared(np.zeros((9, 2)), np.arange(9) % 2, 3)


def test_classes_far_apart_are_found_whole():
    y = np.arange(40) % 4
    Z = 100.0 * np.eye(4)[y] + np.random.default_rng(0).normal(size=(40, 4))
    report = retrieval_report(Z, y, k=9)
    assert {value for name, value in report.items() if "_at_" in name or "r" == name[0]} == {1.0}


@pytest.mark.parametrize("name", MEASURES)
def test_pieces_are_the_whole_for_all_measures(name):
    rng = np.random.default_rng(0)
    Z, y = rng.integers(-3, 4, (900, 3)).astype(float), rng.integers(30, size=900)
    whole = FUNCTIONS[name](Z, y, k=5)
    with config_context(working_memory=0.1):
        assert FUNCTIONS[name](Z, y, k=5) == pytest.approx(whole, rel=1e-14)


# What PyTorch Metric Learning 2.9.0's AccuracyCalculator(k="max_bin_count") gives for the digits with
# some noise, which leaves no ties. It computes in float32.
ACCURACY_CALCULATOR = {
    "precision_at_1": 0.9877573734001113,
    "r_precision": 0.6036189363219605,
    "mean_average_precision_at_r": 0.5347003116082371,
}


def test_measures_are_those_of_a_peer_on_digits():
    X, y = load_digits(return_X_y=True)
    report = retrieval_report(X + np.random.default_rng(0).normal(size=X.shape), y)
    assert {name: report[name] for name in ACCURACY_CALCULATOR} == pytest.approx(
        ACCURACY_CALCULATOR, abs=1e-6
    )


# --- report -----------------------------------------------------------------------------------------


def test_report_of_classes_averages_to_the_whole():
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(80, 3)), np.array(["cat", "dog", "eel"])[rng.integers(3, size=80)]
    report = retrieval_report(Z, y, k=2)
    assert list(report["classes"]) == ["cat", "dog", "eel"]
    entries = report["classes"].values()
    assert sum(entry["n_queries"] for entry in entries) == report["n_queries"] == 80
    for name in ("recall_at_2", "r_precision", "mean_reciprocal_rank"):
        total = sum(entry[name] * entry["n_queries"] for entry in entries)
        assert total / 80 == pytest.approx(report[name])


def test_report_prints_a_line_for_each_class_and_one_for_all():
    report = retrieval_report(np.r_[LINE, [[9.0]]], [*NAMES, "lonely"], k=2)
    lines = str(report).splitlines()
    assert lines[0].split() == [
        "recall_at_2", "precision_at_2", "r_precision", "MAP@R", "reciprocal_rank", "queries"
    ]  # fmt: skip
    by_label = {line.split()[0]: line.split()[1:] for line in lines[1:] if line}
    assert list(by_label) == ["a", "b", "all", "Queries"]
    values = [report[name] for name in list(report)[:5]]
    assert by_label["all"] == [*(f"{value:.3f}" for value in values), "4"]
    assert lines[-1] == "Queries without a relevant item, not counted: 1"


# --- scorers ----------------------------------------------------------------------------------------

IRIS = load_iris(return_X_y=True)


@pytest.mark.parametrize("name", MEASURES)
def test_scorer_measures_the_embedding(name):
    model = make_pipeline(StandardScaler(), PCA(2)).fit(*IRIS)
    scorer = make_retrieval_scorer(name, k=3 if name.endswith("_k") else None)
    expected = FUNCTIONS[name](model.transform(IRIS[0]), IRIS[1], k=3)
    assert scorer(model, *IRIS) == expected
    assert pickle.loads(pickle.dumps(scorer))(model, *IRIS) == expected


def test_scorer_takes_its_number_from_the_name():
    model = PCA(1).fit(*IRIS)
    named, numbered = make_retrieval_scorer("recall_at_4"), make_retrieval_scorer("recall_at_k", k=4)
    assert (
        named(model, *IRIS)
        == numbered(model, *IRIS)
        == recall_at_k(model.transform(IRIS[0]), IRIS[1], k=4)
    )
    assert repr(named) == repr(numbered) == "make_retrieval_scorer('recall_at_k', k=4)"
    first = make_retrieval_scorer("precision_at_k")
    assert first(model, *IRIS) == precision_at_k(model.transform(IRIS[0]), IRIS[1])


@pytest.mark.parametrize(
    "metric", ["recall", "accuracy", "recall_at_", "recall_at_-1", "recall_at_1.5", "r_precision_5", ""]
)
def test_unknown_names_of_scorers_raise(metric):
    with pytest.raises(
        ValueError, match=f"^metric must be one of.*mean_average_precision_at_r.*{metric!r}"
    ):
        make_retrieval_scorer(metric)


@pytest.mark.parametrize("metric", [recall_at_k, None, 1, np.float64(1.0)])
def test_names_of_scorers_that_are_no_strings_raise(metric):
    with pytest.raises(TypeError, match="metric must be a string, the name of a measure, got") as caught:
        make_retrieval_scorer(metric)
    assert str(caught.value).endswith(f"got {shown(metric)}.")
    assert "np." not in str(caught.value)


def test_a_scorer_without_use_for_its_k_raises():
    with pytest.raises(
        ValueError, match="metric='recall_at_5' contains the value of k, so that k=4 must"
    ):
        make_retrieval_scorer("recall_at_5", k=np.int64(4))
    with pytest.raises(ValueError, match=r"k is only used .*, got k=4 with metric='r_precision'"):
        make_retrieval_scorer("r_precision", k=4)


@pytest.mark.parametrize("arguments", [("recall_at_0",), ("precision_at_00",), ("recall_at_k", 0)])
def test_a_scorer_at_0_raises(arguments):
    with pytest.raises(ValueError, match=r"k must be an integer of at least 1, got 0\."):
        make_retrieval_scorer(arguments[0], k=arguments[1] if arguments[1:] else None)


@pytest.mark.parametrize("k", [2.0, True, "2"])
def test_a_scorer_at_what_is_no_integer_raises(k):
    with pytest.raises(TypeError, match="k must be an integer of at least 1, got"):
        make_retrieval_scorer("recall_at_k", k=k)


@over_seeds()
def test_scorers_in_a_search_and_in_cross_validation(seed):
    model = make_pipeline(StandardScaler(), TripletMetricTransformer(2, random_state=seed, max_iter=3))
    scorer = make_retrieval_scorer("mean_average_precision_at_r")
    margins = {"tripletmetrictransformer__margin": [0.5, 2.0]}
    options = {"scoring": scorer, "cv": StratifiedKFold(3)}
    search = GridSearchCV(model, margins, **options).fit(*IRIS)
    scores = cross_val_score(search.best_estimator_, *IRIS, **options)
    assert search.best_score_ == pytest.approx(scores.mean())
    assert 0.5 < search.best_score_ < 1


WEIGHTS = np.random.default_rng(0).integers(4, size=150) * 1.0
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def weighted_by_hand(name):
    """Scores of a PCA on each fold, with the weights of its test rows."""
    X, y = IRIS
    for train, test in FOLDS.split(X, y):
        Z = PCA(2).fit(X[train]).transform(X[test])
        yield FUNCTIONS[name](Z, y[test], k=1, sample_weight=WEIGHTS[test])


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("name", MEASURES)
def test_scorers_weigh_queries(name, routing):
    model = PCA(1).fit(*IRIS)
    Z = model.transform(IRIS[0])
    weighted, unweighted = (
        FUNCTIONS[name](Z, IRIS[1], k=1, sample_weight=WEIGHTS),
        FUNCTIONS[name](Z, IRIS[1], k=1),
    )
    assert weighted != unweighted
    with config_context(enable_metadata_routing=routing):
        scorer = make_retrieval_scorer(name)
        assert scorer(model, *IRIS, sample_weight=WEIGHTS) == weighted
        assert scorer(model, *IRIS) == scorer(model, *IRIS, sample_weight=None) == unweighted


@pytest.mark.parametrize("alias", [True, "importance"])
def test_weights_are_routed_to_scorers(alias):
    with config_context(enable_metadata_routing=True):
        scorer = make_retrieval_scorer("r_precision").set_score_request(sample_weight=alias)
        params = {"sample_weight" if alias is True else alias: WEIGHTS}
        result = cross_validate(PCA(2), *IRIS, scoring=scorer, cv=FOLDS, params=params)
    assert result["test_score"].tolist() == list(weighted_by_hand("r_precision"))


def test_weights_are_routed_to_one_of_several_scorers():
    with config_context(enable_metadata_routing=True):
        weighted = make_retrieval_scorer("r_precision").set_score_request(sample_weight=True)
        unweighted = make_retrieval_scorer("r_precision").set_score_request(sample_weight=False)
        scoring = {"weighted": weighted, "unweighted": unweighted}
        params = {"sample_weight": WEIGHTS}
        result = cross_validate(PCA(2), *IRIS, scoring=scoring, cv=FOLDS, params=params)
    assert result["test_weighted"].tolist() == list(weighted_by_hand("r_precision"))
    plain = cross_val_score(PCA(2), *IRIS, scoring=make_retrieval_scorer("r_precision"), cv=FOLDS)
    assert result["test_unweighted"].tolist() == plain.tolist()


def test_several_scorers_weigh_queries_without_routing():
    scoring = {name: make_retrieval_scorer(name) for name in ("r_precision", "recall_at_k")}
    model = PCA(2).fit(*IRIS)
    options = {"n_repeats": 1, "random_state": 0, "sample_weight": WEIGHTS}
    together = permutation_importance(model, *IRIS, scoring=scoring, **options)
    for name, scorer in scoring.items():
        alone = permutation_importance(model, *IRIS, scoring=scorer, **options)
        assert together[name].importances.tolist() == alone.importances.tolist()
    unweighted = permutation_importance(
        model, *IRIS, scoring=scoring, **options | {"sample_weight": None}
    )
    assert (unweighted["r_precision"].importances != together["r_precision"].importances).any()


def test_a_search_with_routing_weighs_queries():
    with config_context(enable_metadata_routing=True):
        scorer = make_retrieval_scorer("r_precision").set_score_request(sample_weight=True)
        search = GridSearchCV(PCA(), {"n_components": [2]}, scoring=scorer, cv=FOLDS)
        search.fit(*IRIS, sample_weight=WEIGHTS)
    assert search.best_score_ == np.mean(list(weighted_by_hand("r_precision")))


def test_weights_that_nobody_asked_for_raise():
    # scikit-learn 1.6 has a TypeError.
    errors = ValueError, TypeError
    with config_context(enable_metadata_routing=True), pytest.raises(errors, match="sample_weight"):
        scorer = make_retrieval_scorer("r_precision")
        cross_validate(PCA(2), *IRIS, scoring=scorer, cv=FOLDS, params={"sample_weight": WEIGHTS})


@pytest.mark.parametrize("routing", [False, True])
def test_unknown_arguments_of_scorers_raise(routing):
    scorer, model = make_retrieval_scorer("r_precision"), PCA(1).fit(*IRIS)
    with config_context(enable_metadata_routing=routing), pytest.raises(TypeError, match="groups"):
        scorer(model, *IRIS, groups=IRIS[1])


def test_folds_of_one_class_warn_in_cross_validation():
    # The rows of iris are sorted by class.
    with pytest.warns(UndefinedMetricWarning, match="StratifiedKFold"):
        scores = cross_val_score(PCA(1), *IRIS, scoring=make_retrieval_scorer("recall_at_1"), cv=KFold(3))
    assert scores.tolist() == [1.0, 1.0, 1.0]


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


@pytest.mark.parametrize("offset", [0.0, 1e-3, 1e9])
def test_ties_of_all_items_are_never_in_memory_at_once(offset):
    Z = np.zeros((3000, 2))
    Z[::2] = offset
    tracemalloc.start()
    try:
        with config_context(working_memory=1):
            r_precision(Z[:300], np.arange(300) % 7, Z_gallery=Z, y_gallery=np.arange(3000) % 7)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("only", [{"Z_gallery": LINE}, {"y_gallery": NAMES}], ids=["Z", "y"])
def test_half_a_gallery_raises(only):
    with pytest.raises(ValueError) as caught:
        recall_at_k(LINE, NAMES, **only)
    assert str(caught.value) == "Z_gallery and y_gallery must be given together, but one of them is None."


def test_nothing_to_find_raises():
    with pytest.raises(ValueError) as caught:
        recall_at_k(LINE, np.arange(4))
    assert str(caught.value) == (
        "Retrieval measures are not defined: no query has a relevant item, that is, another item with "
        "its label."
    )
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
