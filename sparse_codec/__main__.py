"""The command line of the codec."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from io import TextIOWrapper

from sparse_codec.cli import data, events, model, sound
from workers.signals import exit_code, terminable

DESCRIPTION = (
    "Takes sound apart into events, and makes sound of events;"
    " trains and measures the models that do."
)


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code.

    0: done. 1: failed, with a one-line error. 2: wrong usage. 130 and 143: ended by
    Ctrl-C or SIGTERM.
    """
    args = _parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file's name may be no text of any encoding
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        with terminable():
            code = args.run(args)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt as stop:
        print(
            "interrupted; what was finished is kept, nothing is half-written; run again to go on",
            file=sys.stderr,
        )
        return exit_code(stop)
    except BrokenPipeError:  # the reader of the output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, ArithmeticError, OSError) as error:  # the project's errors are ValueErrors
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sparse-codec", description=DESCRIPTION)
    commands = parser.add_subparsers(
        required=True, metavar="COMMAND", help="each has its own --help"
    )
    for module in (sound, events, data, model):
        module.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
