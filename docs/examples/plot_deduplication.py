"""
Deduplication of a table
========================

Two records of a table are duplicates if they describe the same customer, although somebody typed them
differently. Comparing all pairs of records by hand-made rules is slow and never complete. Here, a few
known duplicates teach an embedding which differences matter. Then a search for near neighbours proposes
pairs, and a threshold decides.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.sparse import triu
from sklearn.cluster import AgglomerativeClustering
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import ContrastiveMetricTransformer
from skmetric.pairs import paired_distances
from skmetric.plotting import PairDistanceDisplay
from skmetric.verification import PairVerifier

# %%
# A table with duplicates
# -----------------------
#
# We generate customers: a name, a street, a city and a year of birth. Each customer occurs in one to four
# records. A record has typing errors in its texts, sometimes an abbreviated first name, and sometimes a
# wrong year. The column ``note`` is written anew for each record and says nothing about the customer.

FIRST = "Anna Bruno Clara David Elena Felix Greta Hugo Irene Jonas Karla Lukas Maria Nils Olga".split()
LAST = "Adler Bauer Conrad Dietrich Engel Fischer Graf Huber Jung Keller Lang Maurer Neumann Otto".split()
STREET = "Oak Mill River Church Station Garden Park Hill Lake Bridge Castle Market Forest Harbour".split()
CITY = "Ashford Brighton Carlisle Dover Exeter Falmouth Grimsby Hereford Ipswich Kendal Lincoln".split()
NOTE = "called again;new order;late payment;prefers mail;moved last year;asked for invoice".split(
    ";"
)
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def typed(text, rng):
    """Return the text as somebody types it: on average one letter in 25 is wrong, missing or swapped."""
    letters = list(text)
    for place in np.flatnonzero(rng.random(len(letters) - 1) < 1 / 25):
        kind = rng.integers(3)
        if kind == 0:
            letters[place] = rng.choice(LETTERS)
        elif kind == 1:
            letters[place] = ""
        else:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def records(n_customers, rng):
    """A table of records, and the number of the customer of each."""
    table = []
    for customer in range(n_customers):
        first, last, street, city = (
            rng.choice(words) for words in (FIRST, LAST, STREET, CITY)
        )
        address = f"{rng.integers(1, 200)} {street} Street"
        year = rng.integers(1930, 2005)
        for _ in range(rng.integers(1, 5)):
            name = f"{first[0]}." if rng.random() < 0.2 else first
            slip = rng.choice([0, 0, 0, 1, -1, 10])
            note = f"{rng.choice(NOTE)}, {rng.choice(NOTE)}"
            texts = [typed(text, rng) for text in (f"{name} {last}", address, city)]
            table.append([customer, *texts, year + slip, note])
    table = pd.DataFrame(
        table, columns=["customer", "name", "address", "city", "year", "note"]
    )
    table = table.sample(frac=1, random_state=0, ignore_index=True)
    return table.drop(columns="customer"), table["customer"].to_numpy()


rng = np.random.default_rng(0)
table, customer = records(400, rng)
table_choose, customer_choose = records(600, rng)
table_test, customer_test = records(600, rng)
first_customer = customer_test[0]
print(table_test[customer_test == first_customer].to_string(index=False))

# %%
# Features
# --------
#
# ``HashingVectorizer`` counts the groups of two and three letters of a text: a typing error changes a few
# of them and leaves the others. Each text column has columns of its own. The year is a number.


def letter_groups():
    """Vectorizer of a text column."""
    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 3), n_features=256, alternate_sign=False
    )


features = make_column_transformer(
    *[(letter_groups(), column) for column in ("name", "address", "city", "note")],
    (StandardScaler(), ["year"]),
)
X = features.fit_transform(table).astype(np.float32)
print(f"{X.shape[0]} records, {X.shape[1]} features in a {type(X).__name__}")

# %%
# Known pairs
# -----------
#
# Somebody has looked at some pairs and said which are duplicates. Random pairs would teach little: nearly
# all of them are obviously different. We take the five nearest neighbours of each record in the features
# as they are, which are pairs that are worth a look.


def neighbor_pairs(Z, n_neighbors):
    """Row numbers of all pairs of a row and one of its nearest neighbours, each pair once."""
    graph = NearestNeighbors(n_neighbors=n_neighbors).fit(Z).kneighbors_graph()
    return np.column_stack(triu(graph + graph.T, k=1).nonzero())


pairs = neighbor_pairs(X, 5)
same = customer[pairs[:, 0]] == customer[pairs[:, 1]]
print(f"{len(pairs)} known pairs, {same.mean():.1%} of them duplicates")

# %%
# The embedding
# -------------
#
# ``ContrastiveMetricTransformer`` is a linear map by default. ``fit_pairs`` pulls the rows of a duplicate
# together and pushes those of the other pairs apart.

embedding = ContrastiveMetricTransformer(32, max_iter=10, random_state=0)
_ = embedding.fit_pairs(pairs, same.astype(int), X=X)

# %%
# Which columns does it compare? The mean squared distance of two records is a sum over the columns of the
# table, apart from what the columns have in common. In the features as they are, the summand of a column
# is twice the trace of its covariance; in a linear embedding, it is twice the trace of the covariance
# times the Mahalanobis matrix.

columns = ["name", "address", "city", "note", "year"]
places = [*np.split(np.arange(1024), 4), np.array([1024])]
covariance = np.cov(X.toarray(), rowvar=False)
mahalanobis = embedding.get_mahalanobis_matrix()


def shares(matrix):
    """Fraction of the mean squared distance that each column makes."""
    parts = np.array(
        [(covariance * matrix)[np.ix_(place, place)].sum() for place in places]
    )
    return parts / parts.sum()


figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
ax.barh(np.arange(5) - 0.2, shares(np.eye(1025)), 0.4, label="features as they are")
ax.barh(np.arange(5) + 0.2, shares(mahalanobis), 0.4, label="embedding")
ax.set(
    yticks=np.arange(5),
    yticklabels=columns,
    xlabel="fraction of the mean squared distance",
    xlim=(0, 0.45),
)
ax.invert_yaxis()
_ = ax.legend(loc="lower right")

# %%
# In the embedding, the name and the address count for more, the note and the year for less.
#
# A threshold for duplicates
# --------------------------
#
# A pipeline of the two fitted steps embeds records. The verifier chooses the threshold of the highest F
# score among the neighbours in a second table, whose customers are new to the embedding. It is as large
# as the table to clean: in a larger table, more records are near to each other by chance.

model = make_pipeline(features, embedding)
pairs_choose = neighbor_pairs(model.transform(table_choose), 5)
same_choose = customer_choose[pairs_choose[:, 0]] == customer_choose[pairs_choose[:, 1]]
verifier = PairVerifier(model, threshold="f_beta")
_ = verifier.fit(pairs_choose, same_choose.astype(int), X=table_choose)

# %%
# A new table
# -----------
#
# In a third table, we search the five nearest neighbours of each record and keep the pairs within the
# threshold. The recall counts all duplicates of the table, also those that are not among the neighbours.


def all_duplicates(customer):
    """Number of pairs of records of the same customer."""
    sizes = np.bincount(customer)
    return (sizes * (sizes - 1) // 2).sum()


n_duplicates = all_duplicates(customer_test)
pairs_test = neighbor_pairs(model.transform(table_test), 5)
same_test = customer_test[pairs_test[:, 0]] == customer_test[pairs_test[:, 1]]
called_same = verifier.predict(pairs_test, X=table_test) == 1
print(f"{len(table_test)} records, {n_duplicates} pairs of duplicates")
print(f"duplicates among the neighbours: {same_test.sum() / n_duplicates:.3f}")
precision = same_test[called_same].mean()
recall = same_test[called_same].sum() / n_duplicates
print(f"precision {precision:.3f}, recall {recall:.3f}")

# %%
# Precision and recall at all thresholds, for the embedding and for the features as they are. The dot is
# the threshold that was chosen on other customers.

figure, ax = plt.subplots(layout="constrained")
for name, transformer in (("embedding", model), ("features as they are", features)):
    Z = transformer.transform(table_test)
    near = neighbor_pairs(Z, 5)
    is_same = customer_test[near[:, 0]] == customer_test[near[:, 1]]
    ranked = is_same[np.argsort(paired_distances(Z, near))]
    n_found = np.cumsum(ranked)
    ax.plot(n_found / n_duplicates, n_found / np.arange(1, len(ranked) + 1), label=name)
ax.plot(recall, precision, "ko", label="threshold")
ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
_ = ax.legend(loc="lower left")

# %%
# The distances of the candidate pairs:

figure, ax = plt.subplots(layout="constrained")
display = PairDistanceDisplay.from_estimator(
    verifier, pairs_test, same_test.astype(int), X=table_test, ax=ax, density=False
)
_ = ax.set(title="Five nearest neighbours of each record", ylabel="number of pairs")

# %%
# Groups of records
# -----------------
#
# A customer may have more than two records. Pairs that are called the same do not always agree: a record
# may be near to two others that are far from each other. Clustering with complete linkage asks that all
# records of a group lie within the threshold of each other.

clustering = AgglomerativeClustering(
    n_clusters=None, distance_threshold=verifier.threshold_, linkage="complete"
)
group = clustering.fit_predict(model.transform(table_test))
print(f"{len(np.unique(customer_test))} customers, {clustering.n_clusters_} groups")
print(f"adjusted Rand index: {adjusted_rand_score(customer_test, group):.3f}")
largest = np.bincount(group).argmax()
print(table_test[group == largest].to_string(index=False))
