"""A small receiver of answers: pages send them by POST, and it keeps each as a file of its own.

It believes nothing that comes, and keeps nothing but answers: no address, no agent, no time. A file
is named by the hash of its bytes, written whole or not at all, and never changed; all have the same
date. Limits on size and number keep floods out.
"""

import asyncio
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b, sha256
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from report.errors import ReportError
from report.listening.answers import LARGEST, Answers, AnswersError, check_answers, read_answers
from report.listening.design import Design, digest
from report.storage.folder import UNFINISHED

MOST_FILES = 20_000  # in the folder
A_MINUTE = 60.0  # seconds
FROM_ONE = 30  # requests of one address in a minute
FROM_ALL = 600  # requests in a minute
AT_ONCE = 50  # connections
PATIENCE = 20.0  # seconds for a request's body
DATE = 315532800  # of all files: 1 January 1980, the first that archives can hold


class Refused(Exception):
    """A request is not taken. It has the status of the answer, and words for it."""

    def __init__(self, status: HTTPStatus, words: str):
        super().__init__(words)
        self.status = status


class Limiter:
    """Counts requests by address for a minute, and then forgets them.

    An address is known by a hash with a key of this process, which is never written anywhere.
    """

    def __init__(self, from_one: int = FROM_ONE, from_all: int = FROM_ALL):
        self._from_one, self._from_all = from_one, from_all
        self._key = secrets.token_bytes(32)
        self._counts: Counter[bytes] = Counter()
        self._begun = time.monotonic()

    def check(self, address: str) -> None:
        """Count a request. Raises: Refused if there were too many."""
        if time.monotonic() - self._begun > A_MINUTE:
            self._key = secrets.token_bytes(32)
            self._counts.clear()
            self._begun = time.monotonic()
        known = blake2b(address.encode(), key=self._key, digest_size=8).digest()
        if self._counts.total() >= self._from_all or self._counts[known] >= self._from_one:
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many answers; try again in a minute")
        self._counts[known] += 1


class Box:
    """A folder of answers to some tests, to which files are added and nothing else is done."""

    def __init__(self, folder: Path, designs: Sequence[Design], most_files: int = MOST_FILES):
        """Make the folder, and read what is there. Raises: ReportError if it can not be used."""
        self._folder, self._most_files = folder, most_files
        self._designs = {digest(design): design for design in designs}
        self._listeners: set[tuple[str, str]] = set()  # (design, listener)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = list(folder.glob("*.json"))
            for file in files:
                self._note(file)
        except OSError as error:
            raise ReportError(f"can not keep answers in {folder}: {error.strerror}") from error
        self.count = len(files)

    def _note(self, file: Path) -> None:
        try:
            answers = read_answers(file.read_bytes(), file.name)
        except AnswersError:  # it was put there by hand; who reads the folder will be told
            return
        self._listeners.add((answers.design, answers.listener))

    def add(self, data: bytes) -> str:
        """Keep answers. Returns: the name of their file. Raises: Refused.

        What is kept is written anew from what was understood, in one spelling.
        """
        answers = self._checked(data)
        kept = msgspec.json.encode(answers, order="sorted")
        name = f"{sha256(kept).hexdigest()}.json"
        listener = answers.design, answers.listener
        if (self._folder / name).exists():
            raise Refused(HTTPStatus.CONFLICT, "these answers are here already")
        if listener in self._listeners:
            raise Refused(HTTPStatus.CONFLICT, "this listener has answered already")
        if self.count >= self._most_files:
            raise Refused(HTTPStatus.INSUFFICIENT_STORAGE, "no more answers are taken")
        try:
            _write_once(self._folder / name, kept)
        except FileExistsError:  # of another process
            raise Refused(HTTPStatus.CONFLICT, "these answers are here already") from None
        except OSError:
            raise Refused(
                HTTPStatus.INSUFFICIENT_STORAGE, "the answers could not be written"
            ) from None
        self._listeners.add(listener)
        self.count += 1
        return name

    def _checked(self, data: bytes) -> Answers:
        try:
            answers = read_answers(data)
            design = self._designs.get(answers.design)
            if design is None:
                raise AnswersError("the answers: of no test of this site as it is now")
            check_answers(answers, design)
        except AnswersError as error:
            words = str(error).removeprefix("the answers: ")
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, words) from error
        return answers


def _write_once(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all, and never in place of another.

    Raises: FileExistsError, OSError.
    """
    unfinished = path.with_name(f"{uuid4().hex}{UNFINISHED}")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.utime(unfinished, (DATE, DATE))
        os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def make_app(box: Box, origins: Sequence[str], limiter: Limiter | None = None) -> Starlette:
    """Return the application that takes answers from pages at some origins."""
    limiter = limiter or Limiter()

    async def take(request: Request) -> Response:
        try:
            limiter.check(request.client.host if request.client else "")
            origin = request.headers.get("origin")
            if origin is not None and origin not in origins:
                raise Refused(HTTPStatus.FORBIDDEN, "no answers are taken from this page's site")
            name = box.add(await _body(request))
        except Refused as refused:
            return JSONResponse({"error": str(refused)}, refused.status)
        return JSONResponse({"kept": name.removesuffix(".json")}, HTTPStatus.CREATED)

    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["POST"],
        allow_headers=["Content-Type"],
    )
    return Starlette(routes=[Route("/", take, methods=["POST"])], middleware=[cors])


async def _body(request: Request) -> bytes:
    """Return what was sent. Raises: Refused if it is too large, or does not come."""
    data = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for piece in request.stream():
                data += piece
                if len(data) > LARGEST:
                    words = f"answers have at most {LARGEST} bytes"
                    raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)
    except (TimeoutError, ClientDisconnect):
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "the answers did not come") from None
    return bytes(data)


def serve(box: Box, origins: Sequence[str], host: str, port: int) -> None:
    """Take answers until Ctrl-C. Nothing is logged but errors of the program.

    Raises: ReportError if the port is taken.
    """
    try:
        listener = socket.create_server((host, port), backlog=100)
    except (OSError, OverflowError) as error:
        raise ReportError(
            f"can not listen at {host}:{port}: {error}; choose another with --port, 0 takes any"
        ) from error
    print(f"answers go to http://{host}:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(
        make_app(box, origins),
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # others would say what address is counted
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=5,
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
