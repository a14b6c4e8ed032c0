"""Run work in forks of this process, which have all that it has at that moment.

Only the result of the work is pickled. A fork that is killed costs its own work, which is done
again; one whose parent is gone ends too.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Semaphore, Thread
from typing import Any, TypeVar

T = TypeVar("T")

Ask = Callable[[Any], Any]  # asks the parent a question, and returns its answer

# Files that have the microseconds of all cores together in a period, and the length of that.
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
TRIES = 3  # of work whose fork is killed
WATCH = 1.0  # seconds between two looks at whether a fork is alive
GRACE = 5.0  # seconds that a fork has to end when it is asked to
SHORT_GRACE = 1.0  # for the tasks of an executor: their user has pressed Ctrl-C and waits


class ForkLost(ChildProcessError):
    """A fork ended before it had a result; the message says how."""


def cores(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the number of cores that this process may use, also by the quota of its container.

    groups: the folder of the container's control groups, of version 2 or 1 (Linux).
    """
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for files in QUOTAS:
        try:
            words = " ".join((groups / file).read_text() for file in files).split()
            microseconds, period = map(float, words)
        except (OSError, ValueError):  # there is no file, or it says "max"
            continue
        if microseconds > 0 and period > 0:  # version 1 says -1 for no quota
            return max(1, min(n, math.ceil(microseconds / period)))
    return n


def reason_not_to_fork() -> str:
    """Return why this process can not be copied; "" if it can."""
    if sys.platform in ("win32", "darwin"):
        return "this system can not copy a process safely"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "a process that uses a GPU can not be copied"
    return ""


def run_in_fork(
    work: Callable[[Ask], T], answer: Ask, errors: tuple[type[BaseException], ...]
) -> T:
    """Return work(ask), done in a fork. `answer` answers, here, what the work asks.

    errors: the classes of the errors that reach the caller. Others are printed, and the fork ends.
    Raises: one of `errors`; ForkLost if the fork ended early.
    """
    fork = _Fork(work, errors)
    siblings = _siblings.get(None)
    if siblings is not None:
        siblings.forks.add(fork)
    # From a new thread, which is then the only one that the fork has: a team of OpenMP threads
    # belongs to the thread that started it, and does not survive in a fork, which would wait for it
    # forever. A new thread has no team yet.
    failures: list[OSError] = []

    def start() -> None:
        try:
            fork.start()
        except OSError as error:
            failures.append(error)

    thread = Thread(target=copy_context().run, args=(start,))
    try:
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        if siblings is not None and siblings.ended:  # while it was being made
            fork.ask_to_end()
        return fork.result(answer)
    finally:
        if thread.is_alive():  # interrupted while the fork is being made
            thread.join()
        fork.end(GRACE)
        if siblings is not None:
            siblings.forks.discard(fork)


class Siblings:
    """Threads that each wait for a fork of `run_in_fork`, so many at once.

    An exception in the block, such as that of Ctrl-C, ends their forks.
    """

    def __init__(self, at_once: int):
        self.forks: set[_Fork] = set()
        self.ended = False
        self._threads = ThreadPoolExecutor(at_once, initializer=_leave_signals)

    def submit(self, work: Callable[..., T], *args: Any) -> Future[T]:
        """Do work(*args) in a thread; it may call `run_in_fork`."""
        context = copy_context()
        context.run(_siblings.set, self)
        return self._threads.submit(context.run, work, *args)

    def __enter__(self) -> Siblings:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is not None:
            self.ended = True
            for fork in list(self.forks):
                fork.ask_to_end()
            deadline = time.monotonic() + SHORT_GRACE
            while self.forks and time.monotonic() < deadline:
                time.sleep(0.01)
            for fork in list(self.forks):  # in compiled code that does not end
                fork.kill()
        self._threads.shutdown(cancel_futures=kind is not None)


_siblings: ContextVar[Siblings] = ContextVar("siblings")


class Slots:
    """Lets so many tasks run at once, over all the executors in all the processes that share it."""

    def __init__(self, jobs: int):
        self._free = get_context("fork").Semaphore(jobs)

    def share(self) -> Share:
        """Return what one process is given, before it is made."""
        return Share(self._free)


class Share:
    """The slots that one process uses."""

    def __init__(self, free: Any):
        self._free = free
        self._held = get_context("fork").Value("i", 0)

    def acquire(self) -> None:
        """Take a slot, when there is one. It counts as held before, so that none can be lost."""
        with self._held.get_lock():
            self._held.value += 1
        self._free.acquire()

    def release(self) -> None:
        self._free.release()
        with self._held.get_lock():
            self._held.value -= 1

    def give_back(self) -> None:
        """Release what the process held when it was killed."""
        for _ in range(self._held.value):
            self._free.release()


class Forks(Executor):
    """Does each task in a fork that is made when the task is submitted.

    `submit` waits until fewer than `jobs` tasks run, and imports the modules that earlier tasks had
    to import, as if they had run here: else each would import them again. A task whose fork is
    killed is done again, up to TRIES times, and then has failed with ForkLost. `answer` answers the
    questions that tasks ask by `ask`; it is called in other threads. `slots` are shared with other
    processes.
    """

    def __init__(self, jobs: int, answer: Ask = lambda question: None, slots: Share | None = None):
        self.jobs = jobs
        self._answer = answer
        self._slots = slots or Semaphore(jobs)
        self._forks: set[_Fork] = set()
        self._threads: list[Thread] = []
        self._closed = False
        self._imported: SimpleQueue[str] = SimpleQueue()  # modules that tasks had to import

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Start work(*args, **kwargs). Its error is an OSError if no fork can be made."""
        self._slots.acquire()
        if self._closed:
            self._slots.release()
            raise RuntimeError("the executor was shut down")
        self.import_modules()
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        begun = Event()
        task = partial(_do_task, partial(work, *args, **kwargs))
        arguments = (self._attend, task, future, begun)
        # A new thread, as in `run_in_fork`; it also waits for the result.
        thread = Thread(target=copy_context().run, args=arguments, daemon=True)
        self._threads = [thread, *(other for other in self._threads if other.is_alive())]
        thread.start()
        begun.wait()
        return future

    def _attend(self, task: Callable[[Ask], Any], future: Future[Any], begun: Event) -> None:
        _leave_signals()
        try:
            result, modules = self._do(task, begun)
            for name in modules:
                self._imported.put(name)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            begun.set()
            self._slots.release()

    def import_modules(self) -> None:
        """Import the modules that tasks had to import.

        A module that only another puts into place can not be imported, and is left out.
        """
        while not self._imported.empty():
            name = self._imported.get()
            if name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)

    def _do(self, task: Callable[[Ask], Any], begun: Event) -> Any:
        for attempt in range(TRIES):
            fork = _Fork(task, (BaseException,))
            self._forks.add(fork)
            try:
                fork.start()
                begun.set()
                if self._closed:  # while the fork was being made, so that nobody has ended it
                    fork.ask_to_end()
                return fork.result(self._answer)
            except ForkLost:
                if self._closed or attempt == TRIES - 1:
                    raise
            finally:
                fork.end(SHORT_GRACE)
                self._forks.discard(fork)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the tasks that run; with `cancel_futures`, end them instead."""
        if cancel_futures:
            self._closed = True
            for fork in list(self._forks):
                fork.ask_to_end()
        if wait:
            for thread in self._threads:
                if thread.is_alive():  # an interrupt may come before it has started
                    thread.join()
        self._closed = True

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self.shutdown(cancel_futures=kind is not None)


_ask: Ask | None = None  # in a fork of `Forks`: asks the executor


def ask(question: Any) -> Any:
    """Ask the executor that this process does a task for. Raises: RuntimeError elsewhere."""
    if _ask is None:
        raise RuntimeError("this process does no task of an executor")
    return _ask(question)


def _do_task(work: Callable[[], T], asking: Ask) -> tuple[T, list[str]]:
    """Return the result of a task, and the modules that it imported, in order."""
    global _ask
    _ask = asking
    before = set(sys.modules)
    result = work()
    return result, [name for name in sys.modules if name not in before]


# ---- one fork, seen from its parent


_starting = Lock()  # a fork must not inherit the other end of another's pipe, which would stay open


class _Fork:
    """A fork that does some work. `start` it from a thread that has no OpenMP team."""

    def __init__(self, work: Callable[[Ask], Any], errors: tuple[type[BaseException], ...]):
        self._work, self._errors = work, errors
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def start(self) -> None:
        """Make the fork. Raises: OSError."""
        forking = get_context("fork")
        with _starting, _copy_of_stdin() as stdin:
            self._pipe, theirs = forking.Pipe()
            arguments = (self._work, self._errors, theirs, self._pipe, stdin)
            self._process = forking.Process(target=_run, args=arguments)
            try:
                self._process.start()
            finally:
                theirs.close()

    def result(self, answer: Ask) -> Any:
        """Answer the fork's questions until it has a result, which is returned or raised.

        Raises: ForkLost.
        """
        assert self._pipe is not None and self._process is not None
        try:
            while isinstance(message := self._receive(), _Question):
                with contextlib.suppress(ConnectionError):  # the next reading says so
                    self._pipe.send(answer(message.content))
        except EOFError:
            self._process.join(GRACE)
            raise ForkLost(_ending(self._process.exitcode)) from None
        if isinstance(message, _Failure):
            raise message.error
        return message.value

    def _receive(self) -> Any:
        """Return the next message. Raises: EOFError if none will come."""
        assert self._pipe is not None and self._process is not None
        try:
            # Processes that the fork has started keep its end of the pipe open when it is killed.
            while not self._pipe.poll(WATCH):
                if not self._process.is_alive() and not self._pipe.poll():
                    raise EOFError
            return self._pipe.recv()
        except ConnectionError as error:
            raise EOFError from error

    def ask_to_end(self) -> None:
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def kill(self) -> None:
        if self._process is not None and self._process.is_alive():
            self._process.kill()

    def end(self, grace: float) -> None:
        """Wait for the fork, which has nothing more to do, or was interrupted together with us."""
        if self._pipe is not None:
            self._pipe.close()
        process = self._process
        if process is None or process.pid is None:
            return
        if process.is_alive():
            process.join(0.5)
        for stop in (process.terminate, process.kill):
            if process.is_alive():
                stop()
                process.join(grace)


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


def _ending(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    if -code == signal.SIGKILL:
        return "it was killed, perhaps because it needed more memory than there is"
    name = signal.Signals(-code).name
    return f"{name}, an error in compiled code" if -code in CRASHES else f"{name} ended it"


# ---- one fork, seen from inside


class _Question:
    def __init__(self, content: object):
        self.content = content


class _Result:
    def __init__(self, value: object):
        self.value = value


class _Failure:
    def __init__(self, error: BaseException):
        self.error = error


def _run(
    work: Callable[[Ask], object],
    errors: tuple[type[BaseException], ...],
    pipe: Connection,
    parents_end: Connection,
    stdin: int | None,
) -> None:
    """Do the work and send its result. Other errors than these are printed."""
    global _starting
    _starting = Lock()  # the one from before is held by the parent's thread that made this fork
    parents_end.close()
    Thread(target=_end_with_parent, daemon=True).start()
    if stdin is not None:
        os.dup2(stdin, 0)
        sys.stdin = open(0, closefd=False)
    for number in STOPS:
        signal.signal(number, _interrupt)
    os.register_at_fork(after_in_child=_restore_signals)
    message: _Result | _Failure
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        message = _Result(work(_asking(pipe)))
    except errors as error:
        message = _Failure(error)
    _ignore_stops()
    with contextlib.suppress(OSError):  # the parent was interrupted too, and reads no more
        _send(pipe, message)


def _send(pipe: Connection, message: _Result | _Failure) -> None:
    what = "a result"
    try:
        if isinstance(message, _Failure):
            what = f"the error {message.error!r}"
            # Python sends an error without what led to it, but Dask, if loaded, changes that.
            message.error.__cause__ = message.error.__context__ = None
            pickle.loads(pickle.dumps(message))  # many classes of errors can not be read again
        pipe.send(message)
    except OSError:
        raise
    except Exception as error:  # of pickle, which raises errors of many kinds
        pipe.send(_Failure(RuntimeError(f"{what} can not be sent: {error}")))


def _asking(pipe: Connection) -> Ask:
    # Threads of the work ask too, and processes that it starts.
    turn = get_context("fork").Lock()

    def ask_parent(question: object) -> Any:
        with turn:
            pipe.send(_Question(question))
            return pipe.recv()

    return ask_parent


STOPS = (signal.SIGINT, signal.SIGTERM)
CRASHES = {
    getattr(signal, name)
    for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT")
    if hasattr(signal, name)
}


def _leave_signals() -> None:
    """Leave signals to the main thread, which else would sleep on while this thread gets them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)


def _end_with_parent() -> None:
    """End this process when the parent is gone, as after SIGKILL: nobody waits for the result."""
    _leave_signals()
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _interrupt(_number: int, _frame: object) -> None:
    """Raise KeyboardInterrupt once: what ends then is not disturbed any more."""
    _ignore_stops()
    raise KeyboardInterrupt


def _ignore_stops() -> None:
    for number in STOPS:
        # Not SIG_IGN: Python complains of a signal that comes just before that is set.
        signal.signal(number, _do_nothing)


def _do_nothing(_number: int, _frame: object) -> None: ...


def _restore_signals() -> None:
    """Let signals end the processes that an article starts at once: pools rely on that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
