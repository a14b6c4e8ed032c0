"""A program with articles, a command of it, and the options that several commands share."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Articles:
    """The articles that a command is about."""

    scripts: list[Path]
    facts: dict[str, str] = field(default_factory=dict)  # name -> text, for the colophon
    namespace: dict[str, Any] = field(default_factory=dict)  # in the scripts' globals at the start
    # File name -> code, for an archive; if empty, the scripts and the modules that they import.
    sources: dict[str, bytes] = field(default_factory=dict)
    load: Callable[[], object] | None = None  # what most calls need, see `report.site.build.build`


@dataclass(frozen=True)
class Program:
    """A command line for articles."""

    name: str
    module: str  # `python -m MODULE` runs the program
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]  # those that choose the articles
    prepare: Callable[[argparse.Namespace], Articles]  # for options that were parsed


def articles_of(args: argparse.Namespace) -> Articles:
    """Return the articles of a command, with the parameters that --set gives them.

    Raises: ReportError for a wrong parameter, before any work.
    """
    from report.article.parameters import read_settings

    articles: Articles = args.program.prepare(args)
    settings = read_settings(args.settings, articles.scripts)
    return replace(articles, namespace=articles.namespace | settings)


class Command(NamedTuple):
    """A command of every program. The action returns the exit code."""

    action: Callable[[argparse.Namespace], int]
    help: str
    add_options: Callable[[argparse.ArgumentParser, Program], None]


def article_options(parser: argparse.ArgumentParser, program: Program) -> None:
    """Options that choose articles and the store of their artifacts."""
    program.add_options(parser)
    settings_option(parser)
    parser.add_argument(
        "--store",
        default=".artifacts",
        help="where artifacts are kept: a folder or s3://bucket/prefix (%(default)s)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(".artifacts"),
        help="folder that mirrors a store in a bucket (%(default)s)",
    )
    server_options(parser)


def settings_option(parser: argparse.ArgumentParser) -> None:
    """The option that gives parameters to articles."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="a parameter: an annotated default of the script, such as STEPS: int = 100",
    )


def server_options(parser: argparse.ArgumentParser) -> None:
    """Options of commands that open a bucket."""
    parser.add_argument(
        "--endpoint-url", metavar="URL", help="of an S3-compatible server other than AWS"
    )
    parser.add_argument("--profile", help="of boto3's credentials")


def site_options(parser: argparse.ArgumentParser) -> None:
    """The option of commands that read a site which was built here."""
    parser.add_argument(
        "--site", type=Path, default=Path("site"), help="a folder that was built (%(default)s)"
    )


def positive_count(text: str) -> int:
    """Parse an option that counts. Raises: ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return int(text)
