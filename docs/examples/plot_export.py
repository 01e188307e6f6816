"""
Export a model and time a request
=================================

A web service answers one request at a time. There, most of the time of a small model goes into Python:
checking the input, choosing threads, making arrays. An ONNX model needs neither Python nor scikit-learn.
Here we export a pipeline, compare its results with the original, and time requests.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import TripletMetricTransformer
from skmetric.onnx import to_onnx

# %%
# Fit and export
# --------------
#
# Images of digits, an embedding, and three nearest neighbours. Rows of float32 make a model of float32,
# which is half as large. The exported model is one object that holds the three steps; written to a file,
# it is all that a service needs.

X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
parts = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
X_train, X_test, y_train, y_test = parts
embedding = TripletMetricTransformer(32, random_state=0)
model = make_pipeline(StandardScaler(), embedding, KNeighborsClassifier(3))
model.fit(X_train, y_train)

exported = to_onnx(model, X_train[:1]).SerializeToString()
n_kept = 4 * len(X_train) * 32
print(f"{len(exported) / 1e3:.0f} kB, {n_kept / 1e3:.0f} kB of them for the neighbours")

# %%
# Compare
# -------
#
# The labels are the same, and the embeddings differ by rounding.

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(exported, options)
labels, probabilities = session.run(None, {"X": X_test})
n_different = (labels != model.predict(X_test)).sum()
print(f"labels that differ: {n_different} of {len(X_test)}")
print("accuracy:", round((labels == y_test).mean(), 4))

embed = model[:-1]
exported = to_onnx(embed, X_train[:1]).SerializeToString()
embed_session = onnxruntime.InferenceSession(exported, options)
(Z,) = embed_session.run(None, {"X": X_test})
expected = embed.transform(X_test)
differences = np.abs(Z - expected) / np.abs(expected).max()
print(f"largest difference: {differences.max():.1e} of the largest value")

# %%
# Time requests
# -------------
#
# The median of several calls, for the embedding alone, with one thread in ONNX.


def seconds(call, rows, n_calls=30):
    """Median time of a call."""
    call(rows)
    times = []
    for _ in range(n_calls):
        start = time.perf_counter()
        call(rows)
        times.append(time.perf_counter() - start)
    return np.median(times)


def run(rows):
    """Embed rows with onnxruntime."""
    return embed_session.run(None, {"X": rows})


sizes = np.array([1, 4, 16, 64, 256])
in_python = np.array([seconds(embed.transform, X_test[:n]) for n in sizes])
in_onnx = np.array([seconds(run, X_test[:n]) for n in sizes])
for n, python, onnx in zip(sizes, in_python, in_onnx):
    print(f"{n:4d} rows: {1e6 * python:5.0f} us in Python, {1e6 * onnx:4.0f} in ONNX")

# %%
# The figure
# ----------
#
# On the left, how far the embeddings of Python and ONNX are apart: about the rounding error of float32,
# and far below the limit of 1e-5 in the tests of skmetric. Equal numbers are counted in the first bin. On
# the right, the time of a request. For one row, Python spends most of it around the computation. For
# many rows, most of the time goes into the matrix products, and the two curves come closer.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
bins = np.geomspace(1e-10, 1e-4, 49)
left.hist(np.clip(differences.ravel(), bins[0], None), bins, color="tab:blue")
eps = np.finfo(np.float32).eps
left.axvline(eps, color="black", linestyle=":", label="precision of float32")
left.axvline(1e-5, color="tab:red", label="limit of the tests")
left.set(
    xscale="log",
    xlabel="difference / largest value",
    ylabel="entries of the embeddings",
    title="ONNX against Python",
)
left.legend(fontsize=8)

right.loglog(sizes, 1e6 * in_python, "o-C1", label="scikit-learn pipeline")
right.loglog(sizes, 1e6 * in_onnx, "s-C0", label="onnxruntime, 1 thread")
for n, python, onnx in zip(sizes, in_python, in_onnx):
    right.annotate(
        f"{python / onnx:.0f}x",
        (n, 1e6 * np.sqrt(python * onnx)),
        ha="center",
        fontsize=9,
    )
right.set(xlabel="rows in a request", ylabel="microseconds", title="Time of a request")
right.set_xticks(sizes, sizes)
right.minorticks_off()
right.grid(alpha=0.3)
right.legend()
plt.show()
