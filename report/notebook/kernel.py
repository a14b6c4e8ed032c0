"""Keys and outputs in an IPython kernel, from the first import of `report` on.

Functions that cells define have the cells as their source, so that their keys are those of a build,
and what one has computed the other finds in the folder .artifacts.
"""

import ast
import functools
import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from report.article.cells import Cell
from report.article.percent import fill_in
from report.article.prose import without_grounds
from report.artifacts.session import set_default_store, use_script
from report.artifacts.store import FolderStore
from report.keys.source import provide_text
from report.notebook.shown import show_in

MAGIC = re.compile(r"^get_ipython\(\)\..*$", re.MULTILINE)  # % and ! commands, as IPython has them
_begun = ExitStack()
_cells: dict[int, str] = {}  # number of an execution -> ID of its cell


def begin() -> None:
    """Use this process's kernel, if it is one."""
    shell = _shell()
    if shell is None or _cells:
        return
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    _cells[shell.execution_count] = parent.get("metadata", {}).get("cellId", "")

    def note(info: Any) -> None:
        _cells[shell.execution_count] = info.cell_id or ""

    shell.events.register("pre_run_cell", note)
    provide_text("__main__", lambda: text_of(shell.user_ns["In"], _cells))
    _begun.enter_context(use_script("__main__"))
    set_default_store(FolderStore(Path(".artifacts")))
    shell.user_ns.setdefault("__file__", _notebook_of(shell))
    show_in(shell)


def _notebook_of(shell: Any) -> str:
    """Return the file of the cells, as Jupyter and VS Code tell it; of others, the folder is right.

    They run a notebook in its own folder.
    """
    told = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    return os.path.abspath(told if told and os.path.isfile(told) else "notebook.ipynb")


def text_of(inputs: list[str], cells: dict[int, str]) -> str:
    """Return the cells that were run as one module: each as it was last, where it was first.

    inputs: by number of the execution. cells: number -> ID of the cell, or "", as some programs
    give none: there a cell comes for one that has the same text, or defines the same functions.
    """
    last: dict[str, str] = {}
    for number, source in enumerate(inputs):
        text = MAGIC.sub("", source)
        try:
            ast.parse(text)
        except SyntaxError:  # it did not run
            continue
        last[cells.get(number) or _same_cell(last, text) or f"execution {number}"] = text
    return "\n".join(last.values()) + "\n"


def _same_cell(cells: dict[str, str], text: str) -> str | None:
    same = (
        name for name, other in cells.items() if other == text or defined(other) & defined(text)
    )
    return next(same, None)


@functools.cache
def defined(text: str) -> frozenset[str]:
    """Return the names of the functions and classes that a cell defines."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(node.name for node in ast.parse(text).body if isinstance(node, kinds))


def prepare(script: str, store: str, code: str) -> None:
    """Let the kernel run a script: with its modules, its file's name, and a store in a folder.

    code: that of all its cells. What a later cell sets up counts from the start, as in a build.
    """
    begin()  # it sets a store, too
    provide_text("__main__", lambda: code)
    sys.path.insert(0, str(Path(script).parent))
    _shell().user_ns["__file__"] = script
    set_default_store(FolderStore(Path(store)))


def filled(prose: str) -> str:
    """Return prose with the values that it quotes, as they are now."""
    names = _shell().user_ns

    def evaluate(expression: str | ast.Expression) -> Any:
        assert isinstance(expression, str)
        return eval(expression, names)

    return without_grounds(fill_in(Cell("prose", prose, 1), evaluate))


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython and hasattr(ipython, "get_ipython") else None
