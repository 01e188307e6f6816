"""How much the tests try: profile "ci", the default, or "nightly" (``--hypothesis-profile=nightly``)."""

from hypothesis import HealthCheck, settings

ALL_CHECKS_BUT_TIME = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# The same examples in each run of "ci", so that a failure is due to the change that is tested.
settings.register_profile("ci", derandomize=True, **ALL_CHECKS_BUT_TIME)
settings.register_profile("nightly", print_blob=True, **ALL_CHECKS_BUT_TIME)


def by_profile(ci, nightly):
    """Return the number for the profile in use."""
    return nightly if settings.get_current_profile_name() == "nightly" else ci
