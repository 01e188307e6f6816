"""
Approximate search behind an embedding
======================================

An exact search compares a query with every row of the gallery. An approximate search compares it with a
part of the gallery: it is faster, and it misses some neighbours. scikit-learn has a contract for such
searches. Any search that keeps the contract works behind an embedding in a pipeline. This example
writes one, measures what it misses, and shows how to use PyNNDescent in its place.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import KNeighborsClassifier, KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skmetric import TripletMetricTransformer

# %%
# A large gallery
# ---------------
#
# We draw 100,000 noisy digits as a gallery and 2,000 others as queries. The embedding learns from 6,000
# rows of the gallery.

X, y = load_digits(return_X_y=True)


def noisy(n_rows, digits, rng):
    """Rows and classes of noisy copies of some digits."""
    rows = rng.choice(digits, n_rows)
    noise = rng.normal(scale=2.5, size=(n_rows, X.shape[1]))
    return (X[rows] + noise).astype(np.float32), y[rows]


rng = np.random.default_rng(0)
digits = rng.permutation(len(X))
X_gallery, y_gallery = noisy(100_000, digits[:1200], rng)
X_query, y_query = noisy(2000, digits[1200:], rng)
embedding = TripletMetricTransformer(32, max_iter=10, random_state=0)
embedding.fit(X_gallery[:6000], y_gallery[:6000])
Z_gallery = embedding.transform(X_gallery)
Z_query = embedding.transform(X_query)

# %%
# The contract
# ------------
#
# ``KNeighborsTransformer`` is scikit-learn's exact search as a transformer: ``fit`` takes the gallery,
# and ``transform`` returns a sparse matrix of distances. It has a row for each query, a column for each
# row of the gallery, and entries for the nearest neighbours only, the nearest first.
# ``KNeighborsClassifier(metric="precomputed")``, ``DBSCAN``, ``Isomap`` and others take such a matrix. A
# row needs as many entries as the next step looks at, and one more where a row of the gallery is its own
# query.
#
# Our search is an inverted file. K-means divides the gallery into cells. A query is compared with the
# rows of the cells whose centres are nearest to it, ``n_probes`` of them.


class InvertedFile(TransformerMixin, BaseEstimator):
    """Approximate nearest neighbours: those in the cells that are nearest to a query."""

    def __init__(self, n_neighbors=6, n_cells=200, n_probes=8, random_state=None):
        self.n_neighbors = n_neighbors
        self.n_cells = n_cells
        self.n_probes = n_probes
        self.random_state = random_state

    def fit(self, X, y=None):
        """Divide the gallery into cells."""
        self.kmeans_ = MiniBatchKMeans(
            self.n_cells, n_init=1, random_state=self.random_state
        ).fit(X)
        self.rows_ = by_value(self.kmeans_.predict(X), self.n_cells)
        self.gallery_ = X
        return self

    def transform(self, X):
        """Search the neighbours of rows."""
        k = self.n_neighbors
        probes = np.argsort(self.kmeans_.transform(X), axis=1)[:, : self.n_probes]
        distances = np.full((probes.size, k), np.inf)
        found = np.zeros((probes.size, k), dtype=int)
        for rows, asked in zip(self.rows_, by_value(probes.ravel(), self.n_cells)):
            if len(rows) >= k and len(asked) > 0:
                D = euclidean_distances(X[asked // self.n_probes], self.gallery_[rows])
                nearest = np.argpartition(D, k - 1)[:, :k]
                distances[asked] = np.take_along_axis(D, nearest, axis=1)
                found[asked] = rows[nearest]
        distances = distances.reshape(len(X), -1)
        best = np.argsort(distances)[:, :k]
        data = np.take_along_axis(distances, best, axis=1)
        columns = np.take_along_axis(found.reshape(len(X), -1), best, axis=1)
        starts = np.arange(0, data.size + 1, k)
        return csr_array(
            (data.ravel(), columns.ravel(), starts), shape=(len(X), len(self.gallery_))
        )


def by_value(values, n_values):
    """For each value from 0 on, the places where it occurs."""
    order = np.argsort(values, kind="stable")
    return np.split(order, np.searchsorted(values[order], np.arange(1, n_values)))


# %%
# Recall and time
# ---------------
#
# The recall of an approximate search is the fraction of the true five nearest neighbours that it finds.


def timed(search):
    """Seconds that a search takes in one thread, and the numbers of the five nearest rows."""
    with threadpool_limits(1):
        start = perf_counter()
        graph = search.transform(Z_query)
        seconds = perf_counter() - start
    return seconds, graph.indices.reshape(len(Z_query), -1)[:, :5]


def recall_of(found, exact):
    """Fraction of the exact neighbours that were found."""
    return np.mean([np.isin(one, other).mean() for one, other in zip(exact, found)])


exact_seconds, exact = timed(
    KNeighborsTransformer(n_neighbors=5, algorithm="brute").fit(Z_gallery)
)
print(f"exact search: {exact_seconds:.2f} s for {len(Z_query):,} queries")

search = InvertedFile(random_state=0).fit(Z_gallery)
probes = [1, 2, 4, 8, 16, 32]
seconds = []
recalls = []
for n_probes in probes:
    elapsed, found = timed(search.set_params(n_probes=n_probes))
    seconds.append(elapsed)
    recalls.append(recall_of(found, exact))
    print(f"{n_probes:2d} of 200 cells: {seconds[-1]:.2f} s, recall {recalls[-1]:.3f}")

# %%
# Few cells are enough for most of the neighbours, because the rows of a cell are near to each other. The
# time depends on the machine and on what else it does. How many rows a query is compared with does not:

sizes = np.array([len(rows) for rows in search.rows_])
order = np.argsort(search.kmeans_.transform(Z_query), axis=1)
compared = [
    sizes[order[:, :n_probes]].sum(axis=1).mean() / len(Z_gallery)
    for n_probes in probes
]

figure, ax = plt.subplots(layout="constrained")
ax.semilogx(compared, recalls, "o-", label="inverted file")
for n_probes, x, recall in zip(probes, compared, recalls):
    ax.annotate(n_probes, (x, recall), xytext=(4, -14), textcoords="offset points")
ax.plot(1, 1, "ko", label="exact search")
ax.set(
    xlabel="fraction of the gallery that a query is compared with",
    ylabel="recall of the five nearest",
)
ax.xaxis.set_major_formatter("{x:g}")
_ = ax.legend(loc="lower right", title="numbers: cells that are searched")

# %%
# In a pipeline
# -------------
#
# Embedding, search and classifier make one model. ``FrozenEstimator`` keeps the pipeline from fitting the
# embedding again. A neighbour that the inverted file misses matters little to a classifier: the search
# finds the nearest centres, and the next row of the same cells usually has the same class.

frozen = FrozenEstimator(embedding)
exact_model = make_pipeline(frozen, KNeighborsClassifier(5, algorithm="brute"))
search = InvertedFile(random_state=0)
fast_model = make_pipeline(
    frozen, search, KNeighborsClassifier(5, metric="precomputed")
)
some = slice(10_000)
for name, model in (("exact", exact_model), ("approximate", fast_model)):
    model.fit(X_gallery[some], y_gallery[some])
    print(f"{name} search: accuracy {model.score(X_query, y_query):.4f}")
agreement = np.mean(exact_model.predict(X_query) == fast_model.predict(X_query))
print(f"the two models agree on {agreement:.2%} of the queries")

# %%
# PyNNDescent
# -----------
#
# `PyNNDescent <https://pynndescent.readthedocs.io>`_ searches along a graph, in which each row of the
# gallery is linked to its approximate neighbours. Its ``PyNNDescentTransformer`` keeps the contract, so
# it can take the place of ``InvertedFile``:
#
# .. code-block:: python
#
#     from pynndescent import PyNNDescentTransformer
#
#     search = PyNNDescentTransformer(n_neighbors=50, search_epsilon=0.3, random_state=0)
#     fast_model = make_pipeline(frozen, search, KNeighborsClassifier(5, metric="precomputed"))
#
# Do not set its ``n_neighbors`` to the 5 neighbours that the classifier needs, as you would for
# ``KNeighborsTransformer``. This parameter is three numbers in one: the links of each row, the candidates
# that a search keeps, and the entries of the answer. With 5, a search walks along few links, gives up
# early, and misses many of the neighbours, in an embedding as well as in the rows themselves. Use 50; the
# classifier takes the nearest 5 of as many entries. ``search_epsilon`` widens the search; 0.3 is the most
# that is useful.
#
# An embedding is a hard case for such a graph. Its classes lie apart, so that few links lead from one
# class to another, or none. A search that begins in the wrong class then stays there: all the neighbours
# that it finds are wrong, and so is the class. The longer an embedding is trained, the more of this there
# is. More links and candidates help; an inverted file does not have this trouble.
#
# The first ``fit`` in a process is slow, because numba compiles the code. It is slowest after the
# installation, because some of what is compiled is kept for later processes. Do not judge the time of a
# search by the first call. We do not run this part here for this reason; a test of skmetric runs it where
# ``pynndescent`` is installed.
