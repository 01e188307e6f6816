"""
A model card, and a file that is safe to load
=============================================

A model that is handed on needs two things: a file that the other side can load without running code of
a stranger, and a page that says what the model is for, how it was made and how good it is. `skops
<https://skops.readthedocs.io>`_ writes both for estimators of scikit-learn, and for those of skmetric.
Install it with ``pip install skops``. For serving without Python, see the example on export.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from skops import card, io

import skmetric
from skmetric import TripletMetricTransformer
from skmetric.metrics import retrieval_report
from skmetric.plotting import EmbeddingDisplay

# %%
# A model
# -------
#
# An embedding in front of a nearest-neighbour classifier:

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
model = make_pipeline(
    TripletMetricTransformer(32, random_state=0), KNeighborsClassifier(5)
)
model.fit(X_train, y_train)

# %%
# What the card will say about its quality:

accuracy = model.score(X_test, y_test)
report = retrieval_report(model[:-1].transform(X_test), y_test)
print(f"accuracy {accuracy:.3f}")
print(f"recall@1 {report['recall_at_1']:.3f}")

# %%
# A file
# ------
#
# A pickle can run any code when it is loaded. The format of skops is a zip archive of arrays and of names
# of types. ``load`` makes objects of types that are known to be safe, those of NumPy, SciPy and
# scikit-learn, and of others that we trust by name. ``get_untrusted_types`` says which there are.

folder = TemporaryDirectory()
file = Path(folder.name) / "model.skops"
io.dump(model, file, compression=8)
untrusted = io.get_untrusted_types(file=file)
print(f"{file.stat().st_size / 1e6:.1f} MB")
print(untrusted)

# %%
# All of these come from skmetric, which we trust. Whatever else a file asks for, look at it before you
# trust it.

assert all(name.startswith("skmetric.") for name in untrusted)
loaded = io.load(file, trusted=untrusted)
print(
    "same answers:",
    np.array_equal(loaded.predict_proba(X_test), model.predict_proba(X_test)),
)

# %%
# A card
# ------
#
# A card is a Markdown file with sections. We begin with texts of our own, and add metrics, a table and a
# figure.

about = f"Embedding of digits and 5-nearest-neighbour classifier (skmetric {skmetric.__version__})."
texts = {
    "Model": about,
    "Model/Intended use": "Search and classification of digits of 8 x 8 pixels.",
    "Model/Limitations": "Every image gets an answer, also one that shows no digit.",
    "Training": "A half of the digits of scikit-learn, stratified by class.",
}
model_card = card.Card(model, template=None, model_diagram=False).add(**texts)
measures = {
    name: round(report[name], 4)
    for name in ("recall_at_1", "r_precision", "mean_average_precision_at_r")
}
model_card.add_metrics(
    section="Evaluation",
    description="On the other half.",
    accuracy=round(accuracy, 4),
    **measures,
)
by_class = {
    "class": list(report["classes"]),
    "queries": [entry["n_queries"] for entry in report["classes"].values()],
    "recall_at_1": [
        round(entry["recall_at_1"], 4) for entry in report["classes"].values()
    ],
}
_ = model_card.add_table(**{"Evaluation of each class": by_class})

# %%
# Figures for the card
# --------------------
#
# The confusion matrix, and the test rows in the first two principal components of the embedding:

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    model, X_test, y_test, ax=left, colorbar=False, cmap="Blues"
)
EmbeddingDisplay.from_estimator(model[:-1], X_test, y_test, ax=right)
figure.savefig(Path(folder.name) / "evaluation.png")
_ = model_card.add_plot(**{"Figures": "evaluation.png"})

# %%
# The page
# --------
#
# This is the card so far:

print(model_card.render())

# %%
# Last, ``add_hyperparams`` lists the parameters of all steps, and ``save`` writes the card into the
# folder of the model and the figure.

model_card.add_hyperparams(section="Training/Parameters")
model_card.save(Path(folder.name) / "README.md")
print(sorted(path.name for path in Path(folder.name).iterdir()))
folder.cleanup()
