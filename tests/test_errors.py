"""The likeliest mistakes: each message names what is wrong, the value, and what is allowed instead.

Each case holds the call and words that its message must have. The words of a parameter are its name, the
value and the allowed values, or the way out.
"""

import functools
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from shared import X, Y
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.datasets import fetch_mnist, read_idx
from skmetric.metrics import make_retrieval_scorer, recall_at_k, retrieval_report
from skmetric.model_selection import PairLearner, TripletLearner
from skmetric.onnx import to_onnx
from skmetric.pairs import make_pairs, make_triplets, paired_distances, pairs_from_chunklets
from skmetric.plotting import (
    EmbeddingDisplay,
    NeighborsDisplay,
    PairDistanceDisplay,
    TrainingCurveDisplay,
    WeightsDisplay,
)
from skmetric.verification import PairVerifier

QUICK = {"max_iter": 1, "hidden_layer_sizes": (3,), "random_state": 0}
PAIRS, SAME = make_pairs(Y, 40, rng=0)
TRIPLETS = make_triplets(Y, 40, rng=0)
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])


def softmax(**parameters):
    return SoftmaxMLPClassifier(**(QUICK | parameters))


def triplet(**parameters):
    return TripletMetricTransformer(2, **(QUICK | parameters))


def contrastive(**parameters):
    return ContrastiveMetricTransformer(2, **(QUICK | parameters))


@functools.cache
def fitted():
    return triplet().fit(X, Y)


@functools.cache
def verifier():
    return PairVerifier(fitted()).fit(PAIRS, SAME, X=X)


def fit(estimator):
    return lambda: estimator.fit(X, Y)


def with_value(array, value):
    changed = array.astype(np.result_type(array, type(value)) if value is not None else object)
    changed.flat[3] = value
    return changed


def change(model, data=(X, Y), **parameters):
    return lambda: model.fit(X, Y).set_params(**parameters).fit(*data)


PARAMETERS = [
    (triplet(margin=-1.0), "margin", "-1.0", "(0.0, inf)"),
    (triplet(margin="1"), "margin", "'1'", "(0.0, inf)"),
    (triplet(margin=True), "margin", "True", "(0.0, inf)"),
    (triplet(mining="semi-hard"), "mining", "'semi-hard'", "'semihard'", "'hard'", "a function of (D, "),
    (triplet(mining=lambda D: D), "mining", "<lambda>", "a function of (D, positive, negative, margin)"),
    (triplet(distance="cosine"), "distance", "'cosine'", "'sqeuclidean'", "'euclidean'"),
    (triplet(reduction="sum"), "reduction", "'sum'", "'active'", "'mean'", "'grid'"),
    (triplet(normalize="l2"), "normalize", "'l2'", "bool"),
    (triplet(batch_sampler="random"), "batch_sampler", "'random'", "'balanced'", "'shuffle'", "'auto'"),
    (triplet(input_weight=-1), "input_weight", "-1", "'auto'", "[0.0, inf)"),
    (triplet(validation="groups"), "validation", "'groups'", "'rows'", "'classes'"),
    (triplet(scoring="recall"), "scoring", "'recall'", "'recall_at_k'", "'recall_at_5'", "a scorer"),
    (triplet(scoring="accuracy"), "scoring", "'accuracy'", "'recall_at_k'"),
    (triplet(scoring=recall_at_k), "scoring", "recall_at_k", "(estimator, X, y)"),
    (TripletMetricTransformer(0), "n_components", "Got 0", "[1, inf)"),
    (TripletMetricTransformer(True), "n_components", "True", "[1, inf)"),
    (TripletMetricTransformer(2.0), "n_components", "2.0", "an int"),
    (softmax(hidden_layer_sizes=0), "hidden_layer_sizes", "Got 0", "[1, inf)"),
    (softmax(hidden_layer_sizes="100"), "hidden_layer_sizes", "'100'", "an array-like or an int"),
    (softmax(hidden_layer_sizes=(10, 0)), "hidden_layer_sizes", "(10, 0)", "integers > 0"),
    (softmax(hidden_layer_sizes=(10.0,)), "hidden_layer_sizes", "(10.0,)", "integers > 0"),
    (softmax(activation="sigmoid"), "activation", "'sigmoid'", "'logistic'", "'relu'", "'tanh'"),
    (softmax(solver="lbfgs"), "solver", "'lbfgs'", "'adam'", "'sgd'"),
    (softmax(alpha=-1), "alpha", "-1", "[0.0, inf)"),
    (softmax(alpha=True), "alpha", "True", "[0.0, inf)"),
    (softmax(dropout=1), "dropout", "Got 1", "[0.0, 1.0)"),
    (softmax(max_iter=0), "max_iter", "Got 0", "[1, inf)"),
    (softmax(max_iter=True), "max_iter", "True", "[1, inf)"),
    (softmax(batch_size=32.0), "batch_size", "32.0", "'auto'", "an int"),
    (softmax(learning_rate=0.01), "learning_rate", "0.01", "'constant'", "a function of (epoch)"),
    (softmax(learning_rate="invscaling"), "learning_rate", "'invscaling'", "'inverse_time'"),
    (softmax(learning_rate=lambda: 1.0), "learning_rate", "<lambda>", "a function of (epoch)"),
    (softmax(learning_rate_init=0), "learning_rate_init", "Got 0", "(0.0, inf)"),
    (softmax(early_stopping="yes"), "early_stopping", "'yes'", "bool"),
    (softmax(validation_fraction=1), "validation_fraction", "Got 1", "(0.0, 1.0)"),
    (softmax(standardize=True), "standardize", "True", "'common'", "'features'", "False"),
    (softmax(random_state="0"), "random_state", "'0'", "None"),
    (softmax(loss="hinge"), "loss", "'hinge'", "'log_loss'", "'binary_log_loss'"),
    (softmax(scoring="recall_at_1"), "scoring", "'recall_at_1'", "'accuracy'"),
    (softmax(scoring=accuracy_score), "scoring", "accuracy_score", "(estimator, X, y)"),
    (softmax(class_weight="auto"), "class_weight", "'auto'", "'balanced'", "dict"),
    (softmax(class_weight={"setosa": 2}), "class_weight", "['setosa']", "none for [0, 1, 2]"),
    (softmax(class_weight={0: -1}), "class_weight", "-1", "the class 0", ">= 0"),
    (softmax(class_weight={0: True}), "class_weight", "True", "the class 0", ">= 0"),
    (softmax(batch_norm=True, batch_size=1), "batch_norm", "batch_size=1", "at least 2 rows"),
    (softmax(batch_norm=True, hidden_layer_sizes=()), "batch_norm", "hidden_layer_sizes=()", "Add"),
    (contrastive(positive_margin=-1), "positive_margin", "-1", "[0.0, inf)"),
    (NeighborhoodMetricTransformer(temperature=0), "temperature", "Got 0", "(0.0, inf)"),
    (NeighborhoodMetricTransformer(loss="nca"), "loss", "'nca'", "'neighborhood_components'"),
]

ROWS_AND_LABELS = {
    "y forgotten": (lambda: triplet().fit(X), "requires y", "None"),
    "y too short": (lambda: triplet().fit(X, Y[1:]), "inconsistent numbers of samples", "150", "149"),
    "X of one dimension": (lambda: triplet().fit(X[0], Y), "Expected 2D array", "reshape"),
    "X of three dimensions": (lambda: triplet().fit(X.reshape(150, 2, 2), Y), "dim 3", "<= 2"),
    "text in a column": (
        lambda: triplet().fit(FRAME.assign(a="red"), Y),
        "X must hold numbers",
        "columns ['a']",
        "'red'",
        "OneHotEncoder",
    ),
    "a category in a column": (
        lambda: fitted().transform(FRAME.assign(b=pd.Categorical(["red", "blue"] * 75)).to_numpy()),
        "X must hold numbers",
        "'red'",
        "OneHotEncoder",
    ),
    "categories of pandas": (
        lambda: triplet().fit(FRAME.assign(b=pd.Categorical(["red", "blue"] * 75)), Y),
        "columns ['b']",
        "'red'",
        "OneHotEncoder",
    ),
    "dates in a column": (
        lambda: triplet().fit(FRAME.assign(d=pd.date_range("2020", periods=150)), Y),
        "columns ['d']",
        "dates",
        "Drop them",
    ),
    "numbers as text": (lambda: triplet().fit(X.astype(str), Y), "X must hold numbers", "text"),
    "NaN in X": (lambda: triplet().fit(with_value(X, np.nan), Y), "Input X contains NaN", "impute"),
    "infinity in X": (lambda: triplet().fit(with_value(X, np.inf), Y), "X contains infinity"),
    "no rows": (lambda: triplet().fit(X[:0], Y[:0]), "0 sample(s)", "minimum of 1"),
    "NaN in y": (
        lambda: triplet().fit(X, with_value(Y, np.nan)),
        "y contains NaN",
        "position 3",
        "Remove",
    ),
    "None in y": (lambda: softmax().fit(X, with_value(Y, None)), "None: 1", "position 3", "Remove"),
    "infinity in y": (
        lambda: softmax().fit(X, with_value(Y, np.inf)),
        "y must hold classes",
        "value inf",
    ),
    "numbers and text in y": (
        lambda: softmax().fit(X, np.array(["a", 1, 2], dtype=object)[Y]),
        "y holds strings and other values",
        "one type",
    ),
    "a target of regression": (lambda: softmax().fit(X, X[:, 0]), "continuous", "y must", "5.1"),
    "indicators of classes": (
        lambda: softmax().fit(X, np.eye(3)[Y]),
        "y should be a 1d array",
        "(150, 3)",
        "argmax(axis=1)",
    ),
    "one class": (lambda: triplet().fit(X[:50], Y[:50]), "at least 2 classes", "only one class: 0"),
    "classes of one row": (
        lambda: contrastive().fit(X[::50], Y[::50]),
        "a class with at least two samples",
        "3 classes of y",
    ),
    "weights that are a word": (
        lambda: softmax().fit(X, Y, sample_weight="balanced"),
        "sample_weight must be an array",
        "'balanced'",
        "class_weight",
    ),
    "weights below 0": (
        lambda: softmax().fit(X, Y, sample_weight=-np.ones(150)),
        "sample_weight",
        ">= 0",
    ),
    "too few weights": (
        lambda: softmax().fit(X, Y, sample_weight=np.ones(149)),
        "sample_weight",
        "(149,)",
        "(150,)",
    ),
    "a class too small to validate": (
        lambda: softmax(early_stopping=True).fit(X[:52], [0] * 50 + [1, 2]),
        "early_stopping=True",
        "validation_fraction=0.1",
    ),
    "few classes to validate": (
        lambda: triplet(early_stopping=True, validation="classes").fit(X, Y),
        "validation='classes'",
        "2 of 3 classes",
        "Use validation='rows'",
    ),
}

FITTED_MODELS = {
    "transform before fit": (lambda: triplet().transform(X), "not fitted yet", "Call 'fit'"),
    "predict before fit": (lambda: softmax().predict(X), "not fitted yet", "Call 'fit'"),
    "other features": (lambda: fitted().transform(X[:, :3]), "X has 3 features", "expecting 4"),
    "other names of columns": (
        lambda: triplet().fit(FRAME, Y).transform(FRAME.rename(columns={"a": "z"})),
        "feature names should match",
        "- z",
        "- a",
    ),
    "score without a relevant row": (lambda: fitted().score(X[::50], Y[::50]), "no query", "its label"),
    "score of continuous labels": (lambda: fitted().score(X, X[:, 0]), "y must hold classes", "5.1"),
    "first pass without classes": (lambda: softmax().partial_fit(X, Y), "classes must be passed"),
    "a pass with a new class": (
        lambda: softmax().fit(X[:100], Y[:100]).partial_fit(X, Y),
        "not in classes_: 2",
    ),
    "a number of classes": (
        lambda: softmax().partial_fit(X, Y, classes=3),
        "classes should be a 1d array",
        "shape ()",
    ),
    "a pass with early stopping": (
        lambda: triplet(early_stopping=True).partial_fit(X, Y),
        "early_stopping=True",
        "set it to False",
    ),
    "a pass with balanced weights": (
        lambda: softmax(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2]),
        "class_weight='balanced'",
        "Pass a dict",
    ),
    "warm start with other widths": (
        change(triplet(warm_start=True), hidden_layer_sizes=(5,)),
        "[4, 3, 2]",
        "[4, 5, 2]",
        "warm_start=False",
    ),
    "warm start with other features": (
        change(triplet(warm_start=True), (X[:, :3], Y)),
        "[4, 3, 2]",
        "[3, 3, 2]",
        "warm_start=False",
    ),
    "warm start with other classes": (
        change(softmax(warm_start=True), (X[:100], Y[:100])),
        "[0 1 2]",
        "[0 1]",
        "warm_start=False",
    ),
    "a matrix of a network that is not linear": (
        lambda: fitted().get_mahalanobis_matrix(),
        "Only a linear embedding",
        "hidden_layer_sizes=()",
    ),
    "squared as a word": (lambda: fitted().pairwise_distance(X, squared="no"), "squared", "bool", "str"),
    "vectors of other lengths": (
        lambda: fitted().get_metric()(X[0], X[0, :2]),
        "u and v must be vectors of 4 features",
        "(2,)",
    ),
}

TUPLES = {
    "labels of pairs forgotten": (
        lambda: contrastive().fit_pairs(PAIRS, X=X),
        "labels y of the pairs",
        "1 for the same class",
        "None",
    ),
    "matrix forgotten": (
        lambda: contrastive().fit_pairs(PAIRS, SAME),
        "pairs must have shape (n, 2, n_features)",
        "(40, 2)",
        "pass the matrix X as well",
    ),
    "matrix too much": (
        lambda: contrastive().fit_pairs(X[PAIRS], SAME, X=X),
        "pairs must have shape (n, 2)",
        "(40, 2, 4)",
        "do not pass X",
    ),
    "two arrays of rows": (
        lambda: contrastive().fit_pairs([X[PAIRS[:, 0]], X[PAIRS[:, 1]]], SAME),
        "(2, 40, 4)",
        "numpy.stack(matrices, axis=1)",
    ),
    "label 2": (lambda: contrastive().fit_pairs(PAIRS[:3], [0, 1, 2], X=X), "0 and 1", "values 0, 1, 2"),
    "labels 0 and -1": (
        lambda: contrastive().fit_pairs(PAIRS[:3], [0, 1, -1], X=X),
        "0 and 1, or -1 and 1",
        "values 0, 1, -1",
    ),
    "similarities": (
        lambda: contrastive().fit_pairs(PAIRS[:2], [0.9, 0.1], X=X),
        "must be 0 and 1",
        "values 0.9, 0.1",
    ),
    "a label of a pair that is missing": (
        lambda: contrastive().fit_pairs(PAIRS[:2], [1, np.nan], X=X),
        "must be 0 and 1",
        "NaN",
        "position 1",
        "Remove these pairs",
    ),
    "labels of rows": (lambda: contrastive().fit_pairs(PAIRS, Y, X=X), "150 labels", "40 pairs"),
    "same pairs only": (
        lambda: contrastive().fit_pairs(PAIRS[:2], [1, 1], X=X),
        "labels of same and of different pairs",
        "are 1",
    ),
    "negative row numbers": (
        lambda: contrastive().fit_pairs(PAIRS - 150, SAME, X=X),
        "pairs has row numbers from -",
        "X has rows 0 to 149",
    ),
    "row numbers out of range": (
        lambda: fitted().pair_distance([[0, 150]], X=X),
        "from 0 to 150",
        "X has rows 0 to 149",
    ),
    "row numbers as floats": (
        lambda: fitted().pair_distance([[0.0, 1.0]], X=X),
        "pairs must hold row numbers of X",
        "integers",
        "float64",
    ),
    "triplets for pairs": (
        lambda: contrastive().fit_pairs(TRIPLETS, SAME, X=X),
        "pairs must have shape (n, 2)",
        "(40, 3)",
    ),
    "pairs for triplets": (
        lambda: triplet().fit_triplets(PAIRS, X=X),
        "triplets must have shape (n, 3)",
        "(40, 2)",
    ),
    "tuples with early stopping": (
        lambda: triplet(early_stopping=True).fit_triplets(TRIPLETS, X=X),
        "early_stopping=True",
        "no labels",
        "early_stopping=False",
    ),
    "a batch smaller than a tuple": (
        lambda: triplet(batch_size=2).fit_triplets(TRIPLETS, X=X),
        "batch_size must be at least 3",
        "got 2",
    ),
    "no pairs": (lambda: make_pairs(Y, 0, 0), "n_pairs", "at least 1", "got 0"),
    "pairs as a float": (lambda: make_pairs(Y, 10.0, 0), "n_pairs must be an integer", "got 10.0"),
    "triplets as a bool": (
        lambda: make_triplets(Y, True, 0),
        "n_triplets must be an integer",
        "got True",
    ),
    "more pairs than there are": (
        lambda: make_pairs(Y[::30], 100, 0),
        "50 pairs of the same class",
        "only 2",
        "Lower n_pairs",
    ),
    "X for y": (lambda: make_pairs(X, 10, 0), "y should be a 1d array", "(150, 4)"),
    "a seed that is a word": (lambda: make_pairs(Y, 10, "seed"), "rng must be", "Generator", "'seed'"),
    "a seed below 0": (lambda: make_triplets(Y, 10, -1), "rng must be", "integer >= 0", "-1"),
    "triplets of one class": (
        lambda: make_triplets(Y[:50], 10, 0),
        "at least 2 classes",
        "the same class",
    ),
    "names of chunklets": (
        lambda: pairs_from_chunklets(["a", "a", "b"], 2, 0),
        "chunklets must be integers",
        "-1 for rows in no chunklet",
        "<U1",
    ),
    "distances of rows that are not there": (
        lambda: paired_distances(X, [[0, -1]]),
        "pairs has row numbers from -1 to 0",
        "Z has rows 0 to 149",
    ),
    "verifier of an unfitted transformer": (
        lambda: PairVerifier(triplet()).fit(PAIRS, SAME, X=X),
        "transformer of PairVerifier must be fitted",
        "FrozenEstimator",
    ),
    "a threshold that has no name": (
        lambda: PairVerifier(fitted(), threshold="eer").fit(PAIRS, SAME, X=X),
        "threshold",
        "'eer'",
        "'accuracy'",
        "a float",
    ),
    "a threshold that is a bool": (
        lambda: PairVerifier(fitted(), threshold=True).fit(PAIRS, SAME, X=X),
        "threshold",
        "True",
        "a float",
    ),
    "a rate in percent": (
        lambda: PairVerifier(fitted(), min_rate=95).fit(PAIRS, SAME, X=X),
        "min_rate",
        "95",
        "[0.0, 1.0]",
    ),
    "verifier without labels": (
        lambda: PairVerifier(fitted()).fit(PAIRS, None, X=X),
        "must be 0 and 1",
        "got None",
    ),
    "rows for pairs": (lambda: verifier().predict(X), "pairs must have shape (n, 2,", "(150, 4)"),
    "a learner of pairs with triplets": (
        lambda: PairLearner(triplet()).fit(PAIRS, SAME, X=X),
        "'transformer'",
        "'fit_pairs'",
        "TripletMetricTransformer(",
    ),
    "a learner of triplets with pairs": (
        lambda: TripletLearner(contrastive()).fit(TRIPLETS, X=X),
        "'transformer'",
        "'fit_triplets'",
        "ContrastiveMetricTransformer(",
    ),
    "a search over row numbers": (
        lambda: GridSearchCV(
            PairLearner(contrastive()), {"transformer__alpha": [0.0]}, cv=2, error_score="raise"
        ).fit(PAIRS, SAME),
        "pairs must have shape (n, 2, n_features)",
        "pass the matrix X as well",
    ),
    "a search over a parameter that is misspelt": (
        lambda: GridSearchCV(triplet(), {"margins": [1]}, cv=2, error_score="raise").fit(X, Y),
        "Invalid parameter 'margins'",
        "'margin'",
    ),
}

MEASURES = {
    "no neighbours": (lambda: recall_at_k(X, Y, k=0), "k must be", "at least 1", "got 0"),
    "several k": (lambda: retrieval_report(X, Y, k=[1, 5]), "k must be an integer", "got [1, 5]"),
    "Z and y swapped": (lambda: recall_at_k(Y, X), "Expected 2D array"),
    "NaN in Z": (lambda: recall_at_k(with_value(X, np.nan), Y), "Z contains NaN"),
    "gallery without labels": (
        lambda: recall_at_k(X, Y, Z_gallery=X),
        "Z_gallery and y_gallery must be given together",
    ),
    "labels of another kind in the gallery": (
        lambda: recall_at_k(X, Y, Z_gallery=X, y_gallery=Y.astype(str)),
        "y holds numbers",
        "y_gallery holds strings",
        "one type",
    ),
    "a gallery of another width": (
        lambda: recall_at_k(X, Y, Z_gallery=X[:, :2], y_gallery=Y),
        "Z has 4 components",
        "Z_gallery has 2",
    ),
    "query_index as floats": (
        lambda: recall_at_k(X, Y, Z_gallery=X, y_gallery=Y, query_index=np.arange(150.0)),
        "query_index must hold integers",
        "float64",
    ),
    "a measure that has no name": (
        lambda: make_retrieval_scorer("recall"),
        "metric must be one of",
        "'recall_at_k'",
        "'recall_at_5'",
        "got 'recall'",
    ),
    "a measure that is a function": (
        lambda: make_retrieval_scorer(recall_at_k),
        "metric must be a string",
        "recall_at_k",
    ),
    "k of a measure without k": (
        lambda: make_retrieval_scorer("r_precision", k=3),
        "k is only used",
        "'recall_at_k'",
        "k=3",
    ),
}

USES = {
    "a part of MNIST": (lambda: fetch_mnist(subset="testing"), "subset", "'testing'", "'test'", "'all'"),
    "a folder that is a number": (lambda: fetch_mnist(data_home=3), "data_home", "Got 3", "'str'"),
    "a switch that is a word": (lambda: fetch_mnist(return_X_y="yes"), "return_X_y", "'yes'", "bool"),
    "a file of another kind": (lambda: read_idx(__file__), __file__, "is not an IDX file"),
    "an array of axes": (
        lambda: EmbeddingDisplay.from_predictions(X, Y, ax=plt.subplots(1, 2)[1]),
        "ax must be matplotlib Axes or None",
        "ndarray",
        "one of its elements",
    ),
    "test rows without labels": (
        lambda: EmbeddingDisplay.from_estimator(fitted(), X, Y, X_test=X),
        "y_test must be given",
    ),
    "images of another shape": (
        lambda: NeighborsDisplay.from_estimator(fitted(), X, Y, X, Y, image_shape=(3, 3)),
        "image_shape=(3, 3) has 9 values",
        "X has 4 features",
    ),
    "no neighbours to draw": (
        lambda: NeighborsDisplay.from_estimator(fitted(), X, Y, X, Y, image_shape=(2, 2), n_neighbors=0),
        "n_neighbors must be",
        "at least 1",
        "got 0",
    ),
    "distances of a transformer": (
        lambda: PairDistanceDisplay.from_estimator(fitted(), PAIRS, SAME, X=X),
        "verifier must be a PairVerifier",
        "TripletMetricTransformer",
        "from_predictions",
    ),
    "scores for distances": (
        lambda: PairDistanceDisplay.from_predictions([0, 1], [-2.0, -1.0]),
        "distances must be >= 0",
        "-2.0",
        "-scores",
    ),
    "curve of a scaler": (
        lambda: TrainingCurveDisplay.from_estimator(StandardScaler().fit(X)),
        "StandardScaler has no history_",
        "not an estimator of skmetric",
    ),
    "a list of losses": (lambda: TrainingCurveDisplay([1.0, 0.5]), "history", "dict", "history_", "1.0"),
    "a layer that has a name": (
        lambda: WeightsDisplay.from_estimator(fitted(), layer="first"),
        "layer must be between 0 and 1",
        "'first'",
    ),
    "half an image": (
        lambda: WeightsDisplay(np.ones((4, 2)), image_shape=(2, 2), n_images=0.5).plot(),
        "n_images must be an integer",
        "0.5",
    ),
    "ONNX of a verifier": (
        lambda: to_onnx(verifier(), X),
        "PairVerifier takes pairs",
        "Convert its transformer",
    ),
    "ONNX with other features": (
        lambda: to_onnx(fitted(), X[:, :2]),
        "X must have shape (n_samples, 4)",
        "(150, 2)",
    ),
    "ONNX for operators that are too old": (
        lambda: to_onnx(fitted(), X, target_opset=3),
        "target_opset must be at least 11",
        "got 3",
    ),
}

MISTAKES = {
    **{
        f"{type(estimator).__name__} {name}={getattr(estimator, name)!r}": (fit(estimator), name, *words)
        for estimator, name, *words in PARAMETERS
    },
    **ROWS_AND_LABELS,
    **FITTED_MODELS,
    **TUPLES,
    **MEASURES,
    **USES,
}


def message_of(call):
    with pytest.raises((ValueError, TypeError, AttributeError)) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=map(str, range(len(MISTAKES))))
@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_the_message_says_what_is_wrong_and_what_is_right(mistake):
    call, *words = mistake
    message = message_of(call)
    assert [word for word in words if word not in message] == [], message


def test_there_are_as_many_mistakes_as_promised(record_property):
    record_property("mistakes", len(MISTAKES))
    assert len(MISTAKES) >= 40


@pytest.mark.parametrize(
    "module, call, extra",
    [
        ("matplotlib.pyplot", lambda: EmbeddingDisplay.from_predictions(X, Y), "skmetric[plot]"),
        ("skl2onnx", lambda: to_onnx(fitted(), X), "skmetric[onnx]"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(module, call, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="pip install") as caught:
        call()
    assert extra in str(caught.value)


def test_rows_that_are_numbers_in_other_types_are_no_mistake():
    expected = fitted().transform(X)
    objects = FRAME.astype(object).to_numpy()
    np.testing.assert_array_equal(fitted().transform(objects), expected)
    named = triplet().fit(FRAME, Y)
    categories = FRAME.assign(a=pd.Categorical(FRAME["a"]))
    np.testing.assert_array_equal(named.transform(categories), expected)
