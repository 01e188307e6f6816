"""A cluster of Dask: a search there, and blocks there, learn what one process learns."""

import os
from functools import partial

import joblib
import pytest
from fits_elsewhere import bits, made, noted_accuracy, threads_of_a_fit
from numpy.testing import assert_array_equal
from profiles import by_profile
from shared import DIFFICULT
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

pytest.importorskip("distributed")
from clusters import cluster_of

MARGINS = {"tripletmetrictransformer__margin": [0.1, 1, 10]}
EPOCHS = {"resource": "tripletmetrictransformer__max_iter", "min_resources": 2, "max_resources": 6}
SEARCHES = {"grid": GridSearchCV, "halving": partial(HalvingGridSearchCV, **EPOCHS)}


@pytest.fixture(
    scope="module",
    params=by_profile([(2, 1)], [(2, 1), (1, 2)]),
    ids=lambda shape: "{} workers of {} threads".format(*shape),
)
def client(request, tmp_path_factory):
    with cluster_of(*request.param, tmp_path_factory.mktemp("workers")) as client:
        yield client


def searched(kind, folder, **options):
    """A search that is fitted, what its models have learned, and in which processes."""
    folder.mkdir()
    model = make_pipeline(made("TripletMetricTransformer"), KNeighborsClassifier(3))
    scoring = partial(noted_accuracy, folder=folder)
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    search = SEARCHES[kind](model, MARGINS, cv=folds, scoring=scoring, **options).fit(*DIFFICULT)
    learned, pids = zip(*(path.name.split() for path in folder.iterdir()))
    return search, sorted(learned), set(map(int, pids))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind, is_scattered", [("grid", False), ("halving", True)])
def test_a_search_has_the_scores_and_models_of_one_process(kind, is_scattered, client, tmp_path):
    here, learned_here, pids_here = searched(kind, tmp_path / "here", n_jobs=1)
    with joblib.parallel_config("dask", scatter=list(DIFFICULT) if is_scattered else None):
        there, learned_there, pids_there = searched(kind, tmp_path / "there")

    assert pids_here == {os.getpid()}
    assert pids_there <= set(client.run(os.getpid).values())
    assert learned_there == learned_here
    assert len(set(learned_here)) > len(MARGINS)
    for name in ("split0_test_score", "split1_test_score"):
        assert_array_equal(there.cv_results_[name], here.cv_results_[name])
    assert there.best_params_ == here.best_params_
    assert bits(there.best_estimator_[0]) == bits(here.best_estimator_[0])


def test_a_fit_in_a_worker_takes_one_thread(client):
    assert client.gather(client.map(threads_of_a_fit, range(8))) == [1] * 8


def test_incremental_learns_what_a_loop_over_blocks_learns(client):
    Incremental = pytest.importorskip("dask_ml.wrappers").Incremental
    array = pytest.importorskip("dask.array")
    X, y = load_digits(return_X_y=True)
    rows, labels = (array.from_array(part[:1500], chunks=(300, *part.shape[1:])) for part in (X, y))
    model = made("TripletMetricTransformer", n_networks=1, learning_rate_init=0.001)

    incremental = Incremental(model, shuffle_blocks=False)
    for _ in range(3):
        incremental.partial_fit(rows, labels)
        for start in range(0, 1500, 300):
            model.partial_fit(X[start : start + 300], y[start : start + 300])

    assert incremental.estimator_ is not model
    assert bits(incremental.estimator_) == bits(model)
    embedded = incremental.transform(rows)
    assert embedded.chunks[0] == rows.chunks[0]
    assert_array_equal(embedded, model.transform(X[:1500]))
    assert model.score(X[1500:], y[1500:]) > 0.95
