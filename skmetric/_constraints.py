"""Constraints of parameters, beside those of scikit-learn."""

import inspect

from sklearn.utils import _param_validation

from .metrics import make_retrieval_scorer


class Interval(_param_validation.Interval):
    """Numbers in an interval. A bool is no number here."""

    def is_satisfied_by(self, val):
        """Return whether a value is a number in the interval."""
        return not isinstance(val, bool) and super().is_satisfied_by(val)


class FunctionOf(_param_validation.HasMethods):
    """Functions that can be called with the given arguments.

    Parameters
    ----------
    *arguments : str
        Names of the positional arguments, for the message.
    """

    def __init__(self, *arguments):
        super().__init__("__call__")
        self.arguments = arguments

    def is_satisfied_by(self, val):
        """Return whether a value can be called with the arguments."""
        return super().is_satisfied_by(val) and _takes(val, len(self.arguments))

    def __str__(self):
        return f"a function of ({', '.join(self.arguments)})"


class Scorers(FunctionOf):
    """Functions that scikit-learn calls to score an estimator."""

    def __init__(self):
        super().__init__("estimator", "X", "y")

    def __str__(self):
        return f"a scorer, which is {super().__str__()},"


def _takes(function, n_arguments):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # as for some functions that are written in C
        return True
    try:
        signature.bind(*range(n_arguments))
    except TypeError:
        return False
    return True


class MeasureNames(_param_validation.StrOptions):
    """Names of retrieval measures, with or without a number in place of k."""

    def is_satisfied_by(self, val):
        """Return whether a value is the name of a measure."""
        try:
            make_retrieval_scorer(val)
        except (TypeError, ValueError):
            return False
        return True

    def __str__(self):
        return f"{super().__str__()}, where k may be a number as in 'recall_at_5',"
