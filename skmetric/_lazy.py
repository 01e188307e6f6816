"""Attributes that are computed when they are first used."""


class lazy:
    """Attribute that is computed when it is first used, and then kept.

    Before Python 3.12, `functools.cached_property` has a lock for all instances. Threads wait for each
    other there, and a process that is forked while another thread holds the lock waits forever.

    Parameters
    ----------
    compute : callable
        ``compute(instance)`` returns the value.
    """

    def __init__(self, compute):
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        """Return the value; it becomes an attribute of the instance, which Python then finds first."""
        value = vars(instance)[self.name] = self.compute(instance)
        return value
