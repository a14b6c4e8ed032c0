"""A literate report generator for audio: article scripts in, a static site that can be listened to out.

In reading order:

    errors.py         what goes wrong, said to the person who runs a build
    cells.py          a script becomes cells; run, they become what they show
    comment_form.py   the older form of scripts, as the library conjure has it
    media.py          sounds, figures, pictures, films and data become bytes

    storage.py        named bytes in a folder or in memory; the same elsewhere:
    s3.py             in a bucket
    collection.py     in a collection of the library conjure
    readonly.py       on the web, or in an archive
    mirror.py         behind a network, with a folder in front
    addresses.py      from an address to its storage
    transfer.py       many transfers at a time

    store.py          artifacts in a storage, each under the hash of its bytes, with a record of how it was made
    source.py         the project's modules as source, and what their names lead to
    syntax.py         what a piece of source says, however it is written
    values.py         what a value is, however it is held
    dependencies.py   all code that a function can use
    conjure.py        @conjure: compute once, keep, find again by what the result depends on
    machine.py        which machine computed something

    mix.py            the integer sum that defines a reconstruction
    components.py     what a cell can show
    page.py           cells and what they showed become HTML
    manifest.py       what a site holds, and how each artifact was made
    crate.py          the same as an RO-Crate
    site.py           articles become a site

    plan.py           what a build would do, and why
    reproduce.py      compute again, and say whether it came out the same
    selfcheck.py      whether files are what the manifest says, with nothing but Python
    release.py        what a site becomes when it is published
    located.py        a site wherever it is
    verify.py         whether it is what its manifest says
    edit.py           what a reader made of an event roll
    diff.py           what changed from one site to another
    publish.py        put a site where others can see it
    archive.py        a site in one file
    collect.py        delete what nothing names any more
    commands.py       what each command does
    cli.py            which options it has

The package knows nothing of codecs and works without PyTorch.
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
