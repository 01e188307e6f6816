"""Rows that come as a stream: `partial_fit` has no plan."""

import numpy as np
import pytest
from shared import each, each_transformer
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

DIGITS, LABELS = load_digits(return_X_y=True)
TRAIN, TEST, TRAIN_LABELS, TEST_LABELS = train_test_split(
    DIGITS / 16, LABELS, test_size=0.5, stratify=LABELS, random_state=0
)


def accuracy(model):
    """On the test rows, of the model itself or of a neighbours classifier behind it."""
    if hasattr(model, "predict"):
        return model.score(TEST, TEST_LABELS)
    neighbors = KNeighborsClassifier(5).fit(model.transform(TRAIN), TRAIN_LABELS)
    return neighbors.score(model.transform(TEST), TEST_LABELS)


def streamed(model, n_passes, n_chunks, rng):
    for _ in range(n_passes):
        for rows in np.array_split(rng.permutation(len(TRAIN)), n_chunks):
            model.partial_fit(TRAIN[rows], TRAIN_LABELS[rows], classes=np.arange(10))
    return model


@each
def test_a_stream_reaches_what_fit_reaches(Estimator):
    """180 chunks at the default schedule, a cosine."""
    model = Estimator(n_networks=1, random_state=0)
    stream = streamed(clone(model), 20, 9, np.random.default_rng(0))
    assert len(stream.history_) == 180
    assert accuracy(stream) > accuracy(model.fit(TRAIN, TRAIN_LABELS)) - 0.01


@each_transformer
def test_new_classes_are_learned_after_a_fit(Estimator):
    """A cosine that has run to its end leaves no rate to learn with: a stream does not go on with it."""
    is_old = TRAIN_LABELS < 7
    model = Estimator(2, random_state=0).fit(TRAIN[is_old], TRAIN_LABELS[is_old])
    before = accuracy(model)
    streamed(model, 15, 9, np.random.default_rng(0))
    assert accuracy(model) > before + 0.03
    assert set(model.classes_) == set(range(10))


@each
@pytest.mark.parametrize("learning_rate", ["inverse_time", lambda epoch: 0.5**epoch])
def test_schedules_without_an_end_count_the_calls(Estimator, learning_rate, small):
    model = small(Estimator, learning_rate=learning_rate, decay_rate=0.5)
    streamed(model, 1, 4, np.random.default_rng(0))
    factors = [1 / (1 + 0.5 * e) if learning_rate == "inverse_time" else 0.5**e for e in range(4)]
    rates = [entry["learning_rate"] for entry in model.history_]
    assert rates == pytest.approx([model.learning_rate_init * factor for factor in factors])


@pytest.mark.parametrize("labels", [np.array(["1", "2"]), np.array(["1", "2"], dtype=object)])
def test_labels_of_another_type_do_not_merge(labels):
    from skmetric import TripletMetricTransformer

    model = TripletMetricTransformer(2, (), max_iter=1, random_state=0)
    model.partial_fit(TRAIN[:100], TRAIN_LABELS[:100])
    before = model.classes_.copy()
    with pytest.raises(ValueError, match=r"y holds strings|holds numbers and y"):
        model.partial_fit(TRAIN[:40], np.repeat(labels, 20))
    np.testing.assert_array_equal(model.classes_, before)
    with pytest.raises(ValueError, match="classes contains NaN or None"):
        model.partial_fit(TRAIN[:40], TRAIN_LABELS[:40], classes=[0.0, np.nan])
