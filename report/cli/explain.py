"""The commands that explain artifacts: plan, why, ls, reproduce."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from report.artifacts.machine import fingerprint
from report.artifacts.session import matches
from report.cli.program import Program, article_options, positive_count
from report.cli.stores import built_store, open_store
from report.errors import ReportError
from report.site.plan import FOUND, NEW, STALE, WAITS, Step, plan
from report.site.reproduce import DIFFERENT, Verdict, reproduce

_STATES = {
    NEW: "was never computed",
    WAITS: "is computed again if what it depends on comes out otherwise",
}

_TOLD = {
    STALE: "stale because",
    NEW: "new: nothing was computed for these arguments in the last build",
    WAITS: "fresh for what it depends on as that is now, but that would be computed again",
}


def plan_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    article_options(parser, program)


def print_plan(args: argparse.Namespace) -> int:
    job = args.program.prepare(args)
    planned = plan(job.scripts, open_store(args), job.namespace)
    if args.json:
        print(
            json.dumps(
                {**asdict(planned), "steps": [step.to_json() for step in planned.steps]}, indent=1
            )
        )
        return 0
    todo = [step for step in planned.steps if step.state != FOUND]
    for step in todo:
        why = "; ".join(reason.text for reason in step.reasons[:3]) or _STATES[step.state]
        print(f"{step.state:6}{_took(step):>10}{_size(step):>10}  {step.name}: {why}")
    for line in (*planned.unknown, *(f"{name} is not asked for any more" for name in planned.gone)):
        print(line)
    certain = [step for step in todo if step.state == STALE and step.record]
    seconds, size = (
        sum(step.record.seconds for step in certain),
        sum(step.record.bytes for step in certain),
    )
    print(
        f"to compute: {sum(step.state in (STALE, NEW) for step in todo)} of {len(planned.steps)} "
        f"(the stale ones took {seconds:.1f} s last time), perhaps {sum(step.state == WAITS for step in todo)} more; "
        f"about {size / 1e6:.1f} MB to store or upload"
    )
    return 0


def _took(step: Step) -> str:
    return f"{step.record.seconds:.1f} s" if step.record else "?"


def _size(step: Step) -> str:
    return f"{step.record.bytes / 1e3:.0f} kB" if step.record else "?"


def why_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "name", help='such as "music/rendered/3", "rendered", or 8 digits of a hash; see `ls`'
    )
    plan_options(parser, program)


def print_why(args: argparse.Namespace) -> int:
    if args.name is None:
        args.usage_error("say which artifact; `ls` lists them all")
    job = args.program.prepare(args)
    planned = plan(job.scripts, open_store(args), job.namespace)
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
    if step.state != FOUND:
        print(f"{step.name} is {_TOLD[step.state]}")
    else:
        record = step.record
        print(
            f"{step.name} is fresh because its key {step.key[:12]} is what it was on {record.created}:"
        )
        print(
            f"  {record.function}({', '.join(f'{x}={value}' for x, value in record.arguments.items())})"
        )
        print(
            f"  code {record.code[:12]}, {len(record.versions)} versions; it took {record.seconds:.1f} s"
        )
    for reason in step.reasons:
        print(f"  {reason.text}")
        for line in reason.difference.splitlines():
            print(f"    {line}")


def ls_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "name", nargs="?", help='such as "music/*", "rendered", or music.py for all in that article'
    )
    plan_options(parser, program)


def list_artifacts(args: argparse.Namespace) -> int:
    store = built_store(open_store(args), args.scripts)
    articles = [script.stem for script in args.scripts] or store.builds()
    builds = [build for article in articles if (build := store.build(article)) is not None]
    calls = [(build.article, name, record) for build in builds for name, record in build.calls]
    listed = [(a, n, r) for a, n, r in calls if matches(args.name or "*", a, n, r.sha256)]
    if args.json:
        print(json.dumps([{"name": f"{a}/{n}", **r.to_json()} for a, n, r in listed], indent=1))
        return 0
    for article, name, record in listed:
        arguments = ", ".join(f"{x}={value}" for x, value in record.arguments.items())
        print(
            f"{record.sha256[:12]} {record.bytes / 1e3:>8.0f} kB {record.seconds:>7.1f} s  {record.created[:10]}  "
            f"{article}/{name}  {arguments[:100]}"
        )
    print(
        f"{len(listed)} of {len(calls)} artifacts of {len(builds)} articles in {store.storage.address}"
    )
    return 0


def reproduce_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "--only", nargs="+", default=["*"], metavar="NAME", help="these alone, see `ls`"
    )
    parser.add_argument(
        "--threads", type=positive_count, default=1, help="of the fresh process (%(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts there too")
    parser.add_argument("--fresh", type=Path, help=argparse.SUPPRESS)  # this is the fresh process
    article_options(parser, program)


def reproduce_artifacts(args: argparse.Namespace) -> int:
    if args.fresh:
        job = args.program.prepare(args)
        verdicts = reproduce(job.scripts, open_store(args), tuple(args.only), job.namespace)
        args.fresh.write_text(
            json.dumps({"machine": fingerprint(), "verdicts": [asdict(v) for v in verdicts]})
        )
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "verdicts.json"
        command = [sys.executable, "-m", args.program.module, *args.argv, "--fresh", str(result)]
        threads = {
            name: str(args.threads)
            for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        }
        paths = os.pathsep.join(filter(None, sys.path))
        environment = {**os.environ, **threads, "PYTHONPATH": paths, "PYTHONHASHSEED": "random"}
        # In a session of its own, Ctrl-C reaches this process alone, which then ends the other.
        done = subprocess.run(command, env=environment, start_new_session=True)
        if done.returncode:
            return done.returncode
        told = json.loads(result.read_text())
    if args.json:
        args.json.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    return _print_verdicts([Verdict(**fields) for fields in told["verdicts"]], told["machine"])


def _print_verdicts(verdicts: list[Verdict], machine: dict[str, str]) -> int:
    for verdict in verdicts:
        print(f"{verdict.name}: {verdict}")
    counts = {
        kind: sum(v.verdict == kind for v in verdicts)
        for kind in dict.fromkeys(v.verdict for v in verdicts)
    }
    print(", ".join(f"{kind}: {count}" for kind, count in counts.items()))
    print("on " + ", ".join(f"{name} {value}" for name, value in machine.items()))
    return 1 if DIFFERENT in counts else 0


COMMANDS = {
    "plan": (
        print_plan,
        "say what a build would compute, why, and how long that took last time",
        plan_options,
    ),
    "why": (print_why, "say why an artifact is fresh, or which change made it stale", why_options),
    "ls": (list_artifacts, "list the artifacts of the last builds", ls_options),
    "reproduce": (
        reproduce_artifacts,
        "compute artifacts again in a fresh process and compare",
        reproduce_options,
    ),
}
