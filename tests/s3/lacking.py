"""A proxy before a real S3 server that plays a server which lacks a feature.

It answers some requests itself, as such servers do, and hands all others on as they are: what is
signed stays valid.
"""

import http.client
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]  # by their names in small letters

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    status: int
    code: str = ""  # of an S3 error; without one, the answer has no body
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        if not self.code:
            return b""
        error = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        return f'<?xml version="1.0" encoding="UTF-8"?>{error}'.encode()


Play = Callable[[Request], Answer | None]
NOT_IMPLEMENTED = Answer(
    501, "NotImplemented", "A header you provided implies functionality that is not implemented."
)


class Lacking:
    """A server before the one at `url`; `play` answers a request, or leaves it to that one.

    `seen` are the requests so far. `edit` may change the bodies of answers that are handed on.
    """

    def __init__(self, url: str, play: Play, edit: Callable[[bytes], bytes] | None = None):
        self.play, self.edit = play, edit
        self.seen: list[Request] = []
        self._target = urlsplit(url).netloc
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Lacking":
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_exception) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str, header: str = "") -> int:
        """The number of requests with this method, and with a header that begins so."""
        return sum(
            request.method == method and any(name.startswith(header) for name in request.headers)
            for request in self.seen
        )

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._target, timeout=20)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Lacking
    upstream: http.client.HTTPConnection | None = None

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, query, headers)
        self.proxy.seen.append(request)
        if answer := self.proxy.play(request):
            self._reply(answer.status, answer.headers, answer.body())
        else:
            self._hand_on(headers, body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_request  # noqa: N815

    def _hand_on(self, headers: dict[str, str], body: bytes) -> None:
        self.upstream = self.upstream or self.proxy.connect()
        self.upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name not in ("connection", "expect"):
                self.upstream.putheader(name, value)
        self.upstream.endheaders(body or None)
        answer = self.upstream.getresponse()
        data = answer.read()
        if self.proxy.edit:
            data = self.proxy.edit(data)
        headers = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in ("connection", "transfer-encoding", "content-length")
        }
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self._reply(answer.status, headers | {"Content-Length": length}, data)

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one_request(self) -> None:
        with suppress(ConnectionError):  # the client has seen enough
            super().handle_one_request()

    def finish(self) -> None:
        with suppress(ConnectionError):
            super().finish()
        if self.upstream:
            self.upstream.close()

    def log_message(self, *_arguments) -> None:
        pass
