"""The commands that write files to begin with, or to go on from: new, ci, notebook."""

import argparse
import json
import os
import re
from pathlib import Path

from report.cli.program import Command, Program, settings_option
from report.errors import ReportError


def new_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument(
        "article",
        type=Path,
        nargs="?",
        metavar="NAME",
        help="of the article, or its file (with --from, that of the folder)",
    )
    parser.add_argument(
        "--from",
        type=Path,
        metavar="FOLDER",
        dest="folder",
        help="of sounds, which the article shows: items by systems, from folders or names of files",
    )
    parser.add_argument("--title", help="of the article (default: that of the example)")


def new_article(args: argparse.Namespace) -> int:
    """Write an article that builds. Its comments say what can be changed."""
    from report.article.templates import templates_folder
    from report.artifacts.record import ARTICLE

    if args.folder and not args.folder.is_dir():
        raise ReportError(f"there is no folder {args.folder}")
    if args.folder and args.article is None:
        args.article = Path(re.sub(r"\W+", "_", args.folder.resolve().name, flags=re.ASCII))
    if args.article is None:
        args.usage_error("give the article a name")
    script = args.article
    script = script if script.suffix == ".py" else script.with_name(f"{script.name}.py")
    if not ARTICLE.fullmatch(script.stem) or script.stem.lower() == "index":
        raise ReportError(
            f"{script.stem!r} is no name for an article; use letters, digits, _ and -"
        )
    if script.exists():
        raise ReportError(f"{script} is there already; choose another name")
    text, about = (templates_folder() / "new.py").read_text(), "three tones"
    if args.folder:
        text, about = _article_of_folder(args.folder, script)
    if args.title is not None:
        text = _with_title(text, args.title)
    try:
        with script.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ReportError(f"{script} is there already; choose another name") from None
    print(f"{script}: an article with {about}; change it as its comments say")
    print(f"python -m report build {script}")
    return 0


FOLDER_ARTICLE = '''"""Sounds of a folder

{about}."""

from pathlib import Path

from report import Grid

FOLDER = Path({folder})  # seen from the folder of this script
{allow}
# %% [markdown]
# Arrow keys and presses go from sound to sound. Those of a row are versions of one item: a
# neighbour is heard from the same place on, and as loud.

# %% tags=["hide"]
# item -> system -> sound; labels are texts, the order is that of the page, and a gap may be left.
Grid(
    "Sounds",
    {{
{rows}    }},
)
'''


def _article_of_folder(folder: Path, script: Path) -> tuple[str, str]:
    """Return the article that shows the sounds of a folder, and what it has, in words."""
    from report.article.sound_folder import table_of

    table = table_of(folder)
    rows = ""
    for item, sounds in table.items():
        cells = "".join(
            f"            {system!r}: FOLDER / {file.as_posix()!r},\n"
            for system, file in sounds.items()
        )
        rows += f"        {item!r}: {{\n{cells}        }},\n"
    n_sounds = sum(map(len, table.values()))
    n_systems = len({system for sounds in table.values() for system in sounds})
    about = f"{n_sounds} sounds: {len(table)} items by {n_systems} systems"
    away = os.path.relpath(folder.resolve(), script.parent.resolve())
    text = FOLDER_ARTICLE.format(
        about=about, folder=repr(away), rows=rows, allow=_allowed(folder, table)
    )
    return _with_title(
        text, f"Sounds of {folder.resolve().name}".replace('"', "").replace("\\", "")
    ), about


def _allowed(folder: Path, table: dict[str, dict[str, Path]]) -> str:
    """Return the line that leaves out the checks which these sounds do not pass, or "".

    Raises: ValueError for a sound that can not be stored.
    """
    from report.article.checks import findings_of
    from report.article.components import Grid
    from report.artifacts.session import use_store
    from report.artifacts.store import MemoryStore

    absolute = folder.resolve()
    rows = {
        item: {system: absolute / file for system, file in sounds.items()}
        for item, sounds in table.items()
    }
    with use_store(MemoryStore()):
        kinds = dict.fromkeys(finding.kind for finding in findings_of(Grid("Sounds", rows)))
    if not kinds:
        return ""
    reasons = dict.fromkeys(kinds, "the sounds are as they were given")
    return (
        f"# Checks that these sounds do not pass, each left out with a reason.\nALLOW = {reasons}\n"
    )


def _with_title(text: str, title: str) -> str:
    title = " ".join(title.split())
    if not title or '"' in title or "\\" in title:
        raise ReportError(f'the title {title!r} can not stand in a docstring; leave out " and \\')
    return f'"""{title}\n' + text.partition("\n")[2]


# ci

CI_FILES = {"publish.sh": Path("publish.sh"), "publish.yml": Path(".github/workflows/publish.yml")}


def ci_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(), help="of the articles (%(default)s)"
    )


def write_ci(args: argparse.Namespace) -> int:
    """Write a script that builds, checks and publishes, and a workflow of GitHub that runs it."""
    from report.article.templates import templates_folder

    if not args.folder.is_dir():
        raise ReportError(f"there is no folder {args.folder}")
    targets = {name: args.folder / path for name, path in CI_FILES.items()}
    if there := [str(target) for target in targets.values() if target.exists()]:
        raise ReportError(f"{' and '.join(there)} is there already; move it away")
    for name, target in targets.items():
        source = templates_folder() / "ci" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(0o755 if target.suffix == ".sh" else 0o644)
        print(target)
    print("the first lines of both say what to set")
    return 0


# notebook


def notebook_options(parser: argparse.ArgumentParser, program: Program) -> None:
    program.add_options(parser)
    settings_option(parser)
    parser.add_argument(
        "--store",
        type=Path,
        default=Path(".artifacts"),
        help="the folder where artifacts are kept (%(default)s)",
    )
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE.ipynb", help="to write (default: ARTICLE.ipynb)"
    )


def write_notebook(args: argparse.Namespace) -> int:
    """Run an article in a Jupyter kernel, and write the notebook with all that it shows."""
    from report.article.parameters import read_settings

    articles = args.program.prepare(args)
    if len(articles.scripts) != 1:
        args.usage_error("give one article script")
    (script,) = articles.scripts
    if articles.namespace:
        given = ", ".join(articles.namespace)
        raise ReportError(f"{script} needs values that this program makes ({given}), not a kernel")
    settings = read_settings(args.settings, [script])
    try:
        from report.notebook.execute import check_replaceable, execute
    except ModuleNotFoundError as error:
        raise ReportError(f"{error}: pip install nbclient nbformat ipykernel") from error
    from report.storage.folder import write_whole

    out = args.out or Path(f"{script.stem}.ipynb")
    check_replaceable(out)
    text = execute(script, args.store, settings)
    write_whole(out, f"{json.dumps(text, indent=1, ensure_ascii=False)}\n".encode())
    print(f"{out}: {len(text.cells)} cells")
    return 0


COMMANDS = {
    "new": Command(
        new_article, "write an article that builds, with comments that teach", new_options
    ),
    "notebook": Command(
        write_notebook, "run an article in Jupyter, and write what it shows", notebook_options
    ),
    "ci": Command(
        write_ci, "write a script and a GitHub workflow that build, verify and publish", ci_options
    ),
}
