"""A TCP proxy with the faults of real networks: slow, stalled, cut off or silent."""

import asyncio
import threading

BLOCK = 2**16  # bytes
NEVER = 2**63  # more bytes than any answer has


class Proxy:
    """Forwards connections to a loopback port while the `with` block runs.

    Its fields can be set at any time:

    delay: seconds that every byte takes, each way; the bandwidth stays as it is
    stall_after: bytes of answers on a connection after which no more come
    cut_after: bytes of answers on a connection after which it is closed
    silent: connections are accepted and never answered
    """

    def __init__(self, target_port: int):
        self.delay, self.stall_after, self.cut_after, self.silent = 0.0, NEVER, NEVER, False
        self._target = target_port
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task] = set()

    def __enter__(self) -> "Proxy":
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        starting = asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=128)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connect(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # asyncio.start_server runs this as a task
        self._connections.add(task)
        try:
            if self.silent:
                await asyncio.Event().wait()
            server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                await asyncio.gather(
                    self._copy(client, to_server, False), self._copy(server, to_client, True)
                )
            finally:
                to_server.transport.abort()
        except (OSError, asyncio.CancelledError):  # the server, the client or the proxy has ended
            pass
        finally:
            to_client.transport.abort()
            self._connections.discard(task)

    async def _copy(
        self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, is_answer: bool
    ) -> None:
        """Send each block on after `delay`, and read the next ones meanwhile."""
        sent = 0
        while data := await source.read(BLOCK):
            allowed = max(0, min(self.stall_after, self.cut_after) - sent) if is_answer else NEVER
            self._loop.call_later(self.delay, drain.write, data[:allowed])
            sent += len(data)
            if len(data) > allowed:
                if self.stall_after < self.cut_after:
                    await asyncio.Event().wait()
                break
        await asyncio.sleep(self.delay + 0.001)  # the end comes after the blocks that are delayed
        drain.close()
