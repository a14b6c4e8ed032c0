"""The commands for sites that were built: verify, diff, mix, gc."""

from __future__ import annotations

import argparse
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from report.cli.program import Command, Program, positive_count, server_options
from report.cli.stores import check_built, open_place
from report.errors import ReportError
from report.number_formats import kilobytes, megabytes
from report.storage.folder import write_whole
from report.storage.transfer import transfer_bar

if TYPE_CHECKING:
    from report.sharing.garbage import Sweep

DAY = 24 * 3600  # seconds

# verify


def verify_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument(
        "place", help="a folder, an archive, s3://bucket/prefix or the URL of a published site"
    )
    server_options(parser)


def verify_site(args: argparse.Namespace) -> int:
    from report.site.verify import verify

    with transfer_bar("checked") as bar:
        place = open_place(args.place, args)
        result = verify(place, bar)
    for finding in result.findings:
        print(finding)
    if result.unlisted:
        print(f"files that do not belong were not looked for: {result.unlisted}", file=sys.stderr)
    print(f"{place.address}: {result.files} files checked, {len(result.findings) or 'none'} wrong")
    return 1 if result.findings else 0


# diff


def diff_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument(
        "before", help="a folder, an archive, s3://bucket/prefix or the URL of a published site"
    )
    parser.add_argument("after", help="another")
    parser.add_argument(
        "--page",
        type=Path,
        metavar="DIR",
        help="write a page with both sounds of each change there",
    )
    server_options(parser)


def print_difference(args: argparse.Namespace) -> int:
    from report.sharing.diff import diff, write_page

    before, after = open_place(args.before, args), open_place(args.after, args)
    difference = diff(before, after)
    print(difference)
    if args.page:
        page = write_page(difference, before, after, args.page)
        print(f"open {page.resolve().as_uri()}")
    return 0


# mix


def mix_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument("edit", type=Path, metavar="EDIT.json", help="what an event roll exported")
    parser.add_argument(
        "--site", default="site", metavar="PLACE", help="the site it was made of (%(default)s)"
    )
    parser.add_argument(
        "-o", "--out", type=Path, metavar="OUT.wav", help="file to write (default: EDIT.wav)"
    )
    server_options(parser)


def mix_edited(args: argparse.Namespace) -> int:
    from report.artifacts.media import keeps_rate, to_flac, to_wav
    from report.sharing.edit import mix_edit, read_edit
    from report.site.locate import open_site

    out = args.out or args.edit.with_suffix(".wav")
    if out.resolve() == args.edit.resolve():
        raise ReportError(
            f"{out} would replace the edit itself; write the sound elsewhere, with -o"
        )
    edit = read_edit(args.edit.read_bytes(), str(args.edit))
    site = open_site(open_place(args.site, args))
    samples = mix_edit(edit, site)
    data = to_wav(samples, edit.samplerate)
    write_whole(out, data)
    digest = sha256(data).hexdigest()
    print(f"{out}: {edit.n_samples / edit.samplerate:.2f} s, SHA-256 {digest}")
    stored = to_flac(samples, edit.samplerate) if keeps_rate(edit.samplerate) else data
    for name, artifact in site.manifest.artifacts.items():
        if artifact.sha256 in (digest, sha256(stored).hexdigest()):
            print(f"the same as the published {name}")
            break
    return 0


# gc


def gc_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "--store",
        help="delete artifacts of this store that no last build and no site given asks for",
    )
    place.add_argument(
        "--target", help="delete media that no release names where sites are published"
    )
    parser.add_argument(
        "--sites",
        nargs="+",
        default=[],
        metavar="PLACE",
        help="sites whose artifacts the store keeps",
    )
    parser.add_argument(
        "--keep", type=positive_count, help="of a target's releases only so many (default: all)"
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=1.0,
        metavar="DAYS",
        help="spare what is younger (%(default)s)",
    )
    parser.add_argument("--delete", action="store_true", help="do it; without, it is only said")
    server_options(parser)


def collect_garbage(args: argparse.Namespace) -> int:
    from report.artifacts.store import Store
    from report.sharing.garbage import collect_releases, collect_store
    from report.site.locate import open_site

    grace = args.grace * DAY
    if args.target:
        target = open_place(args.target, args)
        sweep = collect_releases(target, args.keep, grace, args.delete)
    else:
        manifests = [open_site(open_place(site, args)).manifest for site in args.sites]
        store = Store(open_place(args.store, args))
        check_built(store)
        sweep = collect_store(store, manifests, grace, args.delete)
    _print_sweep(sweep, args.delete)
    return 0


def _print_sweep(sweep: Sweep, deleted: bool) -> None:
    names_by_reason: dict[str, list[str]] = {}
    for name, reason in sweep.kept:
        names_by_reason.setdefault(reason, []).append(name)
    for reason, names in names_by_reason.items():
        more = " …" if len(names) > 2 else ""
        print(f"keep   {len(names):>6}  {reason}: {', '.join(names[:2])}{more}")
    for name, n_bytes in sweep.deleted:
        print(f"delete {kilobytes(n_bytes):>9}  {name}")
    done = "deleted" if deleted else "to delete; nothing was: add --delete"
    size = megabytes(sweep.bytes)
    print(f"{len(sweep.kept)} kept, {len(sweep.deleted)} ({size}) {done}")


COMMANDS = {
    "verify": Command(
        verify_site, "check every file of a site against its manifest", verify_options
    ),
    "diff": Command(
        print_difference, "say which sounds and numbers differ between two sites", diff_options
    ),
    "mix": Command(
        mix_edited, "make the sound of an edit that an event roll exported", mix_options
    ),
    "gc": Command(
        collect_garbage, "delete what no published page and no last build names", gc_options
    ),
}
