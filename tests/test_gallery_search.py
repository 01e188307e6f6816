"""The code block of the gallery's example on approximate search, which the example does not run."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline

from skmetric import TripletMetricTransformer

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "plot_approximate_search.py"


def block():
    """The code block of the example, as code."""
    text = re.search(r"# \.\. code-block:: python\n#\n((?:#     .*\n|#\n)+)", EXAMPLE.read_text())[1]
    return textwrap.dedent("\n".join(line[1:] for line in text.splitlines()))


def recall(search, gallery, queries, exact):
    graph = search.fit(gallery).transform(queries)
    found = graph.indices.reshape(len(queries), -1)[:, :5]
    return np.mean([np.isin(one, other).mean() for one, other in zip(exact, found)])


@pytest.mark.filterwarnings("ignore")
def test_pynndescent_agrees_with_exact_search_if_its_graph_has_enough_links():
    pytest.importorskip("pynndescent", reason="pynndescent is not installed, and needed here alone")
    rng = np.random.default_rng(0)
    X, y = load_digits(return_X_y=True)
    rows = rng.integers(len(X), size=12_000)
    X = (X[rows] + rng.normal(scale=2.5, size=(len(rows), 64))).astype(np.float32)
    y = y[rows]
    embedding = TripletMetricTransformer(32, max_iter=5, random_state=0).fit(X[:2000], y[:2000])
    names = {"frozen": FrozenEstimator(embedding), "make_pipeline": make_pipeline}
    names["KNeighborsClassifier"] = KNeighborsClassifier
    exec(block(), names)

    gallery, queries = embedding.transform(X[:11_000]), embedding.transform(X[11_000:])
    exact = NearestNeighbors(n_neighbors=5).fit(gallery).kneighbors(queries, return_distance=False)
    enough = recall(names["search"], gallery, queries, exact)
    few = recall(clone(names["search"]).set_params(n_neighbors=5), gallery, queries, exact)
    assert enough > 0.99 > 0.95 > few

    fast = names["fast_model"].fit(X[:11_000], y[:11_000])
    slow = make_pipeline(names["frozen"], KNeighborsClassifier(5)).fit(X[:11_000], y[:11_000])
    assert np.mean(fast.predict(X[11_000:]) == slow.predict(X[11_000:])) > 0.99
