"""The command for answers to listening tests: ratings.

`ratings FILES...` checks and analyses them; `ratings serve` and `ratings post` are two ways for
pages to send them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from report.cli.program import Command, Program, positive_count, server_options
from report.cli.stores import open_place
from report.errors import ReportError
from report.number_formats import counted, minus, span
from report.storage.folder import write_whole

if TYPE_CHECKING:
    from report.listening.analysis import Results
    from report.listening.design import Design

PORT = 8070
DAYS = 7  # as long as a signature can hold
DAY = 24 * 3600  # seconds
PAGES = ["http://127.0.0.1:8000", "http://localhost:8000"]  # where `serve` shows them
SHORTEST = 16  # digits of a hash, as pages show it

_Row = tuple[str, ...]


def ratings_options(parser: argparse.ArgumentParser, _program: Program) -> None:
    parser.add_argument(
        "words",
        nargs="+",
        metavar="FILES | serve | post",
        help="files of answers, folders or s3://bucket/prefix; or how pages can send them",
    )
    parser.add_argument(
        "--site",
        default="site",
        metavar="PLACE",
        help="the site with the tests: a folder, an archive, a bucket or a URL (%(default)s)",
    )
    analysis = parser.add_argument_group("ratings FILES...")
    analysis.add_argument("--json", type=Path, metavar="F", help="write the results there, too")
    analysis.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="DIGEST",
        help="of an earlier design that asked the same in other words: its answers count",
    )
    analysis.add_argument(
        "--headphones", action="store_true", help="reject those who failed the headphone check"
    )
    serving = parser.add_argument_group("ratings serve")
    serving.add_argument("--into", type=Path, metavar="FOLDER", help="where answers are kept")
    serving.add_argument(
        "--port", type=int, default=PORT, help="of the address; 0 takes a free one (%(default)s)"
    )
    serving.add_argument(
        "--host", default="127.0.0.1", help="for which others can send (%(default)s)"
    )
    posting = parser.add_argument_group("ratings post")
    posting.add_argument("--bucket", metavar="s3://BUCKET/PREFIX", help="where answers are kept")
    posting.add_argument(
        "--days",
        type=positive_count,
        default=DAYS,
        help=f"for which it may be sent, at most {DAYS} (%(default)s)",
    )
    parser.add_argument(
        "--origin",
        action="append",
        metavar="URL",
        help="of pages that may send, with serve or post: https://example.org, or null for pages "
        f"from a disk (serve: {' and '.join(PAGES)})",
    )
    server_options(parser)


def ratings(args: argparse.Namespace) -> int:
    if args.words == ["serve"]:
        return _serve(args)
    if args.words == ["post"]:
        return _print_post(args)
    return _analyse(args)


# ratings serve


def _serve(args: argparse.Namespace) -> int:
    from report.listening.receiver import Box, serve

    if args.into is None:
        args.usage_error("say where answers are kept: --into FOLDER")
    if args.into.resolve().is_relative_to(Path(args.site).resolve()):
        raise ReportError(
            f"{args.into} is in the site, where everyone can read; give another folder"
        )
    designs = _designs(args)
    origins = [_origin(url) for url in args.origin or PAGES]
    box = Box(args.into, designs)
    print(
        f"tests: {', '.join(design.id for design in designs)}; "
        f"{args.into}: {counted(box.count, 'answer')}; pages at {', '.join(origins)} may send",
        flush=True,
    )
    try:
        serve(box, origins, args.host, args.port)
    except KeyboardInterrupt:
        pass
    print(f"{args.into}: {counted(box.count, 'answer')}")
    return 0


def _origin(url: str) -> str:
    """Return an origin as browsers name it. Raises: ReportError if it is none."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if url == "null":
        return url
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        raise ReportError(f"--origin {url}: give the start of an address: https://example.org")
    return f"{parts.scheme}://{parts.netloc}".lower()


# ratings post


def _print_post(args: argparse.Namespace) -> int:
    """Print what lets pages send to a bucket, as the argument `post` of a component."""
    from report.listening.answers import LARGEST
    from report.storage.s3 import S3

    if not args.bucket:
        args.usage_error("say where answers are kept: --bucket s3://BUCKET/PREFIX")
    if args.days > DAYS:
        raise ReportError(f"--days {args.days}: a signature holds {DAYS} days at most")
    bucket = open_place(args.bucket, args)
    if not isinstance(bucket, S3) or bucket.address.count("/") < 3:
        raise ReportError(f"{args.bucket} is no s3://BUCKET/PREFIX")
    if args.origin:
        bucket.allow_posts([_origin(url) for url in args.origin])
    form = bucket.presigned_post("application/json", LARGEST, args.days * DAY)
    print(json.dumps(form, indent=2))
    print(f"for {args.days} days: give this to the test as post=…", file=sys.stderr)
    return 0


# ratings FILES...


def _analyse(args: argparse.Namespace) -> int:
    from report.listening.analysis import analyse
    from report.listening.collection import collect
    from report.listening.design import digest

    for given in args.also:
        if len(given) < SHORTEST or not set(given) <= set("0123456789abcdef"):
            raise ReportError(f"--also {given}: give {SHORTEST} or more digits of a SHA-256")
    designs = _designs(args)
    collection = collect(_files(args), designs, args.also)
    found = [
        (design, analyse(collection.sheets[digest(design)], design, args.headphones))
        for design in designs
    ]
    for design, results in found:
        if collection.sheets[results.design]:
            print("\n".join(_lines(design, results)))
    refused = [
        *collection.refused,
        *((name, "of no test of this site") for name in collection.others),
    ]
    for name, reason in refused:
        print(f"refused {name}: {reason}")
    if args.json:
        write_whole(args.json, _json([results for _, results in found], refused))
    if not any(collection.sheets.values()):
        print("no answers to a test of this site were found", file=sys.stderr)
        return 1
    return 1 if refused else 0


def _designs(args: argparse.Namespace) -> list[Design]:
    """Return the tests of the site. Raises: ReportError if it has none."""
    from report.site.locate import open_site

    designs = open_site(open_place(args.site, args)).manifest.designs()
    if not designs:
        raise ReportError(f"{args.site} has no listening test; build an article that shows one")
    return designs


def _files(args: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file of answers; of folders and buckets, those in JSON.

    Of a file that is too large, as many bytes are read as show that. Raises: ReportError.
    """
    from report.listening.answers import LARGEST

    for word in args.words:
        if Path(word).is_file():
            with open(word, "rb") as file:
                yield word, file.read(LARGEST + 1)
            continue
        if "://" not in word and not Path(word).is_dir():
            raise ReportError(f"there is no file or folder {word}")
        place = open_place(word, args)
        for name, entry in place.entries().items():
            if name.endswith(".json"):
                too_large = entry.bytes > LARGEST
                yield (
                    f"{word.rstrip('/')}/{name}",
                    b" " * (LARGEST + 1) if too_large else place.get(name),
                )


def _json(results: list[Results], refused: list[tuple[str, str]]) -> bytes:
    fields = {"tests": [asdict(each) for each in results], "refused": refused}
    return f"{json.dumps(fields, indent=1, ensure_ascii=False)}\n".encode()


def _lines(design: Design, results: Results) -> list[str]:
    """Return the results of a test as lines to print."""
    lines = [
        f"{results.test} ({results.kind}, design {results.design[:SHORTEST]}…): "
        f"{counted(results.listeners, 'listener counts', 'listeners count')}, "
        f"{len(results.rejected)} rejected"
    ]
    lines += [f"rejected {name}: {'; '.join(reasons)}" for name, reasons in results.rejected]
    for head, rows in (_scores(design, results), _pairs(results), _choices(results)):
        if rows:
            lines += ["", *_table([head, *rows])]
    return [*lines, ""]


def _scores(design: Design, results: Results) -> tuple[_Row, list[_Row]]:
    head = ("sound", "item", "listeners", "mean", "95 % interval", "median", "quartiles")
    return head, [
        (
            design.roles.get(each.key, each.key),
            each.item or "all",
            str(each.listeners),
            f"{each.mean:.2f}",
            span(each.low, each.high, 2),
            f"{each.median:.2f}",
            span(each.lower, each.upper, 2),
        )
        for each in results.estimates
    ]


def _pairs(results: Results) -> tuple[_Row, list[_Row]]:
    head = ("pair", "listeners", "difference", "95 % interval", "p", "p (Holm)")
    return head, [
        (
            f"{each.first} − {each.second}",
            str(each.listeners),
            minus(f"{each.mean:+.2f}"),
            span(each.low, each.high, 2),
            f"{each.p:.2g}",
            f"{each.corrected:.2g}",
        )
        for each in results.differences
    ]


def _choices(results: Results) -> tuple[_Row, list[_Row]]:
    chosen = "right" if results.kind == "abx" else "first"
    counts = ("trials", chosen, "neither", "share", "95 % interval")
    return ("pair", "item", *counts, "p", "p (Holm)"), [
        (
            f"{each.first} | {each.second}",
            each.item or "all",
            str(each.trials),
            str(each.chosen),
            str(each.neither),
            "" if each.share is None else f"{each.share:.0%}",
            span(each.low, each.high, 2),
            f"{each.p:.2g}",
            "" if each.item else f"{each.corrected:.2g}",
        )
        for each in results.choices
    ]


def _table(rows: list[_Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


COMMANDS = {
    "ratings": Command(
        ratings, "check and analyse answers to listening tests, or take them", ratings_options
    ),
}
