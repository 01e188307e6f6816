"""`input_weight`: principal components of the input beside what was learned."""

import pickle
import warnings

import numpy as np
import pytest
from any_model import state_of
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from shared import TRANSFORMERS, X, Y, assert_same_parameters, over_seeds, peak_of
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric._input import MOST_ROWS, sampled
from skmetric._kept_input import effective_rank, input_axes, joint_rotation
from skmetric.metrics import recall_at_k
from skmetric.pairs import make_pairs, make_triplets

each = pytest.mark.parametrize("Estimator", TRANSFORMERS)
DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS = (DIGITS / 16).astype(np.float32)


def kept_attributes(model):
    return [model.input_axes_, model.input_offset_, model.rotation_]


def size(Z):
    """Root mean square of the distances to the mean."""
    return np.sqrt(((Z - Z.mean(axis=0)) ** 2).sum(axis=1).mean())


def room(Z, n_components):
    """How much of the weight is left by what was learned."""
    variances = np.linalg.eigvalsh(np.cov(Z.T))
    return 1 - (variances.sum() ** 2 / (variances**2).sum() / n_components) ** 2


# --- what comes out -----------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("weight", [0.3, 1.0, 4.0])
def test_distances_are_those_of_what_was_learned_and_of_the_components(Estimator, weight, small):
    """A linear embedding of 4 features has rank 4, with all components 8: eight columns lose nothing."""
    settings = {"hidden_layer_sizes": (), "n_components": 8}
    learned = small(Estimator, **settings).fit(X, Y).transform(X)
    Z = small(Estimator, input_weight=weight, **settings).fit(X, Y).transform(X)
    components = PCA(4).fit_transform(X)
    scale = weight * room(learned, 8) * size(learned) / size(components)
    expected = cdist(learned, learned, "sqeuclidean") + scale**2 * cdist(
        components, components, "sqeuclidean"
    )
    assert_allclose(cdist(Z, Z, "sqeuclidean"), expected, rtol=1e-7, atol=1e-9)


@each
def test_the_network_is_trained_as_without(Estimator, small):
    plain = small(Estimator).fit(X, Y)
    model = small(Estimator, input_weight=1.0).fit(X, Y)
    assert_same_parameters(model, plain)
    assert kept_attributes(plain) == [None, None, None]
    assert [array.shape for array in kept_attributes(model)] == [(4, 4), (4,), (8, 4)]


@each
@pytest.mark.parametrize("normalize", [False, True])
def test_transform_is_the_formula_of_the_attributes(Estimator, normalize, small):
    settings = {"n_components": 3, "normalize": normalize}
    F = small(Estimator, **settings).fit(X, Y).transform(X)
    model = small(Estimator, input_weight=0.7, **settings).fit(X, Y)
    P = X @ model.input_axes_ + model.input_offset_
    Z = np.hstack([F, P]) @ model.rotation_
    if normalize:
        Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    assert_allclose(model.transform(X), Z, rtol=1e-9, atol=1e-12)
    assert_allclose(P.mean(axis=0), 0, atol=1e-12)


def test_the_rotation_keeps_the_axes_of_largest_variance():
    rng = np.random.default_rng(0)
    F = rng.normal(size=(500, 4)) * [5, 3, 0.1, 0.1]
    P = rng.normal(size=(500, 3)) * [4, 1, 0.01]
    P -= P.mean(axis=0)
    R = joint_rotation(F, P, 0.5, 3)
    scale = 0.5 * room(F, 3) * size(F) / size(P)
    expected = PCA(3).fit_transform(np.hstack([F, scale * P]))
    Z = np.hstack([F, P]) @ R
    correlations = np.corrcoef(Z.T, expected.T)[:3, 3:]
    assert_allclose(np.abs(correlations), np.eye(3), atol=1e-9)
    R[4:] /= scale
    assert_allclose(R.T @ R, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("F_scale, P_scale", [(2.0**-600, 1.0), (2.0**600, 1.0), (1.0, 2.0**-600)])
def test_the_rotation_does_not_depend_on_scales(F_scale, P_scale):
    """Squares of such outputs overflow or underflow."""
    rng = np.random.default_rng(0)
    F, P = rng.normal(size=(50, 4)), rng.normal(size=(50, 3))
    expected = joint_rotation(F, P, 0.5, 3)
    R = joint_rotation(F_scale * F, P_scale * P, 0.5, 3)
    assert_array_equal(R[:4], expected[:4])
    assert_array_equal(R[4:], expected[4:] * (F_scale / P_scale))


@pytest.mark.parametrize("Estimator", TRANSFORMERS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_weight_beyond_the_dtype_is_named(Estimator, early_stopping, small):
    model = small(Estimator, input_weight=1e308, early_stopping=early_stopping)
    with pytest.raises(ValueError, match="The cause is input_weight=1e\\+308: use a value between"):
        model.fit(X.astype(np.float32), Y)


def test_what_fills_all_columns_leaves_no_room():
    circle = np.exp(2j * np.pi * np.arange(20) / 20).view(float).reshape(20, 2)
    assert effective_rank(circle) == pytest.approx(2)
    assert effective_rank(circle[:, :1]) == pytest.approx(1)
    assert effective_rank(np.zeros((3, 2))) == 0
    R = joint_rotation(circle, np.random.default_rng(0).normal(size=(20, 5)), 1.0, 2)
    assert_allclose(R[2:], 0, atol=1e-6)
    assert_allclose(np.abs(np.linalg.det(R[:2])), 1)


def test_few_rows_keep_the_directions_of_before():
    rng = np.random.default_rng(0)
    F, P = (
        rng.normal(size=(500, 6)) * [9, 9, 1, 1, 0.1, 0.1],
        rng.normal(size=(500, 4)) * [3, 2, 0.1, 0.1],
    )
    before = joint_rotation(F, P, 1.0, 6)
    R = joint_rotation(F[:2], P[:2], 1.0, 6, before)
    kept, earlier = (np.linalg.qr(rotation)[0] for rotation in (R, before))
    # Of the six directions one is that of the two rows; five of those of before go on.
    assert (np.linalg.svd(kept.T @ earlier)[1] > 0.99).sum() >= 5


@each
def test_new_classes_are_found_and_old_ones_not_lost(Estimator):
    is_old = LABELS < 7
    X_old, y_old, X_new, y_new = DIGITS[is_old], LABELS[is_old], DIGITS[~is_old], LABELS[~is_old]
    scores = {}
    for weight in (0.0, 1.0):
        model = Estimator(n_networks=1, input_weight=weight, max_iter=20, random_state=0)
        model.fit(X_old[::2], y_old[::2])
        neighbors = KNeighborsClassifier(5).fit(model.transform(X_old[::2]), y_old[::2])
        old = neighbors.score(model.transform(X_old[1::2]), y_old[1::2])
        scores[weight] = recall_at_k(model.transform(X_new), y_new), old
    raw = recall_at_k(X_new, y_new)
    assert scores[1.0][0] >= raw - 0.01
    assert scores[1.0][0] > scores[0.0][0]
    assert scores[1.0][1] >= scores[0.0][1] - 0.003


def test_in_a_plane_it_does_not_get_in_the_way():
    accuracy = []
    for weight in (0.0, 1.0):
        model = TripletMetricTransformer(2, (256, 256), dropout=0, input_weight=weight, random_state=0)
        neighbors = KNeighborsClassifier(3).fit(
            model.fit_transform(DIGITS[::2], LABELS[::2]), LABELS[::2]
        )
        accuracy.append(neighbors.score(model.transform(DIGITS[1::2]), LABELS[1::2]))
    assert accuracy[1] >= accuracy[0] - 0.01


# --- wherever rows come from --------------------------------------------------------------------------

FORMS = {
    "csr": sparse.csr_array,
    "csc": sparse.csc_matrix,
    "Fortran": np.asfortranarray,
    "big-endian": lambda rows: rows.astype(">f8"),
    "int64": lambda rows: np.rint(10 * rows).astype(int),
}


@each
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_rows_of_all_forms_give_the_same_embedding(Estimator, form, small):
    rows = form(X)
    plain = rows.toarray() if sparse.issparse(rows) else np.ascontiguousarray(rows, dtype=float)
    model = small(Estimator, input_weight=1.0).fit(rows, Y)
    expected = small(Estimator, input_weight=1.0).fit(plain, Y)
    assert_allclose(model.transform(rows), expected.transform(plain), rtol=1e-9, atol=1e-9)


@each
def test_float32_rows_stay_float32(Estimator, small):
    model = small(Estimator, input_weight=1.0).fit(X.astype(np.float32), Y)
    assert model.transform(X.astype(np.float32)).dtype == np.float32
    assert {array.dtype for array in kept_attributes(model)} == {np.dtype(np.float32)}


def test_a_memory_map_is_not_copied_whole(tmp_path, small):
    rows = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", "u1", (40_000, 600))
    rows[...] = np.random.default_rng(0).integers(0, 256, rows.shape, dtype="u1")
    y = np.arange(len(rows)) % 3
    # Components are computed from some of the rows, so that their number does not matter.
    n_sampled = len(sampled(rows, np.arange(len(rows))))
    assert n_sampled == MOST_ROWS
    model = small(TripletMetricTransformer, input_weight=1.0, max_iter=1, batch_size=256)
    assert peak_of(model.fit, rows, y) < 4 * n_sampled * 600 * 8
    assert peak_of(model.transform, rows) < 2 * len(rows) * 4 * model.n_components + 2e7


def test_rows_for_the_components_are_at_equal_steps_and_fit_into_memory():
    narrow, wide = (np.broadcast_to(0.0, (300_000, width)) for width in (50, 10**6))
    rows = np.arange(100_000) * 3
    some = sampled(narrow, rows)
    assert len(some) == MOST_ROWS and set(np.diff(some)) <= {27, 30, 33}
    assert len(sampled(wide, rows)) == 2**25 // 10**6
    assert_array_equal(sampled(narrow, rows[:7]), rows[:7])


@each
@pytest.mark.parametrize("scale", [1e-200, 1e-10, 1e150])
def test_values_of_any_size_have_axes(Estimator, scale):
    axes, centre = input_axes(scale * X, 3)
    assert_allclose(np.abs(axes.T @ PCA(3).fit(X).components_.T), np.eye(3), atol=1e-6)
    assert_allclose(centre, scale * X.mean(axis=0), rtol=1e-12)


@each
def test_constant_rows_have_nothing_to_keep(Estimator, small):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = small(Estimator, input_weight=1.0).fit(np.ones((60, 4)), Y[::5].repeat(2))
    assert kept_attributes(model) == [None, None, None]
    assert np.isfinite(model.transform(X)).all()


# --- bits, pickles, streams ---------------------------------------------------------------------------


@each
def test_the_same_seed_gives_the_same_bits_also_in_a_pickle(Estimator, small):
    model = small(Estimator, input_weight=1.0)
    Z = clone(model).fit(X, Y).transform(X)
    assert_array_equal(model.fit(X, Y).transform(X), Z)
    assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), Z)


@each
def test_a_stream_keeps_the_axes_of_its_first_call(Estimator, small):
    model = small(Estimator, input_weight=1.0)
    order = np.random.default_rng(0).permutation(150)
    model.partial_fit(X[order[:60]], Y[order[:60]])
    axes, offset, rotation = kept_attributes(model)
    model.partial_fit(5 * X[order[60:]], Y[order[60:]])
    assert model.input_axes_ is axes and model.input_offset_ is offset
    assert not np.array_equal(model.rotation_, rotation)


@each
@pytest.mark.filterwarnings("ignore:.*partial_fit got rows of one class only")
def test_a_stream_may_begin_with_a_single_row(Estimator, small):
    model = small(Estimator, input_weight=1.0).partial_fit(X[:1], Y[:1])
    assert kept_attributes(model) == [None, None, None]
    assert model.transform(X).shape == (150, 4)
    model.partial_fit(X, Y)
    assert model.rotation_.shape == (8, 4)


@each
@over_seeds()
def test_calls_of_few_rows_keep_directions_that_they_do_not_show(Estimator, seed):
    """After a fit, five rows say nothing about most directions; neighbours stay as good."""
    model = Estimator(32, input_weight=1.0, max_iter=10, learning_rate_init=1e-3, random_state=seed)
    model.fit(DIGITS[::2], LABELS[::2])
    before = model.score(DIGITS[1::2], LABELS[1::2])
    rows = [np.flatnonzero(LABELS == label)[0] for label in (0, 0, 1, 2, 3)]
    model.set_params(learning_rate_init=1e-9).partial_fit(DIGITS[rows], LABELS[rows])
    assert model.score(DIGITS[1::2], LABELS[1::2]) > before - 0.01


@each
def test_a_warm_start_goes_on_from_what_was_trained(Estimator, small):
    model = small(Estimator, input_weight=1.0, warm_start=True, max_iter=2).fit(X, Y).fit(X, Y)
    once = small(Estimator, input_weight=1.0, max_iter=4).fit(X, Y)
    assert_same_parameters(model, once)
    assert_allclose(model.transform(X), once.transform(X), rtol=1e-9, atol=1e-12)


@each
def test_weight_may_change_between_fits(Estimator, small):
    model = small(Estimator, input_weight=1.0).fit(X / np.linalg.norm(X, axis=1, keepdims=True), Y)
    model.set_params(input_weight=0.0).fit(X, Y)
    assert kept_attributes(model) == [None, None, None]
    assert state_of(model) == state_of(small(Estimator).fit(X, Y))
    assert_array_equal(model.transform(X), small(Estimator).fit(X, Y).transform(X))


# --- with the rest ------------------------------------------------------------------------------------


def test_tuples_keep_the_input_too(small):
    pairs, same = make_pairs(Y, 200, 0)
    model = small(ContrastiveMetricTransformer, input_weight=1.0).fit_pairs(pairs, same, X=X)
    assert model.rotation_.shape == (8, 4)
    triplets = make_triplets(Y, 200, 0)
    for given, rows in [(triplets, X), (X[triplets], None)]:
        model = small(TripletMetricTransformer, input_weight=1.0).fit_triplets(given, X=rows)
        assert model.rotation_.shape == (8, 4)
        assert np.isfinite(model.transform(X)).all()


@each
def test_the_mahalanobis_matrix_gives_the_distances(Estimator, small):
    model = small(Estimator, hidden_layer_sizes=(), input_weight=1.0).fit(X, Y)
    M = model.get_mahalanobis_matrix()
    differences = X[:, np.newaxis] - X
    expected = np.einsum("ijk,kl,ijl->ij", differences, M, differences)
    assert_allclose(model.pairwise_distance(X, squared=True), expected, rtol=1e-8, atol=1e-9)
    assert np.linalg.eigvalsh(M).min() > -1e-9


@each
@pytest.mark.parametrize("weight", [-0.1, np.nan, "1", None])
def test_a_wrong_weight_is_named(Estimator, weight, small):
    with pytest.raises(ValueError, match="'input_weight' parameter"):
        small(Estimator, input_weight=weight).fit(X, Y)


@each
def test_a_collapse_of_what_was_learned_is_warned_of_all_the_same(Estimator, small):
    if Estimator is not ContrastiveMetricTransformer:
        return
    model = small(Estimator, negative_weight=0.0, input_weight=1.0, max_iter=60, learning_rate_init=0.05)
    with pytest.warns(UserWarning, match="collapses"):
        model.fit(X, Y)


@each
def test_callbacks_see_the_whole_embedding(Estimator, small):
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9 has no callbacks")
    seen = []

    def scored(model, X, y):
        seen.append(model.transform(X))
        return {"recall": recall_at_k(seen[-1], y)}

    model = small(Estimator, input_weight=1.0, max_iter=2)
    model.set_callbacks(callback.ScoringMonitor(scoring=scored)).fit(X, Y)
    assert_allclose(seen[-1], model.transform(X), rtol=1e-9, atol=1e-12)


@each
def test_more_is_kept_of_rows_of_length_one(Estimator, small):
    unit = DIGITS[:300] / np.linalg.norm(DIGITS[:300], axis=1, keepdims=True)
    for rows, weight in [(unit, 2.0), (1.1 * unit, 1.0), (DIGITS[:300], 1.0)]:
        model = small(Estimator, input_weight="auto", n_components=8).fit(rows, LABELS[:300])
        expected = small(Estimator, input_weight=weight, n_components=8).fit(rows, LABELS[:300])
        assert_array_equal(model.transform(rows), expected.transform(rows))
        # A model that goes on with other rows keeps its weight.
        model.partial_fit(DIGITS[300:600], LABELS[300:600])
        expected.partial_fit(DIGITS[300:600], LABELS[300:600])
        assert_array_equal(model.transform(rows), expected.transform(rows))
    assert Estimator().input_weight == "auto"


def test_rows_beyond_the_range_of_squares_have_not_length_one(small):
    rows = np.where(X > 3, 1e200, -1e200)
    assert np.isfinite(
        small(TripletMetricTransformer, input_weight="auto", standardize="auto")
        .fit(rows, Y)
        .transform(rows)
    ).all()
