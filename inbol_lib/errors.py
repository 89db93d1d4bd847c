"""Errors written for people: what was given, what is allowed and what to do next."""


class ParameterError(ValueError):
    """A parameter, or something that it names, is wrong.

    The message says which one it is and what is allowed instead.
    """


class EndpointError(RuntimeError):
    """An endpoint makes it pointless to go on; whatever it has answered so far is kept.

    The message says why and what to do.
    """


class DiskFull(RuntimeError):
    """A disk is full, or its owner has used up a quota.

    The message says where, and what to do.
    """


class DryRun(EndpointError):
    """Nothing was sent to an endpoint; the message shows what would be sent."""
