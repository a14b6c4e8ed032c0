"""A literate report generator for audio: article scripts in, a static site to listen to out.

In reading order: `errors`, `storage` (named bytes, anywhere), `keys` (what a result depends on),
`artifacts` (computed once, kept), `article` (from a script to a page), `site` (articles become a
site), `sharing` (after it is built) and `cli` (the commands). `number_formats` and `mix` import
nothing. The package knows nothing of codecs and works without PyTorch.
"""

from report.article.components import (
    BibTeX,
    Compare,
    Decomposition,
    EventRoll,
    FilmStrip,
    Group,
    Image,
    Mark,
    Part,
    Player,
    Prose,
    Row,
    Table,
)
from report.artifacts.media import Data, Figure, Film, Picture, Sound
from report.artifacts.session import Artifact, conjure, use_store
from report.artifacts.store import FolderStore, MemoryStore
from report.errors import CellError, ReportError, SiteError, StoreError
from report.mix import mix
from report.site.build import BuildSummary, build

__all__ = [
    "Artifact",
    "BibTeX",
    "BuildSummary",
    "CellError",
    "Compare",
    "Data",
    "Decomposition",
    "EventRoll",
    "Figure",
    "Film",
    "FilmStrip",
    "FolderStore",
    "Group",
    "Image",
    "Mark",
    "MemoryStore",
    "Part",
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
