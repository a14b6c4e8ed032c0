"""What each command does; `report.cli` says which options it has."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from report.addresses import open_storage
from report.archive import export_zip
from report.collect import Sweep, collect_releases, collect_store
from report.conjure import matches
from report.diff import diff, write_page
from report.edit import mix_edit, read_edit
from report.errors import ReportError
from report.located import open_site
from report.machine import fingerprint
from report.mirror import Mirror
from report.plan import FOUND, NEW, STALE, WAITS, Step, plan
from report.publish import publish
from report.readonly import check_reading
from report.reproduce import DIFFERENT, Verdict, reproduce
from report.site import build, check_target
from report.storage import write_whole
from report.store import Store
from report.transfer import transfer_bar
from report.verify import verify

DAY = 24 * 3600


def build_site(args: argparse.Namespace) -> int:
    check_target(args.out)  # before long work
    target = open_storage(args.publish, args.endpoint_url, args.profile) if args.publish else None
    store = _store(args)
    job = args.program.prepare(args)
    summary = build(job.scripts, args.out, store, job.facts, job.namespace, tuple(args.force))
    print(summary)
    print(f"open {(summary.out / 'index.html').as_uri()}")
    if target is not None:
        _publish_to(target, args.out, args)
    return 0


def print_plan(args: argparse.Namespace) -> int:
    job = args.program.prepare(args)
    planned = plan(job.scripts, _store(args), job.namespace)
    if args.json:
        print(json.dumps({**asdict(planned), "steps": [step.to_json() for step in planned.steps]}, indent=1))
        return 0
    todo = [step for step in planned.steps if step.state != FOUND]
    for step in todo:
        why = "; ".join(reason.text for reason in step.reasons[:3]) or _STATES[step.state]
        print(f"{step.state:6}{_took(step):>10}{_size(step):>10}  {step.name}: {why}")
    for line in (*planned.unknown, *(f"{name} is not asked for any more" for name in planned.gone)):
        print(line)
    certain = [step for step in todo if step.state == STALE and step.record]
    seconds, size = sum(step.record.seconds for step in certain), sum(step.record.bytes for step in certain)
    print(
        f"to compute: {sum(step.state in (STALE, NEW) for step in todo)} of {len(planned.steps)} "
        f"(the stale ones took {seconds:.1f} s last time), perhaps {sum(step.state == WAITS for step in todo)} more; "
        f"about {size / 1e6:.1f} MB to store or upload"
    )
    return 0


_STATES = {NEW: "was never computed", WAITS: "is computed again if what it depends on comes out otherwise"}


def _took(step: Step) -> str:
    return f"{step.record.seconds:.1f} s" if step.record else "?"


def _size(step: Step) -> str:
    return f"{step.record.bytes / 1e3:.0f} kB" if step.record else "?"


def print_why(args: argparse.Namespace) -> int:
    if args.name is None:
        args.usage_error("say which artifact; `ls` lists them all")
    job = args.program.prepare(args)
    planned = plan(job.scripts, _store(args), job.namespace)
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
        print(f"{step.name} is fresh because its key {step.key[:12]} is what it was on {record.created}:")
        print(f"  {record.function}({', '.join(f'{x}={value}' for x, value in record.arguments.items())})")
        print(f"  code {record.code[:12]}, {len(record.versions)} versions; it took {record.seconds:.1f} s")
    for reason in step.reasons:
        print(f"  {reason.text}")
        for line in reason.difference.splitlines():
            print(f"    {line}")


_TOLD = {
    STALE: "stale because",
    NEW: "new: nothing was computed for these arguments in the last build",
    WAITS: "fresh for what it depends on as that is now, but that would be computed again",
}


def list_artifacts(args: argparse.Namespace) -> int:
    store = _built_with(_store(args), args.scripts)
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
    print(f"{len(listed)} of {len(calls)} artifacts of {len(builds)} articles in {store.storage.address}")
    return 0


def reproduce_artifacts(args: argparse.Namespace) -> int:
    if args.fresh:
        job = args.program.prepare(args)
        verdicts = reproduce(job.scripts, _store(args), tuple(args.only), job.namespace)
        args.fresh.write_text(json.dumps({"machine": fingerprint(), "verdicts": [asdict(v) for v in verdicts]}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "verdicts.json"
        command = [sys.executable, "-m", args.program.module, *args.argv, "--fresh", str(result)]
        threads = {name: str(args.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
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
    counts = {kind: sum(v.verdict == kind for v in verdicts) for kind in dict.fromkeys(v.verdict for v in verdicts)}
    print(", ".join(f"{kind}: {count}" for kind, count in counts.items()))
    print("on " + ", ".join(f"{name} {value}" for name, value in machine.items()))
    return 1 if DIFFERENT in counts else 0


def publish_site(args: argparse.Namespace) -> int:
    _publish_to(open_storage(args.target, args.endpoint_url, args.profile), args.site, args)
    return 0


def _publish_to(target, site: Path, args: argparse.Namespace) -> None:
    if args.public or args.origin:
        if not hasattr(target, "allow_reading"):
            raise ReportError(f"{target.address} is no bucket: --public and --origin are for buckets")
        if args.public:
            target.allow_reading()
        if args.origin:
            target.allow_origins([args.origin])
    with transfer_bar("sent") as bar:
        print(publish(site, target, media_url=args.media_url, origin=args.origin, progress=bar))
    if args.public:
        url = f"{target.url}/index.html"
        check_reading(url, None, target.head("index.html").bytes, "text/html")
        print(f"open {url}")


def export_site(args: argparse.Namespace) -> int:
    if args.zip.resolve().is_relative_to(args.site.resolve()):
        raise ReportError(f"{args.zip} would lie in the site itself; write the archive elsewhere")
    job = args.program.prepare(args)
    export_zip(args.site, args.zip, job.sources)
    print(f"{args.zip}: {args.zip.stat().st_size / 1e6:.1f} MB; python {args.zip} checks it")
    return 0


def verify_site(args: argparse.Namespace) -> int:
    with transfer_bar("checked") as bar:
        result = verify(open_storage(args.place, args.endpoint_url, args.profile), bar)
    for finding in result.findings:
        print(finding)
    if result.unlisted:
        print(f"files that do not belong were not looked for: {result.unlisted}", file=sys.stderr)
    print(f"{args.place}: {result.files} files checked, {len(result.findings) or 'none'} wrong")
    return 1 if result.findings else 0


def print_difference(args: argparse.Namespace) -> int:
    places = [open_storage(place, args.endpoint_url, args.profile) for place in (args.before, args.after)]
    changes = diff(*places)
    print(changes)
    if args.page:
        print(f"open {write_page(changes, *places, args.page).resolve().as_uri()}")
    return 0


def mix_edited(args: argparse.Namespace) -> int:
    out = args.out or args.edit.with_suffix(".wav")
    if out.resolve() == args.edit.resolve():
        raise ReportError(f"{out} would replace the edit itself; write the sound elsewhere, with -o")
    edit = read_edit(args.edit.read_bytes(), str(args.edit))
    site = open_site(open_storage(args.site, args.endpoint_url, args.profile))
    data = mix_edit(edit, site)
    write_whole(out, data)
    digest = sha256(data).hexdigest()
    print(f"{out}: {edit.n_samples / edit.samplerate:.2f} s, SHA-256 {digest}")
    published = [name for name, made in site.manifest.artifacts.items() if made.sha256 == digest]
    if published:
        print(f"the same as the published {published[0]}")
    return 0


def collect_garbage(args: argparse.Namespace) -> int:
    if args.target:
        target = open_storage(args.target, args.endpoint_url, args.profile)
        result = collect_releases(target, args.keep, args.grace * DAY, args.delete)
    else:
        sites = [open_site(open_storage(site, args.endpoint_url, args.profile)).manifest for site in args.sites]
        store = _built_with(Store(open_storage(args.store, args.endpoint_url, args.profile)))
        result = collect_store(store, sites, args.grace * DAY, args.delete)
    _print_collection(result, args.delete)
    return 0


def _print_collection(result: Sweep, deleted: bool) -> None:
    reasons: dict[str, list[str]] = {}
    for name, why in result.kept:
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        print(f"keep   {len(names):>6}  {why}: {', '.join(names[:2])}{' …' if len(names) > 2 else ''}")
    for name, size in result.deleted:
        print(f"delete {size / 1e3:>6.0f} kB  {name}")
    done = "deleted" if deleted else "to delete; nothing was: add --delete"
    print(f"{len(result.kept)} kept, {len(result.deleted)} ({result.bytes / 1e6:.1f} MB) {done}")


def _built_with(store: Store, scripts: Iterable[Path] = ()) -> Store:
    """The store, if articles were built with it, and these scripts among them."""
    built = store.builds()
    if not built:
        raise ReportError(f"no article was built with a store at {store.storage.address}; name another with --store")
    for script in scripts:
        if script.stem not in built:
            raise ReportError(f"{script} was not built with the store at {store.storage.address}; build it first")
    return store


def _store(args: argparse.Namespace) -> Store:
    """The store that was asked for; one behind a network is mirrored in a folder of its own."""
    storage = open_storage(args.store, args.endpoint_url, args.profile)
    if not args.store.startswith("s3://"):
        return Store(storage)
    name = sha256(f"{args.endpoint_url} {storage.address}".encode()).hexdigest()[:16]
    return Store(Mirror(storage, args.cache / f"mirror-{name}"))
