"""Build articles and look after what was built: python -m report COMMAND --help."""

import argparse
import sys
from pathlib import Path

from report.cli.main import run
from report.cli.program import Articles, Program
from report.errors import ReportError


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scripts", nargs="*", type=Path, metavar="ARTICLE.py", help="article scripts"
    )


def _prepare(args: argparse.Namespace) -> Articles:
    if not args.scripts and args.command != "export":
        args.usage_error("give at least one article script")
    for script in args.scripts:
        if script.is_dir():
            raise ReportError(f"{script} is a folder; give article scripts, as {script}/*.py")
        if not script.is_file():
            raise ReportError(f"there is no article script {script}")
    return Articles(args.scripts)


PROGRAM = Program("python -m report", "report", __doc__ or "", _add_options, _prepare)

if __name__ == "__main__":
    sys.exit(run(PROGRAM))
