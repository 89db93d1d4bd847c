"""What can go wrong, for people: each message says what was given, what is allowed and what to do."""


class ParameterError(ValueError):
    """What was asked for can not be done: a parameter or what it names is wrong; the message says which and what is allowed."""


class EndpointError(RuntimeError):
    """An endpoint makes going on pointless: the message says why and what to do. Whatever it answered is kept."""


class DryRun(EndpointError):
    """Nothing was sent to an endpoint; the message says what would be."""
