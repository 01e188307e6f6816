"""Types that annotate the public interface, for editors and type checkers.

Shapes are in the docstrings. Functions whose name begins with an underscore have no annotations.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

# --- arrays -----------------------------------------------------------------------------------------

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
Bools = NDArray[np.bool_]
# Labels, names, and other arrays whose dtype depends on the data.
Array = NDArray[Any]


class StoredArray(Protocol):
    """Rows outside memory, of which some are read at a time: ``X[start:stop]``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of rows and features."""

    @property
    def dtype(self) -> Any:
        """Type of the values."""

    def __getitem__(self, rows: slice) -> Any:
        """Read some rows."""


# Rows: an array, a data frame, a list of lists, a sparse matrix or array of SciPy, or a stored array.
MatrixLike = ArrayLike | sparray | spmatrix | StoredArray

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
Shuffle = bool | Literal["blocks"]

# --- methods ----------------------------------------------------------------------------------------

# What a decorator takes and gives back.
Method = TypeVar("Method", bound=Callable[..., Any])
