"""Loss of each epoch with all rows shuffled, with blocks, and with blocks of sorted rows."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")
STYLES = ["k-", "C1--", "C2:"]

results = Path("../../benchmarks/results/out_of_core_1.json")
curves = json.loads(results.read_text(encoding="utf-8"))["parts"]["curves"]

fig, ax = plt.subplots()
for (name, entry), style in zip(curves.items(), STYLES):
    losses = np.mean(entry["loss_curves"], axis=0)
    ax.plot(range(1, len(losses) + 1), losses, style, label=name)
ax.set(xlabel="epoch", ylabel="loss (mean of three trainings)", ylim=(0, None))
ax.legend()
