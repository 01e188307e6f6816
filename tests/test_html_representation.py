"""scikit-learn's HTML representation, which notebooks show, links to the page of a class on the site."""

import configparser
import inspect
import re
from pathlib import Path

import pytest
from shared import ESTIMATORS
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from skmetric import TripletMetricTransformer
from skmetric._documentation import SITE
from skmetric.verification import PairVerifier

ROOT = Path(__file__).parents[1]
EVERY = pytest.mark.parametrize(
    "model",
    [*(Estimator() for Estimator in ESTIMATORS), PairVerifier(StandardScaler())],
    ids=lambda model: type(model).__name__,
)


def pages(model):
    """Pages of the site that a representation links to, relative to it."""
    links = re.findall(r'href="([^"#]*)', estimator_html_repr(model))
    return {link.removeprefix(SITE) for link in links if link.startswith(SITE)}


def generated_page(model):
    """The page that the API reference makes: it is called as the name is imported, below its section."""
    name = type(model).__name__
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    before = re.split(rf"^ +{name}$", page, flags=re.MULTILINE)[0]
    return f"api/{re.findall(r'currentmodule:: (.*)', before)[-1]}.{name}.html"


@EVERY
def test_a_model_links_to_its_page(model):
    assert pages(model) == pages(make_pipeline(StandardScaler(), model)) == {generated_page(model)}


@EVERY
def test_parameters_are_in_the_representation(model):
    html = estimator_html_repr(model)
    # Before scikit-learn 1.7 it has the text of the model alone.
    shown = inspect.signature(type(model)).parameters if "parameters-table" in html else []
    assert [name for name in [type(model).__name__, *shown] if name not in html] == []


def test_a_fitted_model_and_a_search_link_to_the_page():
    model = make_pipeline(TripletMetricTransformer(4, (8,), max_iter=1), KNeighborsClassifier(1))
    X = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]] * 4
    y = [0, 0, 1, 1] * 4
    search = GridSearchCV(model, {"tripletmetrictransformer__margin": [1, 2]}, cv=2).fit(X, y)
    page = {generated_page(TripletMetricTransformer())}
    assert pages(search) == pages(search.best_estimator_) == pages(clone(search)) == page


def test_a_class_of_someone_else_has_no_page_here():
    class Own(TripletMetricTransformer):
        """A class that the site does not know."""

    Own.__module__ = "elsewhere"
    assert pages(Own()) == set()


def test_the_site_is_where_the_metadata_says():
    about = configparser.ConfigParser()
    about.read(ROOT / "setup.cfg", encoding="utf-8")
    assert f"Documentation = {SITE}" in about["metadata"]["project_urls"].splitlines()
