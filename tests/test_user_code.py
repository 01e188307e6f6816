"""Code of the user that fails during training, in any way and at any epoch: the model stays whole."""

import copy
import signal
import sys
import warnings
from itertools import cycle, product

import numpy as np
import pytest
from fits_elsewhere import assert_held, held
from numpy.testing import assert_equal
from profiles import by_profile
from shared import ESTIMATORS, X, Y, assert_same_model, each, fitted_attributes

from skmetric import ContrastiveMetricTransformer, SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.losses import MINERS

try:
    from sklearn.callback import ProgressBar
except ImportError:
    ProgressBar = None

pytestmark = pytest.mark.filterwarnings("ignore:Training interrupted", "ignore:.* validates on rows that")


class Unusual(BaseException):
    """Neither an Exception nor one that Python knows."""


ERRORS = [ValueError, MemoryError, StopIteration, SystemExit, GeneratorExit, Unusual]
N_EPOCHS = by_profile(2, 6)


class Countdown:
    """Code of the user: fails when it is called for the `n`-th time, counted from 0."""

    def __init__(self, error, n):
        self.error = error
        self.n = n

    def tick(self):
        self.n -= 1
        if self.n == -1:
            raise self.error("of the user")


class Rate(Countdown):
    def __call__(self, epoch):
        self.tick()
        return 1.0


class Mining(Countdown):
    def __call__(self, *distances):
        self.tick()
        return MINERS["all"](*distances)


class Score(Countdown):
    def __call__(self, model, rows, labels):
        self.tick()
        return model.score(rows, labels)


class Terminal(Countdown):
    """Where the lines of `verbose` go."""

    def write(self, text):
        if text.startswith("Epoch"):
            self.tick()

    def flush(self):
        pass


class Watcher(Countdown):
    """A callback that fails in one of its methods."""

    def __init__(self, error, n, hook):
        super().__init__(error, n)
        self.hook = hook

    def call(self, hook):
        if hook == self.hook:
            self.tick()

    def setup(self, estimator, context):
        self.call("setup")

    def teardown(self, estimator, context):
        self.call("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.call(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context):
        self.call(f"{context.task_name} ends")


@pytest.fixture(autouse=True)
def nothing_but_the_model_changes():
    """Threads of BLAS, of Python and of the system, files and the handler of Ctrl-C are as before."""
    before, handler = held(), signal.getsignal(signal.SIGINT)
    yield
    assert_held(before)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.fixture
def learner(small):
    """``learner(Estimator, **parameters)``, with networks for a team of threads to share."""
    return lambda Estimator, **parameters: small(
        Estimator, **({"n_networks": 2, "dropout": 0.1, "max_iter": N_EPOCHS} | parameters)
    )


def by_rate(error, n, monkeypatch):
    return {"learning_rate": Rate(error, n)}


def by_mining(error, n, monkeypatch):
    # Each epoch calls it for each batch and each of two networks.
    n_batches = -(-len(X) // 32)
    return {"mining": Mining(error, n * 2 * n_batches + n)}


def by_score(error, n, monkeypatch):
    return {"early_stopping": True, "scoring": Score(error, n)}


def by_terminal(error, n, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal(error, n))
    return {"verbose": True}


EACH_EPOCH = {"learning_rate": by_rate, "scoring": by_score, "verbose": by_terminal, "mining": by_mining}
OF_CALLBACKS = ["epoch begins", "epoch ends"] if ProgressBar else []
ONCE = ["setup", "fit begins", "fit ends", "teardown"] if ProgressBar else []


def let_fail(model, name, error, n, monkeypatch):
    """Let code of the user raise an error in epoch `n` of the next fit."""
    if name in EACH_EPOCH:
        return model.set_params(**EACH_EPOCH[name](error, n, monkeypatch))
    return model.set_callbacks(Watcher(error, n, name))


PLACES = [
    (Estimator, name)
    for Estimator, name in product(ESTIMATORS, [*EACH_EPOCH, *OF_CALLBACKS])
    if name != "mining" or Estimator is TripletMetricTransformer
]


def with_errors(places, errors):
    """Each place with each error; in the profile ci with one error, all in turn."""
    chosen = by_profile(zip(places, cycle(errors)), product(places, errors))
    cases = [(*place, error) for place, error in chosen]
    ids = [f"{Estimator.__name__}-{name}-{error.__name__}" for Estimator, name, error in cases]
    return pytest.mark.parametrize("Estimator, name, error", cases, ids=ids)


def assert_goes_on_alike(model, twin):
    """What does not show is as it was, too."""
    for one in (model, twin):
        one.set_params(**twin.get_params()).partial_fit(X, Y)
    assert_same_model(model, twin)


@with_errors(PLACES, ERRORS)
def test_an_error_at_any_epoch_is_raised_and_leaves_the_model_before(
    Estimator, name, error, learner, monkeypatch, record_property
):
    for epoch in range(N_EPOCHS):
        new = learner(Estimator)
        old = learner(Estimator, warm_start=bool(epoch % 2)).fit(X[:120], Y[:120])
        for model in (new, old):
            before = copy.deepcopy(model)
            with monkeypatch.context() as patch, pytest.raises(error, match="of the user"):
                let_fail(model, name, error, epoch, patch).fit(X, Y)
            assert_equal(fitted_attributes(model), fitted_attributes(before))
        assert_goes_on_alike(model, before)
    record_property("failures", 2 * N_EPOCHS)


@with_errors(PLACES, [KeyboardInterrupt])
def test_an_interrupt_at_any_epoch_leaves_the_model_before_or_of_the_last_epoch(
    Estimator, name, error, learner, monkeypatch, record_property
):
    for epoch in range(N_EPOCHS):
        model = learner(Estimator).fit(X[:120], Y[:120])
        before = copy.deepcopy(model)
        with monkeypatch.context() as patch:
            try:
                let_fail(model, name, error, epoch, patch).fit(X, Y)
            except KeyboardInterrupt:
                assert epoch == 0
                assert_equal(fitted_attributes(model), fitted_attributes(before))
            else:
                assert model.n_iter_ in {max(epoch, 1), epoch + 1}
                plain = learner(Estimator, max_iter=model.n_iter_)
                assert_same_model(model, let_fail(plain, name, error, np.inf, patch).fit(X, Y))
    record_property("failures", N_EPOCHS)


@with_errors(list(product(ESTIMATORS, ONCE)), [*ERRORS, KeyboardInterrupt])
def test_an_error_before_or_after_all_epochs_leaves_one_of_two_whole_models(
    Estimator, name, error, learner, monkeypatch
):
    model = learner(Estimator).fit(X[:120], Y[:120])
    old, new = copy.deepcopy(model), learner(Estimator).fit(X, Y)
    # scikit-learn tears callbacks down in a generator, which cannot raise StopIteration.
    with pytest.raises(RuntimeError if (name, error) == ("teardown", StopIteration) else error):
        let_fail(model, name, error, 0, monkeypatch).fit(X, Y)
    # Callbacks are torn down when all is done, and an interrupt that comes so late keeps what is done.
    keeps_new = name == "teardown" or (name, error) == ("fit ends", KeyboardInterrupt)
    assert_same_model(model, new if keeps_new else old)


@pytest.mark.parametrize("error", by_profile([Unusual, KeyboardInterrupt], [*ERRORS, KeyboardInterrupt]))
def test_an_error_in_a_pass_or_with_tuples_leaves_the_model_before(error, learner):
    calls = [
        (SoftmaxMLPClassifier, lambda model: model.partial_fit(X, Y)),
        (TripletMetricTransformer, lambda model: model.partial_fit(X, Y)),
        (
            ContrastiveMetricTransformer,
            lambda model: model.fit_pairs(X.reshape(75, 2, 4), [1, -1, 1] * 25),
        ),
        (TripletMetricTransformer, lambda model: model.fit_triplets(X.reshape(50, 3, 4))),
    ]
    for Estimator, call in calls:
        model = learner(Estimator).fit(X[:120], Y[:120])
        twin = copy.deepcopy(model)
        with pytest.raises(error, match="of the user"):
            call(model.set_params(learning_rate=Rate(error, 0)))
        assert_equal(fitted_attributes(model), fitted_attributes(twin))
        assert_goes_on_alike(model, twin)


@each
def test_a_warning_that_is_an_error_leaves_the_model_before(Estimator, learner):
    model = learner(Estimator).fit(X[:120], Y[:120])
    before = copy.deepcopy(model)
    model.set_params(learning_rate=Rate(KeyboardInterrupt, 1))
    with warnings.catch_warnings(), pytest.raises(UserWarning, match="interrupted"):
        warnings.simplefilter("error")
        model.fit(X, Y)
    assert_equal(fitted_attributes(model), fitted_attributes(before))
