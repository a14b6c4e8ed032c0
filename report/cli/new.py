"""The commands that write files to begin with: new, ci."""

import argparse
from pathlib import Path

from report.article.templates import templates_folder
from report.cli.program import Command, Program
from report.errors import ReportError


def new_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument("article", type=Path, metavar="NAME", help="of the article, or its file")
    parser.add_argument("--title", help="of the article (default: that of the example)")


def new_article(args: argparse.Namespace) -> int:
    """Write an article that builds. Its comments say what can be changed."""
    from report.artifacts.record import ARTICLE

    script = args.article.with_suffix(".py") if args.article.suffix == ".py" else args.article
    script = script if script.suffix == ".py" else script.with_name(f"{script.name}.py")
    if not ARTICLE.fullmatch(script.stem) or script.stem.lower() == "index":
        raise ReportError(
            f"{script.stem!r} is no name for an article; use letters, digits, _ and -"
        )
    text = (templates_folder() / "new.py").read_text()
    if args.title is not None:
        text = _with_title(text, args.title)
    try:
        with script.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ReportError(f"{script} is there already; choose another name") from None
    print(f"{script}: an article with three tones; change it as its comments say")
    print(f"python -m report build {script}")
    return 0


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


COMMANDS = {
    "ci": Command(
        write_ci, "write a script and a GitHub workflow that build, verify and publish", ci_options
    ),
    "new": Command(
        new_article, "write an article that builds, with comments that teach", new_options
    ),
}
