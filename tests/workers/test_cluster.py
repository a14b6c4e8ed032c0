"""An executor ends with its block, of whatever kind it is."""

import os
import time
from concurrent.futures import Executor, Future
from threading import Thread

import pytest

from workers.cluster import as_they_come, open_executor, result_of
from workers.forks import ForkLost

TASKS = 8


@pytest.mark.parametrize(("jobs", "reason"), [(TASKS, ""), (1, "this system can not copy it")])
def test_an_exception_ends_an_executor_before_its_tasks_have_finished(monkeypatch, jobs, reason):
    monkeypatch.setattr("workers.cluster.reason_not_to_fork", lambda: reason)
    with pytest.raises(ValueError, match="enough"), open_executor(jobs) as executor:
        futures = [executor.submit(time.sleep, 1) for _ in range(TASKS)]
        raise ValueError("enough")
    assert all(future.done() for future in futures)
    finished = [future for future in futures if not future.cancelled() and not future.exception()]
    assert len(finished) < TASKS


class KilledWorker(Exception):
    """Stands for that of Dask."""


@pytest.mark.parametrize("reason", ["", "this system can not copy it"])
def test_a_task_whose_process_is_gone_is_one_error_for_all_kinds(monkeypatch, reason):
    monkeypatch.setattr("workers.cluster.reason_not_to_fork", lambda: reason)
    with open_executor(1) as executor:
        (future,) = as_they_come(executor, os._exit, [(3,)])
        with pytest.raises(ForkLost, match=r"exit code 3|terminated abruptly"):
            result_of(future)


def test_a_cluster_that_is_gone_is_that_error_too():
    cancelled, killed = Future(), Future()
    cancelled.cancel(), cancelled.set_running_or_notify_cancel()
    killed.set_exception(KilledWorker("four workers died"))
    with pytest.raises(ForkLost, match="scheduler has gone"):
        result_of(cancelled)
    with pytest.raises(ForkLost, match="four workers died"):
        result_of(killed)


class Counting(Executor):
    """Does nothing until it is told to, and counts the tasks that it has."""

    def __init__(self):
        self.given = []

    def submit(self, work, *args):
        self.given.append(Future())
        return self.given[-1]


def test_an_executor_does_not_get_all_tasks_at_once(monkeypatch):
    monkeypatch.setattr("workers.cluster.AHEAD", 3)
    executor = Counting()
    coming = as_they_come(executor, abs, [(n,) for n in range(100)])
    thread = Thread(target=next, args=(coming,), daemon=True)
    thread.start()
    thread.join(0.5)
    assert len(executor.given) == 3
    executor.given[0].set_result(0)
    thread.join(20)
    assert len(executor.given) == 3 and not thread.is_alive()


def test_tasks_after_the_processes_are_gone_have_that_error(monkeypatch):
    monkeypatch.setattr("workers.cluster.reason_not_to_fork", lambda: "it can not")
    with open_executor(1) as executor:
        first = executor.submit(os._exit, 3)
        with pytest.raises(ForkLost):
            result_of(first)
        futures = list(as_they_come(executor, abs, [(1,), (2,)]))
        for future in futures:
            with pytest.raises(ForkLost):
                result_of(future)
    assert len(futures) == 2
