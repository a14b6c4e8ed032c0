"""Show a site that is built again and again, in a process of its own.

Pages get a script that takes what is new; the files of the site are as they were built.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from html import escape
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from report.article.templates import templates_folder
from report.errors import ReportError
from report.live.preview import News

SCRIPT = '<script src="/_live/reload.js" data-built="{}"></script>\n'
NOT_YET = '<!doctype html><html lang="en"><meta charset="utf-8"><title>{0}</title><p>{0}</p>'
LOCAL = ["127.0.0.1", "localhost"]  # pages of other names may not ask, see DNS rebinding


@contextmanager
def serving(folder: Path, host: str, port: int) -> Iterator[tuple[str, Callable[[News], None]]]:
    """Serve a site to the end of the block, whatever then waits.

    Yields: the address, and a function that tells the pages which are open.
    Raises: ReportError if the port is taken.
    """
    listener = _listen(host, port)
    forking = get_context("fork")
    theirs, ours = forking.Pipe(duplex=False)
    process = forking.Process(target=_serve, args=(folder, host, listener, theirs, ours))
    process.start()
    theirs.close()
    address = f"http://{host}:{listener.getsockname()[1]}"
    listener.close()

    def tell(news: News) -> None:
        with suppress(BrokenPipeError):
            ours.send(news)

    try:
        yield address, tell
    finally:
        process.kill()  # it has nothing to lose, and open pages wait for news for ever
        process.join()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=100)
    except (OSError, OverflowError) as error:
        raise ReportError(
            f"can not serve at {host}:{port}: {error}; choose another with --port, 0 takes any"
        ) from error


def _serve(
    folder: Path, host: str, listener: socket.socket, pipe: Connection, parents_end: Connection
) -> None:
    parents_end.close()  # else the pipe would not end with the parent
    board = _Board()
    app = make_app(folder, board, LOCAL if host in LOCAL else ["*"])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def listen() -> None:
            with suppress(EOFError, OSError):
                while True:
                    loop.call_soon_threadsafe(board.post, pipe.recv())
            os._exit(0)  # the parent is gone

        Thread(target=listen, daemon=True).start()
        await server.serve(sockets=[listener])

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


class _Board:
    """The last news, for which any number of pages wait."""

    def __init__(self) -> None:
        self.news = News("building")
        self.built = 0  # time of the last build that succeeded, in nanoseconds
        self._changed = asyncio.Event()

    def post(self, news: News) -> None:
        self.news = news
        self.built = news.at if news.state == "built" else self.built
        self._changed.set()
        self._changed = asyncio.Event()

    async def events(self) -> AsyncIterator[str]:
        """Yield the news, and all that follow, as server-sent events."""
        while True:
            changed = self._changed
            message = asdict(self.news) | {"built": str(self.built)}
            yield f"data: {msgspec.json.encode(message).decode()}\n\n"
            await changed.wait()


def make_app(folder: Path, board: _Board, hosts: list[str]) -> Starlette:
    """Return the application that serves a folder, and what is `board`'s latest."""

    def events(_request: Request) -> Response:
        return StreamingResponse(board.events(), media_type="text/event-stream")

    def script(_request: Request) -> Response:
        return FileResponse(templates_folder() / "live" / "reload.js")

    return Starlette(
        routes=[
            Route("/_live/events", events),
            Route("/_live/reload.js", script),
            Mount("/", _Pages(folder, board)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
    )


class _Pages(StaticFiles):
    """The files of a site, in parts if asked for. Pages have the script."""

    def __init__(self, folder: Path, board: _Board):
        super().__init__(directory=folder, check_dir=False)
        self.config_checked = True  # the folder comes with the first build
        self._folder, self._board = folder, board

    async def get_response(self, path: str, scope: Scope) -> Response:
        path = "index.html" if path in ("", ".") else path
        if path.endswith(".html") and "/" not in path and scope["method"] in ("GET", "HEAD"):
            response: Response = self._page(path)
        else:
            response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response

    def _page(self, name: str) -> Response:
        script = SCRIPT.format(self._board.built)  # first: a page newer than that is loaded again
        try:
            html = (self._folder / name).read_text()
        except OSError:
            words = "The page comes when it is built." if self._board.built == 0 else "Not found"
            return HTMLResponse(NOT_YET.format(escape(words)) + script, status_code=404)
        head, end, tail = html.rpartition("</body>")
        return HTMLResponse(head + script + end + tail if end else html + script)
