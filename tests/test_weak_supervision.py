import copy
import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.losses import MINERS
from skmetric.pairs import make_pairs, make_triplets

pytestmark = pytest.mark.filterwarnings("ignore:The embedding collapses")

X, Y = load_iris(return_X_y=True)
PAIRS, SAME = make_pairs(Y, 120, rng=0)
TRIPLETS = make_triplets(Y, 80, rng=0)
PLAIN = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.02}
STILL = {**PLAIN, "learning_rate": lambda epoch: 0.0, "max_iter": 1}
EXPLODES = {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 1e308}  # with 1000 * X


class Pairs:
    """What the tests of both kinds of tuples need to know of pairs."""

    Estimator, size, tuples, options = ContrastiveMetricTransformer, 2, PAIRS, {"y": SAME}
    fit, partial_fit = "fit_pairs", "partial_fit_pairs"


class Triplets:
    """The same of triplets."""

    Estimator, size, tuples, options = TripletMetricTransformer, 3, TRIPLETS, {}
    fit, partial_fit = "fit_triplets", "partial_fit_triplets"


each = pytest.mark.parametrize("kind", [Pairs, Triplets])


@pytest.fixture
def make(small):
    """``make(kind, **parameters)``: an estimator that learns from that kind of tuples."""
    return lambda kind, **parameters: small(kind.Estimator, **parameters)


def learn(kind, model, tuples=None, rows=X, incremental=False, **options):
    """Learn from tuples of row numbers, or, where `rows` is None, of the rows themselves."""
    method = getattr(model, kind.partial_fit if incremental else kind.fit)
    return method(kind.tuples if tuples is None else tuples, **kind.options | options, X=rows)


def parameters_of(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same_model(model, other):
    for W, V in zip(parameters_of(model), parameters_of(other), strict=True):
        assert W.dtype == V.dtype
        assert_array_equal(W, V)
    assert model.loss_curve_ == other.loss_curve_


def fitted_attributes(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


# --- what is learned: the loss by a loop, over the given tuples and no others --------------------------


MARGINS = {"positive_margin": 0.5, "negative_margin": 12.0, "negative_weight": 3.0}


def pair_step(W, pairs, same, reduction):
    """Loss of a batch of pairs and its gradient on the matrix of a linear embedding."""
    total, gradient, n_active = 0.0, np.zeros_like(W), 0
    for (i, j), alike in zip(pairs, same):
        x = X[i] - X[j]
        d2 = np.sum((x @ W) ** 2)
        weight, sign = (1.0, 1.0) if alike else (MARGINS["negative_weight"], -1.0)
        term = d2 - MARGINS["positive_margin"] if alike else MARGINS["negative_margin"] - d2
        if term > 0:
            total += weight * term
            gradient += weight * sign * 2 * np.outer(x, x @ W)
            n_active += 1
    divisor = {"active": n_active, "mean": len(pairs), "grid": len(pairs)}[reduction]
    return total / max(divisor, 1), gradient / max(divisor, 1), n_active


def triplet_step(W, triplets, reduction, distance, margin=0.8):
    """Loss of a batch of triplets and its gradient on the matrix of a linear embedding."""

    def compared(i, j):
        x = X[i] - X[j]
        d2 = np.sum((x @ W) ** 2)
        if distance == "sqeuclidean":
            return d2, 2 * np.outer(x, x @ W)
        return np.sqrt(d2), np.outer(x, x @ W) / np.sqrt(d2) if d2 > 0 else np.zeros_like(W)

    total, gradient, n_active = 0.0, np.zeros_like(W), 0
    for anchor, positive, negative in triplets:
        (near, pull), (far, push) = compared(anchor, positive), compared(anchor, negative)
        if near - far + margin > 0:
            total += near - far + margin
            gradient += pull - push
            n_active += 1
    # The grid of an anchor and two of the two rows that it is compared with.
    divisor = {"active": n_active, "mean": len(triplets), "grid": 4 * len(triplets)}[reduction]
    return total / max(divisor, 1), gradient / max(divisor, 1), n_active


def descended(model, step, n_tuples, per_batch, n_epochs):
    """Weights, losses and shares of active terms of plain descent by hand, from where `model` begins."""
    W, curve, shares = model.coefs_[0].copy(), [], []
    for _ in range(n_epochs):
        values, n_active = [], 0
        for start in range(0, n_tuples, per_batch):
            some = slice(start, min(start + per_batch, n_tuples))
            value, gradient, active = step(W, some)
            W -= PLAIN["learning_rate_init"] * gradient
            values += [value] * (some.stop - some.start)
            n_active += active
        curve.append(np.mean(values))
        shares.append(n_active / n_tuples)
    return W, curve, shares


def assert_descended(model, W, curve, shares):
    assert_allclose(model.coefs_[0], W, rtol=1e-9, atol=1e-12)
    assert_allclose(model.intercepts_[0], 0, atol=1e-12)
    assert_allclose(model.loss_curve_, curve, rtol=1e-9)
    assert_allclose([entry["active_fraction"] for entry in model.history_], shares)


REDUCTIONS = pytest.mark.parametrize("reduction", ["active", "mean", "grid"])


@REDUCTIONS
@pytest.mark.parametrize("per_batch, batch_size", [(120, 10_000), (120, 240), (30, 61), (3, 7), (1, 2)])
def test_steps_of_pairs_are_those_of_a_loop_over_the_given_pairs(reduction, per_batch, batch_size, make):
    settings = {"hidden_layer_sizes": (), "reduction": reduction, "shuffle": False, **MARGINS}
    still = learn(Pairs, make(Pairs, **settings | STILL))
    model = learn(Pairs, make(Pairs, **settings, **PLAIN, max_iter=2, batch_size=batch_size))

    def step(W, some):
        return pair_step(W, PAIRS[some], SAME[some], reduction)

    assert_descended(model, *descended(still, step, 120, per_batch, 2))
    assert 0 < model.history_[0]["active_fraction"] < 1


@REDUCTIONS
@pytest.mark.parametrize("distance", ["sqeuclidean", "euclidean"])
@pytest.mark.parametrize("per_batch, batch_size", [(80, 10_000), (80, 240), (20, 61), (3, 11), (1, 3)])
def test_steps_of_triplets_are_those_of_a_loop_over_the_given_triplets(
    reduction, distance, per_batch, batch_size, make
):
    settings = {"hidden_layer_sizes": (), "reduction": reduction, "shuffle": False}
    settings |= {"distance": distance, "margin": 0.8}
    still = learn(Triplets, make(Triplets, **settings | STILL))
    model = learn(Triplets, make(Triplets, **settings, **PLAIN, max_iter=2, batch_size=batch_size))

    def step(W, some):
        return triplet_step(W, TRIPLETS[some], reduction, distance)

    assert_descended(model, *descended(still, step, 80, per_batch, 2))
    assert 0 < model.history_[0]["active_fraction"] < 1


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_the_loss_of_pairs_is_that_of_the_embeddings(normalize, hidden, make):
    margins = {"positive_margin": 0.1, "negative_margin": 2.0, "negative_weight": 3.0}
    settings = {"normalize": normalize, "hidden_layer_sizes": hidden, "batch_size": 240}
    model = learn(Pairs, make(Pairs, **settings, **margins, **STILL))
    Z = model.transform(X)
    terms = []
    for (i, j), same in zip(PAIRS, SAME):
        d2 = np.sum((Z[i] - Z[j]) ** 2)
        terms.append(max(0, d2 - 0.1) if same else 3 * max(0, 2 - d2))
    assert model.loss_ == pytest.approx(np.mean(terms), rel=1e-9)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_the_loss_of_triplets_is_that_of_the_embeddings(normalize, hidden, make):
    settings = {"normalize": normalize, "hidden_layer_sizes": hidden, "batch_size": 240}
    model = learn(Triplets, make(Triplets, margin=0.7, **settings, **STILL))
    Z = model.transform(X)
    terms = [
        max(0, np.sum((Z[a] - Z[p]) ** 2) - np.sum((Z[a] - Z[n]) ** 2) + 0.7) for a, p, n in TRIPLETS
    ]
    assert model.loss_ == pytest.approx(np.mean(terms), rel=1e-9)


@pytest.mark.parametrize("mining", MINERS)
def test_mining_chooses_among_the_given_triplets(mining, make):
    model = learn(Triplets, make(Triplets, mining=mining, batch_size=240, reduction="active", **STILL))
    Z = model.transform(X)
    gaps = [np.sum((Z[a] - Z[n]) ** 2) - np.sum((Z[a] - Z[p]) ** 2) for a, p, n in TRIPLETS]
    chosen = [1 - gap for gap in gaps if gap < 1 and (mining != "semihard" or gap > 0)]
    assert model.loss_ == pytest.approx(np.mean(chosen), rel=1e-9)


def test_mining_of_ones_own_sees_one_triplet_an_anchor(make):
    seen = []

    def watching(D, positive, negative, margin):
        seen.append((positive.sum(axis=1), negative.sum(axis=1)))
        return MINERS["all"](D, positive, negative, margin)

    learn(Triplets, make(Triplets, mining=watching, max_iter=1, batch_size=64))
    assert [len(positive) for positive, _ in seen] == [21] * 3 + [17]
    for positive, negative in seen:
        assert_array_equal(positive, 1)
        assert_array_equal(negative, 1)


@each
def test_each_epoch_deals_the_tuples_out_anew(kind, make):
    shuffled, in_order = (learn(kind, make(kind, shuffle=shuffle)) for shuffle in (True, False))
    assert not np.array_equal(shuffled.coefs_[0], in_order.coefs_[0])
    # Dealt out whole: the loss of an epoch that changes nothing is the same in any order.
    of_all = [
        learn(
            kind, make(kind, shuffle=shuffle, reduction="mean", batch_size=4 * kind.size, **STILL)
        ).loss_
        for shuffle in (True, False)
    ]
    assert of_all[0] == pytest.approx(of_all[1], rel=1e-12)


def test_labels_that_lie_are_believed(make):
    model = learn(Pairs, make(Pairs, max_iter=60), y=1 - SAME)
    d = model.pair_distance(X[PAIRS])
    assert d[SAME == 1].mean() > d[SAME == 0].mean()


# --- both forms, all kinds of rows --------------------------------------------------------------------


@each
def test_rows_themselves_and_their_numbers_are_the_same(kind, make):
    by_number = learn(kind, make(kind, dropout=0.2))
    assert_same_model(by_number, learn(kind, make(kind, dropout=0.2), X[kind.tuples], None))
    assert by_number.n_features_in_ == 4


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.float16])
def test_both_forms_keep_the_type_of_the_rows(kind, dtype, make):
    rows = X.astype(dtype)
    by_number = learn(kind, make(kind), rows=rows)
    assert_same_model(by_number, learn(kind, make(kind), rows[kind.tuples], None))
    assert by_number.coefs_[0].dtype == (np.float64 if dtype is np.float64 else np.float32)


def memory_map(rows, path):
    rows.tofile(path / "rows")
    return np.memmap(path / "rows", dtype=rows.dtype, mode="r", shape=rows.shape)


ROWS = {
    "memory map": memory_map,
    "CSR matrix": lambda rows, path: sparse.csr_matrix(rows),
    "CSR array": lambda rows, path: sparse.csr_array(rows),
    "CSC array": lambda rows, path: sparse.csc_array(rows),
    "Fortran order": lambda rows, path: np.asfortranarray(rows),
    "list": lambda rows, path: rows.tolist(),
    "pandas": lambda rows, path: pd.DataFrame(rows, columns=list("abcd")),
}


@each
@pytest.mark.parametrize("form", ROWS.values(), ids=ROWS.keys())
def test_numbers_may_be_of_rows_of_any_kind(kind, form, make, tmp_path):
    model = learn(kind, make(kind))
    rows = form(X, tmp_path)
    assert_same_model(model, learn(kind, make(kind), rows=rows))
    by_passes = learn(kind, make(kind), rows=rows, incremental=True)
    assert_same_model(by_passes, learn(kind, make(kind), incremental=True))


@each
@pytest.mark.parametrize("form", ["memory map", "CSR array", "Fortran order"])
def test_numbers_may_be_of_float32_rows_of_any_kind(kind, form, make, tmp_path):
    rows = X.astype(np.float32)
    model = learn(kind, make(kind), rows=ROWS[form](rows, tmp_path))
    assert model.coefs_[0].dtype == np.float32
    assert_same_model(model, learn(kind, make(kind), rows=rows))


@each
@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "u8", ">i8"])
def test_numbers_may_be_of_any_integer_type(kind, dtype, make):
    tuples = np.where(kind.tuples > 100, kind.tuples - 100, kind.tuples)
    model = learn(kind, make(kind), tuples)
    assert_same_model(model, learn(kind, make(kind), tuples.astype(dtype)))
    assert_same_model(model, learn(kind, make(kind), tuples.tolist()))


LAYOUTS = {
    "list": np.ndarray.tolist,
    "Fortran order": np.asfortranarray,
    "backwards": lambda rows: rows[::-1, ::-1].copy()[::-1, ::-1],
    "of a wider array": lambda rows: np.repeat(rows, 2, axis=2)[:, :, ::2],
}


@each
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_rows_themselves_may_lie_in_any_order(kind, layout, make):
    rows = X[kind.tuples]
    assert_same_model(learn(kind, make(kind), layout(rows), None), learn(kind, make(kind), rows, None))


@each
def test_names_of_a_data_frame_are_kept_and_asked_for(kind, make):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = learn(kind, make(kind), rows=frame)
    assert list(model.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        learn(kind, model, rows=frame[list("dcba")], incremental=True)


@each
def test_arguments_are_left_as_they_are(kind, make):
    tuples, rows = kind.tuples.copy(), X.copy()
    options = {name: value.copy() for name, value in kind.options.items()}
    for array in (tuples, rows, *options.values()):
        array.flags.writeable = False
    learn(kind, make(kind, input_dropout=0.2), tuples, rows, **options)
    learn(kind, make(kind, input_dropout=0.2), rows[tuples], None, **options)
    assert_array_equal(rows, X)


LABELS = {
    "-1 and 1": 2 * SAME - 1,
    "bool": SAME == 1,
    "float": SAME.astype(float),
    "-1.0 and 1.0": 2.0 * SAME - 1,
    "uint8": SAME.astype(np.uint8),
    "int8 of -1 and 1": (2 * SAME - 1).astype(np.int8),
    "list": SAME.tolist(),
    "series": pd.Series(SAME, index=np.arange(120) + 5),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS.keys())
def test_labels_of_pairs_have_many_forms(y, make):
    model = learn(Pairs, make(Pairs))
    assert_same_model(model, learn(Pairs, make(Pairs), y=y))
    passing = learn(Pairs, make(Pairs), incremental=True)
    assert_same_model(passing, learn(Pairs, make(Pairs), incremental=True, y=y))


# --- quality ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    rows, labels = load_digits(return_X_y=True)
    rows = StandardScaler().fit(rows[:600]).transform(rows).astype(np.float32)
    return rows[:600], labels[:600], rows[600:], labels[600:]


def accuracy(model, digits):
    rows, labels, others, other_labels = digits
    neighbours = KNeighborsClassifier(3).fit(model.transform(rows), labels)
    return neighbours.score(model.transform(others), other_labels)


def test_pairs_teach_nearly_as_much_as_labels(digits):
    rows, labels = digits[:2]
    pairs, same = make_pairs(labels, 20 * len(rows), rng=0)
    by_labels = ContrastiveMetricTransformer(12, random_state=0).fit(rows, labels)
    untrained = clone(by_labels).set_params(**STILL).fit(rows, labels)
    by_pairs = clone(by_labels).set_params(negative_weight=3, max_iter=10)
    by_pairs.fit_pairs(pairs, same, X=rows)
    assert accuracy(by_pairs, digits) > accuracy(by_labels, digits) - 0.03
    assert accuracy(by_pairs, digits) > accuracy(untrained, digits) + 0.05


def test_triplets_teach_nearly_as_much_as_labels(digits):
    rows, labels = digits[:2]
    triplets = make_triplets(labels, 10 * len(rows), rng=0)
    by_labels = TripletMetricTransformer(12, (64,), max_iter=20, random_state=0).fit(rows, labels)
    untrained = clone(by_labels).set_params(**STILL).fit(rows, labels)
    by_triplets = clone(by_labels).set_params(max_iter=8).fit_triplets(triplets, X=rows)
    assert accuracy(by_triplets, digits) > accuracy(by_labels, digits) - 0.03
    assert accuracy(by_triplets, digits) > accuracy(untrained, digits) + 0.1


@each
def test_tuples_teach_more_than_the_start(kind, make):
    start = learn(kind, make(kind, hidden_layer_sizes=(), **STILL))
    model = learn(kind, make(kind, hidden_layer_sizes=(), max_iter=40))
    assert model.score(X, Y) >= start.score(X, Y)
    assert model.loss_ < 0.7 * model.loss_curve_[0]


# --- the model ----------------------------------------------------------------------------------------


@each
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
    assert_same_model(learn(kind, clone(model)), learn(kind, model))
    assert_same_model(learn(kind, clone(model)), learn(kind, model))
    other = learn(kind, clone(model).set_params(random_state=1))
    assert not np.array_equal(other.coefs_[0], model.coefs_[0])


@each
def test_the_batch_sampler_is_not_looked_at(kind, make):
    one, two = (learn(kind, make(kind, batch_sampler=name)) for name in ("shuffle", "balanced"))
    assert_same_model(one, two)


@each
def test_passes_are_the_epochs_of_fit_at_a_constant_rate(kind, make):
    settings = {"dropout": 0.2, "learning_rate": "constant"}
    passing = make(kind, **settings)
    for _ in range(3):
        learn(kind, passing, incremental=True)
    assert_same_model(passing, learn(kind, make(kind, **settings)))


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
    assert_same_model(model, learn(kind, make(kind, max_iter=4)))
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
    assert_same_model(learn(kind, model), learn(kind, make(kind)))


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
@pytest.mark.skipif(
    not hasattr(ContrastiveMetricTransformer, "set_callbacks"),
    reason="scikit-learn before 1.9 has no callbacks",
)
def test_callbacks_are_not_called(kind, make):
    recorder = Recorder()
    model = learn(kind, make(kind).set_callbacks(recorder))
    learn(kind, model, incremental=True)
    assert not recorder.called
    model.fit(X, Y)
    assert recorder.called


@each
def test_an_interrupt_keeps_the_epochs_before_it(kind, make):
    def rate(epoch):
        if epoch == 2:
            raise KeyboardInterrupt
        return 1.0

    with pytest.warns(UserWarning, match="interrupted"):
        model = learn(kind, make(kind, learning_rate=rate))
    assert_same_model(model, learn(kind, make(kind, max_iter=2)))


@each
def test_a_collapse_is_said(kind, make):
    with pytest.warns(UserWarning, match="collapse"):
        learn(kind, make(kind, alpha=100.0, max_iter=200))


@each
def test_a_healthy_fit_does_not_warn(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn(kind, kind.Estimator(8, max_iter=30, random_state=0))


# --- errors, one by one -------------------------------------------------------------------------------


def with_value(value):
    rows = X.copy()
    rows[PAIRS[0, 0], 2] = value
    return rows


WRONG_TUPLES = {
    "tuples of one": ((PAIRS[:, :1], X), "must have the shape"),
    "tuples of four": ((np.hstack([PAIRS, PAIRS]), X), "must have the shape"),
    "one dimension": ((PAIRS[:, 0], X), "must have the shape"),
    "rows and X": ((X[PAIRS], X), "together with X"),
    "numbers without X": ((PAIRS, None), "pass X="),
    "four dimensions": ((X[PAIRS][..., np.newaxis], None), "must have the shape"),
}
WRONG_NUMBERS = {
    "too large": (
        lambda t: np.where(t == t[0, 0], 150, t),
        X,
        "row numbers from .* to 150, but .* 0 to 149",
    ),
    "negative": (lambda t: np.where(t == t[0, 0], -1, t), X, "row numbers from -1"),
    "floats": (lambda t: t.astype(float), X, "must be integers"),
    "bool": (lambda t: t > 75, X, "must be integers"),
    "few rows": (lambda t: t, X[:100], "0 to 99"),
    "NaN": (lambda t: t, with_value(np.nan), "NaN"),
    "infinity": (lambda t: t, with_value(np.inf), "infinity"),
    "NaN in CSR": (lambda t: t, sparse.csr_array(with_value(np.nan)), "NaN"),
    "NaN in a data frame": (lambda t: t, pd.DataFrame(with_value(np.nan)), "NaN"),
    "no features": (lambda t: t, X[:, :0], "0 feature"),
    "rows of one dimension": (lambda t: t, X[:, 0], "2D array"),
}
both_methods = pytest.mark.parametrize("incremental", [False, True])


@each
@both_methods
@pytest.mark.parametrize("data, message", WRONG_TUPLES.values(), ids=WRONG_TUPLES.keys())
def test_tuples_of_another_shape_are_refused(kind, incremental, data, message, make):
    with pytest.raises(ValueError, match=message):
        learn(kind, make(kind), *data, incremental=incremental)


@each
@both_methods
@pytest.mark.parametrize("form", ["numbers", "rows"])
def test_no_tuples_are_refused(kind, incremental, form, make):
    data = (kind.tuples[:0], X) if form == "numbers" else (X[kind.tuples[:0]], None)
    with pytest.raises(ValueError, match="must not be empty"):
        learn(kind, make(kind), *data, incremental=incremental)


@each
def test_pairs_are_no_triplets_and_triplets_no_pairs(kind, make):
    other = TRIPLETS if kind is Pairs else PAIRS
    with pytest.raises(ValueError, match=rf"\(n, {kind.size}\) together with X, got"):
        learn(kind, make(kind), other)


@each
@both_methods
@pytest.mark.parametrize("change, rows, message", WRONG_NUMBERS.values(), ids=WRONG_NUMBERS.keys())
def test_wrong_numbers_and_wrong_rows_are_refused(kind, incremental, change, rows, message, make):
    with pytest.raises(ValueError, match=message):
        learn(kind, make(kind), change(kind.tuples), rows, incremental=incremental)


@each
@both_methods
@pytest.mark.parametrize("value, message", [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_rows_themselves_must_be_finite(kind, incremental, value, message, make):
    rows = X[kind.tuples]
    rows[-1, -1, 0] = value
    with pytest.raises(ValueError, match=message):
        learn(kind, make(kind), rows, None, incremental=incremental)


WRONG_LABELS = {
    "0 and 2": (2 * SAME, "0 and 1, or -1 and 1"),
    "-1, 0 and 1": (np.r_[-1, SAME[1:]], "0 and 1, or -1 and 1"),
    "classes": (np.arange(120) % 3, "0 and 1, or -1 and 1"),
    "text": (np.array(["no", "yes"])[SAME], "0 and 1, or -1 and 1"),
    "NaN": (np.where(SAME, 1, np.nan), "0 and 1, or -1 and 1"),
    "one too few": (SAME[:-1], "y has 119 labels, but there are 120 pairs"),
    "one for each row": (np.repeat(SAME, 2), "y has 240 labels, but there are 120 pairs"),
    "two columns": (np.column_stack([SAME, SAME]), "1d array"),
}


@both_methods
@pytest.mark.parametrize("y, message", WRONG_LABELS.values(), ids=WRONG_LABELS.keys())
def test_wrong_labels_of_pairs_are_refused(incremental, y, message, make):
    with pytest.raises(ValueError, match=message):
        learn(Pairs, make(Pairs), incremental=incremental, y=y)


@pytest.mark.parametrize("y", [np.zeros(120, int), np.ones(120, int), np.full(120, -1)])
def test_pairs_of_one_kind_are_refused_by_fit(y, make):
    with pytest.raises(ValueError, match="pairs of both kinds"):
        learn(Pairs, make(Pairs), y=y)


@each
@both_methods
def test_early_stopping_is_refused(kind, incremental, make):
    with pytest.raises(ValueError, match=r"early_stopping=True sets .* pairs or triplets have no labels"):
        learn(kind, make(kind, early_stopping=True), incremental=incremental)


@each
@both_methods
@pytest.mark.parametrize("missing", [1, 2])
def test_a_batch_must_hold_a_tuple(kind, incremental, missing, make):
    batch_size = kind.size - missing
    expected = "batch_size counts rows" if batch_size else "The 'batch_size' parameter"
    with pytest.raises(ValueError, match=expected):
        learn(kind, make(kind, batch_size=batch_size), incremental=incremental)


@each
def test_a_batch_may_hold_a_single_tuple(kind, make):
    model = learn(kind, make(kind, batch_size=kind.size, max_iter=1))
    assert np.isfinite(model.transform(X)).all()


@each
@both_methods
def test_wrong_parameters_are_refused(kind, incremental, make):
    with pytest.raises(ValueError, match="The 'max_iter' parameter"):
        learn(kind, make(kind, max_iter=0), incremental=incremental)


@each
@pytest.mark.parametrize("form", ["numbers", "rows"])
def test_a_pass_over_rows_of_another_width_is_refused(kind, form, make):
    for model in (learn(kind, make(kind)), make(kind).fit(X, Y)):
        data = (kind.tuples, X[:, :3]) if form == "numbers" else (X[:, :3][kind.tuples], None)
        with pytest.raises(ValueError, match="3 features"):
            learn(kind, model, *data, incremental=True)


@each
def test_a_warm_start_refuses_rows_of_another_width(kind, make):
    model = learn(kind, make(kind, warm_start=True))
    with pytest.raises(ValueError, match="warm_start"):
        learn(kind, model, rows=X[:, :3])


@each
def test_a_rate_that_explodes_is_named(kind, make):
    with pytest.raises(ValueError, match="learning_rate_init"):
        learn(kind, make(kind, **EXPLODES), rows=1000 * X)


FAILURES = {
    "shape": ({}, {"tuples": PAIRS[:, :1]}),
    "numbers": ({"max_iter": 2}, {"rows": X[:100]}),
    "NaN": ({}, {"rows": with_value(np.nan)}),
    "early stopping": ({"early_stopping": True}, {}),
    "batch size": ({"batch_size": 1}, {}),
    "bad layer": ({"hidden_layer_sizes": (3, -1)}, {"rows": X[:, :3]}),
    "diverging rate": (EXPLODES, {"rows": 1000 * X[:, :3]}),
    "late error": ({"learning_rate": lambda epoch: [1.0][epoch]}, {"rows": X[:, :3]}),
}


@each
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("begin", ["labels", "tuples"])
@pytest.mark.parametrize("parameters, data", FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_refit_leaves_the_model_as_it_was(kind, warm_start, begin, parameters, data, make):
    model = make(kind, warm_start=warm_start)
    model = model.fit(X, Y) if begin == "labels" else learn(kind, model)
    twin, old = copy.deepcopy(model), model.get_params()
    with pytest.raises((ValueError, IndexError)):
        learn(kind, model.set_params(**parameters), **data)
    model.set_params(**old)
    assert_equal(fitted_attributes(model), fitted_attributes(twin))
    assert hasattr(model, "classes_") == (begin == "labels")
    # What does not show is as it was, too: both go on alike.
    assert_same_model(learn(kind, model, incremental=True), learn(kind, twin, incremental=True))


@pytest.mark.parametrize("y", [1 + SAME, SAME[:-1], np.ones(120)])
def test_wrong_labels_leave_the_model_as_it_was(y, make):
    model = make(Pairs).fit(X, Y)
    before = copy.deepcopy(fitted_attributes(model))
    with pytest.raises(ValueError):
        learn(Pairs, model, rows=X[:, :3], y=y)
    assert_equal(fitted_attributes(model), before)


@each
@both_methods
@pytest.mark.parametrize("rows", [1000 * X, with_value(np.nan)], ids=["diverging", "NaN"])
def test_a_failed_first_fit_leaves_no_model(kind, incremental, rows, make):
    model = make(kind, **EXPLODES)
    with pytest.raises(ValueError):
        learn(kind, model, rows=rows, incremental=incremental)
    assert vars(model) == vars(clone(model))


# --- memory -------------------------------------------------------------------------------------------


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


N, WIDTH = 2000, 500
THRIFTY = {"max_iter": 1, "hidden_layer_sizes": (), "batch_size": 256, "learning_rate_init": 1e-6}


def labels_of(kind, n):
    return {name: np.arange(n) % 2 for name in kind.options}


@each
@pytest.mark.parametrize("form", ["C order", "Fortran order", "CSR"])
def test_numbers_do_not_copy_a_row_for_each_tuple(kind, form, make):
    n = 80_000 // kind.size
    rows = np.random.default_rng(0).random((N, WIDTH), dtype=np.float32)
    rows = {"Fortran order": np.asfortranarray, "CSR": sparse.csr_array}.get(form, np.asarray)(rows)
    tuples = np.random.default_rng(0).integers(0, N, (n, kind.size))
    model, options = make(kind, **THRIFTY), labels_of(kind, n)
    gathered = n * kind.size * WIDTH * 4
    peak = peak_of(lambda: learn(kind, model, tuples, rows, incremental=True, **options))
    assert peak < 0.1 * gathered


@each
def test_rows_themselves_are_not_copied(kind, make):
    rows = np.random.default_rng(0).random((4000, kind.size, WIDTH), dtype=np.float32)
    model, options = make(kind, **THRIFTY), labels_of(kind, 4000)
    assert peak_of(lambda: learn(kind, model, rows, None, **options)) < 0.3 * rows.nbytes
