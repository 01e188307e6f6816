"""
A Parquet file as a stream
==========================

A Parquet file may be larger than memory. pyarrow reads it in batches of rows, and ``partial_fit`` learns
from one batch after the other. In this example, the file has three classes that come late, as they do in
a table that is extended day by day.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetric import TripletMetricTransformer
from skmetric.metrics import recall_at_k

# %%
# A file
# ------
#
# The file has a column for the label and one for each pixel. It is written part by part, so that the
# writer does not need all rows either. The first third of the file has the digits 0 to 6 only.

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
X = X.astype(np.float32)

names = [f"pixel {number}" for number in range(64)]
schema = pa.schema([("label", pa.int64()), *((name, pa.float32()) for name in names)])
path = Path(tempfile.mkdtemp()) / "digits.parquet"
rng = np.random.default_rng(0)

with pq.ParquetWriter(path, schema) as writer:
    for part in range(60):
        there = np.flatnonzero(y < (7 if part < 20 else 10))
        rows = rng.choice(there, 300)
        noisy = X[rows] + rng.normal(scale=2, size=(300, 64)).astype(np.float32)
        writer.write(pa.table([y[rows], *noisy.T], schema=schema))

print(
    f"{pq.ParquetFile(path).metadata.num_rows} rows, {path.stat().st_size / 2**20:.1f} MB"
)

# %%
# Training
# --------
#
# ``iter_batches`` reads as many rows at a time as it is asked for. Give each call some hundreds of rows,
# of several classes. Two passes over the file are two loops over the batches.

embedding = TripletMetricTransformer(
    learning_rate_init=0.001, n_networks=1, random_state=0
)
parts = {"digits 0 to 6": y_test < 7, "digits 7 to 9": y_test >= 7}
recalls = {name: [] for name in parts}

for batch in pq.ParquetFile(path).iter_batches(batch_size=600):
    labels, *pixels = (column.to_numpy() for column in batch.columns)
    embedding.partial_fit(np.column_stack(pixels), labels)

    Z_test = embedding.transform(X_test)
    for name, queries in parts.items():
        recalls[name].append(
            recall_at_k(Z_test, y_test, sample_weight=queries.astype(float))
        )

print({name: round(values[-1], 3) for name, values in recalls.items()})

# %%
# An embedding takes new classes whenever they come. The digits 7, 8 and 9 are in batch 11 for the first
# time. Before, what the embedding keeps of its input tells them apart.

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for name, values in recalls.items():
    axes.plot(range(1, len(values) + 1), values, marker=".", label=name)
axes.axvline(
    10.5, color="gray", linestyle=":"
)  # the first batch with all digits comes next
axes.set(xlabel="batch of 600 rows", ylabel="recall@1 of test digits")
axes.legend(loc="lower right")
plt.show()
