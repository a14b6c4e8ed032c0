"""A literate report generator for audio: article scripts in, a static site to listen to out.

In reading order: `errors`, `storage` (named bytes, anywhere), `keys` (what a result depends on),
`artifacts` (computed once, kept), `listening` (tests that ask listeners), `article` (from a script
to a page), `site` (articles become a site), `sharing` (after it is built), `live` (while it is
written), `notebook` and `cli` (the commands). `number_formats` and `mix` import nothing. The
package knows nothing of codecs and works without PyTorch.

A name of the package is imported when it is first used, so that a command imports what it needs.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from report.mix import mix  # at once: its module has the same name

if TYPE_CHECKING:
    from report.article.claims import ClaimError, claim, quote
    from report.article.components import (
        BibTeX,
        Compare,
        Cover,
        Decomposition,
        EventRoll,
        FilmStrip,
        Fold,
        Grid,
        Group,
        Image,
        Labels,
        Mark,
        Opening,
        Part,
        Player,
        Prose,
        Row,
        Scale,
        Steps,
        Stretch,
        Table,
    )
    from report.article.front_matter import Author
    from report.article.listening_tests import Abx, Mushra, Preference, Rating
    from report.article.ratings import Ratings
    from report.article.spectrogram import spectrogram
    from report.artifacts.media import Array, Data, Figure, Film, Picture, Sound, Weights
    from report.artifacts.session import Artifact, conjure, use_store
    from report.artifacts.store import FolderStore, MemoryStore
    from report.errors import CellError, ReportError, SiteError, StoreError
    from report.site.build import BuildSummary, build

_HOMES = {  # name -> the module that it is imported from
    "Abx": "article.listening_tests",
    "Array": "artifacts.media",
    "Artifact": "artifacts.session",
    "Author": "article.front_matter",
    "BibTeX": "article.components",
    "BuildSummary": "site.build",
    "CellError": "errors",
    "ClaimError": "article.claims",
    "Compare": "article.components",
    "Cover": "article.components",
    "Data": "artifacts.media",
    "Decomposition": "article.components",
    "EventRoll": "article.components",
    "Figure": "artifacts.media",
    "Film": "artifacts.media",
    "FilmStrip": "article.components",
    "Fold": "article.components",
    "FolderStore": "artifacts.store",
    "Grid": "article.components",
    "Group": "article.components",
    "Image": "article.components",
    "Labels": "article.components",
    "Mark": "article.components",
    "MemoryStore": "artifacts.store",
    "Mushra": "article.listening_tests",
    "Opening": "article.components",
    "Part": "article.components",
    "Picture": "artifacts.media",
    "Player": "article.components",
    "Preference": "article.listening_tests",
    "Prose": "article.components",
    "Rating": "article.listening_tests",
    "Ratings": "article.ratings",
    "ReportError": "errors",
    "Row": "article.components",
    "Scale": "article.components",
    "SiteError": "errors",
    "Sound": "artifacts.media",
    "Steps": "article.components",
    "StoreError": "errors",
    "Stretch": "article.components",
    "Table": "article.components",
    "Weights": "artifacts.media",
    "build": "site.build",
    "claim": "article.claims",
    "conjure": "artifacts.session",
    "quote": "article.claims",
    "spectrogram": "article.spectrogram",
    "use_store": "artifacts.session",
}

__all__ = [
    "Abx",
    "Array",
    "Artifact",
    "Author",
    "BibTeX",
    "BuildSummary",
    "CellError",
    "ClaimError",
    "Compare",
    "Cover",
    "Data",
    "Decomposition",
    "EventRoll",
    "Figure",
    "Film",
    "FilmStrip",
    "Fold",
    "FolderStore",
    "Grid",
    "Group",
    "Image",
    "Labels",
    "Mark",
    "MemoryStore",
    "Mushra",
    "Opening",
    "Part",
    "Picture",
    "Player",
    "Preference",
    "Prose",
    "Rating",
    "Ratings",
    "ReportError",
    "Row",
    "Scale",
    "SiteError",
    "Sound",
    "Steps",
    "StoreError",
    "Stretch",
    "Table",
    "Weights",
    "build",
    "claim",
    "conjure",
    "mix",
    "quote",
    "spectrogram",
    "use_store",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if "IPython" in sys.modules:  # in a notebook perhaps
        import_module("report.notebook.kernel").begin()
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
