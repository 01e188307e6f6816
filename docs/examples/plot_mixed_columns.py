"""
A table of mixed columns with missing values
============================================

Which flats are like this one? A table of flats has categories, numbers in different units, and gaps.
scikit-learn's preprocessing turns such a table into numbers, but it does not know which columns matter.
An embedding learns it from classes: here, from classes of rent. Then the neighbours of a flat are flats
that are alike in what makes the rent.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmetric import NeighborhoodMetricTransformer

# %%
# The table
# ---------
#
# We generate flats. The rent depends on the area, the district, the year, and the floor if there is no
# lift. The colour of the door, the number of the contract and the month do not matter. One entry in ten
# is missing.


def flats(n_flats, rng):
    """A table of flats, and the rent of each."""
    districts = np.array(["centre", "harbour", "hills", "north", "station", "west"])
    worth = np.array([16, 13, 15, 9, 10, 11])
    district = rng.integers(6, size=n_flats)
    area = rng.gamma(9, 8, n_flats).round()
    year = rng.integers(1890, 2024, n_flats)
    floor = rng.integers(8, size=n_flats)
    has_lift = rng.random(n_flats) < 0.5
    rent_of_square_metre = (
        worth[district] + 0.03 * abs(year - 1960) - np.where(has_lift, 0, 0.6 * floor)
    )
    columns = {
        "district": districts[district],
        "area": area,
        "year": year.astype(float),
        "floor": floor.astype(float),
        "lift": np.where(has_lift, "yes", "no"),
        "door": rng.choice(
            ["black", "blue", "brown", "green", "red", "white"], n_flats
        ),
        "contract": rng.integers(10000, 99999, n_flats).astype(float),
        "month": rng.integers(1, 13, n_flats).astype(float),
    }
    table = pd.DataFrame(columns)
    rent = area * rent_of_square_metre * rng.lognormal(sigma=0.05, size=n_flats)
    return table.mask(rng.random(table.shape) < 0.1), rent


table, rent = flats(3000, np.random.default_rng(0))
table_train, table_test, rent_train, rent_test = train_test_split(
    table, rent, random_state=0
)
print(table_train.head().to_string())

# %%
# A pipeline
# ----------
#
# A column transformer prepares the columns by their type. Missing numbers become the median, and the
# column of a gap gets a second one that says so (``add_indicator=True``). Categories become a column
# each; a missing category is one more category. The last step is the embedding.

numbers = make_pipeline(
    SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
)
categories = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
prepare = make_column_transformer(
    (numbers, make_column_selector(dtype_include="number")),
    (categories, make_column_selector(dtype_exclude="number")),
    verbose_feature_names_out=False,
)
embedding = NeighborhoodMetricTransformer(8, input_weight=0, random_state=0)
model = make_pipeline(prepare, embedding).set_output(transform="pandas")

# %%
# The classes are ten ranges of rent, each with as many flats of the training table. ``input_weight=0``
# keeps nothing of the input beside what is learned, because the input has columns that do not matter.
# After ``set_output(transform="pandas")``, a data frame goes in and a data frame comes out, with the same
# index.

edges = np.quantile(rent_train, np.linspace(0.1, 0.9, 9))
model.fit(table_train, np.digitize(rent_train, edges))

# %%
# The embedding of three flats:

embedded = model.transform(table_test)
print(embedded.iloc[:3, :3].round(2).to_string())

# %%
# One flat
# --------
#
# The five nearest flats of the training table to one flat of the test table. First in the prepared
# columns, then in the embedding:


def neighbors(transformer):
    """Row numbers of the five neighbours of each test flat in the training table."""
    search = NearestNeighbors(n_neighbors=5).fit(transformer.transform(table_train))
    return search.kneighbors(transformer.transform(table_test), return_distance=False)


found = {"prepared columns": neighbors(prepare), "embedding": neighbors(model)}
flat = np.flatnonzero(table_test.notna().all(axis=1))[0]
print("query")
print(table_test.assign(rent=rent_test.round()).iloc[[flat]].to_string(index=False))
for name, rows in found.items():
    print(f"\n{name}")
    print(
        table_train.assign(rent=rent_train.round())
        .iloc[rows[flat]]
        .to_string(index=False)
    )

# %%
# In the prepared columns, neighbours also agree in the door and the month, and differ more in the rent.
# In the embedding, a smaller flat in a better district is a neighbour of a larger flat in a worse one.
#
# All flats
# ---------
#
# If neighbours mean something, the rent of a flat is near to the rents of its neighbours.

figure, axes = plt.subplots(
    1, 2, figsize=(9, 4.4), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, rows) in zip(axes, found.items()):
    of_neighbors = np.median(rent_train[rows], axis=1)
    error = np.median(abs(of_neighbors / rent_test - 1))
    print(f"{name}: the median error is {error:.1%} of the rent")
    ax.plot(rent_test, of_neighbors, ".", alpha=0.4)
    ax.axline((0, 0), (1, 1), color="gray", linestyle="--")
    ax.set(title=name, xlabel="rent of a flat", xlim=(0, 2500), ylim=(0, 2500))
_ = axes[0].set_ylabel("median rent of its five neighbours")

# %%
# Which columns count
# -------------------
#
# We shuffle one column of the test table, which breaks its relation with the others, and look how far the
# rows move. Distances are divided by the mean distance of two rows, so that both spaces have the same
# scale.


def moves(transformer):
    """Mean distance that rows move if a column is shuffled, as a fraction of that of two rows."""
    Z = np.asarray(transformer.transform(table_test))
    order = np.random.default_rng(0).permutation(len(Z))
    of_two_rows = np.linalg.norm(Z - Z[order], axis=1).mean()
    for name in table_test:
        shuffled = table_test.assign(**{name: table_test[name].to_numpy()[order]})
        yield (
            np.linalg.norm(transformer.transform(shuffled) - Z, axis=1).mean()
            / of_two_rows
        )


figure, ax = plt.subplots(layout="constrained")
places = np.arange(table_test.shape[1])
ax.barh(places - 0.2, list(moves(prepare)), 0.4, label="prepared columns")
ax.barh(places + 0.2, list(moves(model)), 0.4, label="embedding")
ax.set(yticks=places, yticklabels=table_test.columns, xlabel="how far a row moves")
ax.invert_yaxis()
_ = ax.legend()

# %%
# The prepared columns give each category and each number about the same weight. The embedding has learned
# that the area and the district count most, and that the door, the contract and the month count least.
