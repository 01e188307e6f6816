"""Metric learning with small neural networks, for scikit-learn."""

__version__ = "0.1.0"  # before the imports: modules of the package read it

from .classification import SoftmaxMLPClassifier
from .contrastive import ContrastiveMetricTransformer
from .neighborhood import NeighborhoodMetricTransformer
from .triplet import TripletMetricTransformer

__all__ = [
    "ContrastiveMetricTransformer",
    "NeighborhoodMetricTransformer",
    "SoftmaxMLPClassifier",
    "TripletMetricTransformer",
]
