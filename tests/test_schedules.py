import math

import numpy as np
import pytest

from skmetric._engine.schedules import SCHEDULES, Adaptive, Schedule, make_schedule

RATE, START, STOP, DECAY = 0.01, 3, 13, 0.25

CLOSED_FORMS = {
    "constant": lambda epoch: RATE,
    "inverse_time": lambda epoch: RATE / (1 + DECAY * epoch),
    "cosine": lambda epoch: RATE * math.cos(math.pi * (epoch - START) / (STOP - START) / 2) ** 2,
    "adaptive": lambda epoch: RATE,
}


def own(epoch):
    return 0.5**epoch


def made(learning_rate, rate=RATE, start=START, stop=STOP, decay_rate=DECAY):
    return make_schedule(learning_rate, rate, range(start, stop), decay_rate)


def stands_still(schedule, validated=False):
    """Whether training goes on after it is told that it stands still."""
    schedule.stand_still(validated)
    return not schedule.ended


def test_the_table_here_is_complete():
    assert set(CLOSED_FORMS) == set(SCHEDULES)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("epoch", range(START, STOP))
def test_rate_is_that_of_the_closed_form(name, epoch):
    assert made(name)(epoch) == pytest.approx(CLOSED_FORMS[name](epoch), rel=1e-14)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rate_of_the_first_epoch_is_the_initial_one(name):
    assert made(name, start=0)(0) == RATE


@pytest.mark.parametrize("name", SCHEDULES)
def test_rate_is_a_function_of_the_epoch(name):
    schedule = made(name)
    backwards = [schedule(epoch) for epoch in reversed(range(START, STOP))]
    assert backwards[::-1] == [schedule(epoch) for epoch in range(START, STOP)]


@pytest.mark.parametrize("name", SCHEDULES)
def test_rate_is_proportional_to_the_initial_one(name):
    assert made(name, rate=8 * RATE)(7) == 8 * made(name)(7)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rate_stays_positive_and_never_grows(name):
    rates = [made(name)(epoch) for epoch in range(START, STOP)]
    assert min(rates) > 0
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("epoch, rate", [(0, 0.01), (1, 0.009990009990009992), (1000, 0.005)])
def test_inverse_time_to_the_last_digit(epoch, rate):
    assert made("inverse_time", decay_rate=0.001)(epoch) == rate


def test_inverse_time_counts_epochs_from_0_whatever_the_start():
    assert made("inverse_time", start=5)(5) == made("inverse_time", start=0)(5)


STREAM = {"constant": 1.0, "inverse_time": 1 / (1 + DECAY * 40), "cosine": 1.0, "adaptive": 1.0}


@pytest.mark.parametrize("name", SCHEDULES)
def test_in_a_stream_only_schedules_without_an_end_go_on_falling(name):
    schedule = make_schedule(name, RATE, None, DECAY)
    assert schedule(40) == pytest.approx(RATE * STREAM[name], rel=1e-14)


def test_in_a_stream_a_function_goes_on():
    assert make_schedule(own, RATE, None, DECAY)(4) == RATE / 16


WRONG_FACTORS = [None, 1j, "1", [0.5], np.ones(2), -0.1, math.inf, math.nan]


@pytest.mark.parametrize("factor", WRONG_FACTORS, ids=repr)
def test_a_function_that_returns_no_factor_is_named(factor):
    schedule = made(lambda epoch: factor)
    with pytest.raises(ValueError, match=r"learning_rate function must return.*For epoch 5 it returned"):
        schedule(5)


@pytest.mark.parametrize("factor", [0, 1, True, 0.5, np.float32(0.5), np.int64(2)], ids=repr)
def test_a_function_may_return_any_real_number(factor):
    assert made(lambda epoch: factor)(0) == RATE * float(factor)


def test_cosine_begins_anew_from_start():
    first, second = made("cosine", start=0, stop=10), made("cosine", start=10, stop=20)
    assert [second(10 + epoch) for epoch in range(10)] == [first(epoch) for epoch in range(10)]


def test_cosine_of_a_single_epoch_is_the_initial_rate():
    assert made("cosine", start=4, stop=5)(4) == RATE


def test_callable_gives_the_factor():
    schedule = made(own)
    assert [schedule(epoch) for epoch in range(4)] == [RATE, RATE / 2, RATE / 4, RATE / 8]


VALIDATED = pytest.mark.parametrize("validated", [False, True])

ENDLESS = ["constant", "inverse_time", own]
NOT_ADAPTIVE = pytest.mark.parametrize("learning_rate", [*ENDLESS, "cosine"])


@NOT_ADAPTIVE
def test_a_score_without_progress_ends_training_unless_adaptive(learning_rate):
    assert stands_still(made(learning_rate), True) is False


@pytest.mark.parametrize("learning_rate", ENDLESS)
def test_a_loss_without_progress_ends_training_unless_the_rate_has_an_end_of_its_own(learning_rate):
    assert stands_still(made(learning_rate), False) is False


def test_a_loss_without_progress_does_not_cut_cosine_short():
    assert stands_still(made("cosine"), False) is True


@VALIDATED
@NOT_ADAPTIVE
def test_only_adaptive_changes_when_progress_stops(learning_rate, validated):
    schedule = made(learning_rate)
    before = [schedule(epoch) for epoch in range(START, STOP)]
    schedule.stand_still(validated)
    assert isinstance(schedule, Schedule)
    assert [schedule(epoch) for epoch in range(START, STOP)] == before


@VALIDATED
def test_adaptive_divides_by_5_when_progress_stops(validated):
    schedule = made("adaptive")
    assert isinstance(schedule, Adaptive)
    assert stands_still(schedule, validated) is True
    assert schedule(0) == schedule(99) == RATE / 5


def test_adaptive_ends_at_a_millionth():
    schedule, rates = Adaptive(0.01), []
    while stands_still(schedule):
        rates.append(schedule(0))
    assert rates == pytest.approx([0.01 / 5**i for i in range(1, 7)])
    assert rates[-1] <= 1e-6 < rates[-2]
    assert stands_still(schedule, False) is False
    assert schedule(0) == rates[-1]


@pytest.mark.parametrize("rate", [1e-6, 1e-7])
def test_adaptive_does_not_go_on_from_a_millionth(rate):
    schedule = Adaptive(rate)
    assert stands_still(schedule, True) is False
    assert schedule(0) == rate
