"""What the tests of both kinds of tuples, pairs and triplets, share."""

import pytest
from shared import X, Y, assert_same_parameters

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer
from skmetric.pairs import make_pairs, make_triplets

PAIRS, SAME = make_pairs(Y, 120, rng=0)
TRIPLETS = make_triplets(Y, 80, rng=0)
PLAIN = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.02}
STILL = {**PLAIN, "learning_rate": lambda epoch: 0.0, "max_iter": 1}


class Pairs:
    """What there is to know of pairs."""

    Estimator = ContrastiveMetricTransformer
    size = 2
    tuples = PAIRS
    options = {"y": SAME}
    fit = "fit_pairs"
    partial_fit = "partial_fit_pairs"


class Triplets:
    """The same of triplets."""

    Estimator = TripletMetricTransformer
    size = 3
    tuples = TRIPLETS
    options = {}
    fit = "fit_triplets"
    partial_fit = "partial_fit_triplets"


each = pytest.mark.parametrize("kind", [Pairs, Triplets])


def learn(kind, model, tuples=None, rows=X, incremental=False, **options):
    """Learn from tuples of row numbers, or, where `rows` is None, of the rows themselves."""
    method = getattr(model, kind.partial_fit if incremental else kind.fit)
    return method(kind.tuples if tuples is None else tuples, **kind.options | options, X=rows)


def assert_same_training(model, other):
    assert_same_parameters(model, other)
    assert model.loss_curve_ == other.loss_curve_
