"""The rows that early stopping sets aside stay for the life of a model."""

import numpy as np
import pytest
from shared import DIFFICULT, each, each_transformer, over_seeds
from sklearn.base import clone

from skmetric._engine.training_state import Progress
from skmetric._validation_rows import split_rows

X, Y = DIFFICULT


@pytest.fixture
def splits(monkeypatch):
    """Rows that were set aside, fit by fit."""
    seen = []

    def watched(y, set_aside):
        rows, validation_rows = split_rows(y, set_aside)
        seen.append(validation_rows)
        return rows, validation_rows

    monkeypatch.setattr("skmetric._network_estimator.split_rows", watched)
    return seen


@each
@pytest.mark.parametrize(
    "random_state", [0, None, np.random.RandomState(3)], ids=["0", "None", "generator"]
)
def test_a_warm_start_sets_the_same_rows_aside(Estimator, random_state, small, splits):
    model = small(Estimator, early_stopping=True, warm_start=True, random_state=random_state)
    for _ in range(4):
        model.fit(X, Y)
    assert len(splits) == 4
    for rows in splits[1:]:
        np.testing.assert_array_equal(rows, splits[0])


@each
def test_the_rows_are_a_function_of_the_seed(Estimator, small, splits):
    for seed in (0, 0, 1):
        small(Estimator, early_stopping=True, random_state=seed).fit(X, Y)
    np.testing.assert_array_equal(splits[0], splits[1])
    assert not np.array_equal(splits[0], splits[2])


@each
@over_seeds()
def test_labels_of_noise_are_never_learned_by_heart(Estimator, small, seed):
    """Ten warm starts on labels without meaning: with other rows to validate on, all would be learned."""
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(size=(200, 20)), rng.integers(0, 2, 200)
    model = small(
        Estimator,
        hidden_layer_sizes=(60,),
        early_stopping=True,
        warm_start=True,
        validation_fraction=0.4,
        max_iter=15,
    )
    by_heart = clone(model).set_params(early_stopping=False, warm_start=False, max_iter=150)
    assert by_heart.fit(rows, labels).score(rows, labels) > 0.75, "the labels can be learned"
    for _ in range(10):
        model.fit(rows, labels)
    assert np.mean([score for score in model.validation_scores_ if score is not None][-5:]) < 0.75


@each
def test_the_best_score_is_that_of_the_weights_that_are_there(Estimator, small, monkeypatch):
    model = small(Estimator, early_stopping=True, warm_start=True, max_iter=4)
    scores = iter([0.1, 0.9, 0.3, 0.2, 0.9, 0.5, 0.6, 0.4, 0.8])
    monkeypatch.setattr(Estimator, "_validation_score", lambda self, Z, *targets: next(scores))
    model.fit(X, Y)
    best = [W.copy() for W in model.coefs_]
    assert model.best_validation_score_ == 0.9
    # The first score of the second fit is that of the weights it begins with; no epoch beats it.
    model.fit(X, Y)
    assert model.best_validation_score_ == 0.9
    for W, W_best in zip(model.coefs_, best):
        np.testing.assert_array_equal(W, W_best)
    assert model.validation_scores_ == [0.1, 0.9, 0.3, 0.2, 0.5, 0.6, 0.4, 0.8]


@each_transformer
def test_the_best_score_can_be_measured_again(Estimator, small, splits):
    model = small(Estimator, early_stopping=True, warm_start=True, max_iter=6, random_state=0)
    for _ in range(3):
        model.fit(X, Y)
        assert model.best_validation_score_ == model.score(X[splits[-1]], Y[splits[-1]])


def test_progress_may_begin_with_what_is_there():
    progress = Progress(0.0, 5, best=0.5)
    progress.update(0.4)
    assert not progress.is_best and progress.idle == 1
    progress.update(0.6)
    assert progress.is_best and progress.best == 0.6


# --- whole classes ------------------------------------------------------------------------------------


@each_transformer
@pytest.mark.parametrize("fraction, n_aside", [(0.1, 2), (0.3, 3), (0.5, 5)])
def test_whole_classes_may_be_set_aside(Estimator, fraction, n_aside, small, splits):
    settings = {"early_stopping": True, "validation": "classes", "validation_fraction": fraction}
    model = small(Estimator, warm_start=True, **settings).fit(X, Y).fit(X, Y)
    aside = np.unique(Y[splits[0]])
    assert len(aside) == n_aside
    np.testing.assert_array_equal(splits[0], np.flatnonzero(np.isin(Y, aside)))
    np.testing.assert_array_equal(splits[1], splits[0])
    assert model.best_validation_score_ == pytest.approx(model.score(X[splits[0]], Y[splits[0]]))


@each_transformer
def test_training_sees_nothing_of_the_classes_that_are_set_aside(Estimator, small, splits):
    settings = {"early_stopping": True, "validation": "classes", "n_iter_no_change": np.inf}
    model = small(Estimator, **settings).fit(X, Y)
    other = Y.copy()
    is_aside = np.zeros(len(Y), dtype=bool)
    is_aside[splits[0]] = True
    rows = np.where(is_aside[:, np.newaxis], 10 * X, X)
    again = small(Estimator, **settings).fit(rows, other)
    assert model.loss_curve_ == again.loss_curve_


@each_transformer
def test_training_needs_two_classes_beside_those_that_are_set_aside(Estimator, small):
    model = small(Estimator, early_stopping=True, validation="classes")
    with pytest.raises(
        ValueError, match=r"validation='classes' sets 2 of 3 classes aside.*validation='rows'"
    ):
        model.fit(X[Y < 3], Y[Y < 3])


@each_transformer
@pytest.mark.parametrize("validation", ["rows", "classes"])
def test_what_is_kept_of_the_input_is_validated_too(Estimator, validation, small, splits):
    settings = {"early_stopping": True, "validation": validation, "n_components": 40}
    kept = small(Estimator, input_weight=1.0, **settings).fit(X, Y)
    plain = small(Estimator, input_weight=0.0, **settings).fit(X, Y)
    rows = splits[0]
    # The rotation is that of the validation rows, and 40 columns hold nearly all there is.
    assert kept.best_validation_score_ == pytest.approx(kept.score(X[rows], Y[rows]), abs=0.06)
    assert kept.validation_scores_ != plain.validation_scores_
