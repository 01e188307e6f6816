import copy
import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from shared import X, Y, over_seeds
from sklearn.base import clone
from tuple_kinds import PAIRS, PLAIN, SAME, STILL, Pairs, assert_same_training, each, learn

pytestmark = pytest.mark.filterwarnings("ignore:The embedding collapses")


# --- the model ----------------------------------------------------------------------------------------


@each
@over_seeds()
def test_a_model_of_tuples_does_what_others_do(kind, make):
    model = learn(kind, make(kind, hidden_layer_sizes=(), max_iter=20))
    assert model.transform(X).shape == (150, 4)
    assert model.score(X, Y) > 0.9
    assert_array_equal(model.pair_score(X[PAIRS]), -model.pair_distance(X[PAIRS]))
    assert model.pair_score(X[PAIRS[SAME == 1]]).mean() > model.pair_score(X[PAIRS[SAME == 0]]).mean()
    assert model.pairwise_distance(X).shape == (150, 150)
    assert model.get_mahalanobis_matrix().shape == (4, 4)
    assert model.get_metric()(X[0], X[0]) == 0
    assert len(model.get_feature_names_out()) == 4
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 20
    assert model.validation_scores_ is None


@each
def test_a_method_returns_its_estimator(kind, make):
    model = make(kind)
    assert learn(kind, model) is model
    assert learn(kind, model, incremental=True) is model


@each
def test_there_are_no_classes_where_there_are_no_labels(kind, make):
    model = make(kind).fit(X, Y)
    assert hasattr(model, "classes_")
    learn(kind, model)
    assert not hasattr(model, "classes_")
    assert vars(model).keys() == vars(learn(kind, make(kind))).keys()


@each
def test_passes_over_tuples_may_follow_labels_and_labels_tuples(kind, make):
    model = learn(kind, make(kind).fit(X, Y), incremental=True)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.n_iter_ == 4
    model = learn(kind, make(kind)).partial_fit(X[:100], Y[:100])
    assert_array_equal(model.classes_, [0, 1])
    assert model.n_iter_ == 4
    assert_array_equal(model.fit(X, Y).transform(X), make(kind).fit(X, Y).transform(X))


@each
def test_a_pickle_keeps_every_bit_and_no_tuples(kind, make):
    model, twice = learn(kind, make(kind)), np.tile(kind.tuples, (2, 1))
    assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), model.transform(X))
    options = {name: np.tile(value, 2) for name, value in kind.options.items()}
    larger = learn(kind, make(kind), twice, **options)
    assert len(pickle.dumps(larger)) < len(pickle.dumps(model)) + 100


# --- same bits, and going on --------------------------------------------------------------------------


@each
def test_same_seed_gives_the_same_bits(kind, make):
    model = make(kind, dropout=0.2, input_dropout=0.1)
    assert_same_training(learn(kind, clone(model)), learn(kind, model))
    assert_same_training(learn(kind, clone(model)), learn(kind, model))
    other = learn(kind, clone(model).set_params(random_state=1))
    assert not np.array_equal(other.coefs_[0], model.coefs_[0])


@each
def test_the_batch_sampler_is_not_looked_at(kind, make):
    one, two = (learn(kind, make(kind, batch_sampler=name)) for name in ("shuffle", "balanced"))
    assert_same_training(one, two)


@each
def test_passes_are_the_epochs_of_fit_at_a_constant_rate(kind, make):
    settings = {"dropout": 0.2, "learning_rate": "constant"}
    passing = make(kind, **settings)
    for _ in range(3):
        learn(kind, passing, incremental=True)
    assert_same_training(passing, learn(kind, make(kind, **settings)))


@each
def test_passes_of_a_cosine_stay_at_the_initial_rate(kind, make):
    model = make(kind, learning_rate="cosine", max_iter=2, warm_start=True)
    learn(kind, model)
    for _ in range(3):
        learn(kind, model, incremental=True)
    assert [entry["learning_rate"] for entry in model.history_[2:]] == [model.learning_rate_init] * 3


@each
def test_a_warm_start_goes_on_where_fit_ended(kind, make):
    model = make(kind, warm_start=True, max_iter=2)
    learn(kind, learn(kind, model))
    assert_same_training(model, learn(kind, make(kind, max_iter=4)))
    assert model.n_iter_ == 4


@each
def test_a_warm_start_may_go_on_from_labels(kind, make):
    model = make(kind, warm_start=True, **PLAIN).fit(X, Y)
    before = copy.deepcopy(model)
    learn(kind, model.set_params(**STILL, warm_start=True))
    assert_array_equal(model.coefs_[0], before.coefs_[0])
    assert model.n_iter_ == 4
    assert not hasattr(model, "classes_")


@each
def test_a_plain_fit_begins_anew(kind, make):
    model = learn(kind, learn(kind, make(kind)), incremental=True)
    assert_same_training(learn(kind, model), learn(kind, make(kind)))


@each
def test_one_tuple_is_enough_for_a_pass(kind, make):
    options = {name: value[:1] for name, value in kind.options.items()}
    model = learn(kind, make(kind), kind.tuples[:1], incremental=True, **options)
    assert np.isfinite(model.transform(X)).all()


@pytest.mark.parametrize("kind_of_pairs", [0, 1])
def test_a_pass_may_be_over_pairs_of_one_kind(kind_of_pairs, make):
    some, model = SAME == kind_of_pairs, learn(Pairs, make(Pairs))
    before = model.pair_distance(X[PAIRS[some]]).mean()
    for _ in range(3):
        model.partial_fit_pairs(PAIRS[some], SAME[some], X=X)
    after = model.pair_distance(X[PAIRS[some]]).mean()
    assert after < before if kind_of_pairs else after > before


class Recorder:
    """Notes that it was called."""

    def __init__(self):
        self.called = False

    def setup(self, estimator, context):
        self.called = True

    teardown = on_fit_task_begin = on_fit_task_end = setup


@each
def test_an_interrupt_keeps_the_epochs_before_it(kind, make):
    def rate(epoch):
        if epoch == 2:
            raise KeyboardInterrupt
        return 1.0

    with pytest.warns(UserWarning, match="interrupted"):
        model = learn(kind, make(kind, learning_rate=rate))
    assert_same_training(model, learn(kind, make(kind, max_iter=2)))


@each
def test_a_collapse_is_said(kind, make):
    with pytest.warns(UserWarning, match="collapse"):
        learn(kind, make(kind, alpha=100.0, max_iter=200))


@each
def test_a_healthy_fit_does_not_warn(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn(kind, kind.Estimator(8, max_iter=30, random_state=0))
