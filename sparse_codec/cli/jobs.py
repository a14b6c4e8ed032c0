"""What commands on many files share: which file becomes which, what is there already, what went wrong."""

from __future__ import annotations

import argparse
import glob
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sparse_codec.audio.files import SUFFIXES
from sparse_codec.outputs import STREAM, OutputError, make_folder

FILE_SUFFIXES = SUFFIXES | {".events", ".json", ".mid"}  # a folder with such a name is a mistake


class InputError(ValueError):
    """Inputs from which nothing can be made; the message names them and the fix."""


@dataclass(frozen=True)
class Job:
    """One file that is made of another; "-" is standard input or output."""

    source: str
    target: str


@dataclass(frozen=True)
class Plan:
    """What is to be made. In a folder, what is there already is left; a file that was named is made again."""

    jobs: list[Job]
    in_folder: bool


def plan_jobs(inputs: list[str], out: str, suffixes: set[str], suffix: str) -> Plan:
    """From files, folders, patterns and "-" to `out`: a file for one input, else a folder with the same tree.

    suffixes: of files taken from folders. suffix: of files made in a folder. Raises: InputError if there is nothing
    to do, or if two inputs would become one file.
    """
    if "" in (out, *inputs):
        raise InputError(
            "an input or the output is empty text; name a file or a folder (. is the folder you are in)"
        )
    found = list(dict.fromkeys(pair for text in inputs for pair in _find(text, suffixes)))
    one_file = len(inputs) == 1 and not Path(inputs[0]).is_dir() and len(found) == 1
    if one_file and not (Path(out).is_dir() or out.endswith("/")):
        return Plan([Job(found[0][0], out)], in_folder=False)
    if STREAM in (out, *inputs):
        raise InputError('"-" stands for one file: give one input, and a file or "-" as the output')
    if Path(out).suffix.lower() in FILE_SUFFIXES and not Path(out).is_dir():
        raise InputError(
            f"{out}: is a file's name, but what comes of {len(found)} files goes into a folder; name one"
        )
    jobs: dict[str, Job] = {}
    for source, place in found:
        target = str(Path(out) / place.with_suffix(suffix))
        if target in jobs:
            raise InputError(
                f"{source} and {jobs[target].source} would both become {target}; give them one by one"
            )
        if Path(source).resolve() == Path(target).resolve():
            raise InputError(
                f"{source}: would be overwritten by what is made of it; give another output"
            )
        jobs[target] = Job(source, target)
    return Plan(list(jobs.values()), in_folder=True)


def _find(text: str, suffixes: set[str]) -> Iterator[tuple[str, Path]]:
    """Files that an argument stands for, and their places below it."""
    path = Path(text)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
        if not files:
            raise InputError(
                f"{text}: holds no file to work on ({', '.join(sorted(suffixes))}); give another folder"
            )
        yield from ((str(p), p.relative_to(path)) for p in files)
    elif text != STREAM and not path.exists() and glob.escape(text) != text:
        names = sorted(glob.glob(text, recursive=True))
        if not names:
            raise InputError(f"{text}: no file matches this pattern; check it")
        yield from ((name, Path(Path(name).name)) for name in names if Path(name).is_file())
    else:
        yield text, Path(path.name)


def run_jobs(plan: Plan, work: Callable[[Job], None], force: bool) -> int:
    """Do one job after the other; a file that can not be used is reported and passed over.

    Returns the exit code: 1 if there was such a file. Raises: OutputError, since the next would fail too.
    """
    failed = 0
    for job in plan.jobs:
        if plan.in_folder and Path(job.target).exists() and not force:
            print(f"{job.target} is there; --force makes it again", file=sys.stderr)
            continue
        if plan.in_folder:
            make_folder(Path(job.target).parent)
        try:
            work(job)
        except OutputError:
            raise
        except ValueError as error:  # the project's own errors
            print(f"error: {error}", file=sys.stderr)
            failed += 1
    if failed and len(plan.jobs) > 1:
        print(f"{failed} of {len(plan.jobs)} files could not be used", file=sys.stderr)
    return 1 if failed else 0


def add_command(
    commands, name: str, run: Callable, text: str, example: str
) -> argparse.ArgumentParser:
    """A command of the command line, with an example at the end of its --help."""
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example: sparse-codec {example}",
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    return parser


def positive(kind: type) -> Callable:
    """A number type for argparse that refuses 0 and less."""

    def number(text: str):
        if (value := kind(text)) <= 0:
            raise ValueError
        return value

    number.__name__ = f"positive {kind.__name__}"
    return number
