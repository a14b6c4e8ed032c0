"""A literate report generator for audio: article scripts in, a static site that can be listened to out.

In reading order:

    errors.py      what goes wrong, said to the person who runs a build
    cells.py       a script becomes cells; run, they become what they show
    media.py       sounds, figures, pictures, films and data become bytes
    store.py       where artifacts live, each under the hash of its bytes, with a record of how it was made
    source.py      which source a function may depend on
    conjure.py     @conjure: compute once, keep, find again by what the result depends on
    mix.py         the integer sum that defines a reconstruction
    components.py  what a cell can show
    page.py        cells and what they showed become HTML
    site.py        articles become a site

The package knows nothing of codecs and works without PyTorch.
"""

from report.components import BibTeX, Compare, EventRoll, FilmStrip, Group, Image, Mark, Player, Prose, Row, Table
from report.conjure import Artifact, conjure, use_store
from report.errors import CellError, ReportError, SiteError, StoreError
from report.media import Data, Figure, Film, Picture, Sound
from report.mix import mix
from report.site import BuildSummary, build
from report.store import FolderStore, MemoryStore

__all__ = [
    "Artifact",
    "BibTeX",
    "BuildSummary",
    "CellError",
    "Compare",
    "Data",
    "EventRoll",
    "Figure",
    "Film",
    "FilmStrip",
    "FolderStore",
    "Group",
    "Image",
    "Mark",
    "MemoryStore",
    "Picture",
    "Player",
    "Prose",
    "ReportError",
    "Row",
    "SiteError",
    "Sound",
    "StoreError",
    "Table",
    "build",
    "conjure",
    "mix",
    "use_store",
]
