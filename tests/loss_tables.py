"""Tables of losses, batches and oracles for the tests of losses."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import example, settings
from hypothesis import given as given_examples
from hypothesis import strategies as st
from profiles import by_profile

from skmetric.losses import (
    DISTANCES,
    MINERS,
    PAIR_REDUCTIONS,
    TRIPLET_REDUCTIONS,
    MetricLoss,
    all_pairs,
    contrastive,
    on_sphere,
    triplet,
)

REDUCTIONS = list(TRIPLET_REDUCTIONS)


def easy_triplets(D, positive, negative, margin):
    """A user's own mining: the nearest positive and the nearest negative of each anchor."""
    C, n_valid = np.zeros_like(D), 0.0
    for anchor in range(len(D)):
        if positive[anchor].any() and negative[anchor].any():
            n_valid += 1
            p = np.where(positive[anchor], D[anchor], np.inf).argmin()
            n = np.where(negative[anchor], D[anchor], np.inf).argmin()
            active = D[anchor, p] - D[anchor, n] + margin > 0
            C[anchor, p] += active
            C[anchor, n] -= active
    return C, n_valid


# --- the tables: a new rule or loss is one line here, and one in its oracle below -------------------

RULES = {
    "contrastive": partial(contrastive, positive_margin=0.5, negative_margin=1.5, negative_weight=0.7),
    **{f"triplet-{mining}": partial(triplet, mining=mining) for mining in MINERS},
    "triplet-easy": partial(triplet, mining=easy_triplets),
}


def reduction_of(rule, reduction):
    return (PAIR_REDUCTIONS if rule == "contrastive" else TRIPLET_REDUCTIONS)[reduction]


def compares_selves(rule, reduction):
    return reduction == "grid" and rule != "contrastive"


def metric_loss(rule, reduction="active", distance="sqeuclidean", sphere=False, comparison=None):
    """The loss as an estimator makes it."""
    if comparison is None:
        comparison = partial(all_pairs, self_pairs=compares_selves(rule, reduction))
    if sphere:
        comparison = on_sphere(comparison)
    return MetricLoss(RULES[rule], DISTANCES[distance](comparison), reduction_of(rule, reduction))


def masks(y, self_pairs=False):
    """Positive and negative pairs by the definition."""
    positive = np.array(
        [[a == b and (self_pairs or i != j) for j, b in enumerate(y)] for i, a in enumerate(y)]
    )
    return positive, np.array([[a != b for b in y] for a in y])


def on_distances(rule, D, y, reduction="active"):
    """Value, C and the two counts of a rule that is shown all pairs."""
    sums = RULES[rule](D, *masks(y, compares_selves(rule, reduction)))
    return *reduction_of(rule, reduction)(*sums), *sums[2:]


DISTANCE_LOSSES = {
    f"{rule}-{reduction}-{distance}": metric_loss(rule, reduction, distance)
    for rule, reduction, distance in product(RULES, REDUCTIONS, DISTANCES)
}
SPHERE_LOSSES = {
    f"{rule}-{reduction}-{distance}-sphere": metric_loss(rule, reduction, distance, sphere=True)
    for rule, reduction, distance in product(RULES, REDUCTIONS, DISTANCES)
}
EMBEDDING_LOSSES = DISTANCE_LOSSES | SPHERE_LOSSES

DTYPES = [np.float32, np.float64]


def parametrized(name, table):
    return pytest.mark.parametrize(name, [pytest.param(value, id=key) for key, value in table.items()])


every_embedding_loss = parametrized("loss", EMBEDDING_LOSSES)
every_distance_loss = parametrized("loss", DISTANCE_LOSSES)
every_sphere_loss = parametrized("loss", SPHERE_LOSSES)
every_rule = pytest.mark.parametrize("name", RULES)
every_mining = pytest.mark.parametrize("mining", MINERS)
every_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


# --- batches ----------------------------------------------------------------------------------------


def embeddings(n=14, n_components=3, n_classes=3, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.7, (n, n_components)).astype(dtype), rng.integers(0, n_classes, n)


def embeddings_of_tuples(n, size, seed=0, dtype=np.float64, n_components=3):
    """Embeddings of tuples, and which rows are like the first of their tuple."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(0, 0.7, (n * size, n_components)).astype(dtype)
    if size == 2:
        return Z, np.repeat(rng.integers(0, 2, n), 2)
    return Z, np.tile([1, 1, 0], n)


def integer_distances(n, seed, dtype, top=4):
    # Small integers: many exact ties, and exact sums.
    D = np.random.default_rng(seed).integers(0, top + 1, (n, n)).astype(dtype)
    np.fill_diagonal(D, 0)
    return D


def random_distances(n, seed, dtype):
    D = np.random.default_rng(seed).uniform(0.01, 3, (n, n)).astype(dtype)
    np.fill_diagonal(D, 0)
    return D


def random_rotation(n, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


# --- oracles: the definitions of DESIGN.md, one triplet or pair after the other ---------------------


def valid_triplets(y, self_pairs):
    y, n = y.tolist(), range(len(y))
    pairs = [(a, p) for a, p in product(n, n) if y[a] == y[p] and (self_pairs or a != p)]
    return [(a, p, m) for (a, p), m in product(pairs, n) if y[m] != y[a]]


def semihard(D, triplets, margin):
    return [(a, p, n) for a, p, n in triplets if D[a, p] < D[a, n] < D[a, p] + margin]


def hard(D, triplets, margin):
    # max takes the first of equal ones.
    by_anchor = {a: [t for t in triplets if t[0] == a] for a, _, _ in triplets}
    return [max(some, key=lambda t: D[t[:2]] - D[t[0], t[2]]) for some in by_anchor.values()]


def easy(D, triplets, margin):
    by_anchor = {a: [t for t in triplets if t[0] == a] for a, _, _ in triplets}
    return [min(some, key=lambda t: (D[t[:2]], D[t[0], t[2]])) for some in by_anchor.values()]


MINED = {
    "all": lambda D, triplets, margin: triplets,
    "semihard": semihard,
    "hard": hard,
    easy_triplets: easy,
}


def triplet_oracle(D, y, margin=1.0, mining="all", reduction="active"):
    """Value, C, and the numbers of active and of valid triplets."""
    D = D.astype(np.float64)
    total, n_active, C = 0.0, 0, np.zeros_like(D)
    chosen = MINED[mining](D, valid_triplets(y, self_pairs=reduction == "grid"), margin)
    for a, p, n in chosen:
        term = D[a, p] - D[a, n] + margin
        if term > 0:
            total += term
            n_active += 1
            C[a, p] += 1
            C[a, n] -= 1
    divisor = {"active": n_active, "mean": len(chosen), "grid": len(y) ** 3}[reduction] or 1
    return total / divisor, C / divisor, n_active, len(chosen)


def contrastive_oracle(
    D, y, positive_margin=0.0, negative_margin=1.0, negative_weight=1.0, reduction="active"
):
    D = D.astype(np.float64)
    total, n_active, C = 0.0, 0, np.zeros_like(D)
    pairs = [(i, j) for i, j in np.ndindex(D.shape) if i != j]
    for i, j in pairs:
        sign, term = (1, D[i, j] - positive_margin) if y[i] == y[j] else (-1, negative_margin - D[i, j])
        weight = 1 if sign == 1 else negative_weight
        if weight * term > 0:
            total += weight * term
            n_active += 1
            C[i, j] = sign * weight
    divisor = {"active": n_active, "mean": len(pairs), "grid": len(y) ** 2}[reduction] or 1
    return total / divisor, C / divisor, n_active, len(pairs)


def oracle(name):
    function = contrastive_oracle if name == "contrastive" else triplet_oracle
    return partial(function, **RULES[name].keywords)


label_vectors = st.lists(st.integers(0, 4), min_size=2, max_size=12).map(np.array)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=by_profile(15, 200))


def on_any_labels(test):
    """Random labels, and always: one class, all different, one pair, a singleton."""
    for labels in ([0, 0, 0, 0], [0, 1, 2, 3, 4], [0, 1], [3, 3, 1]):
        test = example(y=np.array(labels), seed=0, dtype=np.float32)(test)
    return few(given_examples(y=label_vectors, seed=seeds, dtype=st.sampled_from(DTYPES))(test))
