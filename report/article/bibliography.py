"""The literature that an article cites: entries of .bib files, read and set by pybtex."""

import html
import string
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from report.errors import ReportError


class Bibliography:
    """Entries of .bib files by their keys. The files are read when something is cited."""

    def __init__(self, files: Iterable[Path]):
        self.files = list(files)

    @cached_property
    def _data(self) -> Any:
        from pybtex.database import BibliographyData, parse_file
        from pybtex.exceptions import PybtexError

        data = BibliographyData()
        for file in self.files:
            try:
                data.add_entries(parse_file(str(file), "bibtex").entries.items())
            except (PybtexError, OSError, UnicodeDecodeError) as error:
                raise ReportError(f"cannot read the bibliography {file}: {error}") from error
        return data

    @cached_property
    def labels(self) -> dict[str, str]:
        """Key -> text of a citation, such as "Vinyard 2025", with a letter where two are alike."""
        plain = {key: _label(entry) for key, entry in self._data.entries.items()}
        labels: dict[str, str] = {}
        for key, label in plain.items():
            alike = [other for other, text in plain.items() if text == label]
            letter = string.ascii_lowercase[alike.index(key) % 26] if len(alike) > 1 else ""
            labels[key] = label + letter
        return labels

    def references(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Return (key, HTML) of these entries, in the order of their labels."""
        cited = sorted(dict.fromkeys(keys), key=lambda key: self.labels[key])
        if not cited:
            return []
        from pybtex.plugin import find_plugin  # here, since to find one takes long

        style, backend = find_plugin("pybtex.style.formatting", "plain")(), _backend()
        entries = {key: self._data.entries[key] for key in cited}
        texts = {
            entry.key: entry.text.render(backend)
            for entry in style.format_entries(entries.values())
        }
        return [(key, texts[key]) for key in cited]


def read_bibliography(namespace: Mapping[str, Any], path: Path) -> Bibliography:
    """Return the files that the global BIBLIOGRAPHY of a script names, beside the script.

    Raises: ReportError if it is no name of a file, or if there is none.
    """
    value = namespace.get("BIBLIOGRAPHY", [])
    names = [value] if isinstance(value, str | Path) else value
    if not isinstance(names, list | tuple) or not all(isinstance(n, str | Path) for n in names):
        raise ReportError(f'{path}: BIBLIOGRAPHY is {value!r}; give a file, as in "references.bib"')
    files = [path.parent / name for name in names]
    for file in files:
        if not file.is_file():
            raise ReportError(f"{path}: BIBLIOGRAPHY names {file.name!r}, which is not there")
    return Bibliography(files)


def _label(entry: Any) -> str:
    persons = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join([*person.prelast_names, *person.last_names]) for person in persons]
    names = [name.replace("{", "").replace("}", "") for name in names]
    if len(names) > 2:
        names = [f"{names[0]} et al."]
    who = " & ".join(names) or entry.fields.get("title", entry.key)
    return f"{who} {entry.fields.get('year', 'n.d.')}"


def _backend() -> Any:
    """Return pybtex's HTML, with links to the web alone and no spans."""
    from pybtex.backends.html import Backend

    class Safe(Backend):
        def format_protected(self, text: str) -> str:
            return text

        def format_href(self, url: str, text: str, *_more: object, **_options: object) -> str:
            if not str(url).startswith(("http://", "https://")):
                return text
            return f'<a href="{html.escape(str(url))}">{text}</a>' if text else ""

    return Safe()
