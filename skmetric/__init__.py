"""Metric learning with small neural networks, for scikit-learn."""

from .classification import SoftmaxMLPClassifier
from .embedding import ContrastiveMetricTransformer, TripletMetricTransformer
from .neighborhood import NeighborhoodMetricTransformer

__version__ = "0.1.0"
__all__ = [
    "ContrastiveMetricTransformer",
    "NeighborhoodMetricTransformer",
    "SoftmaxMLPClassifier",
    "TripletMetricTransformer",
]
