"""The program in each fork: it runs articles and prints which of their artifacts were computed,
which were found, and warnings."""

import json
import warnings
from pathlib import Path

from report import FolderStore, use_store
from report.article.script import parse_script, run_cells
from report.artifacts import session as sessions
from report.artifacts.record import Record
from report.keys import dependencies, syntax
from report.keys.source import Reference


def main(store: str, articles: list[str], without: str = "") -> None:
    """Run articles on a store. `without` weakens the keys: as if one ingredient was forgotten."""
    if without:
        weaken(without)
    print(json.dumps(run(Path(store), [Path(article).resolve() for article in articles])))


def run(store: Path, articles: list[Path]) -> dict:
    states = {}
    computed = 0

    def note(record: Record) -> None:
        nonlocal computed
        name = record.function.rpartition(".")[2]
        states[name] = "computed" if session.computed > computed else "found"
        computed = session.computed

    with (
        warnings.catch_warnings(record=True) as caught,
        use_store(FolderStore(store), note) as session,
    ):
        warnings.simplefilter("always")
        for article in articles:
            run_cells(parse_script(article), article, {})
    return {
        "states": states,
        "warnings": [[w.category.__name__, w.filename, w.lineno] for w in caught],
    }


def weaken(ingredient: str) -> None:
    """Make keys without one of their ingredients, or without a part of the code."""
    if ingredient in sessions.INGREDIENTS:
        key_of = sessions.key_of
        sessions.key_of = lambda parts: key_of({**parts, ingredient: None})
    elif ingredient in ("bases", "decorators", "defaults"):
        setattr(syntax.Reader, f"read_{ingredient}", lambda reader, node: None)
    else:
        follow = dependencies.follow
        dependencies.follow = lambda reference: (
            (syntax.Summary(), follow(reference)[1])
            if kind_of(reference) == ingredient
            else follow(reference)
        )


def kind_of(reference: Reference) -> str:
    if reference.kind != "symbol":
        return reference.kind
    value = dependencies.runtime_value(reference)
    if isinstance(value, type):
        return "classes"
    return "functions" if dependencies.is_function(value) else "constants"
