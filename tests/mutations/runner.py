"""The program in each fork: it runs articles and prints which of their artifacts were computed,
which were found, and warnings."""

import ast
import json
import warnings
from collections.abc import Callable
from pathlib import Path

from report import FolderStore, use_store
from report.article.script import parse_script, run_cells
from report.artifacts import session as sessions
from report.artifacts.record import Record
from report.artifacts.session import Session, use_session
from report.keys import dependencies, syntax
from report.keys.source import Reference, find_module
from report.site import computing


def main(store: str, articles: list[str], without: str = "", jobs: int = 1) -> None:
    """Run articles on a store. `without` weakens the keys: as if one ingredient was forgotten."""
    if without:
        weaken(without)
    paths = [Path(article).resolve() for article in articles]
    report = run(Path(store), paths) if jobs == 1 else run_side_by_side(Path(store), paths, jobs)
    print(json.dumps(report))


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


def run_side_by_side(folder: Path, articles: list[Path], jobs: int) -> dict:
    """Run articles whose calls other processes compute, also those that take no time."""
    computing.SHORT = 0.0
    store = FolderStore(folder)
    before = {Path(name).stem for name in store.entries("index")}
    with (
        warnings.catch_warnings(record=True) as caught,
        computing.open_workers(jobs, None, None, store) as workers,
        use_session(Session(store, workers=workers)) as session,
    ):
        warnings.simplefilter("always")
        for article in articles:
            run_cells(parse_script(article), article, {})
        records = [record for _, record in session.settled_calls()]
    return {
        "states": {
            record.function.rpartition(".")[2]: "found" if record.key in before else "computed"
            for record in records
        },
        "warnings": [[w.category.__name__, w.filename, w.lineno] for w in caught],
    }


RULES: dict[str, Callable[[], object]] = {  # what turns off those that are in no list
    "a computed attribute": lambda: setattr(syntax.Reader, "computed_attribute", _do_nothing),
    "a computed import": lambda: setattr(syntax.Reader, "computed_import", _do_nothing),
    "no value": lambda: setattr(dependencies, "_holds_nothing", lambda value: True),
    "a compiled module": lambda: setattr(syntax, "unversioned_extension", _do_nothing),
}
LISTS = ("_HIDING", "_OUTSIDE", "_DOUBTFUL")


def listed_rules() -> list[str]:
    """The rules that `report.keys.syntax` lists, each of which warns of something."""
    return [rule for name in LISTS for rule in getattr(syntax, name)]


def turn_off(rule: str) -> None:
    """Make keys that do not warn by one rule."""
    if rule in RULES:
        RULES[rule]()
        return
    for name in LISTS:
        entries = getattr(syntax, name)
        kept = [entry for entry in entries if entry != rule]
        as_before = {entry: entries[entry] for entry in kept} if name == "_DOUBTFUL" else kept
        setattr(syntax, name, type(entries)(as_before))


def _do_nothing(*_: object) -> None:
    pass


def weaken(ingredient: str) -> None:
    """Make keys without one of their ingredients, a part of the code, or one rule to warn by."""
    if ingredient.startswith("rule "):
        turn_off(ingredient.removeprefix("rule "))
    elif ingredient in sessions.INGREDIENTS:
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
    if value is dependencies.DEFINED:  # in a module that is not loaded
        (definition,) = find_module(reference.module).definitions[reference.name]
        return "classes" if isinstance(definition, ast.ClassDef) else "functions"
    if isinstance(value, type):
        return "classes"
    return "functions" if dependencies.is_function(value) else "constants"
