"""A user's script with types: losses, measures, pairs, verification, displays and data sets."""

from functools import partial
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from skmetric.datasets import fetch_fashion_mnist, fetch_mnist, read_idx
from skmetric.losses import (
    DISTANCES,
    LABEL_LOSSES,
    MINERS,
    NEIGHBOR_TARGETS,
    PAIR_REDUCTIONS,
    TRIPLET_REDUCTIONS,
    LabelLoss,
    MetricLoss,
    OnEachNetwork,
    WithSoftmaxHead,
    all_pairs,
    contrastive,
    euclidean,
    given_tuples,
    log_loss,
    normalized,
    on_sphere,
    over_active,
    soft_neighbors,
    squared_distances,
    squared_distances_chain,
    triplet,
)
from skmetric.metrics import (
    RetrievalReport,
    make_retrieval_scorer,
    mean_average_precision_at_r,
    mean_reciprocal_rank,
    precision_at_k,
    r_precision,
    recall_at_k,
    retrieval_report,
)
from skmetric.pairs import (
    check_pair_labels,
    check_tuples,
    make_pairs,
    make_triplets,
    paired_distances,
    pairs_from_chunklets,
)
from skmetric.plotting import (
    EmbeddingDisplay,
    NeighborsDisplay,
    PairDistanceDisplay,
    TrainingCurveDisplay,
    WeightsDisplay,
)
from skmetric.testing import check_gradient
from skmetric.verification import PairVerifier

Array = NDArray[Any]
Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]


def no_triplets(D: Array, positive: Array, negative: Array, margin: float) -> tuple[Array, float]:
    """Choose no triplet: a miner of a user."""
    return np.zeros_like(D), 0.0


def differentiate(Z: NDArray[np.float64], y: NDArray[np.int64]) -> None:
    losses = [
        MetricLoss(triplet),
        MetricLoss(contrastive, on_sphere(euclidean(all_pairs)), over_active),
        MetricLoss(partial(triplet, margin=0.5, mining=no_triplets), DISTANCES["euclidean"](all_pairs)),
        MetricLoss(partial(soft_neighbors, loss="supervised_contrastive", temperature=0.5)),
        MetricLoss(contrastive, partial(given_tuples, size=2), PAIR_REDUCTIONS["grid"]),
        MetricLoss(partial(triplet, mining=MINERS["hard"]), reduction=TRIPLET_REDUCTIONS["mean"]),
    ]
    for loss in losses:
        value, dZ = loss(Z, y)
        assert_type(value, float)
        assert_type(dZ, Array)
        assert_type(loss.notes(), dict[str, float])
        assert_type(loss.level(value), float)
    head = WithSoftmaxHead(losses[0], 0.5, n_components=Z.shape[1], n_classes=2, dtype=Z.dtype)
    assert_type(head.parameters, list[Array])
    assert_type(check_gradient(head, Z, y), Floats)
    assert_type(OnEachNetwork([head, losses[1]])(np.hstack([Z, Z]), y), tuple[float, Array])
    assert_type(LabelLoss(log_loss)(Z, y), tuple[float, Array])
    assert_type(LABEL_LOSSES["binary_log_loss"](Z, y), tuple[float, Array])
    D, positive, negative, chain = all_pairs(Z, y)
    total, C, n_active, n_valid = triplet(D, positive, negative, margin=0.2, mining="semihard")
    assert_type((total, n_active, n_valid), tuple[float, float, float])
    assert_type(chain(C), Array)
    assert_type(squared_distances_chain(Z, squared_distances(Z)), Array)
    assert_type(NEIGHBOR_TARGETS["neighborhood_components"](-D, positive), tuple[Array, Array])
    assert_type(normalized(Z), tuple[Array, Array])


def measure(Z: NDArray[np.float64], y: NDArray[np.int64]) -> RetrievalReport:
    assert_type(recall_at_k(Z, y, k=2, sample_weight=np.ones(len(y))), float)
    assert_type(precision_at_k(Z.tolist(), ["a" if label else "b" for label in y]), float)
    assert_type(r_precision(Z, y, Z_gallery=Z, y_gallery=y, query_index=np.arange(len(y))), float)
    assert_type(mean_average_precision_at_r(Z, y) + mean_reciprocal_rank(Z, y), float)
    scorer = make_retrieval_scorer("recall_at_k", k=2)
    assert_type(scorer(StandardScaler().fit(Z), Z, y), float)
    report = retrieval_report(Z, y, k=2)
    print(report, report["recall_at_2"] + 0.0, report["classes"][0]["n_queries"])
    return report


def verify(X: NDArray[np.float64], y: NDArray[np.int64]) -> PairVerifier:
    pairs, same = make_pairs(y, 40, np.random.default_rng(0))
    assert_type((pairs, same), tuple[Integers, Integers])
    assert_type(make_triplets(y, 10, 0), Integers)
    assert_type(pairs_from_chunklets(y.tolist(), 10, 0), tuple[Integers, Integers])
    rows, index = check_tuples(pairs, X, 2)
    assert_type(index, Integers)
    assert_type(paired_distances(rows, index), Floats)
    assert_type(check_pair_labels(same, len(pairs)), NDArray[np.bool_])
    verifier = PairVerifier(
        StandardScaler().fit(X), threshold="max_tnr", min_rate=0.5, calibration="isotonic"
    )
    assert_type(verifier.fit(pairs, same, X=X), PairVerifier)
    assert_type(verifier.calibrate(pairs, same, X=X, threshold="f_beta", beta=2), PairVerifier)
    assert_type(verifier.threshold_, float)
    assert_type(verifier.classes_, Array)
    assert_type(verifier.calibrator_(verifier.decision_function(pairs, X=X)), Floats)
    assert_type(verifier.predict(pairs, X=X), Array)
    assert_type(verifier.predict_proba(pairs, X=X), Floats)
    assert_type(verifier.score(pairs, same, X=X), float)
    return verifier


def look(X: NDArray[np.float64], y: NDArray[np.int64], verifier: PairVerifier) -> None:
    pairs, same = make_pairs(y, 40, 0)
    histogram = PairDistanceDisplay.from_estimator(verifier, pairs, same, X=X, bins=10)
    assert_type(histogram.plot(), PairDistanceDisplay)
    points = EmbeddingDisplay.from_predictions(X, y, Z_test=X, y_test=y, alpha=0.5)
    print(histogram.ax_.get_title(), histogram.line_, points.figure_.dpi, len(points.points_))
    display = EmbeddingDisplay.from_estimator(StandardScaler().fit(X), X, y, ax=histogram.ax_)
    assert_type(display, EmbeddingDisplay)
    images = NeighborsDisplay.from_estimator(
        StandardScaler().fit(X), X[:2], y[:2], X, y, image_shape=(2, 2)
    )
    assert_type(images.axes_, Array)
    curve = TrainingCurveDisplay([{"loss": 1.0}, {"loss": 0.5}]).plot(color="red")
    assert_type(curve, TrainingCurveDisplay)
    assert_type(WeightsDisplay(X.T, image_shape=None).plot(bins=5), WeightsDisplay)


def load() -> None:
    """Not called: it may download."""
    X, y = fetch_mnist(subset="test", data_home="data", return_X_y=True)
    assert_type((X, y), tuple[NDArray[np.uint8], NDArray[np.uint8]])
    print(fetch_fashion_mnist().data, read_idx("t10k-labels-idx1-ubyte").shape)


def main() -> None:
    y = np.arange(24) % 2
    X = np.random.default_rng(0).normal(size=(24, 4)) + y[:, np.newaxis]
    differentiate(X, y)
    measure(X, y)
    look(X, y, verify(X, y))


if __name__ == "__main__":
    main()
