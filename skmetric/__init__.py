"""Metric learning with small neural networks, for scikit-learn."""

from .classification import SoftmaxMLPClassifier
from .embedding import ContrastiveMetricTransformer, TripletMetricTransformer

__version__ = "0.1.0"
__all__ = ["ContrastiveMetricTransformer", "SoftmaxMLPClassifier", "TripletMetricTransformer"]
