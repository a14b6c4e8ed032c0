"""Run each article in a copy of the process, so that nothing that it changes reaches the next one.

An article is a program. It sets options of libraries, replaces functions of modules, draws random
numbers, changes the environment or the working directory, and imports helpers whose names other
articles use too. Saving and restoring all that could not be complete, since much of it lies inside
of libraries. So an article runs in a fork, which ends with the article: inputs that were loaded
before are shared with it at no cost, and whatever it does to the process is gone. Files are not.

The store stays in the parent, which alone has its connections and knows what waits for upload.
The fork asks for every file through a pipe.
"""

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

from report.artifacts.randomness import begin_alike
from report.artifacts.record import Record
from report.artifacts.store import Store
from report.errors import ReportError, SiteError, StoreError
from workers.forks import Ask, ForkLost, reason_not_to_fork, run_in_fork

T = TypeVar("T")

_article = ""  # the article that this process builds


def article_here() -> str:
    """Return the name of the article that this process builds; "" if it is not one of them."""
    return _article


@contextmanager
def on_behalf_of(article: str) -> Iterator[None]:
    """Let `article_here` name the article that this process does something for ahead of it."""
    global _article
    before, _article = _article, article
    try:
        yield
    finally:
        _article = before


class SharedProcess(UserWarning):
    """Several articles run in one process, where one can change what the others show."""


def run_alone(
    name: str,
    work: Callable[[Store], T],
    store: Store,
    turn: AbstractContextManager[object] | None = None,
) -> T:
    """Return work(store), done in a fork; or in this process, if there is a reason to share it.

    The result is sent back, and so has to be made of plain values and of our dataclasses. `name` is
    that of the article, for messages. `turn` lets one of several articles use the store.
    Raises: the ReportError or KeyboardInterrupt of `work`; SiteError if the fork ended early.
    """
    if reason_not_to_fork():
        begin_alike()
        return work(store)
    errors = (ReportError, KeyboardInterrupt)
    try:
        return run_in_fork(
            partial(_work_alike, name, work),
            partial(_answer_in_turn, store, turn or nullcontext()),
            errors,
        )
    except ForkLost as error:
        raise SiteError(f"the process of {name} ended early: {error}") from None


def _work_alike(name: str, work: Callable[[Store], T], ask: Ask) -> T:
    global _article
    _article = name
    gc.freeze()  # what the parent has need not be looked through again and again
    begin_alike()
    return work(ParentsStore(ask))


def warn_if_shared(n_articles: int) -> None:
    """Warn if articles will run in one process."""
    reason = reason_not_to_fork()
    if reason and n_articles > 1:
        warnings.warn(
            f"{n_articles} articles run in one process, since {reason}: settings, modules and "
            "random numbers of one reach the next; to keep them apart, build them one by one",
            SharedProcess,
            stacklevel=3,
        )


# The store


class Question:
    """A method of the parent's store that a fork calls."""

    def __init__(self, method: str, arguments: tuple[Any, ...], options: dict[str, Any]):
        self.method, self.arguments, self.options = method, arguments, options


def answer(store: Store, question: Question) -> Any:
    """Return the answer of the store, or its error."""
    try:
        return getattr(store, question.method)(*question.arguments, **question.options)
    except StoreError as error:
        return error


def _answer_in_turn(store: Store, turn: AbstractContextManager[object], question: Question) -> Any:
    with turn:
        return answer(store, question)


def _asked(method: str) -> Callable[..., Any]:
    def ask(self: "ParentsStore", *arguments: Any, **options: Any) -> Any:
        result = self.ask(Question(method, arguments, options))
        if isinstance(result, StoreError):
            raise result
        return result

    return ask


class ParentsStore(Store):
    """The parent's store, asked through a pipe. It has no storage of its own.

    The records of the article's last build come in one answer: hardly another is asked for.
    """

    def __init__(self, ask: Ask):
        self.ask = ask
        self._known: dict[str, Record] = {}

    put, read, source, put_source = map(_asked, ("put", "read", "source", "put_source"))
    build, put_build, builds = map(_asked, ("build", "put_build", "builds"))
    _recall, _find, _forget = map(_asked, ("recall", "find", "forget"))

    def recall(self, article: str) -> dict[str, Record]:
        self._known = self._recall(article)
        return self._known

    def find(self, key: str) -> Record | None:
        return self._known.get(key) or self._find(key)

    def forget(self, key: str) -> None:
        self._known.pop(key, None)
        self._forget(key)
