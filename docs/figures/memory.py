"""Extra memory at the peak of each operation, and how much of it is the result."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

plt.style.use("skmetric.mplstyle")
results = Path("../../benchmarks/results/memory.json")
measured = json.loads(results.read_text(encoding="utf-8"))
CASES = {
    "fit_uint8": "fit a triplet embedding\n60,000 x 784, uint8",
    "fit_in_memory": "fit a triplet embedding\n1,000,000 x 512, float32",
    "fit_memmap": "the same\nfrom a memory map",
    "transform": "transform\n1,000,000 x 512 to 64",
    "predict_proba": "predict_proba\n1,000,000 x 512 to 10",
    "pairwise_distance": "pairwise_distance\namong 10,000 rows",
}
extra = np.array([measured[case]["extra_mb"] for case in CASES])
result = np.array([measured[case].get("result_mb", 0) for case in CASES])

fig, ax = plt.subplots(figsize=(5.2, 4.2))
heights = np.arange(len(CASES))[::-1]
ax.barh(heights, result, color="0.8", label="the result")
bars = ax.barh(heights, extra - result, left=result, label="beside it")
ax.bar_label(bars, [f" {value:.0f} MB" for value in extra], fontsize=9)
ax.set(yticks=heights, yticklabels=CASES.values(), xlabel="extra memory, MB", xlim=(0, 1.2 * extra.max()))
ax.legend(loc="upper right")
