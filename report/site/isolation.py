"""Run each article in a copy of the process, so that nothing that it changes reaches the next one.

An article is a program. It sets options of libraries, replaces functions of modules, draws random
numbers, changes the environment or the working directory, and imports helpers whose names other
articles use too. Saving and restoring all that could not be complete, since much of it lies inside
of libraries. So an article runs in a fork, which ends with the article: inputs that were loaded
before are shared with it at no cost, and whatever it does to the process is gone. Files are not.

The store stays in the parent, which alone has its connections and knows what waits for upload.
The fork asks for every file through a pipe.
"""

import contextlib
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Thread
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from report.artifacts.store import Store
from report.errors import ReportError, SiteError, StoreError

T = TypeVar("T")

SEED = 0  # of the global generators of Python, NumPy and PyTorch
GRACE = 5.0  # seconds that a fork has to end when it is asked to


class SharedProcess(UserWarning):
    """Several articles run in one process, where one can change what the others show."""


def run_alone(name: str, work: Callable[[Store], T], store: Store) -> T:
    """Return work(store), done in a fork; or in this process, if there is a reason to share it.

    The result is sent back, and so has to be made of plain values and of our dataclasses. `name` is
    that of the article, for messages.
    Raises: the ReportError or KeyboardInterrupt of `work`; SiteError if the fork ended early.
    """
    if reason_to_share():
        _begin_alike()
        return work(store)
    forking = get_context("fork")
    ours, theirs = forking.Pipe()
    with _copy_of_stdin() as stdin:
        fork = forking.Process(target=_run_in_fork, args=(work, theirs, ours, stdin))
        _start(fork)
    theirs.close()
    try:
        answer = _serve(ours, store)
    except EOFError:
        fork.join(GRACE)
        raise SiteError(f"the process of {name} ended early: {_ending(fork.exitcode)}") from None
    finally:
        ours.close()
        _end(fork)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def reason_to_share() -> str:
    """Return why articles have to run in this process; "" if they need not."""
    if sys.platform in ("win32", "darwin"):
        return "this system can not copy a process safely"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "a process that uses a GPU can not be copied"
    return ""


def warn_if_shared(n_articles: int) -> None:
    """Warn if articles will run in one process."""
    reason = reason_to_share()
    if reason and n_articles > 1:
        warnings.warn(
            f"{n_articles} articles run in one process, since {reason}: settings, modules and "
            "random numbers of one reach the next; to keep them apart, build them one by one",
            SharedProcess,
            stacklevel=3,
        )


# The parent


@contextlib.contextmanager
def _copy_of_stdin() -> Iterator[int | None]:
    """Yield a descriptor for the fork, whose own is closed: an article may call breakpoint()."""
    try:
        descriptor = os.dup(0)
    except OSError:  # there is no stdin
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _start(fork: BaseProcess) -> None:
    """Start the fork from a new thread, which is then the only one that the fork has.

    A team of OpenMP threads belongs to the thread that started it, and does not survive in a fork,
    which would wait for it forever. A new thread has no team yet. Raises: OSError.
    """
    failures: list[OSError] = []

    def start() -> None:
        try:
            fork.start()
        except OSError as error:
            failures.append(error)

    thread = Thread(target=copy_context().run, args=(start,))
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _serve(pipe: Connection, store: Store) -> Any:
    """Answer the fork's questions to the store. Returns: its result, or the error that it ended by.

    Raises: EOFError if it ended without either.
    """
    while True:
        request = _receive(pipe)
        if not isinstance(request, _Question):
            return request.value
        try:
            answer = getattr(store, request.method)(*request.arguments, **request.options)
        except StoreError as error:
            answer = error
        with contextlib.suppress(ConnectionError):  # the next reading says so
            pipe.send(answer)


def _receive(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except ConnectionError as error:
        raise EOFError from error


def _end(fork: BaseProcess) -> None:
    """Wait for the fork, which has nothing more to do, or was interrupted together with us."""
    if fork.is_alive():
        fork.join(0.5)
    for stop in (fork.terminate, fork.kill):
        if fork.is_alive():
            stop()
            fork.join(GRACE)


def _ending(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    if -code == signal.SIGKILL:
        return "it was killed, perhaps because it needed more memory than there is"
    return f"{signal.Signals(-code).name}, an error in compiled code"


# The fork


class _Question:
    """A method of the parent's store that the fork calls."""

    def __init__(self, method: str, arguments: tuple[Any, ...], options: dict[str, Any]):
        self.method, self.arguments, self.options = method, arguments, options


class _Result:
    """The value that work ended with, or its error."""

    def __init__(self, value: object):
        self.value = value


def _asked(method: str) -> Callable[..., Any]:
    def ask(self: "_ParentsStore", *arguments: Any, **options: Any) -> Any:
        return self.ask(_Question(method, arguments, options))

    return ask


class _ParentsStore(Store):
    """The parent's store, asked through the pipe. It has no storage of its own."""

    def __init__(self, pipe: Connection):
        self._pipe = pipe
        # Threads of an article ask too, and processes that it starts.
        self._turn = get_context("fork").Lock()

    def ask(self, question: _Question) -> Any:
        with self._turn:
            self._pipe.send(question)
            answer = self._pipe.recv()
        if isinstance(answer, StoreError):
            raise answer
        return answer

    find, put, forget, read = _asked("find"), _asked("put"), _asked("forget"), _asked("read")
    source, put_source = _asked("source"), _asked("put_source")
    build, put_build, recall = _asked("build"), _asked("put_build"), _asked("recall")
    builds = _asked("builds")


def _run_in_fork(
    work: Callable[[Store], object], pipe: Connection, parents_end: Connection, stdin: int | None
) -> None:
    """Do the work and send its result. Other errors than those of `run_alone` are printed."""
    parents_end.close()
    Thread(target=_end_with_parent, daemon=True).start()
    if stdin is not None:
        os.dup2(stdin, 0)
        sys.stdin = open(0, closefd=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    os.register_at_fork(after_in_child=_restore_signals)
    try:
        _begin_alike()
        result = _Result(work(_ParentsStore(pipe)))
    except (ReportError, KeyboardInterrupt) as error:
        result = _Result(error)
    with contextlib.suppress(OSError):  # the parent was interrupted too, and reads no more
        pipe.send(result)


def _end_with_parent() -> None:
    """End this process when the parent is gone, as after SIGKILL: nobody waits for the result."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _interrupt(_number: int, _frame: object) -> None:
    """Raise KeyboardInterrupt once: what ends then is not disturbed any more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _restore_signals() -> None:
    """Let signals end the processes that an article starts at once: pools rely on that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _begin_alike() -> None:
    """Begin with the random numbers that every article begins with."""
    random.seed(SEED)
    np.random.seed(SEED)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(SEED)
    else:
        sys.meta_path.insert(0, _TorchSeeder())


class _TorchSeeder(MetaPathFinder):
    """Seeds PyTorch when it is imported, for each process begins with other numbers."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _SeedingLoader(spec.loader)
        return spec


class _SeedingLoader(Loader):
    def __init__(self, loader: Loader):
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        module.manual_seed(SEED)
