"""Runs articles in a fresh process and prints which of their artifacts were computed, which were found, and warnings.

    python runner.py STORE [--without INGREDIENT] ARTICLE...

`--without` weakens the keys: they are made without one ingredient, as if it had been forgotten.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

from report import FolderStore, dependencies, use_store
from report.cells import parse_script, run_cells

CONJURE = sys.modules["report.conjure"]  # `report.conjure` is the function


def run(store: Path, articles: list[Path]) -> dict:
    states, seen = {}, 0

    def heard(record):
        nonlocal seen
        states[record.function.rpartition(".")[2]] = "computed" if session.computed > seen else "found"
        seen = session.computed

    with warnings.catch_warnings(record=True) as caught, use_store(FolderStore(store), heard) as session:
        warnings.simplefilter("always")
        for article in articles:
            run_cells(parse_script(article), article, {})
    return {"states": states, "warnings": [[w.category.__name__, str(w.message)] for w in caught]}


def weaken(ingredient: str) -> None:
    if ingredient in dependencies.INCLUDED:
        dependencies.INCLUDED -= {ingredient}
    else:
        assert ingredient in CONJURE.INGREDIENTS
        whole = CONJURE.key_of
        CONJURE.key_of = lambda parts: whole({**parts, ingredient: None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("articles", type=Path, nargs="+")
    parser.add_argument("--without")
    options = parser.parse_args()
    sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "installed")]
    if options.without:
        weaken(options.without)
    print(json.dumps(run(options.store, options.articles)))
