import math
import warnings
from itertools import repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import by_profile
from scipy.special import softmax

from skmetric._engine import training
from skmetric._engine.adversarial import AtRows
from skmetric._engine.network import Network
from skmetric._engine.optimizers import SGD
from skmetric._engine.sampling import shuffled_batches
from skmetric._engine.schedules import Adaptive, Custom, Schedule
from skmetric._engine.training import print_epoch, run_epoch, train
from skmetric._engine.training_state import Progress, TrainingState
from skmetric.losses import LabelLoss, log_loss

X = np.arange(10.0)[:, np.newaxis]
Y = np.arange(10) + 100
BATCHES = [np.arange(0, 4), np.arange(4, 8), np.arange(8, 10)]


# --- stand-ins --------------------------------------------------------------------------------------


class StubNetwork:
    """One parameter, that counts the steps; it notes what it is asked for."""

    def __init__(self, notes=None):
        self.parameters = [np.zeros(2)]
        self.blocks = self.parameters
        self.notes = [] if notes is None else notes

    def gather(self, X, rows):
        self.notes.append("gather")
        return X[rows]

    def forward(self, batch):
        self.notes.append("forward")
        return batch

    def backward(self, dZ):
        self.notes.append("backward")

    def gradients(self):
        self.notes.append("gradients")
        return ["gradient"]


class StubOptimizer:
    def __init__(self, notes=None, step=1.0, penalty=0.0):
        self.notes = [] if notes is None else notes
        self.size = step
        self.moments_are_finite = True
        self.state = {"t": 0}
        self.value = penalty

    def step(self, parameters, gradients, rate):
        self.notes.append("step")
        self.state["t"] += 1
        for W in parameters:
            W += self.size

    def flush(self):
        pass

    def penalty(self, parameters):
        return self.value

    def is_finite(self):
        return self.moments_are_finite


class StubCallbacks:
    def __init__(self, notes=None, stop_after=math.inf):
        self.notes = [] if notes is None else notes
        self.left = stop_after

    def epoch_begins(self):
        self.notes.append("epoch begins")

    def epoch_ends(self):
        self.notes.append("epoch ends")
        self.left -= 1
        return self.left <= 0


def losses_of_epochs(values):
    """Loss with the same value for all the batches of an epoch; an exception is raised at its end."""
    calls = []

    def loss(Z, *targets):
        epoch, batch = divmod(len(calls), len(BATCHES))
        calls.append(None)
        value = values[min(epoch, len(values) - 1)]
        if isinstance(value, BaseException):
            if batch == len(BATCHES) - 1:
                raise value
            value = 1.0
        return value, np.zeros_like(Z)

    return LabelLoss(loss)


class StubLoss(LabelLoss):
    """A loss of constant value that notes something, and is judged by something else."""

    def __init__(self, levels=(0.0,), notes=None):
        super().__init__(lambda Z, *targets: (1.0, np.zeros_like(Z)))
        self.levels = iter(levels)
        self.events = [] if notes is None else notes
        self.n_epochs = 0

    def begin_epoch(self):
        self.events.append("begin")
        self.n_epochs += 1

    def notes(self):
        self.events.append("notes")
        return {"number": self.n_epochs}

    def level(self, value):
        assert value == 1.0
        return next(self.levels)


class StubValidation:
    def __init__(self, scores, notes=None):
        self.scores = iter(scores)
        self.events = [] if notes is None else notes

    def score(self):
        self.events.append("validate")
        return next(self.scores)


def stub_train(values=(1.0,), n_epochs=5, notes=None, **options):
    """Train with stand-ins for all that `options` does not give; return the history."""
    notes = [] if notes is None else notes
    of_state = {
        "network": StubNetwork(notes),
        "loss": losses_of_epochs(values),
        "optimizer": StubOptimizer(notes),
        "schedule": Schedule(0.1),
        "progress": Progress(1e-4, math.inf),
        "rng": np.random.default_rng(0),
    }
    state = TrainingState(**{name: options.pop(name, part) for name, part in of_state.items()})
    parts = {
        "gradients": AtRows(),
        "batches": BATCHES,
        "X": X,
        "targets": (Y,),
        "epochs": range(n_epochs),
        "callbacks": StubCallbacks(notes),
    }
    train(state, **(parts | options))
    return state.history


# --- history ----------------------------------------------------------------------------------------


def test_history_has_an_entry_for_each_epoch():
    history = stub_train([3.0, 2.0, 1.0], n_epochs=3)
    assert [entry["loss"] for entry in history] == pytest.approx([3.0, 2.0, 1.0])
    for entry in history:
        assert set(entry) == {"loss", "learning_rate", "seconds", "validation_score"}
        assert entry["seconds"] >= 0
        assert entry["validation_score"] is None


def test_history_holds_plain_floats():
    entry = stub_train(validation=StubValidation(repeat(0.5)))[0]
    assert {key: type(value) for key, value in entry.items()} == dict.fromkeys(entry, float)


def test_rate_is_what_the_schedule_says_of_each_epoch():
    history = stub_train(epochs=range(4, 7), schedule=Custom(8.0, lambda epoch: 0.5**epoch))
    assert [entry["learning_rate"] for entry in history] == [0.5, 0.25, 0.125]


def test_optimizer_gets_the_rate_and_the_gradients_of_the_network():
    seen = []

    class Noting(StubOptimizer):
        def step(self, parameters, gradients, rate):
            seen.append((gradients, rate))

    stub_train(n_epochs=1, optimizer=Noting())
    assert seen == [(["gradient"], 0.1)] * len(BATCHES)


def test_moments_are_flushed_at_the_same_steps_of_each_epoch(monkeypatch):
    monkeypatch.setattr(training, "FLUSHED", 2)
    notes = []

    class Noting(StubOptimizer):
        def flush(self):
            notes.append("flush")

    stub_train(n_epochs=2, batches=BATCHES[:1] * 3, optimizer=Noting(notes))
    assert notes == ["step", "flush", "step", "step", "flush"] * 2


def test_notes_of_the_loss_join_the_history():
    history = stub_train(n_epochs=3, loss=StubLoss(range(3)))
    assert [entry["number"] for entry in history] == [1, 2, 3]


def test_validation_scores_join_the_history():
    history = stub_train(n_epochs=3, validation=StubValidation([0.1, 0.3, 0.2]))
    assert [entry["validation_score"] for entry in history] == [0.1, 0.3, 0.2]


def test_order_of_events():
    notes = []
    stub_train(
        n_epochs=2,
        notes=notes,
        batches=BATCHES[:1],
        validation=StubValidation(repeat(0.0), notes),
        loss=StubLoss(notes=notes),
    )
    step = ["gather", "forward", "backward", "gradients", "step"]
    assert notes == ["epoch begins", "begin", *step, "validate", "notes", "epoch ends"] * 2


def test_loss_gets_all_targets():
    def loss(Z, y, weight):
        return weight.max() - y.max() / 10 + 2, Z

    options = {"targets": (Y, Y / 10), "loss": LabelLoss(loss)}
    assert [entry["loss"] for entry in stub_train(n_epochs=2, **options)] == [2.0, 2.0]


def test_each_epoch_has_batches_of_its_own():
    class Growing:
        n_batches = 0

        def __iter__(self):
            self.n_batches += 1
            return iter(BATCHES[: self.n_batches])

    notes = []
    stub_train(n_epochs=3, notes=notes, batches=Growing())
    assert notes.count("step") == 6


# --- when it ends -----------------------------------------------------------------------------------


def test_callbacks_may_stop_it():
    assert len(stub_train(n_epochs=10, callbacks=StubCallbacks(stop_after=3))) == 3


@pytest.mark.parametrize("patience", [1, 2, 10])
@pytest.mark.parametrize("improvements", [1, 3])
def test_stops_when_the_loss_stays_for_more_epochs_than_patience(patience, improvements):
    values = [float(10 - i) for i in range(improvements)]
    history = stub_train(values, n_epochs=50, progress=Progress(1e-4, patience))
    assert len(history) == improvements + patience + 1


@pytest.mark.parametrize("patience", [1, 2, 10])
def test_stops_when_the_score_stays_though_the_loss_falls(patience):
    values = [float(100 - i) for i in range(50)]
    options = {"progress": Progress(1e-4, patience), "validation": StubValidation(repeat(0.5))}
    assert len(stub_train(values, n_epochs=50, **options)) == 1 + patience + 1


def test_gains_of_less_than_tol_do_not_count():
    values = [1 - 1e-3 * i for i in range(50)]
    assert len(stub_train(values, n_epochs=50, progress=Progress(1e-2, 3))) == 5
    assert len(stub_train(values, n_epochs=50, progress=Progress(1e-4, 3))) == 50


@pytest.mark.parametrize("patience", [1, 2, 10])
def test_progress_is_judged_by_the_level_of_the_loss(patience):
    loss = StubLoss([3, 2, 1] + [1] * 50)
    history = stub_train(loss=loss, n_epochs=50, progress=Progress(1e-4, patience))
    assert len(history) == 3 + patience + 1


@pytest.mark.parametrize(
    "options", [{}, {"validation": StubValidation(repeat(0.5))}], ids=["plain", "validated"]
)
def test_schedule_is_told_that_training_stands_still_and_may_end_it(options):
    told = []

    class Told(Schedule):
        def stand_still(self, validated):
            told.append(validated)
            self.ended = len(told) == 3

    history = stub_train(n_epochs=50, schedule=Told(0.1), progress=Progress(1e-4, 1), **options)
    assert told == [bool(options)] * 3
    assert len(history) == 3 + 2 + 2


def test_infinite_patience_never_stops():
    assert len(stub_train(n_epochs=50, progress=Progress(1e-4, math.inf))) == 50


def test_adaptive_rate_is_lowered_instead_of_stopping():
    options = {"schedule": Adaptive(1e-5), "progress": Progress(1e-4, 1)}
    history = stub_train(n_epochs=50, **options)
    # 3 epochs at the first rate, as the first one is an improvement; then 2 at each.
    expected = [1e-5] * 3 + [2e-6] * 2 + [4e-7] * 2
    assert [entry["learning_rate"] for entry in history] == pytest.approx(expected)


def mlp_epochs(losses, tol, patience):
    """Epochs by the rule of scikit-learn's MLPClassifier."""
    best, idle = np.inf, 0
    for epoch, loss in enumerate(losses):
        idle = idle + 1 if loss > best - tol else 0
        best = min(loss, best)
        if idle > patience:
            return epoch + 1
    return len(losses)


@settings(max_examples=by_profile(100, 2000))
@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(0, 4), st.integers(1, 4))
def test_stops_where_scikit_learn_does(values, tol, patience):
    losses, tol = [float(value) for value in values], tol + 0.5
    history = stub_train(losses, n_epochs=len(losses), progress=Progress(tol, patience))
    assert len(history) == mlp_epochs(losses, tol, patience)


def test_progress_stands_still_until_it_begins_anew():
    progress = Progress(0.0, 1)
    still = []
    for _ in range(4):
        progress.update(1.0)
        still.append(progress.stands_still)
    assert still == [False, False, True, True]
    progress.begin_anew()
    progress.update(1.0)
    assert not progress.stands_still


def test_progress_tells_the_best():
    progress = Progress(10.0, 1)
    told = []
    for score in [1.0, 1.5, 1.5, 1.2, 1.6]:
        progress.update(score)
        told.append(progress.is_best)
    assert told == [True, True, False, False, True]
    assert progress.best == 1.6


# --- early stopping ---------------------------------------------------------------------------------


def test_parameters_of_the_best_epoch_are_restored():
    network = StubNetwork()
    W = network.parameters[0]
    stub_train(n_epochs=5, network=network, validation=StubValidation([0.1, 0.3, 0.2, 0.3, 0.0]))
    assert network.parameters[0] is W
    np.testing.assert_array_equal(W, 2 * len(BATCHES))


def test_parameters_at_the_beginning_stay_if_no_epoch_reaches_their_score():
    network = StubNetwork()
    network.parameters[0] += 7
    options = {"validation": StubValidation([0.4, 0.2]), "progress": Progress(0.0, 10, best=0.5)}
    stub_train(n_epochs=2, network=network, **options)
    np.testing.assert_array_equal(network.parameters[0], 7)


def test_a_gain_of_less_than_tol_may_still_be_the_best():
    network = StubNetwork()
    options = {"validation": StubValidation([0.3, 0.3001, 0.2]), "progress": Progress(0.1, 10)}
    stub_train(n_epochs=3, network=network, **options)
    np.testing.assert_array_equal(network.parameters[0], 2 * len(BATCHES))


def test_without_validation_the_last_parameters_stay():
    network = StubNetwork()
    stub_train([1.0, 5.0, 9.0], n_epochs=3, network=network)
    np.testing.assert_array_equal(network.parameters[0], 3 * len(BATCHES))


# --- Ctrl-C -----------------------------------------------------------------------------------------


def test_interrupt_within_an_epoch_returns_to_the_end_of_the_last_one():
    network = StubNetwork()
    optimizer = StubOptimizer()
    rng = np.random.default_rng(0)
    twin = np.random.default_rng(0)
    losses = losses_of_epochs([3.0, 2.0, KeyboardInterrupt()])

    def schedule_that_draws(epoch):
        rng.random()
        return 1.0

    parts = {"network": network, "optimizer": optimizer, "rng": rng, "loss": losses}
    with pytest.warns(UserWarning, match=r"interrupted by user after 2 epochs"):
        history = stub_train(n_epochs=9, schedule=Custom(0.1, schedule_that_draws), **parts)
    assert [entry["loss"] for entry in history] == pytest.approx([3.0, 2.0])
    np.testing.assert_array_equal(network.parameters[0], 2 * len(BATCHES))
    assert optimizer.state == {"t": 2 * len(BATCHES)}
    twin.random(2)
    assert rng.random() == twin.random()


def test_interrupt_restores_the_best_epoch_that_was_validated():
    network = StubNetwork()
    options = {"validation": StubValidation([0.3, 0.2]), "network": network}
    with pytest.warns(UserWarning, match="interrupted"):
        history = stub_train([3.0, 2.0, KeyboardInterrupt()], n_epochs=9, **options)
    assert len(history) == 2
    np.testing.assert_array_equal(network.parameters[0], len(BATCHES))


def test_interrupt_in_the_first_epoch_is_raised():
    with pytest.raises(KeyboardInterrupt):
        stub_train([KeyboardInterrupt()])


def test_an_interrupt_while_an_epoch_is_recorded_forgets_it():
    network = StubNetwork()

    def level(value):
        if network.parameters[0][0] > len(BATCHES):
            raise KeyboardInterrupt
        return value

    loss = losses_of_epochs([3.0])
    loss.level = level
    with pytest.warns(UserWarning, match="after 1 epochs"):
        history = stub_train(network=network, loss=loss)
    assert len(history) == 1
    np.testing.assert_array_equal(network.parameters[0], len(BATCHES))


# --- divergence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_raises_before_the_step(value):
    notes = []
    with pytest.raises(FloatingPointError):
        stub_train([1.0, value], notes=notes)
    assert notes.count("step") == len(BATCHES)


@pytest.mark.parametrize("step", [np.nan, np.inf])
def test_a_parameter_that_is_not_finite_raises_before_it_is_validated(step):
    notes = []
    options = {"optimizer": StubOptimizer(step=step), "validation": StubValidation([0.5], notes)}
    with pytest.raises(FloatingPointError):
        stub_train(notes=notes, **options)
    assert "validate" not in notes


def test_moments_that_are_not_finite_raise():
    optimizer = StubOptimizer()
    optimizer.moments_are_finite = False
    with pytest.raises(FloatingPointError):
        stub_train(optimizer=optimizer)


def test_the_best_epoch_does_not_hide_a_divergence():
    with pytest.raises(FloatingPointError):
        stub_train([1.0, np.nan], validation=StubValidation([0.5, 0.6]))


def test_divergence_brings_no_other_warnings():
    def overflowing(Z, y):
        return float(np.square(np.float64(1e200)) * Z[0, 0]), Z

    with warnings.catch_warnings(), pytest.raises(FloatingPointError):
        warnings.simplefilter("error")
        stub_train(loss=LabelLoss(overflowing))


# --- verbose ----------------------------------------------------------------------------------------


def test_verbose_prints_a_line_for_each_epoch(capsys):
    stub_train([2.5, 0.25], n_epochs=10, verbose=True, callbacks=StubCallbacks(stop_after=2))
    lines = [
        "Epoch 1/10, Loss: 2.5, Learning Rate: 0.1, Time Left: 0 s",
        "Epoch 2/10, Loss: 0.25, Learning Rate: 0.1, Time Left: 0 s",
    ]
    assert capsys.readouterr().out.splitlines() == lines


def test_verbose_prints_five_digits_the_active_fraction_and_the_time_left(capsys):
    entries = [
        {"loss": 1 / 3, "learning_rate": 0.01, "seconds": 1.0, "validation_score": 2 / 3},
        {"loss": 2e-7 / 3, "learning_rate": 1e-5, "seconds": 3.0, "validation_score": 1.0},
    ]
    print_epoch([entry | {"active_fraction": 0.12345} for entry in entries], 12)
    line = "Epoch 2/12, Loss: 6.6667e-08, Learning Rate: 1e-05, Active: 12.3%, Validation Score: 1"
    assert capsys.readouterr().out == f"{line}, Time Left: 20 s\n"


def test_verbose_adds_the_validation_score(capsys):
    stub_train([2.5], n_epochs=1, verbose=True, validation=StubValidation(repeat(0.75)))
    line = "Epoch 1/1, Loss: 2.5, Learning Rate: 0.1, Validation Score: 0.75, Time Left: 0 s\n"
    assert capsys.readouterr().out == line


def test_verbose_counts_the_epochs_of_this_training(capsys):
    stub_train([2.5], verbose=True, epochs=range(7, 8))
    assert capsys.readouterr().out.startswith("Epoch 1/1, ")


def test_silent_by_default(capsys):
    stub_train(validation=StubValidation(repeat(0.75)))
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


# --- one epoch --------------------------------------------------------------------------------------


def stub_epoch(loss, batches=BATCHES, targets=(Y,), penalty=0.0):
    optimizer = StubOptimizer(penalty=penalty)
    return run_epoch(StubNetwork(), LabelLoss(loss), AtRows(), optimizer, 0.1, batches, X, targets)


def test_loss_is_the_mean_over_rows_not_over_batches():
    values = iter([1.0, 2.0, 6.0])
    assert stub_epoch(lambda Z, y: (next(values), Z)) == pytest.approx((4 * 1 + 4 * 2 + 2 * 6) / 10)


def test_the_mean_of_the_largest_losses_is_finite():
    largest = np.finfo(np.float64).max
    assert stub_epoch(lambda Z, y: (0.5 * largest, Z)) == pytest.approx(0.5 * largest)


def test_an_infinite_penalty_is_a_divergence():
    with pytest.raises(FloatingPointError):
        stub_epoch(lambda Z, y: (1.0, Z), penalty=math.inf)


def test_penalty_is_added_to_the_loss_once():
    assert stub_epoch(lambda Z, y: (1.0, Z), penalty=0.5) == pytest.approx(1.5)


def test_loss_sees_the_rows_of_the_batch_and_all_their_targets():
    seen, weights = [], np.arange(10.0) / 10
    batches = [np.array([3, 1]), np.array([8])]
    stub_epoch(lambda Z, *targets: (seen.append((Z, *targets)) or 1.0, Z), batches, (Y, weights))
    for rows, (Z, y, weight) in zip(batches, seen):
        np.testing.assert_array_equal(Z, X[rows])
        np.testing.assert_array_equal(y, Y[rows])
        np.testing.assert_array_equal(weight, weights[rows])


# --- with the real parts ----------------------------------------------------------------------------

ACTIVATIONS = {
    "relu": (lambda A: np.maximum(A, 0), lambda A: (A > 0) * 1.0),
    "tanh": (np.tanh, lambda A: 1 / np.cosh(A) ** 2),
    "logistic": (lambda A: 1 / (1 + np.exp(-A)), lambda A: np.exp(-A) / (1 + np.exp(-A)) ** 2),
    "identity": (lambda A: A, np.ones_like),
}


def problem():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 6))
    return rows, rng.integers(3, size=50), [rng.normal(size=shape) for shape in [(6, 7), (7, 3), 7, 3]]


def textbook_epoch(X, y, W1, W2, b1, b2, activation, batch_size, rate, alpha):
    """One epoch of a 2-layer softmax network, written with plain arrays."""
    f, derivative = ACTIVATIONS[activation]
    total = 0.0
    for start in range(0, len(X), batch_size):
        x, onehot = X[start : start + batch_size], np.eye(3)[y[start : start + batch_size]]
        A = x @ W1 + b1
        H = f(A)
        P = softmax(H @ W2 + b2, axis=1)
        total -= np.sum(onehot * np.log(P))
        delta2 = (P - onehot) / len(x)
        delta1 = (delta2 @ W2.T) * derivative(A)
        W2, b2 = W2 - rate * (H.T @ delta2 + alpha * W2), b2 - rate * delta2.sum(axis=0)
        W1, b1 = W1 - rate * (x.T @ delta1 + alpha * W1), b1 - rate * delta1.sum(axis=0)
    penalty = 0.5 * alpha * (np.sum(W1**2) + np.sum(W2**2))
    return total / len(X) + penalty, [W1, W2, b1, b2]


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("batch_size", [50, 16, 1])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_epoch_is_the_one_of_the_textbook(activation, batch_size, alpha):
    rows, y, start = problem()
    expected_loss, expected = textbook_epoch(rows, y, *start, activation, batch_size, 0.1, alpha)
    W1, W2, b1, b2 = (W.copy() for W in start)
    network = Network([W1, W2], [b1, b2], activation, batch_size)
    batches = shuffled_batches(np.arange(50), y, batch_size, None)
    optimizer = SGD([alpha, alpha, 0.0, 0.0], network.parameters)
    loss = run_epoch(network, LabelLoss(log_loss), AtRows(), optimizer, 0.1, batches, rows, (y,))
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    for W, expected_W in zip(network.parameters, expected):
        np.testing.assert_allclose(W, expected_W, rtol=1e-12, atol=1e-14)
