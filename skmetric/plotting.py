"""Displays: pictures of a training, an embedding, pairs, neighbours and weights.

As in scikit-learn, a display keeps what was computed. The class methods ``from_estimator`` and
``from_predictions`` compute, draw and return a display; `plot` draws it again, in other axes or another
style. A display draws into the axes `ax`, or into those of a new figure if `ax` is None, and keeps them
as `ax_` (`axes_` if there are several) and `figure_`. Other keyword arguments are passed to the
function of matplotlib that the documentation of the method names.
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
