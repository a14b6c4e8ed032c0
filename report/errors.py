"""Every error that is meant for the person who runs a build: print it and exit with 1, no traceback needed."""


class ReportError(Exception):
    """The base of them all."""


class CellError(ReportError):
    """A cell of an article script failed; the message names script, cell and line and shows the author's frames."""


class StoreError(ReportError):
    """Something stored can not be read or written. Never a miss: nothing is computed again because of it."""


class Missing(StoreError):
    """There is nothing under a name. Where it has to be there, this is an error like the others."""


class Damaged(StoreError):
    """What is under a name is not what was stored there."""


class SiteError(ReportError):
    """The site can not be built or written; the site that was there before is left as it was."""
