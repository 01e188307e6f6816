"""Types of the functions that make up a loss on embeddings; see `skmetric.losses` for their arguments."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Chain = Callable[[Array], Array]
Comparison = Callable[[Array, Array], tuple[Array, Array, Array, Chain]]
Rule = Callable[[Array, Array, Array], tuple[float, Array, float, float]]
Reduction = Callable[[float, Array, float, float], tuple[float, Array]]
Miner = Callable[[Array, Array, Array, float], tuple[Array, float]]
