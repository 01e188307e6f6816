"""Displays of training curves, embeddings, distances of pairs, neighbours and weights.

They follow the displays of scikit-learn. The class methods ``from_estimator`` and ``from_predictions``
compute what to draw, draw it and return the display. The method ``plot`` draws it again, in other axes or
in another style. A display draws in the axes `ax`, or in a new figure if `ax` is None, and stores the
axes as `ax_` (`axes_` if there are several) and the figure as `figure_`. Further keyword arguments are
passed to a function of matplotlib, which the documentation of each method names.
"""

from ._displays.embedding import EmbeddingDisplay
from ._displays.neighbors import NeighborsDisplay
from ._displays.pair_distance import PairDistanceDisplay
from ._displays.training_curve import TrainingCurveDisplay
from ._displays.weights import WeightsDisplay

__all__ = [
    "EmbeddingDisplay",
    "NeighborsDisplay",
    "PairDistanceDisplay",
    "TrainingCurveDisplay",
    "WeightsDisplay",
]
