"""A user's script with types. `test_typing.py` runs it, and checks it with mypy."""

from collections.abc import Callable
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from skmetric import (
    ContrastiveMetricTransformer,
    NeighborhoodMetricTransformer,
    SoftmaxMLPClassifier,
    TripletMetricTransformer,
)
from skmetric.datasets import fetch_mnist, read_idx
from skmetric.losses import MetricLoss, all_pairs, contrastive, hard_triplets, triplet
from skmetric.metrics import make_retrieval_scorer, recall_at_k, retrieval_report
from skmetric.model_selection import PairLearner, TripletLearner
from skmetric.pairs import make_pairs, make_triplets, paired_distances
from skmetric.plotting import TrainingCurveDisplay
from skmetric.testing import check_gradient
from skmetric.verification import PairVerifier

Floats = NDArray[np.floating[Any]]


def classify(X: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[Any]:
    model = SoftmaxMLPClassifier(
        (8,),
        "tanh",
        loss="binary_log_loss",
        n_networks=2,
        standardize=False,
        batch_size=32,
        learning_rate="inverse_time",
        max_iter=2,
        class_weight={0: 1, 1: 2, 2: 1},
        random_state=np.random.RandomState(0),
    )
    assert_type(model.fit(X, y, sample_weight=np.ones(len(y))), SoftmaxMLPClassifier)
    assert_type(model.partial_fit(X.tolist(), y.tolist(), classes=[0, 1, 2]), SoftmaxMLPClassifier)
    assert_type(model.coefs_, list[Floats])
    assert_type(model.loss_curve_, list[float])
    assert_type(model.best_loss_, float | None)
    assert_type(model.max_iter, int)
    assert_type(model.predict_proba(X), Floats)
    assert_type(model.predict_log_proba(X), Floats)
    assert_type(model.decision_function(X), Floats)
    assert_type(model.transform(X), Floats)
    return model.predict(X)


def constant(epoch: int) -> float:
    return 1.0


def embed(X: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    model = TripletMetricTransformer(
        2,
        (),
        mining=hard_triplets,
        margin=0.5,
        n_networks="auto",
        input_weight="auto",
        learning_rate=constant,
        n_iter_no_change=np.inf,
        max_iter=2,
    )
    assert_type(model.fit(X, y), TripletMetricTransformer)
    assert_type(model.partial_fit(X, y), TripletMetricTransformer)
    assert_type(model.transform(X), Floats)
    assert_type(model.rotation_, Floats | None)
    assert_type(model.classes_, NDArray[Any])
    assert_type(model.history_, list[dict[str, Any]])
    assert_type(model.margin, float)
    assert_type(model.pairwise_distance(X, X[:5], squared=True), Floats)
    assert_type(model.pair_distance([[0, 1]], X=X), Floats)
    assert_type(model.pair_score([[0, 1]], X=X), Floats)
    assert_type(model.get_metric(), Callable[..., float])
    assert_type(model.get_mahalanobis_matrix(), Floats)
    triplets = make_triplets(y, 20, 0)
    assert_type(model.fit_triplets(triplets, X=X), TripletMetricTransformer)
    assert_type(model.partial_fit_triplets(triplets, X=X), TripletMetricTransformer)
    soft = NeighborhoodMetricTransformer(2, loss="supervised_contrastive", temperature=0.5, max_iter=2)
    assert_type(soft.fit(X, y), NeighborhoodMetricTransformer)
    assert_type(soft.temperature, float)
    return soft.score(X, y)


def verify(X: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[Any]:
    pairs, same = make_pairs(y, 40, 0)
    model = ContrastiveMetricTransformer(2, reduction="mean", negative_weight=3, max_iter=2)
    assert_type(model.fit_pairs(pairs, same, X=X), ContrastiveMetricTransformer)
    assert_type(model.partial_fit_pairs(pairs, same, X=X), ContrastiveMetricTransformer)
    paired_distances(model.transform(X), pairs)
    verifier = PairVerifier(model, threshold="f_beta", beta=0.5, calibration="isotonic")
    verifier.fit(pairs, same, X=X).calibrate(pairs, same, X=X)
    print(verifier.threshold_, verifier.score(pairs, same, X=X))
    print(verifier.predict_proba(pairs, X=X), verifier.decision_function(pairs, X=X))
    return verifier.predict(pairs, X=X)


def learn_tuples(X: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    index, same = make_pairs(y, 40, 0)
    learner = PairLearner(ContrastiveMetricTransformer(2, max_iter=1))
    assert_type(learner.fit(X[index], same), PairLearner)
    assert_type(learner.transform(X), Floats)
    triplets = TripletLearner(TripletMetricTransformer(2, max_iter=1)).fit(make_triplets(y, 40, 0), X=X)
    return learner.score(index, same, X=X) + triplets.score(X[make_triplets(y, 40, 1)])


def measure(Z: Floats, y: NDArray[np.int64]) -> None:
    report = retrieval_report(Z, y, k=3)
    print(report, recall_at_k(Z, y, k=2), make_retrieval_scorer("recall_at_2"))


def look(model: TripletMetricTransformer) -> None:
    TrainingCurveDisplay.from_estimator(model).plot()


def load() -> None:
    images = fetch_mnist(subset="test")
    print(images, read_idx("t10k-labels-idx1-ubyte"))


def differentiate(Z: NDArray[np.float64], y: NDArray[np.int64]) -> None:
    check_gradient(MetricLoss(triplet, all_pairs), Z, y)
    check_gradient(MetricLoss(contrastive), Z, y)


def main() -> None:
    y = np.arange(60) % 3
    X = np.random.default_rng(0).normal(size=(60, 4)) + y[:, np.newaxis]
    print(classify(X, y), embed(X, y), verify(X, y), learn_tuples(X, y))
    measure(X, y)
    differentiate(X[::10], y[::10])


if __name__ == "__main__":
    main()
