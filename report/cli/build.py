"""The commands that write a site: build, publish, export."""

import argparse
import shlex
from pathlib import Path

from report.cli.program import (
    Articles,
    Command,
    Program,
    article_options,
    articles_of,
    server_options,
    site_options,
)
from report.cli.stores import open_place, open_store
from report.errors import ReportError
from report.number_formats import megabytes
from report.site.target import check_target
from report.storage.interface import Bucket, Storage, check_url
from report.storage.transfer import transfer_bar
from workers.cluster import add_options as workers_options

# build


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
    parser.add_argument(
        "--only",
        action="store_true",
        help="leave out other articles that are in the site; else they stay as they were built",
    )
    parser.add_argument(
        "--draft",
        action="store_true",
        help="build pages whose claims or checks fail, too; they say so, and can not be published",
    )
    parser.add_argument(
        "--publish", metavar="TARGET", help="then publish to a folder or s3://bucket/prefix"
    )
    workers_options(parser)
    _readers_options(parser)
    article_options(parser, program)


def build_site(args: argparse.Namespace) -> int:
    # Wrong options are found before long work.
    if args.draft and args.publish:
        args.usage_error("--draft is for pages that are not published: leave out --publish")
    check_target(args.out)
    target = open_place(args.publish, args) if args.publish else None
    store = open_store(args)
    articles = articles_of(args)
    from report.site.build import build

    summary = build(
        articles.scripts,
        args.out,
        store,
        articles.facts,
        articles.namespace,
        tuple(args.force),
        args.only,
        args.jobs,
        args.dask,
        articles.load,
        args.draft,
    )
    print(summary)
    print(f"open {(summary.out / 'index.html').as_uri()}")
    if target is not None:
        _publish(args.out, target, args)
    return 0


# publish


def publish_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument("target", help="a folder or s3://bucket/prefix")
    parser.add_argument(
        "--release",
        metavar="ID",
        help="show this earlier release again, or what its ID begins with; nothing is sent",
    )
    site_options(parser)
    _readers_options(parser)
    server_options(parser)


def publish_site(args: argparse.Namespace) -> int:
    target = open_place(args.target, args)
    if args.release is None:
        _publish(args.site, target, args)
        return 0
    if args.public or args.origin or args.media_url:
        args.usage_error("--release shows what was published before, and takes no other options")
    from report.sharing.publish import show_again

    with transfer_bar("checked") as bar:
        print(f"{target.address}: shows release {show_again(target, args.release, bar)} again")
    return 0


def _readers_options(parser: argparse.ArgumentParser) -> None:
    """Options that decide how readers reach a published site."""
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


def _publish(site: Path, target: Storage, args: argparse.Namespace) -> None:
    from report.sharing.browser_access import check_reading
    from report.sharing.publish import publish

    if args.public:
        _bucket(target).allow_reading()
    if args.origin:
        _bucket(target).allow_origins([args.origin])
    with transfer_bar("sent") as bar:
        published = publish(
            site, target, media_url=args.media_url, origin=args.origin, progress=bar
        )
    print(published)
    if args.public:
        url = f"{_bucket(target).url}/index.html"
        check_reading(url, None, len(target.get("index.html")), "text/html")
    if isinstance(target, Bucket):
        print(published.addresses(target.url))
    else:
        print(published.addresses(Path(target.address).resolve().as_uri()))
    print(f"check it: python -m {args.program.module} verify {_place_words(target, args)}")


def _place_words(target: Storage, args: argparse.Namespace) -> str:
    """Return the words of a command line that open `target`, quoted for a shell."""
    words = [target.address]
    if isinstance(target, Bucket) and args.endpoint_url:
        words += ["--endpoint-url", check_url(args.endpoint_url)]
    if isinstance(target, Bucket) and args.profile:
        words += ["--profile", args.profile]
    return shlex.join(words)


def _bucket(target: Storage) -> Bucket:
    if not isinstance(target, Bucket):
        raise ReportError(f"{target.address} is no bucket: --public and --origin are for buckets")
    return target


# export


def export_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "--zip", type=Path, required=True, metavar="FILE", help="the archive to write"
    )
    site_options(parser)
    program.add_options(parser)


def export_site(args: argparse.Namespace) -> int:
    from report.article.imports import sources_of
    from report.sharing.archive import export_zip

    if args.zip.resolve().is_relative_to(args.site.resolve()):
        raise ReportError(f"{args.zip} would lie in the site itself; write the archive elsewhere")
    articles: Articles = args.program.prepare(args)
    export_zip(args.site, args.zip, articles.sources or sources_of(articles.scripts))
    size = megabytes(args.zip.stat().st_size)
    print(f"{args.zip}: {size}; python {shlex.quote(str(args.zip))} checks it")
    return 0


COMMANDS = {
    "build": Command(
        build_site, "build the articles into a site, and publish it if asked to", build_options
    ),
    "publish": Command(publish_site, "publish a site that was built", publish_options),
    "export": Command(
        export_site,
        "write a site and its sources into one archive that checks itself",
        export_options,
    ),
}
