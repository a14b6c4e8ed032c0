"""What a command line builds, and the options that several commands have."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """What a program builds: scripts, facts for the colophon, and names that the scripts start with."""

    scripts: list[Path]
    facts: dict[str, str] = field(default_factory=dict)
    namespace: dict = field(default_factory=dict)
    sources: dict[str, bytes] = field(
        default_factory=dict
    )  # for an archive, in which the site is kept with its code


@dataclass(frozen=True)
class Program:
    """A command line: `module` runs it with python -m, `add_options` says what is built, `prepare` gets it ready."""

    name: str
    module: str
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    prepare: Callable[[argparse.Namespace], Job]


def article_options(parser: argparse.ArgumentParser, program: Program) -> None:
    program.add_options(parser)
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


def server_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--endpoint-url", metavar="URL", help="of an S3-compatible server other than AWS"
    )
    parser.add_argument("--profile", help="of boto3's credentials")


def site_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument(
        "--site", type=Path, default=Path("site"), help="a folder that was built (%(default)s)"
    )


def positive_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return int(text)
