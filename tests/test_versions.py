"""Models that another version of skmetric has stored: older ones load, newer ones are refused."""

import copy
import functools
import io
import pickle
import sys
import types

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from shared import X, Y, each
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from stored_models import CALLS, DATA, answer, released

from skmetric import TripletMetricTransformer
from skmetric._versions import KEY, check_readable

FOLDERS = [path for path in DATA.iterdir() if path.is_dir()]
STORED = sorted(path for path in DATA.rglob("*") if path.suffix in (".pkl", ".skops"))


def read_pickle(stored):
    return pickle.loads(stored)


def dump_skops(model):
    return pytest.importorskip("skops.io").dumps(model)


def read_skops(stored):
    skops = pytest.importorskip("skops.io")
    return skops.loads(stored, trusted=skops.get_untrusted_types(data=stored))


def dump_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


def read_joblib(stored):
    return joblib.load(io.BytesIO(stored))


FORMS = {
    "pickle": (pickle.dumps, read_pickle),
    "joblib": (dump_joblib, read_joblib),
    "skops": (dump_skops, read_skops),
}
each_form = pytest.mark.parametrize("dump, read", FORMS.values(), ids=FORMS)
each_model = pytest.mark.parametrize("make", CALLS, ids=lambda make: make.__name__)


@functools.cache
def fitted(make):
    """A model, to read only: each is fitted once."""
    return make()


# --- stored models ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_stored_model_answers_as_it_did_and_training_goes_on(path):
    read = read_pickle if path.suffix == ".pkl" else read_skops
    model = read(path.read_bytes())
    data = np.load(path.with_suffix(".npz"))
    calls = sorted(name for name in data.files if " " in name)
    assert calls
    for call in calls:
        found = answer(model, call.partition(" ")[2], data)
        if data[call].dtype.kind == "f":
            assert_allclose(found, data[call], rtol=1e-6, atol=1e-6)
        else:
            assert_array_equal(found, data[call])


def test_each_released_version_has_stored_models():
    assert FOLDERS
    assert {path.name for path in FOLDERS} >= set(released())
    for folder in FOLDERS:
        names = {path.stem for path in folder.glob("*.npz")}
        assert names
        for suffix in ("*.pkl", "*.skops"):
            assert {path.stem for path in folder.glob(suffix)} == names


def test_stored_models_are_small():
    assert max(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 16_000


# --- versions -----------------------------------------------------------------------------------------


@pytest.fixture
def as_version(monkeypatch):
    """``as_version(version)``: let the package be of another version."""
    return lambda version: monkeypatch.setattr("skmetric._versions.__version__", version)


@pytest.mark.parametrize(
    "saved, own",
    [
        ("0.1.0", "0.1.0"),
        ("0.1.0", "0.2.0"),
        ("0.9.0", "0.10.0"),
        ("0.1.7", "0.1.0"),  # a patch release does not change the form of models
        ("0.2.0.dev0", "0.2.0"),
        ("0.2.0", "0.2.0.dev3+gabc"),
        ("0.9.2", "1.0"),
    ],
)
def test_a_version_reads_models_of_its_own_and_of_earlier_versions(saved, own, as_version):
    as_version(own)
    check_readable(saved)


@pytest.mark.parametrize(
    "saved, own, needed, other",
    [
        ("0.2.0", "0.1.0", "0.2", "0.1"),
        ("0.2.0", "0.1.9", "0.2", "0.1"),
        ("0.10.0", "0.9.0", "0.10", "0.9"),
        ("0.2.0.dev0", "0.1.0", "0.2", "0.1"),
        ("0.2.0rc1", "0.1.0", "0.2", "0.1"),
        ("1.0", "0.10.3", "1.0", "0.10"),
    ],
)
def test_a_version_refuses_models_of_later_versions(saved, own, needed, other, as_version):
    as_version(own)
    with pytest.raises(ValueError) as raised:
        check_readable(saved)
    assert str(raised.value) == (
        f"This model was saved by skmetric {saved}, and this is skmetric {own}, which only reads models "
        f"of its own version and of earlier ones. Install skmetric {needed} or later, or save the model "
        f"with skmetric {other}."
    )


@each_form
@each_model
def test_a_newer_model_is_refused_in_every_form(make, dump, read, as_version):
    as_version("0.2.0")
    stored = dump(fitted(make))
    as_version("0.1.0")
    with pytest.raises(ValueError, match=r"saved by skmetric 0\.2\.0, and this is skmetric 0\.1\.0,"):
        read(stored)
    as_version("0.3.0")
    read(stored)


@each_form
def test_a_newer_pipeline_is_refused(dump, read, as_version, small):
    model = make_pipeline(StandardScaler(), small(TripletMetricTransformer)).fit(X, Y)
    as_version("0.2.0")
    stored = dump(model)
    as_version("0.1.0")
    with pytest.raises(ValueError, match="saved by skmetric"):
        read(stored)


class Later:
    """A part of models that only a later version has."""


@each_form
@each_model
def test_the_version_is_told_before_types_that_only_the_newer_version_has(
    make, dump, read, as_version, monkeypatch
):
    model = copy.copy(fitted(make))
    model._part = Later()
    monkeypatch.setattr(Later, "__module__", "skmetric._later")
    monkeypatch.setitem(sys.modules, "skmetric._later", types.SimpleNamespace(Later=Later))
    as_version("0.2.0")
    stored = dump(model)
    monkeypatch.delitem(sys.modules, "skmetric._later")
    with pytest.raises((ModuleNotFoundError, AttributeError)):
        read(stored)
    as_version("0.1.0")
    with pytest.raises(ValueError, match="saved by skmetric"):
        read(stored)


@each_model
def test_a_model_without_a_version_is_an_old_one(make):
    model = fitted(make)
    old = type(model).__new__(type(model))
    old.__setstate__(dict(vars(model)))
    assert vars(old).keys() == vars(model).keys()


@each_form
@each_model
def test_the_version_is_in_files_and_not_in_models(make, dump, read):
    model = fitted(make)
    others = [read(dump(model)), copy.copy(model), copy.deepcopy(model)]
    for other in others:
        assert list(vars(other)) == list(vars(model))
        assert KEY not in vars(other)
    assert next(iter(model.__getstate__())) == KEY
    assert joblib.hash(others[0]) == joblib.hash(model)


@each
def test_a_clone_is_new(Estimator, small):
    model = small(Estimator)
    assert vars(clone(model.fit(X, Y))) == vars(small(Estimator))


class Dated(TripletMetricTransformer):
    """An estimator of a user with a state of its own."""

    def __getstate__(self):
        return super().__getstate__() | {"date": "today"}

    def __setstate__(self, state):
        assert state["date"] == "today"
        super().__setstate__(state)


def test_a_subclass_may_add_to_the_state(small):
    model = small(Dated).fit(X, Y)
    other = pickle.loads(pickle.dumps(model))
    assert other.date == "today"
    assert_array_equal(other.transform(X), model.transform(X))
