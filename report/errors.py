"""The errors that are meant for people: the command line prints one line and exits with 1."""


class ReportError(Exception):
    """The base class of all of them."""


# Errors that the command line prints: a program's models raise ValueErrors.
TOLD = (ReportError, ValueError, ArithmeticError, OSError)


class CellError(ReportError):
    """A cell of an article failed. The message has script, cell, line and the author's frames."""


class StoreError(ReportError):
    """Something stored can not be read or written.

    This is never taken for a miss: nothing is computed again because of it.
    """


class Missing(StoreError):
    """Nothing is stored under a name. Callers that expect this catch it."""


class Damaged(StoreError):
    """The bytes under a name are not those that were stored there."""


class WorkerError(ReportError):
    """A worker can not compute what it was sent, however often: it is no error of the article."""


class SiteError(ReportError):
    """The site can not be built or written. The site that was there before stays as it was."""
