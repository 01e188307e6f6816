"""Ctrl-C at any moment leaves the model before, or that of the last complete epoch, and nothing else.

Each test runs in a process of its own, which takes the place of a user at a keyboard.
"""

import os
from ast import literal_eval

import pytest
from fresh_process import output_of
from profiles import by_profile
from shared import ESTIMATORS

CASES = [("fit", Estimator.__name__) for Estimator in ESTIMATORS]
CASES += by_profile(
    [],
    [
        ("partial_fit", "SoftmaxMLPClassifier"),
        ("partial_fit", "TripletMetricTransformer"),
        ("fit_pairs", "ContrastiveMetricTransformer"),
        ("fit_triplets", "TripletMetricTransformer"),
    ],
)
MANY_MOMENTS = """
import timeit

LEARNT_FROM = np.random.default_rng(1).integers(0, 2, 150) * 2 - 1
CALLS = {{
    "fit": lambda model: model.fit(X, Y),
    "partial_fit": lambda model: model.partial_fit(X, Y, classes=[0, 1, 2]),
    "fit_pairs": lambda model: model.fit_pairs(X.reshape(150, 2, 50), LEARNT_FROM),
    "fit_triplets": lambda model: model.fit_triplets(X.reshape(100, 3, 50)),
}}

def state(model):
    return (bits(model), model.n_iter_) if hasattr(model, "coefs_") else None

def pressed(call, model, wait):
    "Whether KeyboardInterrupt is raised if Ctrl-C is pressed after some seconds of a call."
    def press():
        time.sleep(wait)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    try:
        presser.start()
        call(model)
        presser.join()
        time.sleep(0.001)
    except KeyboardInterrupt:
        presser.join()
        return True
    return False

def outcomes(method, name, n_moments):
    "How many epochs the model has that Ctrl-C leaves, or 'before', for moments that spread over a call."
    call = CALLS[method]
    makers = [lambda: made(name), lambda: made(name).fit(X[:100], Y[:100])]
    last = 1 if method == "partial_fit" else SETTINGS["max_iter"]
    expected = [[state(call(make().set_params(max_iter=k + 1))) for k in range(last)] for make in makers]
    # The shortest of some times: on a busy machine, the moments are otherwise all after the end.
    seconds = min(timeit.repeat(lambda: call(made(name)), number=1, repeat=5))
    before = held()
    for i in range(n_moments):
        make, epochs = makers[i % 2], expected[i % 2]
        model = make()
        old = state(model)
        raised = pressed(call, model, 1.2 * seconds * i / n_moments)
        left = state(model)
        assert_held(before)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, (name, i)
        assert left in ([old, epochs[-1]] if raised else epochs), (name, i, raised, left, old, epochs)
        yield "before" if left == old else epochs.index(left) + 1
        assert state(call(make())) == epochs[-1], (name, i)

print([list(outcomes(method, name, {n_moments})) for method, name in {cases}])
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal of POSIX")
def test_ctrl_c_at_any_moment_leaves_the_model_before_or_of_a_complete_epoch(record_property):
    n_moments = by_profile(8, 200)
    found = literal_eval(output_of(MANY_MOMENTS.format(n_moments=n_moments, cases=CASES), seconds=3600))
    assert [len(outcomes) for outcomes in found] == [n_moments] * len(CASES)
    # The moments are not all alike, however fast or busy the machine is.
    assert all(len(set(outcomes)) > 1 for outcomes in found)
    record_property("moments", n_moments * len(CASES))
    record_property("models_before", sum(outcomes.count("before") for outcomes in found))
    record_property("models_of_an_epoch", sum(n in (1, 2) for outcomes in found for n in outcomes))


def test_a_second_ctrl_c_is_raised_at_once():
    code = """
from skmetric._engine.interrupts import deferred_interrupts, raise_if_interrupted

raised = []
try:
    with deferred_interrupts():
        signal.raise_signal(signal.SIGINT)
        raised.append("not yet")
        signal.raise_signal(signal.SIGINT)
        raised.append("never")
except KeyboardInterrupt:
    raised.append("at once")
try:
    with deferred_interrupts():
        signal.raise_signal(signal.SIGINT)
        raised.append("not yet")
except KeyboardInterrupt:
    raised.append("at the end")
with deferred_interrupts():
    signal.raise_signal(signal.SIGINT)
    try:
        raise_if_interrupted()
    except KeyboardInterrupt:
        raised.append("where asked")
    raise_if_interrupted()
print(raised)
"""
    expected = ["not yet", "at once", "not yet", "at the end", "where asked"]
    assert output_of(code) == str(expected)


def test_a_handler_of_the_user_is_left_alone():
    code = """
noted = []
signal.signal(signal.SIGINT, lambda *_: noted.append("mine"))
model = made("SoftmaxMLPClassifier").set_params(
    learning_rate=lambda epoch: signal.raise_signal(signal.SIGINT) or 1.0
).fit(X, Y)
print(noted, model.n_iter_)
"""
    assert output_of(code) == "['mine', 'mine', 'mine'] 3"
