"""How much the tests try: profile "ci", the default, or "nightly" (``--hypothesis-profile=nightly``).

"mutants" is "ci" for tests that often fail: they stop at the first example that does.
"""

from hypothesis import HealthCheck, Phase, given, settings

ALL_CHECKS_BUT_TIME = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# The same examples in each run of "ci", so that a failure is due to the change that is tested.
settings.register_profile("ci", derandomize=True, **ALL_CHECKS_BUT_TIME)
settings.register_profile(
    "mutants",
    settings.get_profile("ci"),
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.register_profile("nightly", print_blob=True, **ALL_CHECKS_BUT_TIME)


def by_profile(ci, nightly):
    """Return the number for the profile in use."""
    return nightly if settings.get_current_profile_name() == "nightly" else ci


def tried(examples, check, ci, nightly):
    """Check some examples of a strategy, and return the number of those that were not given up."""
    n_checked = 0

    @settings(max_examples=by_profile(ci, nightly))
    @given(examples)
    def each(example):
        nonlocal n_checked
        check(example)
        n_checked += 1

    each()
    return n_checked
