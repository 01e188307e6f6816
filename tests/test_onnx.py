"""Export to ONNX: what onnxruntime computes is what the estimator computes."""

import copy

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from numpy.testing import assert_allclose, assert_array_equal
from shared import DIGIT_LABELS, DIGITS, each, each_transformer
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from test_architecture import OPTIONAL, output_of

from skmetric import SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.onnx import register_converters, to_onnx
from skmetric.pairs import make_pairs
from skmetric.verification import PairVerifier

ROWS = DIGITS.astype(np.float32)
# How far outputs may be apart, as a fraction of the largest.
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def run(exported, X):
    session = onnxruntime.InferenceSession(
        exported.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: X})


def run_model(model, X, **settings):
    """The outputs for all rows, of a model that was exported with one."""
    return run(to_onnx(model, X[:1], **settings), X)


def assert_close(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    largest = np.abs(expected).max()
    assert_allclose(found, expected, rtol=0, atol=TOLERANCE[expected.dtype.name] * largest)


# --- embeddings ---------------------------------------------------------------------------------------


@each_transformer
@dtypes
def test_embeddings(Estimator, dtype, small):
    X = DIGITS.astype(dtype)
    model = small(Estimator, standardize="common", input_weight="auto").fit(X, DIGIT_LABELS)
    (Z,) = run_model(model, X)
    assert_close(Z, model.transform(X))


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("hidden_layer_sizes", [(), (16,), (16, 8)])
@pytest.mark.parametrize("n_networks", [1, 3])
def test_networks(activation, hidden_layer_sizes, n_networks, small):
    settings = {"activation": activation, "hidden_layer_sizes": hidden_layer_sizes}
    model = small(TripletMetricTransformer, n_networks=n_networks, **settings).fit(ROWS, DIGIT_LABELS)
    (Z,) = run_model(model, ROWS)
    assert_close(Z, model.transform(ROWS))


@dtypes
@pytest.mark.parametrize("n_networks", [1, 3])
@pytest.mark.parametrize("input_weight", [0, 1])
@pytest.mark.parametrize("normalize", [False, True])
def test_parameters_of_embeddings(dtype, n_networks, input_weight, normalize, small):
    X = DIGITS.astype(dtype)
    settings = {"n_networks": n_networks, "input_weight": input_weight, "normalize": normalize}
    model = small(TripletMetricTransformer, **settings).fit(X, DIGIT_LABELS)
    (Z,) = run_model(model, X)
    assert_close(Z, model.transform(X))


@pytest.mark.parametrize("settings", [{"batch_norm": True}, {"standardize": "features"}], ids=str)
@each
def test_what_is_folded_into_the_weights(settings, Estimator, small):
    model = small(Estimator, **settings).fit(ROWS, DIGIT_LABELS)
    found = run_model(model, ROWS)[-1]
    assert_close(found, getattr(model, "predict_proba", model.transform)(ROWS))


@pytest.mark.parametrize("scale", [0, 1e-30, 1e30])
def test_rows_of_any_length_are_put_on_the_sphere(scale, small):
    model = small(TripletMetricTransformer, normalize=True).fit(ROWS, DIGIT_LABELS)
    model.coefs_ = [*model.coefs_[:-1], model.coefs_[-1] * np.float32(scale)]
    model.intercepts_ = [*model.intercepts_[:-1], model.intercepts_[-1] * np.float32(scale)]
    (Z,) = run_model(model, ROWS)
    lengths = np.linalg.norm(Z, axis=1)
    assert_allclose(lengths, scale > 0, rtol=1e-6)
    assert_allclose(Z, model.transform(ROWS), atol=1e-5)


def test_far_from_zero_the_export_is_as_exact_as_the_model(small):
    X = ROWS + np.float32(1e4)
    model = small(TripletMetricTransformer, standardize="common").fit(X, DIGIT_LABELS)
    exact = copy.copy(model)
    exact.coefs_ = [W.astype(np.float64) for W in model.coefs_]
    exact.intercepts_ = [b.astype(np.float64) for b in model.intercepts_]
    (Z,) = run_model(model, X)
    error = np.abs(Z - exact.transform(X)).max()
    own_error = np.abs(model.transform(X) - exact.transform(X)).max()
    assert 0 < error < 4 * own_error


# --- classifiers --------------------------------------------------------------------------------------

LABELS = {
    "int": DIGIT_LABELS,
    "negative": -DIGIT_LABELS,
    "beyond 32 bits": DIGIT_LABELS.astype(np.int64) + 2**40,
    "uint8": DIGIT_LABELS.astype(np.uint8),
    "float": DIGIT_LABELS.astype(np.float64),
    "two": DIGIT_LABELS % 2,
    "bool": DIGIT_LABELS > 4,
    "str": np.array([f"n{label}" for label in DIGIT_LABELS]),
    "object": np.array([f"é{label}" for label in DIGIT_LABELS], dtype=object),
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels(labels, small):
    y = LABELS[labels]
    model = small(SoftmaxMLPClassifier).fit(ROWS, y)
    found, probabilities = run_model(model, ROWS)
    assert_array_equal(found, model.predict(ROWS))
    assert len(np.unique(found)) > 1
    assert_close(probabilities, model.predict_proba(ROWS))


@dtypes
@pytest.mark.parametrize("loss", ["log_loss", "binary_log_loss"])
@pytest.mark.parametrize("n_networks", [1, 3])
@pytest.mark.parametrize("hidden_layer_sizes", [(), (16, 8)])
def test_classifiers(dtype, loss, n_networks, hidden_layer_sizes, small):
    X = DIGITS.astype(dtype)
    settings = {"loss": loss, "n_networks": n_networks, "hidden_layer_sizes": hidden_layer_sizes}
    model = small(SoftmaxMLPClassifier, **settings).fit(X, DIGIT_LABELS)
    labels, probabilities = run_model(model, X)
    assert_array_equal(labels, model.predict(X))
    assert_close(probabilities, model.predict_proba(X))


@pytest.mark.parametrize("labels", ["int", "two", "str"])
def test_probabilities_as_dicts_or_columns(labels, small):
    model = small(SoftmaxMLPClassifier).fit(ROWS, LABELS[labels])
    expected = model.predict_proba(ROWS)
    _, dicts = run_model(model, ROWS, options={id(model): {"zipmap": True}})
    assert [list(row) for row in dicts] == [model.classes_.tolist()] * len(ROWS)
    assert_allclose([list(row.values()) for row in dicts], expected, atol=1e-6)
    _, *columns = run_model(model, ROWS, options={id(model): {"zipmap": "columns"}})
    assert_allclose(np.stack(columns, axis=1), expected, atol=1e-6)


@pytest.mark.parametrize("labels", ["int", "str"])
def test_labels_as_numbers_or_listed(labels, small):
    model = small(SoftmaxMLPClassifier).fit(ROWS, LABELS[labels])
    codes, _ = run_model(model, ROWS, options={id(model): {"zipmap": False, "nocl": True}})
    assert_array_equal(model.classes_[codes], model.predict(ROWS))
    options = {id(model): {"zipmap": False, "output_class_labels": True}}
    assert_array_equal(run_model(model, ROWS, options=options)[2], model.classes_)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("n_networks", [1, 3])
def test_the_last_hidden_layer(activation, n_networks, small):
    model = small(SoftmaxMLPClassifier, activation=activation, n_networks=n_networks)
    model.fit(ROWS, DIGIT_LABELS)
    (H,) = run_model(model, ROWS, options={id(model): {"transform": True}})
    assert_close(H, model.transform(ROWS))


# --- pipelines and searches ---------------------------------------------------------------------------


def pipelines(small):
    triplet = small(TripletMetricTransformer)
    softmax = small(SoftmaxMLPClassifier)
    columns = make_column_transformer((triplet, slice(0, 32)), (softmax, slice(32, 64)))
    yield make_pipeline(StandardScaler(), triplet, KNeighborsClassifier(3))
    yield make_pipeline(StandardScaler(), triplet, softmax)
    yield make_pipeline(StandardScaler(), softmax, KNeighborsClassifier(3))
    yield make_pipeline(make_pipeline(StandardScaler(), softmax), KNeighborsClassifier(3))
    yield make_pipeline(make_union(triplet, softmax), KNeighborsClassifier(3))
    yield make_pipeline(columns, KNeighborsClassifier(3))
    yield GridSearchCV(softmax, {"alpha": [0.0, 0.1]}, cv=2)
    neighbors = make_pipeline(triplet, KNeighborsClassifier())
    yield GridSearchCV(neighbors, {"kneighborsclassifier__n_neighbors": [1, 3]}, cv=2)


@dtypes
@pytest.mark.parametrize("number", range(8))
def test_models_of_several_steps(dtype, number, small):
    X = DIGITS.astype(dtype)
    model = list(pipelines(small))[number].fit(X, DIGIT_LABELS)
    labels, probabilities = run_model(model, X)
    assert_array_equal(labels, model.predict(X))
    assert_allclose(probabilities, model.predict_proba(X), atol=TOLERANCE[dtype])


def test_a_search_for_an_embedding(small):
    search = GridSearchCV(small(TripletMetricTransformer), {"margin": [1, 2]}, cv=2)
    search.fit(ROWS, DIGIT_LABELS)
    (Z,) = run_model(search, ROWS)
    assert_close(Z, search.transform(ROWS))


@dtypes
def test_functions_of_skl2onnx_after_registration(dtype, small):
    X = DIGITS.astype(dtype)
    register_converters()
    register_converters()
    model = make_pipeline(StandardScaler(), small(TripletMetricTransformer)).fit(X, DIGIT_LABELS)
    (Z,) = run(skl2onnx.to_onnx(model, X[:1]), X)
    assert_close(Z, model.transform(X))
    types = [("rows", skl2onnx.common.data_types.guess_data_type(X[:1])[0][1].__class__([None, 64]))]
    (Z,) = run(skl2onnx.convert_sklearn(model, initial_types=types), X)
    assert_close(Z, model.transform(X))


# --- rows, batches, opsets ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "bool", "int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("trained_on", ["float32", "float64"])
@each
def test_types_of_rows(dtype, trained_on, Estimator, small):
    X = DIGITS.astype(dtype)
    model = small(Estimator).fit(X.astype(trained_on), DIGIT_LABELS)
    found = run_model(model, X)[-1]
    assert found.dtype == ("float64" if dtype == "float64" else "float32")
    expected = getattr(model, "predict_proba", model.transform)(X)
    assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@each
def test_any_number_of_rows(Estimator, small):
    model = small(Estimator).fit(ROWS, DIGIT_LABELS)
    exported = to_onnx(model, ROWS)
    expected = run(exported, ROWS)
    for n in (1, 7):
        for found, all_rows in zip(run(exported, ROWS[:n]), expected, strict=True):
            assert_allclose(found, all_rows[:n], rtol=1e-5, atol=1e-6)
    assert [output.shape[0] for output in run(exported, ROWS[:0])] == [0] * len(expected)


def test_a_data_frame_makes_an_input_of_each_column(small):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(ROWS[:, 10:16], columns=list("abcdef"))
    model = small(TripletMetricTransformer).fit(frame, DIGIT_LABELS)
    session = onnxruntime.InferenceSession(to_onnx(model, frame).SerializeToString())
    (Z,) = session.run(None, {name: frame[[name]].to_numpy() for name in frame})
    assert_close(Z, model.transform(frame))


@pytest.mark.parametrize("opset", [11, 13, 17, 18, 21])
def test_opsets(opset, small):
    transformer = small(TripletMetricTransformer, normalize=True, n_networks=2).fit(ROWS, DIGIT_LABELS)
    classifier = small(SoftmaxMLPClassifier, n_networks=2).fit(ROWS, DIGIT_LABELS)
    exported = to_onnx(transformer, ROWS, target_opset=opset)
    assert [operators.version for operators in exported.opset_import if not operators.domain] == [opset]
    assert_close(run(exported, ROWS)[0], transformer.transform(ROWS))
    assert_close(run_model(classifier, ROWS, target_opset=opset)[1], classifier.predict_proba(ROWS))


# --- what cannot be exported --------------------------------------------------------------------------


@each
def test_an_unfitted_model(Estimator):
    with pytest.raises(NotFittedError, match=Estimator.__name__):
        to_onnx(Estimator(), ROWS)
    register_converters()
    with pytest.raises(NotFittedError, match=Estimator.__name__):
        skl2onnx.to_onnx(Estimator(), ROWS)


def test_a_verifier(small):
    model = small(TripletMetricTransformer).fit(ROWS, DIGIT_LABELS)
    pairs, same = make_pairs(DIGIT_LABELS, 20, rng=0)
    verifier = PairVerifier(model).fit(pairs, same, X=ROWS)
    with pytest.raises(TypeError, match="transformer, and compare the distances"):
        to_onnx(verifier, ROWS)


def test_without_skl2onnx_the_error_names_the_extra():
    code = f"""
import sys
sys.modules.update(dict.fromkeys({OPTIONAL}))
import skmetric, skmetric.onnx
try:
    skmetric.onnx.to_onnx(skmetric.SoftmaxMLPClassifier(), [[0.0]])
except ImportError as error:
    print(error)
"""
    assert {"onnx", "skl2onnx"} <= OPTIONAL
    assert output_of(code) == 'skmetric exports with skl2onnx: pip install "skmetric[onnx]".'
