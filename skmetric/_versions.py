"""The version of skmetric in saved models, so that a version refuses the models of a newer one."""

from sklearn.utils.fixes import parse_version

from . import __version__

KEY = "_skmetric_version"


def check_readable(version):
    """Raise ValueError if `version` of skmetric, which saved a model, is newer than this one.

    Only the first two numbers count. A patch release does not change the form of models, and a
    development version has the form of the release that it leads to.
    """
    saved = parse_version(version)
    own = parse_version(__version__)
    if (saved.major, saved.minor) > (own.major, own.minor):
        raise ValueError(
            f"This model was saved by skmetric {version}, and this is skmetric {__version__}, which only "
            "reads models of its own version and of earlier ones. Install skmetric "
            f"{saved.major}.{saved.minor} or later, or save the model with skmetric {own.major}."
            f"{own.minor}."
        )


class SavedBy:
    """A version of skmetric that is checked when it is loaded.

    Parameters
    ----------
    version : str
        Version that saves the model.
    """

    def __init__(self, version):
        self.version = version

    def __setstate__(self, state):
        check_readable(state["version"])
        vars(self).update(state)


def with_version(state):
    """Return the state of a model with the version in front.

    Files are read in this order. The version is therefore checked before a type is looked up that this
    version may not have.
    """
    return {KEY: SavedBy(__version__), **state}


def without_version(state):
    """Return the state of a model without the version."""
    state = dict(state)
    state.pop(KEY, None)
    return state
