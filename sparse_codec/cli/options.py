"""Options that several commands share, and the function that adds a command."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias, TypeVar

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Number = TypeVar("Number", int, float)


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], text: str, example: str
) -> argparse.ArgumentParser:
    """Add a command that `run` does, with `text` as its help and an example at the end of that."""
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example: sparse-codec {example}",
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add --model to a command that reads events."""
    parser.add_argument(
        "--model", help="checkpoint that made the events (default: the shipped one that did)"
    )


def add_plain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plain",
        action="store_true",
        help="sound is the plain sum of the events; else overlapping ones are kept from beating",
    )


def consistency(args: argparse.Namespace) -> bool | None:
    """Return `consistent` of `SparseCodec.decode`: what suits the model, if not --plain."""
    return False if args.plain else None


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add --force to a command that writes files into a folder."""
    parser.add_argument(
        "--force", action="store_true", help="make files in a folder again that are there"
    )


def positive(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    """Return a number type for argparse that refuses 0 and less."""

    def number(text: str) -> Number:
        if (value := kind(text)) <= 0:
            raise ValueError
        return value

    number.__name__ = f"positive {kind.__name__}"
    return number
