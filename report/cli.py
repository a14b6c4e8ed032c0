"""The commands of `python -m report`, and of any program that has article scripts of its own, such as build_site.py."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from report.commands import (
    build_site,
    collect_garbage,
    export_site,
    list_artifacts,
    mix_edited,
    print_difference,
    print_plan,
    print_why,
    publish_site,
    reproduce_artifacts,
    verify_site,
)
from report.errors import ReportError


@dataclass(frozen=True)
class Job:
    """What a program builds: scripts, facts for the colophon, and names that the scripts start with."""

    scripts: list[Path]
    facts: dict[str, str] = field(default_factory=dict)
    namespace: dict = field(default_factory=dict)
    sources: dict[str, bytes] = field(default_factory=dict)  # for an archive, in which the site is kept with its code


@dataclass(frozen=True)
class Program:
    """A command line: `module` runs it with python -m, `add_options` says what is built, `prepare` gets it ready."""

    name: str
    module: str
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    prepare: Callable[[argparse.Namespace], Job]


def run(program: Program, argv: list[str] | None = None) -> int:
    """Returns the exit code: 0; 1 after a one-line error, or if something was found; 2 for wrong usage; 130 after
    Ctrl-C and 143 after SIGTERM."""
    argv = sys.argv[1:] if argv is None else argv
    if _means_build(argv):
        argv = ["build", *argv]
    args = _parser(program).parse_args(argv)
    args.program, args.argv = program, argv
    _sort_words(args)
    try:
        with _terminable():
            return args.run(args)
    except KeyboardInterrupt as stop:
        print("interrupted; what was computed is kept, and the next run goes on from there", file=sys.stderr)
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:  # whoever reads what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ReportError, ValueError, ArithmeticError, OSError) as error:  # those of models are ValueErrors
        print(f"error: {error}", file=sys.stderr)
        return 1


class Terminated(KeyboardInterrupt):
    """SIGTERM, which so ends work as Ctrl-C does. A SystemExit would be taken for the article's own."""


@contextmanager
def _terminable() -> Iterator[None]:
    def terminate(*_signal) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _means_build(argv: list[str]) -> bool:
    """Whether a command line starts with what to build, or how; any other first word has to be a command."""
    if not argv:
        return True
    first = argv[0]
    is_option = first.startswith("-") and first not in ("-h", "--help")
    return is_option or first not in COMMANDS and (first.endswith(".py") or Path(first).is_file())


def _sort_words(args: argparse.Namespace) -> None:
    """Scripts and the name of an artifact may stand in any order: what ends with .py is a script."""
    if "name" in args:
        words = [str(word) for word in (args.name, *getattr(args, "scripts", ())) if word]
        names = [word for word in words if not word.endswith(".py")]
        if len(names) > 1:
            args.usage_error(f"give one name, not {' and '.join(names)}; scripts end with .py")
        args.name = names[0] if names else None
        args.scripts = [Path(word) for word in words if word.endswith(".py")]


def _parser(program: Program) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program.name, description=program.description)
    commands = parser.add_subparsers(metavar="COMMAND", help="build, if none is given; each has its own --help")
    for name, (work, text, add_options) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=work, command=name, usage_error=command.error)
        add_options(command, program)
    return parser


# ---- options


def _article_options(parser: argparse.ArgumentParser, program: Program) -> None:
    program.add_options(parser)
    parser.add_argument(
        "--store", default=".artifacts", help="where artifacts are kept: a folder or s3://bucket/prefix (%(default)s)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".artifacts"), help="folder that mirrors a store in a bucket (%(default)s)"
    )
    _server_options(parser)


def _server_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint-url", metavar="URL", help="of an S3-compatible server other than AWS")
    parser.add_argument("--profile", help="of boto3's credentials")


def _build_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("--out", type=Path, default=Path("site"), help="folder of the site (%(default)s)")
    parser.add_argument(
        "--force", nargs="+", default=[], metavar="NAME", help="compute these again, see `ls` for names"
    )
    _publish_options(parser)
    _article_options(parser, program)


def _publish_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--publish", metavar="TARGET", help="then publish to a folder or s3://bucket/prefix")
    _public_options(parser)


def _public_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--media-url", metavar="URL", help="where readers find the target's media, if not beside the pages"
    )
    parser.add_argument(
        "--public", action="store_true", help="let everyone read the bucket's prefix, by a bucket policy"
    )
    parser.add_argument(
        "--origin", metavar="URL", help="of the pages, if media have another: CORS is set and checked for it"
    )


def _why_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("name", help='such as "music/rendered/3", "rendered", or 8 digits of a hash; see `ls`')
    _plan_options(parser, program)


def _plan_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    _article_options(parser, program)


def _reproduce_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("--only", nargs="+", default=["*"], metavar="NAME", help="these alone, see `ls`")
    parser.add_argument("--threads", type=_count, default=1, help="of the fresh process (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts there too")
    parser.add_argument("--fresh", type=Path, help=argparse.SUPPRESS)  # this is the fresh process
    _article_options(parser, program)


def _ls_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("name", nargs="?", help='such as "music/*", "rendered", or music.py for all in that article')
    _plan_options(parser, program)


def _site_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument("--site", type=Path, default=Path("site"), help="a folder that was built (%(default)s)")


def _publish_command_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("target", help="a folder or s3://bucket/prefix")
    _site_options(parser, program)
    _public_options(parser)
    _server_options(parser)


def _export_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("--zip", type=Path, required=True, metavar="FILE", help="the archive to write")
    _site_options(parser, program)
    program.add_options(parser)


def _verify_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument("place", help="a folder, an archive, s3://bucket/prefix or the URL of a published site")
    _server_options(parser)


def _diff_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument("before", help="a folder, an archive, s3://bucket/prefix or the URL of a published site")
    parser.add_argument("after", help="another")
    parser.add_argument("--page", type=Path, metavar="DIR", help="write a page with both sounds of each change there")
    _server_options(parser)


def _mix_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument("edit", type=Path, metavar="EDIT.json", help="what an event roll exported")
    parser.add_argument("--site", default="site", metavar="PLACE", help="the site it was made of (%(default)s)")
    parser.add_argument("-o", "--out", type=Path, metavar="OUT.wav", help="file to write (default: EDIT.wav)")
    _server_options(parser)


def _gc_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--store", help="delete artifacts of this store that no last build and no site given asks for")
    place.add_argument("--target", help="delete media that no release names where sites are published")
    parser.add_argument("--sites", nargs="+", default=[], metavar="PLACE", help="sites whose artifacts the store keeps")
    parser.add_argument("--keep", type=_count, help="of a target's releases only so many (default: all)")
    parser.add_argument("--grace", type=float, default=1.0, metavar="DAYS", help="spare what is younger (%(default)s)")
    parser.add_argument("--delete", action="store_true", help="do it; without, it is only said")
    _server_options(parser)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return int(text)


COMMANDS = {
    "build": (build_site, "build the articles into a site, and publish it if asked to", _build_options),
    "plan": (print_plan, "say what a build would compute, why, and how long that took last time", _plan_options),
    "why": (print_why, "say why an artifact is fresh, or which change made it stale", _why_options),
    "ls": (list_artifacts, "list the artifacts of the last builds", _ls_options),
    "reproduce": (reproduce_artifacts, "compute artifacts again in a fresh process and compare", _reproduce_options),
    "publish": (publish_site, "publish a site that was built", _publish_command_options),
    "verify": (verify_site, "check every file of a site against its manifest", _verify_options),
    "diff": (print_difference, "say which sounds and numbers differ between two sites", _diff_options),
    "mix": (mix_edited, "make the sound of an edit that an event roll exported", _mix_options),
    "export": (export_site, "write a site and its sources into one archive that checks itself", _export_options),
    "gc": (collect_garbage, "delete what no published page and no last build names", _gc_options),
}
