"""An executor ends with its block, of whatever kind it is."""

import os
import time
from concurrent.futures import Future

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
