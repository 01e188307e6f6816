"""Metric learning with small neural networks, for scikit-learn."""

from .classification import SoftmaxMLPClassifier
from .contrastive import ContrastiveMetricTransformer
from .neighborhood import NeighborhoodMetricTransformer
from .triplet import TripletMetricTransformer

__version__ = "0.1.0"
__all__ = [
    "ContrastiveMetricTransformer",
    "NeighborhoodMetricTransformer",
    "SoftmaxMLPClassifier",
    "TripletMetricTransformer",
]
