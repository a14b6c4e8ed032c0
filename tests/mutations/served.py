"""A program that runs articles at every edit, as `python -m report serve` does:

    python served.py STORE ARTICLE...

It prints a line of JSON for each run: what `runner` reports, or the error.
"""

import json
import sys
from pathlib import Path

import runner

from report.live.preview import News, preview


def build(articles: list[Path]) -> str:
    return json.dumps(runner.run(Path(sys.argv[1]), [article.resolve() for article in articles]))


def tell(news: News) -> None:
    if news.state == "built":
        print(news.text, flush=True)
    elif news.state == "failed":
        print(json.dumps({"error": news.text}), flush=True)


if __name__ == "__main__":
    preview([Path(name) for name in sys.argv[2:]], build, tell, [sys.argv[1]])
