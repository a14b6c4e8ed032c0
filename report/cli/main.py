"""Run a command of `python -m report`, or of another program with articles like build_site.py."""

import argparse
import os
import sys
from io import TextIOWrapper
from pathlib import Path

from report.cli import build, explain, new, ratings, serve, sites
from report.cli.program import Program
from report.errors import TOLD
from workers.signals import exit_code, terminable

COMMANDS = {
    **new.COMMANDS,
    **build.COMMANDS,
    **serve.COMMANDS,
    **explain.COMMANDS,
    **sites.COMMANDS,
    **ratings.COMMANDS,
}


def run(program: Program, argv: list[str] | None = None) -> int:
    """Run the command that `argv` names, or build.

    Returns: the exit code: 0; 1 after a one-line error, or if the command reports a problem; 2 for
    wrong usage; 130 after Ctrl-C and 143 after SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file's name may be no text of any encoding
            stream.reconfigure(errors="backslashreplace")
    argv = sys.argv[1:] if argv is None else argv
    if _means_build(argv):
        argv = ["build", *argv]
    args = _parser(program).parse_args(argv)
    args.program, args.argv = program, argv
    _sort_words(args)
    try:
        with terminable():
            return args.action(args)
    except KeyboardInterrupt as stop:
        print(
            "interrupted; what was computed is kept, and the next run goes on from there",
            file=sys.stderr,
        )
        return exit_code(stop)
    except BrokenPipeError:  # the reader of stdout has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except TOLD as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _means_build(argv: list[str]) -> bool:
    """Tell whether a command line begins with an option or a script, not with a command."""
    if not argv:
        return True
    first = argv[0]
    if first in COMMANDS or first in ("-h", "--help"):
        return False
    return first.startswith("-") or first.endswith(".py") or Path(first).is_file()


def _sort_words(args: argparse.Namespace) -> None:
    """Let scripts and the name of an artifact stand in any order: scripts end with .py."""
    if "name" not in args:
        return
    words = [str(word) for word in (args.name, *getattr(args, "scripts", ())) if word]
    names = [word for word in words if not word.endswith(".py")]
    if len(names) > 1:
        args.usage_error(f"give one name, not {' and '.join(names)}; scripts end with .py")
    args.name = names[0] if names else None
    args.scripts = [Path(word) for word in words if word.endswith(".py")]


def _parser(program: Program) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program.name, description=program.description)
    subparsers = parser.add_subparsers(
        metavar="COMMAND", help="build, if none is given; each has its own --help"
    )
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=command.help, description=command.help)
        subparser.set_defaults(action=command.action, command=name, usage_error=subparser.error)
        command.add_options(subparser, program)
    return parser
