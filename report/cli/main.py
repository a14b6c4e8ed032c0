"""The commands of `python -m report`, and of any program that has article scripts of its own, such as build_site.py."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from report.cli import build, explain, sites
from report.cli.program import Program
from report.errors import ReportError

COMMANDS = build.COMMANDS | explain.COMMANDS | sites.COMMANDS


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
        print(
            "interrupted; what was computed is kept, and the next run goes on from there",
            file=sys.stderr,
        )
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:  # whoever reads what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (
        ReportError,
        ValueError,
        ArithmeticError,
        OSError,
    ) as error:  # those of models are ValueErrors
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
    commands = parser.add_subparsers(
        metavar="COMMAND", help="build, if none is given; each has its own --help"
    )
    for name, (work, text, add_options) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=work, command=name, usage_error=command.error)
        add_options(command, program)
    return parser
