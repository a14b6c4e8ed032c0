"""The commands that write a site: build, publish, export."""

import argparse
from pathlib import Path

from report.cli.program import Program, article_options, server_options, site_options
from report.cli.stores import open_store
from report.errors import ReportError
from report.sharing.archive import export_zip
from report.sharing.browser_access import check_reading
from report.sharing.publish import publish
from report.site.build import build, check_target
from report.storage.addresses import open_storage
from report.storage.transfer import transfer_bar


def build_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("site"), help="folder of the site (%(default)s)"
    )
    parser.add_argument(
        "--force",
        nargs="+",
        default=[],
        metavar="NAME",
        help="compute these again, see `ls` for names",
    )
    _publish_options(parser)
    article_options(parser, program)


def _publish_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--publish", metavar="TARGET", help="then publish to a folder or s3://bucket/prefix"
    )
    _public_options(parser)


def _public_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--media-url",
        metavar="URL",
        help="where readers find the target's media, if not beside the pages",
    )
    parser.add_argument(
        "--public",
        action="store_true",
        help="let everyone read the bucket's prefix, by a bucket policy",
    )
    parser.add_argument(
        "--origin",
        metavar="URL",
        help="of the pages, if media have another: CORS is set and checked for it",
    )


def build_site(args: argparse.Namespace) -> int:
    check_target(args.out)  # before long work
    target = open_storage(args.publish, args.endpoint_url, args.profile) if args.publish else None
    store = open_store(args)
    job = args.program.prepare(args)
    summary = build(job.scripts, args.out, store, job.facts, job.namespace, tuple(args.force))
    print(summary)
    print(f"open {(summary.out / 'index.html').as_uri()}")
    if target is not None:
        _publish_to(target, args.out, args)
    return 0


def publish_command_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("target", help="a folder or s3://bucket/prefix")
    site_options(parser, program)
    _public_options(parser)
    server_options(parser)


def publish_site(args: argparse.Namespace) -> int:
    _publish_to(open_storage(args.target, args.endpoint_url, args.profile), args.site, args)
    return 0


def _publish_to(target, site: Path, args: argparse.Namespace) -> None:
    if args.public or args.origin:
        if not hasattr(target, "allow_reading"):
            raise ReportError(
                f"{target.address} is no bucket: --public and --origin are for buckets"
            )
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


def export_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "--zip", type=Path, required=True, metavar="FILE", help="the archive to write"
    )
    site_options(parser, program)
    program.add_options(parser)


def export_site(args: argparse.Namespace) -> int:
    if args.zip.resolve().is_relative_to(args.site.resolve()):
        raise ReportError(f"{args.zip} would lie in the site itself; write the archive elsewhere")
    job = args.program.prepare(args)
    export_zip(args.site, args.zip, job.sources)
    print(f"{args.zip}: {args.zip.stat().st_size / 1e6:.1f} MB; python {args.zip} checks it")
    return 0


COMMANDS = {
    "build": (
        build_site,
        "build the articles into a site, and publish it if asked to",
        build_options,
    ),
    "publish": (publish_site, "publish a site that was built", publish_command_options),
    "export": (
        export_site,
        "write a site and its sources into one archive that checks itself",
        export_options,
    ),
}
