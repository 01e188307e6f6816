"""Learners of pairs and triplets: what `GridSearchCV` and its like need, and nothing else."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from shared import over_seeds
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.model_selection import PairLearner, TripletLearner
from skmetric.pairs import make_pairs, make_triplets

X, Y = load_iris(return_X_y=True)
PAIRS, SAME = make_pairs(Y, 200, 0)
TRIPLETS = make_triplets(Y, 200, 0)


@pytest.fixture
def pair_learner(small):
    return PairLearner(small(ContrastiveMetricTransformer))


@pytest.fixture
def triplet_learner(small):
    return TripletLearner(small(TripletMetricTransformer))


def test_pairs_are_learned_as_by_fit_pairs(pair_learner, small):
    expected = small(ContrastiveMetricTransformer).fit_pairs(X[PAIRS], SAME)
    learner = pair_learner.fit(X[PAIRS], SAME)
    assert_array_equal(learner.transform(X), expected.transform(X))
    assert_array_equal(learner.decision_function(X[PAIRS]), expected.pair_score(X[PAIRS]))
    assert learner.score(X[PAIRS], SAME) == roc_auc_score(SAME, expected.pair_score(X[PAIRS]))


def test_triplets_are_learned_as_by_fit_triplets(triplet_learner, small):
    expected = small(TripletMetricTransformer).fit_triplets(X[TRIPLETS])
    learner = triplet_learner.fit(X[TRIPLETS])
    Z = expected.transform(X).astype(float)
    assert_array_equal(learner.transform(X), Z)
    anchor, positive, negative = (Z[column] for column in TRIPLETS.T)
    nearer = np.linalg.norm(anchor - positive, axis=1) < np.linalg.norm(anchor - negative, axis=1)
    assert learner.score(X[TRIPLETS]) == nearer.mean()
    assert 0.5 < nearer.mean() < 1
    assert_array_equal(learner.decision_function(X[TRIPLETS]) > 0, nearer)


def test_row_numbers_mean_the_same(pair_learner, triplet_learner):
    by_rows = pair_learner.fit(X[PAIRS], SAME).score(X[PAIRS], SAME)
    assert pair_learner.fit(PAIRS, SAME, X=X).score(PAIRS, SAME, X=X) == by_rows
    by_rows = triplet_learner.fit(X[TRIPLETS]).score(X[TRIPLETS])
    assert triplet_learner.fit(TRIPLETS, X=X).score(TRIPLETS, X=X) == by_rows


def test_a_search_over_pairs_scores_the_pairs_of_other_folds(pair_learner):
    folds = KFold(3)
    grid = {"transformer__negative_weight": [0.5, 3], "transformer__max_iter": [1, 4]}
    search = GridSearchCV(pair_learner, grid, cv=folds).fit(X[PAIRS], SAME)
    for parameters, score in zip(search.cv_results_["params"], search.cv_results_["split1_test_score"]):
        learner = clone(pair_learner).set_params(**parameters)
        fitted, other = list(folds.split(PAIRS))[1]
        learner.fit(X[PAIRS[fitted]], SAME[fitted])
        assert score == learner.score(X[PAIRS[other]], SAME[other])
    assert len(set(search.cv_results_["mean_test_score"])) > 1
    assert search.best_estimator_.transformer_.transform(X).shape == (150, 4)


@over_seeds()
def test_a_search_over_triplets(triplet_learner):
    search = GridSearchCV(triplet_learner, {"transformer__margin": [0.1, 1]}, cv=3, n_jobs=2)
    search.fit(X[TRIPLETS])
    assert (search.cv_results_["mean_test_score"] > 0.5).all()


def test_the_transformer_that_is_given_is_left_alone(pair_learner):
    learner = pair_learner.fit(X[PAIRS], SAME)
    assert not hasattr(learner.transformer, "coefs_")
    again = pickle.loads(pickle.dumps(learner))
    assert_array_equal(again.transform(X), learner.transform(X))


@pytest.mark.parametrize(
    "Learner, method", [(PairLearner, "fit_pairs"), (TripletLearner, "fit_triplets")]
)
def test_a_transformer_that_cannot_learn_from_tuples_is_refused(Learner, method):
    with pytest.raises(ValueError, match=rf"'transformer' parameter of {Learner.__name__}.*{method}"):
        Learner(PCA()).fit(X[PAIRS], SAME)


def test_unfitted_learners_say_so(pair_learner, triplet_learner):
    for call, data in [(pair_learner.transform, X), (pair_learner.decision_function, X[PAIRS])]:
        with pytest.raises(NotFittedError):
            call(data)
    with pytest.raises(NotFittedError):
        triplet_learner.score(X[TRIPLETS])


def test_a_failed_fit_leaves_the_model_as_it_was(pair_learner):
    before = pair_learner.fit(X[PAIRS], SAME).transformer_
    with pytest.raises(ValueError, match="y of pairs"):
        pair_learner.fit(X[PAIRS], SAME + 7)
    assert pair_learner.transformer_ is before
