"""The digits in a plane: principal components, and the triplet embedding."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from skmetric import TripletMetricTransformer

plt.style.use("skmetric.mplstyle")
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
transformers = {
    "Principal components": PCA(2, random_state=0),
    "TripletMetricTransformer": TripletMetricTransformer(
        2, (256, 256), dropout=0, max_iter=100, random_state=0
    ),
}

figure, axes = plt.subplots(2, 1, figsize=(5, 7))
for axis, (name, transformer) in zip(axes, transformers.items()):
    Z_train = transformer.fit_transform(X_train, y_train)
    Z_test = transformer.transform(X_test)
    accuracy = KNeighborsClassifier(3).fit(Z_train, y_train).score(Z_test, y_test)
    points = axis.scatter(*Z_test.T, c=y_test, cmap="tab10", s=9)
    axis.set(title=f"{name}: {accuracy:.0%} of new digits recognised", xticks=[], yticks=[])
    axis.spines[:].set(visible=True, color="0.8")
handles, labels = points.legend_elements()
figure.legend(
    handles, labels, loc="outside lower center", ncols=10, handletextpad=-0.3, columnspacing=0.8
)
