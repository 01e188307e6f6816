"""Losses and their gradients, in NumPy alone.

A loss on embeddings, ``loss(Z, y) -> (value, dZ)``, is a `MetricLoss` made of three functions:

- a *comparison*, ``comparison(Z, y) -> D, positive, negative, chain``, computes the distances `D` of
  pairs and the masks of positive and negative pairs; ``chain(dL/dD)`` returns ``dL/dZ``;
- a *rule*, ``rule(D, positive, negative) -> total, C, n_active, n_valid``, sums the terms of the loss and
  computes the gradient ``C = dL/dD``;
- a *reduction*, ``reduction(total, C, n_active, n_valid) -> value, C``, divides both by a number of
  terms.
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
