"""The command that shows articles while they are written: serve."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from report.cli.program import Articles, Command, Program, article_options, articles_of
from report.cli.stores import open_store
from report.errors import TOLD, ReportError
from report.site.target import check_target
from workers.cluster import add_options as workers_options
from workers.forks import reason_not_to_fork, run_in_fork

if TYPE_CHECKING:
    from report.live.preview import News

PORT = 8000


def serve_options(parser: argparse.ArgumentParser, program: Program) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("site"), help="folder of the site (%(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=PORT, help="of the address; 0 takes a free one (%(default)s)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="another address than this machine's own, for which others can ask (%(default)s)",
    )
    workers_options(parser)
    article_options(parser, program)


def serve_articles(args: argparse.Namespace) -> NoReturn:
    """Build articles at every edit, and show them, until Ctrl-C."""
    if reason := reason_not_to_fork():
        raise ReportError(f"serve builds in copies of its process, and {reason}")
    check_target(args.out)
    # In a copy of the process too: a program may import modules here that will be edited.
    errors = (*TOLD, KeyboardInterrupt, SystemExit)  # the last one after wrong usage
    scripts: list[Path] = run_in_fork(lambda _: articles_of(args).scripts, lambda _: None, errors)
    from report.live.preview import preview
    from report.live.server import serving

    def build(some: list[Path]) -> str:
        return _build(args, some)

    outputs = [os.path.abspath(path) for path in (args.out, args.store, args.cache)]
    with serving(args.out.resolve(), args.host, args.port) as (address, tell_pages):
        page = f"{scripts[0].stem}.html" if len(scripts) == 1 else "index.html"
        print(f"open {address}/{page} (Ctrl-C ends this)", flush=True)

        def tell(news: News) -> None:
            tell_pages(news)
            _print(news)

        preview(scripts, build, tell, outputs)


def _print(news: News) -> None:
    if news.state == "built":
        print(news.text, flush=True)
    elif news.state == "failed":
        print(f"error: {news.text}\nthe page stays as it was", file=sys.stderr, flush=True)


def _build(args: argparse.Namespace, scripts: list[Path]) -> str:
    from report.site.build import build

    articles: Articles = articles_of(args)
    chosen = [script for script in articles.scripts if script in scripts]
    summary = build(
        chosen,
        args.out,
        open_store(args),
        articles.facts,
        articles.namespace,
        jobs=args.jobs,
        dask=args.dask,
        load=articles.load,
    )
    return str(summary)


COMMANDS = {
    "serve": Command(
        serve_articles, "show articles while they are written, built at every edit", serve_options
    ),
}
