"""The commands that explain artifacts: plan, why, ls, reproduce."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from report.cli.program import Command, Program, article_options, articles_of, positive_count
from report.cli.stores import check_built, open_store
from report.errors import ReportError
from report.number_formats import kilobytes, megabytes, seconds
from report.site.states import DIFFERENT, FOUND, NEW, STALE, WAITS

if TYPE_CHECKING:
    from report.artifacts.record import Record
    from report.site.plan import Plan, Step
    from report.site.reproduce import Verdict

# plan

# Of a step without reasons, by its state
_STATES = {
    NEW: "was never computed",
    WAITS: "is computed again if what it depends on comes out otherwise",
}


def plan_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    article_options(parser, program)


def print_plan(args: argparse.Namespace) -> int:
    planned = _plan(args)
    if args.json:
        steps = [step.to_json() for step in planned.steps]
        print(json.dumps({**asdict(planned), "steps": steps}, indent=1))
        return 0
    todo = [step for step in planned.steps if step.state != FOUND]
    for step in todo:
        why = "; ".join(reason.text for reason in step.reasons[:3]) or _STATES[step.state]
        duration = seconds(step.record.seconds) if step.record else "?"
        size = kilobytes(step.record.bytes) if step.record else "?"
        print(f"{step.state:6}{duration:>10}{size:>10}  {step.name}: {why}")
    for line in planned.unknown:
        print(line)
    for name in planned.gone:
        print(f"{name} is not asked for any more")
    _print_totals(todo, len(planned.steps))
    return 0


def _plan(args: argparse.Namespace) -> Plan:
    from report.site.plan import plan

    articles = articles_of(args)
    return plan(articles.scripts, open_store(args), articles.namespace)


def _print_totals(todo: list[Step], n_steps: int) -> None:
    certain = sum(step.state in (STALE, NEW) for step in todo)
    uncertain = sum(step.state == WAITS for step in todo)
    stale = [step.record for step in todo if step.state == STALE and step.record]
    duration = seconds(sum(record.seconds for record in stale))
    size = megabytes(sum(record.bytes for record in stale))
    print(
        f"to compute: {certain} of {n_steps} (the stale ones took {duration} last time), "
        f"perhaps {uncertain} more; about {size} to store or upload"
    )


# why

_VERDICTS = {
    STALE: "stale because",
    NEW: "new: nothing was computed for these arguments in the last build",
    WAITS: "fresh for what it depends on as that is now, but that would be computed again",
}


def why_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "name", help='such as "music/rendered/3", "rendered", or 8 digits of a hash; see `ls`'
    )
    plan_options(parser, program)


def print_why(args: argparse.Namespace) -> int:
    if args.name is None:
        args.usage_error("say which artifact; `ls` lists them all")
    planned = _plan(args)
    steps = planned.of(args.name)
    if not steps:
        raise ReportError(f"no artifact is called {args.name}; `ls` lists them all")
    if args.json:
        print(json.dumps([step.to_json() for step in steps], indent=1))
        return 0
    for step in steps:
        _print_step(step)
    others = [step for step in planned.steps if step.state != FOUND and step not in steps]
    if others and any(step.state != FOUND for step in steps):
        print(f"a build would also compute, or have to look at, {len(others)} more: see `plan`")
    return 0


def _print_step(step: Step) -> None:
    if step.record is not None and step.state == FOUND:
        _print_fresh(step, step.record)
    else:
        print(f"{step.name} is {_VERDICTS[step.state]}")
    for reason in step.reasons:
        print(f"  {reason.text}")
        if reason.difference:
            print("\n".join(f"    {line}" for line in reason.difference.split("\n")))


def _print_fresh(step: Step, record: Record) -> None:
    print(
        f"{step.name} is fresh because its key {step.key[:12]} is what it was on {record.created}:"
    )
    print(f"  {record.function}({_arguments(record)})")
    print(
        f"  code {record.code[:12]}, {len(record.versions)} versions; "
        f"it took {seconds(record.seconds)}"
    )


def _arguments(record: Record) -> str:
    return ", ".join(f"{name}={value}" for name, value in record.arguments.items())


# ls


def ls_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "name", nargs="?", help='such as "music/*", "rendered", or music.py for all in that article'
    )
    plan_options(parser, program)


def list_artifacts(args: argparse.Namespace) -> int:
    from report.artifacts.session import matches

    store = open_store(args)
    check_built(store, args.scripts)
    articles = [script.stem for script in args.scripts] or store.builds()
    builds = [build for article in articles if (build := store.build(article)) is not None]
    calls = [(build.article, name, record) for build in builds for name, record in build.calls]
    pattern = args.name or "*"
    listed = [
        (f"{article}/{name}", record)
        for article, name, record in calls
        if matches(pattern, article, name, record.sha256)
    ]
    if args.json:
        print(json.dumps([{"name": name, **record.to_json()} for name, record in listed], indent=1))
        return 0
    for name, record in listed:
        size, duration = kilobytes(record.bytes), seconds(record.seconds)
        print(
            f"{record.sha256[:12]} {size:>11} {duration:>9}  {record.created[:10]}  "
            f"{name}  {_arguments(record)[:100]}"
        )
    print(
        f"{len(listed)} of {len(calls)} artifacts of {len(builds)} articles "
        f"in {store.storage.address}"
    )
    return 0


# reproduce


def reproduce_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "--only", nargs="+", default=["*"], metavar="NAME", help="these alone, see `ls`"
    )
    parser.add_argument(
        "--threads", type=positive_count, default=1, help="of the fresh process (%(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts there too")
    # Given to the fresh process: the file for its verdicts
    parser.add_argument("--fresh", type=Path, help=argparse.SUPPRESS)
    article_options(parser, program)


def reproduce_artifacts(args: argparse.Namespace) -> int:
    from report.site.reproduce import Verdict

    if args.fresh:
        _reproduce_here(args)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "verdicts.json"
        exit_code = _run_fresh_process(args, file)
        if exit_code:
            return exit_code
        result = json.loads(file.read_text())
    if args.json:
        args.json.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    return _print_verdicts([Verdict(**fields) for fields in result["verdicts"]], result["machine"])


def _reproduce_here(args: argparse.Namespace) -> None:
    from report.site.reproduce import reproduce

    articles = articles_of(args)
    result = reproduce(articles.scripts, open_store(args), tuple(args.only), articles.namespace)
    args.fresh.write_text(json.dumps(asdict(result)))


def _run_fresh_process(args: argparse.Namespace, file: Path) -> int:
    """Run this command in a process that writes its verdicts to `file`. Returns: its exit code."""
    command = [sys.executable, "-m", args.program.module, *args.argv, "--fresh", str(file)]
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {
        **os.environ,
        **dict.fromkeys(limits, str(args.threads)),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONHASHSEED": "random",
    }
    # In its own session: Ctrl-C reaches this process alone, which then ends the other.
    return subprocess.run(command, env=environment, start_new_session=True).returncode


def _print_verdicts(verdicts: list[Verdict], machine: dict[str, str]) -> int:
    for verdict in verdicts:
        print(f"{verdict.name}: {verdict}")
    counts = Counter(verdict.verdict for verdict in verdicts)
    print(", ".join(f"{kind}: {count}" for kind, count in counts.items()))
    print("on " + ", ".join(f"{name} {value}" for name, value in machine.items()))
    return 1 if DIFFERENT in counts else 0


COMMANDS = {
    "plan": Command(
        print_plan,
        "say what a build would compute, why, and how long that took last time",
        plan_options,
    ),
    "why": Command(
        print_why, "say why an artifact is fresh, or which change made it stale", why_options
    ),
    "ls": Command(list_artifacts, "list the artifacts of the last builds", ls_options),
    "reproduce": Command(
        reproduce_artifacts,
        "compute artifacts again in a fresh process and compare",
        reproduce_options,
    ),
}
