"""Work is done in copies of the process, and one that is killed costs nothing but its own work."""

import faulthandler
import os
import signal
import threading
import time

import pytest

from workers.forks import TRIES, ForkLost, Forks, Siblings, Slots, _Fork, ask, cores, run_in_fork

STATE = {"value": 0}


def state():
    return STATE["value"]


def test_a_task_has_the_state_of_the_moment_at_which_it_was_submitted(monkeypatch):
    with Forks(3) as forks:
        futures = []
        for value in range(3):
            monkeypatch.setitem(STATE, "value", value)
            futures.append(forks.submit(state))
    assert [future.result() for future in futures] == [0, 1, 2]


def test_nothing_but_the_result_is_pickled():
    lock = threading.Lock()
    with Forks(1) as forks:
        assert forks.submit(lambda: lock.locked()).result() is False
        with pytest.raises(RuntimeError, match="can not be sent"):
            forks.submit(lambda: lock).result()


def test_as_many_tasks_run_as_there_are_jobs_and_no_more(tmp_path):
    begun, running = tmp_path / "begun", tmp_path / "running"
    begun.mkdir()
    running.mkdir()

    def task(number):
        for folder in (begun, running):
            (folder / str(number)).touch()
        while not (begun / str(number ^ 1)).exists():  # the other of a pair: 0 and 1, 2 and 3
            time.sleep(0.01)
        at_once = len(list(running.iterdir()))
        (running / str(number)).unlink()
        return at_once

    with Forks(2) as forks:
        counts = [forks.submit(task, number) for number in range(8)]
        assert max(count.result(timeout=60) for count in counts) <= 2


def test_a_task_asks_the_process_that_submitted_it():
    asked = []

    def answer(question):
        asked.append((question, os.getpid()))
        return 2 * question

    with Forks(2, answer) as forks:
        results = [forks.submit(lambda: ask(21) + ask(0)) for _ in range(3)]
    assert [result.result() for result in results] == [42] * 3
    assert sorted(asked) == [(0, os.getpid())] * 3 + [(21, os.getpid())] * 3


class Gone(Exception):
    def __init__(self, name, place):
        super().__init__(f"{name} is gone from {place}")


def test_a_task_raises_its_own_error():
    class Odd(BaseException):
        pass

    def fail(error):
        raise error

    with Forks(2) as forks:
        with pytest.raises(KeyError, match="missing"):
            forks.submit(fail, KeyError("missing")).result()
        with pytest.raises(RuntimeError, match="can not be sent"):  # a class of this function
            forks.submit(fail, Odd()).result()
        with pytest.raises(RuntimeError, match="song is gone from here.* can not be sent"):
            forks.submit(fail, Gone("song", "here")).result()


def test_what_led_to_an_error_need_not_be_sent():
    pytest.importorskip("distributed", reason="pip install distributed")  # it sends causes too

    class Odd(Exception):  # which can not be sent
        pass

    def fail():
        raise KeyError("missing") from Odd()

    with Forks(1) as forks, pytest.raises(KeyError, match="missing"):
        forks.submit(fail).result()


def test_a_task_whose_fork_is_killed_is_done_again_and_no_other(tmp_path):
    def task(name):
        with (tmp_path / name).open("a") as file:
            file.write("x")
        if name == "killed" and (tmp_path / name).stat().st_size == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)
        return name

    with Forks(3) as forks:
        futures = [forks.submit(task, name) for name in ("one", "killed", "two")]
    assert [future.result() for future in futures] == ["one", "killed", "two"]
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "one": "x", "killed": "xx", "two": "x"
    }  # fmt: skip


def test_a_task_that_is_killed_every_time_fails(tmp_path):
    def task():
        with (tmp_path / "tries").open("a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)

    with Forks(1) as forks:
        with pytest.raises(ForkLost, match="killed, perhaps because it needed more memory"):
            forks.submit(task).result()
    assert len((tmp_path / "tries").read_text()) == TRIES


def test_a_fork_that_is_killed_is_missed_though_processes_that_it_started_live_on(tmp_path):
    def work(_ask):
        if (pid := os.fork()) == 0:
            time.sleep(60)
            os._exit(0)
        (tmp_path / "pid").write_text(str(pid))
        os.kill(os.getpid(), signal.SIGKILL)

    begun = time.monotonic()
    with pytest.raises(ForkLost, match="killed"):
        run_in_fork(work, lambda question: None, ())
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert time.monotonic() - begun < 20


def test_a_task_whose_fork_is_made_while_the_executor_is_shut_down_is_ended(monkeypatch):
    start = _Fork.start

    def slow_start(fork):
        forks.shutdown(wait=False, cancel_futures=True)
        start(fork)

    monkeypatch.setattr(_Fork, "start", slow_start)
    begun = time.monotonic()
    with Forks(1) as forks:
        future = forks.submit(time.sleep, 60)
    assert time.monotonic() - begun < 20
    assert isinstance(future.exception(), KeyboardInterrupt)
    with pytest.raises(RuntimeError, match="shut down"):
        forks.submit(time.sleep, 60)


def test_an_exception_ends_the_tasks_within_a_second_or_two():
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        with Forks(2) as forks:
            futures = [forks.submit(time.sleep, 60) for _ in range(2)]
            raise KeyboardInterrupt
    assert time.monotonic() - begun < 2
    assert all(future.done() for future in futures)


def test_a_fork_may_fork(tmp_path):
    def outer(_ask):
        with Forks(2) as forks:
            return [forks.submit(os.getppid).result() == os.getpid() for _ in range(2)]

    assert run_in_fork(outer, lambda question: None, (Exception,)) == [True, True]


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("100000 100000", 1),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("max 100000", 64),
        ("", 64),
        (None, 64),
    ],
)
def test_cores_are_no_more_than_the_quota_of_a_container(tmp_path, monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota)
    assert cores(tmp_path) == expected


@pytest.mark.parametrize(
    ("quota", "expected"), [("150000", 2), ("400000", 4), ("1000", 1), ("-1", 64), ("0", 64)]
)
def test_containers_of_the_first_version_say_it_in_two_files(
    tmp_path, monkeypatch, quota, expected
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert cores(tmp_path) == expected


def test_an_error_of_the_user_loses_no_result_that_is_being_sent(tmp_path):
    sending = tmp_path / "sending"

    class Result:
        def __reduce__(self):
            sending.touch()
            time.sleep(0.5)
            return str, ("done",)

    with pytest.raises(ValueError, match="enough"), Forks(2) as forks:
        done, running = forks.submit(Result), forks.submit(time.sleep, 60)
        while not sending.exists():
            time.sleep(0.01)
        raise ValueError("enough")
    assert done.result() == "done"
    assert isinstance(running.exception(), KeyboardInterrupt)


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        (signal.SIGKILL, "killed, perhaps because it needed more memory"),
        (signal.SIGSEGV, "SIGSEGV, an error in compiled code"),
        (signal.SIGALRM, "SIGALRM ended it"),
    ],
)
def test_a_fork_that_a_signal_ends_says_which(number, ending):
    def work(_ask):
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)  # else pytest prints where it happened
        faulthandler.disable()
        os.kill(os.getpid(), number)
        time.sleep(60)

    with pytest.raises(ForkLost, match=ending):
        run_in_fork(work, lambda question: None, ())


def test_slots_that_a_killed_process_held_come_back():
    slots = Slots(2)
    killed, other = slots.share(), slots.share()

    def hold(_ask):
        killed.acquire(), killed.acquire()
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ForkLost):
        run_in_fork(hold, lambda question: None, ())
    killed.give_back()
    other.acquire(), other.acquire()
    other.release(), other.release()
    other.give_back()  # holds nothing


def test_siblings_end_together_also_one_that_does_not_listen():
    """Its compiled code runs on: no Python handler of a signal is called."""

    def deaf(_ask):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
        time.sleep(60)

    begun = time.monotonic()
    with pytest.raises(ValueError, match="enough"), Siblings(2) as siblings:
        for work in (deaf, lambda ask: time.sleep(60)):
            siblings.submit(run_in_fork, work, lambda question: None, (KeyboardInterrupt,))
        while len(siblings.forks) < 2:
            time.sleep(0.01)
        raise ValueError("enough")
    assert time.monotonic() - begun < 20
