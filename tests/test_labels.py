import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skmetric._labels import check_labels, known_classes

GOOD = [[1, 2, -1], ["a", "b"], [1.0, 2.0, 1e300], [True, False], np.array(["a", "b"], dtype=object), []]
MISSING = [
    [1.0, np.nan],
    ["a", None],
    np.array(["a", np.nan], dtype=object),
    pd.Series(["a", pd.NA], dtype="string"),
    pd.Series([1, None], dtype="Int64"),
]


@pytest.mark.parametrize("y", GOOD, ids=repr)
def test_classes_are_taken_as_they_come(y):
    checked = check_labels(y)
    assert_array_equal(checked, np.asarray(y))
    assert checked.dtype == np.asarray(y).dtype


@pytest.mark.parametrize("y", MISSING, ids=repr)
def test_a_missing_label_is_no_class(y):
    with pytest.raises(ValueError, match=r"labels of it contains NaN or None: 1 .* at position 1"):
        check_labels(y, "labels of it")


def test_strings_and_numbers_in_one_array_are_no_classes():
    with pytest.raises(ValueError, match="y holds strings and other values"):
        check_labels(np.array(["a", 1], dtype=object))


def test_measurements_are_no_classes():
    with pytest.raises(ValueError, match=r"y must hold classes.*1\.5"):
        check_labels([1.0, 1.5])


@pytest.mark.parametrize("y", [[[1, 2], [3, 4]], 3])
def test_labels_have_one_axis(y):
    with pytest.raises(ValueError, match="1d array"):
        check_labels(y)


def test_known_classes_are_sorted():
    assert_array_equal(known_classes(np.array([3, -1]), np.array([2.0, 3.0]), names="ab"), [-1, 2, 3])
    assert_array_equal(known_classes(np.array(["b"]), np.array(["aa"]), names="ab"), ["aa", "b"])


@pytest.mark.parametrize("texts", [np.array(["1"]), np.array(["1"], dtype=object)])
def test_numbers_and_strings_do_not_mix(texts):
    with pytest.raises(ValueError, match="y holds numbers and classes_ holds strings"):
        known_classes(np.array([1]), texts, names=["y", "classes_"])
