"""The mathematics of the losses: NumPy alone.

A *comparison* says which distances there are, a *rule* sums over them, and `MetricLoss` makes a loss on
embeddings of the two: ``loss(Z, y) -> (value, dZ)``.
"""

from ._comparisons import DISTANCES, all_pairs, euclidean, given_tuples
from ._contrastive import contrastive
from ._distances import squared_distances, squared_distances_chain
from ._each_network import OnEachNetwork
from ._metric_loss import MetricLoss
from ._miners import MINERS, all_triplets, hard_triplets, semihard_triplets
from ._reductions import (
    PAIR_REDUCTIONS,
    TRIPLET_REDUCTIONS,
    over_active,
    over_anchors,
    over_pair_grid,
    over_triplet_grid,
    over_valid,
)
from ._soft_neighbors import NEIGHBOR_TARGETS, soft_neighbors
from ._softmax import LABEL_LOSSES, LabelLoss, binary_log_loss, log_loss
from ._softmax_head import WithSoftmaxHead
from ._sphere import normalized, on_sphere
from ._triplet import triplet

__all__ = [
    "DISTANCES",
    "LABEL_LOSSES",
    "MINERS",
    "NEIGHBOR_TARGETS",
    "PAIR_REDUCTIONS",
    "TRIPLET_REDUCTIONS",
    "LabelLoss",
    "MetricLoss",
    "OnEachNetwork",
    "WithSoftmaxHead",
    "all_pairs",
    "all_triplets",
    "binary_log_loss",
    "contrastive",
    "euclidean",
    "given_tuples",
    "hard_triplets",
    "log_loss",
    "normalized",
    "on_sphere",
    "over_active",
    "over_anchors",
    "over_pair_grid",
    "over_triplet_grid",
    "over_valid",
    "semihard_triplets",
    "soft_neighbors",
    "squared_distances",
    "squared_distances_chain",
    "triplet",
]
