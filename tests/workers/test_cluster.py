"""An executor ends with its block, of whatever kind it is."""

import time

import pytest

from workers.cluster import open_executor

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
