"""Sequences of calls: a model depends on the calls that trained it, and on nothing else."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from any_model import applied, only_known_warnings, state_of
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from profiles import by_profile
from scipy.sparse import csr_array
from shared import each
from sklearn.base import clone

from skmetric import ContrastiveMetricTransformer, TripletMetricTransformer

RNG = np.random.default_rng(0)
LABELS = np.arange(12) % 3
ROWS = RNG.normal(LABELS[:, np.newaxis], 0.5, (12, 3))
WORDS = np.array(["a", "b", "c"])[LABELS]
DATA = {
    "rows": (ROWS, LABELS),
    "others": (ROWS[::-1] + 1, LABELS),
    "float32": (ROWS.astype(np.float32), LABELS),
    "sparse": (csr_array(ROWS), LABELS),
    "named": (pd.DataFrame(ROWS, columns=["a", "b", "c"]), LABELS),
    "strings": (ROWS, WORDS),
    "of length 1": (ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True), LABELS),
    "two classes": (ROWS[LABELS < 2], LABELS[LABELS < 2]),
    "narrow": (ROWS[:, :2], LABELS),
}
PAIRS = np.array([[0, 3], [1, 4], [0, 1], [2, 4], [5, 8], [7, 9]])
SAME = np.array([1, 1, 0, 0, 1, 0])
TRIPLETS = np.array([[0, 3, 1], [1, 4, 2], [2, 5, 0], [6, 9, 10]])


def raises(*arguments, **options):
    raise ValueError("raised by the caller")


# Rows and labels that no model can be fitted to.
FAULTS = {
    "NaN": (np.where(ROWS > 1, np.nan, ROWS), LABELS),
    "another length": (ROWS, LABELS[:-1]),
    "one class": (ROWS, np.zeros(12, dtype=int)),
    "continuous": (ROWS, ROWS[:, 0]),
    "no labels": (ROWS, None),
    "five features": (np.ones((12, 5)), LABELS / 0.3),
}
# Parameters with which training fails, and some of the others.
FAILURES = {
    "rate": {"learning_rate_init": 1e300, "solver": "sgd", "standardize": False},
    "schedule": {"learning_rate": raises},
    "late schedule": {
        "learning_rate": lambda epoch: [1.0][epoch] if epoch < 1 else raises(),
        "max_iter": 2,
    },
    "scoring": {"scoring": raises, "early_stopping": True, "validation_fraction": 0.5},
    "mining": {"mining": raises},
    "width": {"hidden_layer_sizes": (2, -1)},
    "value": {"max_iter": 0},
}
CHANGES = {
    "warm_start": [False, True, True],
    "max_iter": [1, 2],
    "random_state": [0, 1],
    "solver": ["adam", "sgd"],
    "learning_rate": ["constant", "cosine", "inverse_time", "adaptive"],
    "learning_rate_init": [0.001, 0.1],
    "hidden_layer_sizes": [(3,), (), (2, 3)],
    "n_networks": [1, 2],
    "n_components": [2, 4],
    "standardize": ["auto", False],
    "batch_norm": [False, True],
    "dropout": [0.0, 0.4],
    "input_dropout": [0.0, 0.4],
    "adversarial": [0.0, 0.1],
    "early_stopping": [False, True],
    "batch_size": ["auto", 4],
    "shuffle": [True, False],
    "input_weight": ["auto", 0.0],
    "head_weight": [0.0, 1.0],
    "normalize": [False, True],
    "alpha": [0.0, 0.1],
    "class_weight": [None, {0: 2.0}],
}
START = {"hidden_layer_sizes": (3,), "max_iter": 1, "random_state": 0, "validation_fraction": 0.5}


def fit(name):
    return lambda model: model.fit(*DATA[name])


def partial_fit(name, classes):
    def call(model):
        rows, labels = DATA[name]
        return model.partial_fit(rows, labels, classes=np.unique(DATA[classes][1]))

    return call


def fit_tuples(form, incremental):
    """Learn from pairs or triplets, of row numbers or of rows."""

    def call(model):
        is_pairs = hasattr(model, "fit_pairs")
        name = f"{'partial_' if incremental else ''}fit_{'pairs' if is_pairs else 'triplets'}"
        tuples = PAIRS if is_pairs else TRIPLETS
        labels = [SAME] if is_pairs else []
        if form == "of rows":
            return getattr(model, name)(ROWS[tuples], *labels)
        return getattr(model, name)(tuples, *labels, X=DATA[form][0])

    return call


class Calls(RuleBasedStateMachine):
    """A model, and the calls that trained it, each with the parameters at its time."""

    Estimator = None
    n_sequences = 0

    def __init__(self):
        super().__init__()
        known = self.Estimator().get_params()
        start = START | ({"n_components": 2, "n_networks": 1} if "n_components" in known else {})
        self.model = self.Estimator(**start)
        self.past = []
        type(self).n_sequences += 1

    def replayed(self):
        """A new model on which the calls are repeated."""
        model = self.Estimator()
        for parameters, call in self.past:
            call(model.set_params(**parameters))
        return model.set_params(**self.model.get_params())

    def learn(self, call, from_the_start):
        """Train the model; if that fails, nothing has changed, and repeating the calls fails alike."""
        before = state_of(self.model)
        parameters = self.model.get_params()
        past = list(self.past)
        if from_the_start:
            self.past = []
        try:
            with only_known_warnings():
                call(self.model)
        except (ValueError, IndexError) as error:
            message = str(error)
            assert state_of(self.model) == before
            with pytest.raises(type(error)) as again, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call(self.replayed())
            assert str(again.value) == message
            self.past = past
            return False
        self.past.append((parameters, call))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert state_of(self.model) == state_of(self.replayed())
        return True

    @rule(name=st.sampled_from(sorted(DATA)))
    def fit(self, name):
        self.learn(fit(name), from_the_start=not self.model.warm_start)

    @rule(name=st.sampled_from(sorted(DATA)), classes=st.sampled_from(["rows", "rows", "strings"]))
    def partial_fit(self, name, classes):
        self.learn(partial_fit(name, classes), from_the_start=False)

    @precondition(lambda self: self.Estimator in (ContrastiveMetricTransformer, TripletMetricTransformer))
    @rule(
        form=st.sampled_from(["rows", "float32", "sparse", "named", "narrow", "of rows"]),
        incremental=st.booleans(),
    )
    def fit_tuples(self, form, incremental):
        from_the_start = not (incremental or self.model.warm_start)
        self.learn(fit_tuples(form, incremental), from_the_start)

    @rule(data=st.data())
    def set_params(self, data):
        known = sorted(CHANGES.keys() & self.model.get_params())
        name = data.draw(st.sampled_from(known))
        self.model.set_params(**{name: data.draw(st.sampled_from(CHANGES[name]))})

    @rule(fault=st.sampled_from(sorted(FAULTS)), incremental=st.booleans())
    def fail_for_the_data(self, fault, incremental):
        rows, labels = FAULTS[fault]
        before = state_of(self.model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if fault == "one class" and incremental:
                return  # a call of one class is allowed
            with pytest.raises(ValueError):
                if incremental:
                    self.model.partial_fit(rows, labels, classes=[0, 1, 2])
                else:
                    self.model.fit(rows, labels)
        assert state_of(self.model) == before

    @rule(failure=st.sampled_from(sorted(FAILURES)), data=st.sampled_from(sorted(DATA)))
    def fail_for_a_parameter(self, failure, data):
        known = self.model.get_params()
        if failure == "mining" and "mining" not in known:
            return
        self.model.set_params(**FAILURES[failure])
        before = state_of(self.model)
        with warnings.catch_warnings(), pytest.raises((ValueError, IndexError)):
            warnings.simplefilter("ignore")
            self.model.fit(1e3 * DATA["rows"][0] if failure == "rate" else DATA[data][0], DATA[data][1])
        assert state_of(self.model) == before
        self.model.set_params(**known)

    @rule(copied=st.sampled_from([copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]))
    def go_on_with_a_copy(self, copied):
        model = copied(self.model)
        assert state_of(model) == state_of(self.model)
        self.model = model

    @rule(copied=st.sampled_from([copy.copy, copy.deepcopy]), incremental=st.booleans())
    def train_a_copy(self, copied, incremental):
        """What a copy learns, a shallow one too, does not change the model."""
        before = state_of(self.model)
        twin = copied(self.model)
        call = partial_fit("rows", "rows") if incremental else fit("rows")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                call(twin)
            except ValueError:
                pass
        assert state_of(self.model) == before

    @rule(go_on=st.booleans())
    def clone(self, go_on):
        model = clone(self.model)
        assert vars(model).keys() == self.model.get_params().keys()
        if go_on:
            self.model = model
            self.past = []

    @rule(name=st.sampled_from(sorted(DATA)))
    def apply(self, name):
        """No prediction changes a model."""
        rows, labels = DATA[name]
        before = state_of(self.model)
        for call in applied(self.model, rows, labels).values():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                try:
                    call()
                except (ValueError, AttributeError):
                    continue
        assert state_of(self.model) == before


@each
def test_a_model_is_what_its_calls_made_of_it(Estimator, record_property):
    machine = type(f"CallsOf{Estimator.__name__}", (Calls,), {"Estimator": Estimator, "n_sequences": 0})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=by_profile(8, 1250), stateful_step_count=10)
    )
    record_property(f"sequences_{Estimator.__name__}", machine.n_sequences)
