"""Runs articles in a fresh process and prints which of their artifacts were computed, which were found, and warnings.

    python runner.py STORE ARTICLE... [--without INGREDIENT]

`--without` weakens the keys: they are made without one ingredient, as if it had been forgotten.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

from report import FolderStore, use_store
from report.article.script import parse_script, run_cells
from report.artifacts import session as sessions
from report.keys import dependencies, syntax


def run(store: Path, articles: list[Path]) -> dict:
    states, computed = {}, 0

    def heard(record):
        nonlocal computed
        states[record.function.rpartition(".")[2]] = (
            "computed" if session.computed > computed else "found"
        )
        computed = session.computed

    with (
        warnings.catch_warnings(record=True) as caught,
        use_store(FolderStore(store), heard) as session,
    ):
        warnings.simplefilter("always")
        for article in articles:
            run_cells(parse_script(article), article, {})
    return {
        "states": states,
        "warnings": [[w.category.__name__, w.filename, w.lineno] for w in caught],
    }


def weaken(ingredient: str) -> None:
    """Make keys without an ingredient of theirs, or without a part of the code."""
    if ingredient in sessions.INGREDIENTS:
        whole = sessions.key_of
        sessions.key_of = lambda parts: whole({**parts, ingredient: None})
    elif ingredient in ("bases", "decorators", "defaults"):
        setattr(syntax._Reader, ingredient, lambda reader, node: None)
    else:
        follow = dependencies._follow
        dependencies._follow = lambda reference: (
            (syntax.Piece(), follow(reference)[1])
            if kind_of(reference) == ingredient
            else follow(reference)
        )


def kind_of(reference) -> str:
    if reference.kind != "symbol":
        return reference.kind
    value = dependencies.runtime_value(reference)
    if isinstance(value, type):
        return "classes"
    return "functions" if dependencies.is_function(value) else "constants"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("articles", type=Path, nargs="+")
    parser.add_argument("--without", default="")
    options = parser.parse_args()
    sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "installed")]
    if options.without:
        weaken(options.without)
    print(json.dumps(run(options.store, [path.resolve() for path in options.articles])))
