"""Tests of what all displays have in common."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from pictures import strict_drawing
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skmetric import TripletMetricTransformer
from skmetric.plotting import (
    EmbeddingDisplay,
    NeighborsDisplay,
    PairDistanceDisplay,
    TrainingCurveDisplay,
    WeightsDisplay,
)
from skmetric.verification import PairVerifier


@pytest.fixture(autouse=True)
def closed_figures():
    with strict_drawing():
        yield


@pytest.fixture
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


@pytest.fixture
def embedding(small, digits):
    return small(TripletMetricTransformer).fit(*digits)


@pytest.mark.parametrize("inside", [lambda model: model, lambda model: make_pipeline(model)])
def test_unfitted_estimators_are_refused(digits, inside):
    X, y = digits
    model = inside(TripletMetricTransformer())
    pictures = [
        lambda: TrainingCurveDisplay.from_estimator(model),
        lambda: EmbeddingDisplay.from_estimator(model, X, y),
        lambda: NeighborsDisplay.from_estimator(model, X, y, X, y, image_shape=(8, 8)),
        lambda: WeightsDisplay.from_estimator(model),
        lambda: PairDistanceDisplay.from_estimator(PairVerifier(model), X, y),
    ]
    for draw in pictures:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of older pipelines, before the error
            with pytest.raises(NotFittedError):
                draw()


def test_importing_the_module_imports_no_matplotlib():
    code = "import sys, skmetric.plotting; print('matplotlib' in sys.modules)"
    assert output_of(code) == "False"


def test_pictures_need_no_display():
    code = """
from skmetric.verification import PairVerifier
from skmetric.plotting import PairDistanceDisplay
import io
PairDistanceDisplay.from_predictions([1, 0], [1, 2]).figure_.savefig(file := io.BytesIO())
print(len(file.getvalue()) > 1000)
"""
    assert output_of(code) == "True"


def output_of(code):
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_matplotlib_the_error_names_the_extra(monkeypatch, embedding):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "skmetric\[plot\]"'):
        TrainingCurveDisplay.from_estimator(embedding)
    with pytest.raises(ImportError, match=r'pip install "skmetric\[plot\]"'):
        EmbeddingDisplay.from_predictions(np.eye(2), [0, 1])
