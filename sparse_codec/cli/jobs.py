"""Jobs of commands that make many files: which file becomes which, and how they are run."""

from __future__ import annotations

import glob
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sparse_codec.audio.decoder import FORMATS, SUFFIXES
from sparse_codec.audio.folders import find_files
from sparse_codec.outputs import STREAM, OutputError, make_folder
from workers.cluster import as_they_come, result_of
from workers.forks import ForkLost

Result = TypeVar("Result")

FILE_SUFFIXES = SUFFIXES | {".events", ".json", ".mid"}  # a folder with such a name is a mistake
ENDINGS = FORMATS | FILE_SUFFIXES  # that name a format; another, as in "take.2", is of the name


class InputError(ValueError):
    """Inputs from which nothing can be made; the message names them and the fix."""


@dataclass(frozen=True)
class Job:
    """A file that becomes another; "-" is standard input or output."""

    source: str
    target: str


@dataclass(frozen=True)
class JobList:
    """Jobs of one command. Existing targets in a folder are left; a named file is made again."""

    jobs: list[Job]
    in_folder: bool


def list_jobs(inputs: list[str], out: str, suffixes: set[str], suffix: str) -> JobList:
    """Return the jobs from files, folders, patterns and "-" to `out`.

    One input file becomes a file; otherwise `out` is a folder that gets the same tree.
    suffixes: of files taken from folders. suffix: of files made in a folder.
    Raises: InputError if there is nothing to do, or if two inputs would become one file.
    """
    if "" in (out, *inputs):
        raise InputError(
            "an input or the output is empty text;"
            " name a file or a folder (. is the folder you are in)"
        )
    sources = list(dict.fromkeys(pair for text in inputs for pair in _find(text, suffixes)))
    one_file = len(inputs) == 1 and not Path(inputs[0]).is_dir() and len(sources) == 1
    if one_file and not (Path(out).is_dir() or out.endswith("/")):
        return JobList([Job(sources[0][0], out)], in_folder=False)
    if STREAM in (out, *inputs):
        raise InputError('"-" stands for one file: give one input, and a file or "-" as the output')
    if Path(out).suffix.lower() in FILE_SUFFIXES and not Path(out).is_dir():
        raise InputError(
            f"{out}: is a file's name, but what comes of {len(sources)} files goes into a folder;"
            " name one"
        )
    return JobList(_jobs_in_folder(sources, Path(out), suffix), in_folder=True)


def _jobs_in_folder(sources: list[tuple[str, Path]], out: Path, suffix: str) -> list[Job]:
    """Return the jobs of files with their places in the tree. Raises: InputError."""
    jobs: dict[str, Job] = {}
    for source, place in sources:
        stem = place.with_suffix("") if place.suffix.lower() in ENDINGS else place
        target = str(out / stem.with_name(stem.name + suffix))
        if target in jobs:
            raise InputError(
                f"{source} and {jobs[target].source} would both become {target};"
                " give them one by one"
            )
        if Path(source).resolve() == Path(target).resolve():
            raise InputError(
                f"{source}: would be overwritten by what is made of it; give another output"
            )
        jobs[target] = Job(source, target)
    return list(jobs.values())


def _find(text: str, suffixes: set[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files that an argument stands for, with their places below it."""
    path = Path(text)
    if path.is_dir():
        files = find_files(path, suffixes)
        if not files:
            endings = ", ".join(sorted(suffixes))
            raise InputError(f"{text}: holds no file to work on ({endings}); give another folder")
        yield from ((str(file), file.relative_to(path)) for file in files)
    elif text != STREAM and not path.exists() and glob.escape(text) != text:
        names = sorted(glob.glob(text, recursive=True))
        if not names:
            raise InputError(f"{text}: no file matches this pattern; check it")
        yield from ((name, Path(Path(name).name)) for name in names if not Path(name).is_dir())
    else:
        yield text, Path(path.name)


def run_jobs(todo: JobList, work: Callable[[Job], None], force: bool) -> int:
    """Do one job after the other; a file that cannot be used is reported and passed over.

    Returns the exit code: 1 if there was such a file.
    Raises: OutputError, since the next job would fail too.
    """
    return _report(todo, (partial(work, job) for job in _to_do(todo, force)))


def run_side_by_side(
    todo: JobList,
    work: Callable[..., Result],
    arguments: tuple[Any, ...],
    tell: Callable[[Job, Result], None],
    force: bool,
    executor: Executor,
) -> int:
    """Do jobs as `run_jobs`, but work(job, *arguments) in the processes of an executor.

    `tell` is called here with the results, in the order of the jobs.
    """
    started: deque[Job] = deque()

    def tasks() -> Iterator[tuple[Any, ...]]:
        for job in _to_do(todo, force):
            started.append(job)
            yield job, *arguments

    def tell_next(future: Future[Result]) -> None:
        job = started.popleft()
        try:
            tell(job, result_of(future))
        except ForkLost as error:
            raise InputError(f"{job.source}: its process ended early: {error}") from error

    futures = as_they_come(executor, work, tasks())
    return _report(todo, (partial(tell_next, future) for future in futures))


def _to_do(todo: JobList, force: bool) -> Iterator[Job]:
    """Yield the jobs whose target is not there yet, with folders for them. Raises: OutputError."""
    for job in todo.jobs:
        if todo.in_folder and Path(job.target).exists() and not force:
            print(f"{job.target} is there; --force makes it again", file=sys.stderr)
            continue
        if todo.in_folder:
            make_folder(Path(job.target).parent)
        yield job


def _report(todo: JobList, steps: Iterable[Callable[[], None]]) -> int:
    """Take a step for each job, and report those that fail. Returns: the exit code."""
    n_failed = 0
    for step in steps:
        try:
            step()
        except OutputError:
            raise
        except ValueError as error:  # the project's own errors
            print(f"error: {error}", file=sys.stderr)
            n_failed += 1
    if n_failed and len(todo.jobs) > 1:
        print(f"{n_failed} of {len(todo.jobs)} files could not be used", file=sys.stderr)
    return 1 if n_failed else 0
