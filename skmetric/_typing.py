"""Types that annotate the public interface, for editors and type checkers.

Shapes are in the docstrings. Functions whose name begins with an underscore have no annotations.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

# --- arrays -----------------------------------------------------------------------------------------

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
Bools = NDArray[np.bool_]
# Labels, names, and other arrays whose dtype depends on the data.
Array = NDArray[Any]
# Rows: an array, a data frame, a list of lists, or a sparse matrix or array of SciPy.
MatrixLike = ArrayLike | sparray | spmatrix

# --- parameters -------------------------------------------------------------------------------------

RandomState = int | np.random.RandomState | None
LayerSizes = int | Sequence[int]
Activation = Literal["relu", "tanh", "logistic", "identity"]
Solver = Literal["adam", "sgd"]
Standardize = Literal["auto", "common", "features", False]
LearningRate = Literal["constant", "inverse_time", "cosine", "adaptive"] | Callable[[int], float]
Scoring = str | Callable[..., float] | None
ClassWeight = dict[Any, float] | dict[Any, int] | Literal["balanced"] | None
Validation = Literal["rows", "classes"]
BatchSampler = Literal["auto", "shuffle", "balanced"]
Reduction = Literal["active", "mean", "grid"]

# --- methods ----------------------------------------------------------------------------------------

# What a decorator takes and gives back.
Method = TypeVar("Method", bound=Callable[..., Any])
