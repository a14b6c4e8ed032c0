"""Write an article as a notebook with all that its cells show."""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ipykernel  # noqa: F401  # the kernel runs it; where it is missing, it is said before
import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from report.article.cells import Cell, strip_blank_lines
from report.article.parameters import with_settings
from report.article.script import parse_script, read_metadata
from report.errors import CellError, ReportError

COLOUR = re.compile(r"\x1b\[[\d;]*m")
LINE = re.compile(r"Cell In\s*\[(\d+)\], line (\d+)")
LONGEST_FOLDER = 80  # letters; the name of a socket has at most some hundred
MARK = "report"  # in the metadata of notebooks that may be replaced
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def execute(script: Path, store: Path, settings: Mapping[str, Any]) -> NotebookNode:
    """Return an article as a notebook that was run in a kernel, in the working directory.

    store: the folder of artifacts, as of a build. settings: parameters, which become the defaults
    in the notebook, so that it runs again with them.
    Raises: CellError for the first cell that fails; ReportError if the article can not be read.
    """
    title, description = read_metadata(script)
    first, *rest = parse_script(script)
    cells = [_with_settings(cell, settings) for cell in (_without_docstring(first), *rest)]
    cells = [cell for cell in cells if cell.source]
    if any(cell.form != "percent" for cell in cells):
        raise ReportError(f"{script} has the older form of articles; write its cells with # %%")
    head = new_markdown_cell(f"# {title}\n\n{description}".rstrip())
    notebook = new_notebook(cells=[head, *map(_cell_of, cells)])
    notebook.metadata |= {"kernelspec": KERNEL, MARK: {"script": script.name}}
    client = NotebookClient(notebook, timeout=None, resources={"metadata": {"path": os.getcwd()}})
    try:
        with _in_private(client), client.setup_kernel():
            code = "\n".join(cell.source for cell in cells if cell.kind == "code")
            places = f"{str(script.resolve())!r}, {str(store.resolve())!r}"
            _ask(client, f"prepare({places}, {code!r})")
            for number in range(1, len(cells) + 1):
                _run(client, number, cells, script)
    except CellExecutionError as error:  # of no cell of the article
        raise ReportError(_no_kernel(f"{error.ename}: {error.evalue}")) from error
    except (NoSuchKernel, RuntimeError) as error:  # also of a kernel that dies
        raise ReportError(_no_kernel(str(error))) from error
    nbformat.validate(notebook)
    return notebook


def _no_kernel(problem: str) -> str:
    return (
        f"the kernel {KERNEL['name']} could not run to the end: {problem}; if it is that of "
        "another Python, make one of this: python -m ipykernel install --sys-prefix"
    )


def _without_docstring(cell: Cell) -> Cell:
    """Return the first cell of a script without the title, which has a cell of its own."""
    if cell.kind != "code" or ast.get_docstring(ast.parse(cell.source)) is None:
        return cell
    end = ast.parse(cell.source).body[0].end_lineno or 0
    source, line = strip_blank_lines(cell.source.split("\n")[end:], cell.line + end)
    return replace(cell, source=source, line=line)


def _with_settings(cell: Cell, settings: Mapping[str, Any]) -> Cell:
    if cell.kind != "code":
        return cell
    return replace(cell, source=with_settings(cell.source, settings))


@contextmanager
def _in_private(client: NotebookClient) -> Iterator[None]:
    """Let the kernel listen in a folder of this user alone, where the system has such sockets."""
    with TemporaryDirectory() as folder:
        manager = client.create_kernel_manager()
        if os.name == "posix" and len(folder) < LONGEST_FOLDER:
            manager.transport = "ipc"
            manager.connection_file = os.path.join(folder, "kernel.json")
        yield


def _cell_of(cell: Cell) -> NotebookNode:
    if cell.kind == "prose":
        return new_markdown_cell(cell.source)
    metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
    if "hide" in cell.tags:
        metadata["jupyter"] = {"source_hidden": True}
    return new_code_cell(cell.source, metadata=metadata)


def _run(client: NotebookClient, number: int, cells: list[Cell], script: Path) -> None:
    """Run a code cell, or fill in the values of a prose cell. Raises: CellError."""
    node = client.nb.cells[number]  # behind the title
    cell = cells[number - 1]
    errors: list[Any] = []
    try:
        if cell.kind == "code":
            client.execute_cell(node, number)
        elif "{{" in cell.source:
            node.source = _ask(client, f"print(filled({cell.source!r}), end='')")
    except CellExecutionError as error:
        errors = [error]
    # A value that can not be shown is an error among the outputs, and there it has its name.
    errors = [out for out in node.get("outputs", []) if out.output_type == "error"] or errors
    if errors:
        line = _line_of(errors[0], cells) or cell.line
        where = f"{script}, cell {number}, line {line}"
        raise CellError(f"{where}: {errors[0].ename}: {errors[0].evalue}")


def _line_of(error: Any, cells: list[Cell]) -> int | None:
    """Return the innermost line of the script in an error's traceback."""
    lines = LINE.findall(COLOUR.sub("", "\n".join(getattr(error, "traceback", []))))
    if not lines:
        return None
    execution, line = map(int, lines[-1])
    code = [cell for cell in cells if cell.kind == "code"]
    return code[execution - 1].line + line - 1


def _ask(client: NotebookClient, call: str) -> str:
    """Call a function of `report.notebook.kernel`, out of history. Returns: what it prints."""
    names = "from report.notebook.kernel import filled, prepare"
    node = new_code_cell(f"exec({f'{names}; {call}'!r}, {{}})")
    head = client.nb.cells[0]
    try:
        client.execute_cell(node, 0, store_history=False)
    finally:
        client.nb.cells[0] = head  # the client puts what it executes there
    return "".join(output.get("text", "") for output in node.outputs)


def check_replaceable(path: Path) -> None:
    """Raise ReportError if there is something in a notebook's place that was not written here."""
    if not path.exists():
        return
    try:
        ours = MARK in nbformat.read(path, nbformat.NO_CONVERT).metadata
    except Exception:  # of nbformat, for what is no notebook: errors of many kinds
        ours = False
    if not ours:
        raise ReportError(f"{path} was not written here and would be replaced; choose another: -o")
