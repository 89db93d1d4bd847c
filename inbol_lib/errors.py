"""Errors written for people: what was given, what is allowed and what to do next."""


class StudyError(Exception):
    """Any error whose message is written for people; a terminal shows it without a traceback."""


class ParameterError(StudyError, ValueError):
    """A parameter, or something that it names, is wrong.

    The message says which one it is and what is allowed instead.
    """


class EndpointError(StudyError, RuntimeError):
    """An endpoint makes it pointless to go on; whatever it has answered so far is kept.

    The message says why and what to do.
    """


class DiskFull(StudyError, RuntimeError):
    """A disk is full, or its owner has used up a quota.

    The message says where, and what to do.
    """


class DryRun(EndpointError):
    """Nothing was sent to an endpoint; the message shows what would be sent."""


class NotebookFailed(StudyError, RuntimeError):
    """A cell of a notebook failed for a reason that nobody has foreseen.

    The message says which notebook, what was raised where, and where the whole traceback lies.
    """


#: name of a kind -> the kind, for errors that a notebook's kernel can only name
KINDS: dict[str, type[StudyError]] = {
    kind.__name__: kind
    for kind in (ParameterError, EndpointError, DiskFull, DryRun, NotebookFailed)
}


#: what a command says after Ctrl-C, and the exit status that shells expect then
STOPPED, INTERRUPTED = "stopped; what was finished is kept, and the same command goes on", 130


def status(error: StudyError) -> int:
    """Return a command's exit status after an error: 2 if it was asked wrongly, 0 or 1 if not."""
    if isinstance(error, DryRun):
        return 0
    return 2 if isinstance(error, ParameterError) else 1
