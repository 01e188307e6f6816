"""A shuffled and a balanced batch of 200 classes, and what is learned from such batches."""

import matplotlib.pyplot as plt
import numpy as np

from skmetric import TripletMetricTransformer
from skmetric._engine.sampling import BATCH_SAMPLERS

plt.style.use("skmetric.mplstyle")
N_CLASSES = 200
BATCH_SIZE = 64
EPOCHS = np.arange(1, 31)
rng = np.random.default_rng(0)
centres = rng.normal(size=(N_CLASSES, 20))
y = np.repeat(np.arange(N_CLASSES), 3)


def draw_rows():
    """Twenty features that tell the classes apart, and twenty louder ones that do not."""
    signal = centres[y] + 0.5 * rng.normal(size=(len(y), 20))
    return np.hstack([signal, 2 * rng.normal(size=(len(y), 20))])


X = draw_rows()
X_test = draw_rows()
fig = plt.figure(figsize=(5.2, 5.6))
pictures, below = fig.subfigures(2, 1, height_ratios=[1, 1])
axes = pictures.subplots(1, 2)
curve = below.subplots()
for ax, name in zip(axes, ["shuffle", "balanced"]):
    batch = next(iter(BATCH_SAMPLERS[name](np.arange(len(y)), y, BATCH_SIZE, np.random.default_rng(0))))
    labels = np.sort(y[batch])
    positive = (labels[:, np.newaxis] == labels) & ~np.eye(len(labels), dtype=bool)
    ax.imshow(positive, cmap="Blues", vmax=1.4)
    n_anchors = np.count_nonzero(positive.any(axis=1))
    ax.set_title(f"{name}: {n_anchors} of {len(batch)} anchors\nhave a positive")
    ax.set(xticks=[], yticks=[], xlabel="rows of a batch, by class")
    ax.spines[:].set_visible(True)

    model = TripletMetricTransformer(
        16,
        (),
        batch_sampler=name,
        batch_size=BATCH_SIZE,
        n_networks=1,
        input_weight=0,
        learning_rate="constant",
        warm_start=True,
        max_iter=1,
        random_state=0,
    )
    curve.plot(EPOCHS, [model.fit(X, y).score(X_test, y) for _ in EPOCHS], label=name)
curve.set(xlabel="epoch", ylabel="recall@1, test rows", ylim=(0, 1))
curve.legend(title="batch_sampler", loc="lower right")
