"""A site does not depend on the number of processes that compute its artifacts."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from report import CellError, FolderStore, MemoryStore, build
from report.site import computing
from report.site.plan import FOUND, plan
from report.site.reproduce import SAME_BYTES, reproduce
from tests.processes import is_running, wait_for

ROOT = Path(__file__).parents[3]
HEADER = '''"""An article"""
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from report import Data, Picture, Player, Sound, Table, conjure

HERE = Path(__file__).parent
LEVEL = 3

def began(name):
    with (HERE / "began").open("a") as file:
        file.write(f"{name}\\n")

@conjure
def number(n: int) -> Data:
    began(f"number {n}")
    time.sleep(0.1)  # long enough for a process of its own
    return Data([n * LEVEL, random.random(), float(np.random.rand()), sys.getrecursionlimit()])

@conjure
def beep(given, n: int) -> Sound:
    time.sleep(0.1)
    return Sound(np.linspace(-0.5, 0.5, n + given.value[0]), 800)

@conjure
def quick(n: int) -> Data:
    return Data(number(n).value[0] + n)

'''
ALL = """
# %% Values of the moment
numbers = [number(n) for n in range(3)]
LEVEL = 4
numbers += [number(n) for n in range(3)]
sys.setrecursionlimit(2345)

# %% Calls that depend on others, of functions of the script
sounds = [beep(given, n) for n in (100, 200) for given in numbers]
[Player(sound, "x") for sound in sounds]

# %% Calls in a call, and the same call again
Table(["n", "m"], [[str(quick(n).value), str(number(n).value)] for n in range(7)], "Numbers.")
"""


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Calls that take a tenth of a second are computed in other processes."""
    monkeypatch.setattr(computing, "SHORT", 0.05)


@pytest.fixture
def article(tmp_path):
    """A function that writes an article of these cells and builds it with a store of its own."""

    def write_and_build(cells, jobs, **options):
        folder = tmp_path / f"jobs{jobs}"
        folder.mkdir(exist_ok=True)
        script = folder / "article.py"
        script.write_text(HEADER + cells)
        store = options.pop("store", None) or FolderStore(folder / "store")
        summary = build([script], folder / "site", store, jobs=jobs, **options)
        return folder, store, summary

    return write_and_build


def began(folder):
    return sorted((folder / "began").read_text().split("\n")[:-1])


def files(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def calls(store):
    """The build's calls but for time and machine."""
    return [
        (name, {**record.to_json(), "seconds": 0, "created": "", "machine": {}})
        for name, record in store.build("article").calls
    ]


def test_pages_keys_and_records_are_the_same_for_any_number_of_processes(article):
    results = [article(ALL, jobs) for jobs in (1, 2, 5)]
    sites = [files(folder / "site") for folder, _, _ in results]
    assert sites[0] == sites[1] == sites[2]
    assert calls(results[0][1]) == calls(results[1][1]) == calls(results[2][1])
    assert len({(summary.computed, summary.hits) for _, _, summary in results}) == 1
    assert began(results[0][0]) == began(results[1][0])


def test_a_build_with_jobs_is_planned_and_reproduced_like_any_other(article):
    folder, store, _ = article(ALL, 2)
    script = folder / "article.py"
    planned = plan([script], store)
    assert {step.state for step in planned.steps} == {FOUND} and not planned.gone
    again = reproduce([script], store, ("*",))
    assert {verdict.verdict for verdict in again.verdicts} == {SAME_BYTES}


def test_independent_calls_run_at_the_same_time(article):
    cells = """
@conjure
def meet(n: int) -> Data:
    (HERE / f"here{n}").touch()
    deadline = time.monotonic() + 20
    while not (HERE / f"here{1 - n}").exists():
        assert time.monotonic() < deadline, "nobody came"
        time.sleep(0.01)
    return Data(n)
# %%
[meet(n) for n in (0, 1)]
"""
    folder, _, summary = article(cells, 2)
    assert summary.computed == 2


def test_a_worker_that_is_killed_costs_its_task_and_no_more(article):
    cells = """
@conjure
def fragile(n: int, given: list) -> Data:
    began(f"fragile {n}")
    time.sleep(0.2)
    if n == 1 and (HERE / "began").read_text().count("fragile 1") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return Data([n, given])
# %%
given = [1]
values = [fragile(n, given) for n in range(4)]
Table(["n"], [[str(value.value)] for value in values], "Values.")
"""
    folder, store, _ = article(cells, 2)
    assert began(folder) == ["fragile 0", "fragile 1", "fragile 1", "fragile 2", "fragile 3"]
    values = [store.read(record) for _, record in store.build("article").calls]
    assert values == [b"[%d,[1]]" % n for n in range(4)]


def test_a_task_that_is_done_again_has_the_arguments_of_its_call(article):
    """Although the article has changed them meanwhile."""
    cells = """
@conjure
def fragile(given: list) -> Data:
    began("fragile")
    deadline = time.monotonic() + 20
    while not (HERE / "changed").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    if (HERE / "began").read_text().count("fragile") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return Data(given)
# %%
given = [1]
value = fragile(given)
given.append(2)
(HERE / "changed").touch()
value.value
"""
    _, store, _ = article(cells, 2)
    ((_, record),) = store.build("article").calls
    assert store.read(record) == b"[1]"


FAILS = """
@conjure
def fails(n: int) -> Data:
    time.sleep(0.1)
    if n == 2:
        raise ValueError(f"{n} is too much")
    return Data(n)
# %% The first
first = [fails(n) for n in range(2)]
# %% The second
second = [
    fails(2),
]
# %% The third
third = [number(n) for n in range(30)]
"""


def test_an_error_names_script_cell_and_line_as_in_one_process(article):
    messages = []
    for jobs in (1, 2):
        with pytest.raises(CellError) as failure:
            article(FAILS, jobs)
        messages.append(str(failure.value).replace(f"jobs{jobs}", "jobs"))
    assert messages[0] == messages[1]
    assert re.search(r"article.py, cell \d, line \d+: ValueError: 2 is too much", messages[0])


def test_the_first_error_stops_the_rest(article):
    with pytest.raises(CellError):
        article(FAILS, 2)
    folder, store, _ = article(FAILS.replace("fails(2)", "fails(3)"), 2)
    assert len(began(folder)) < 30 + 10  # those of this build, and a few of the one that failed


def test_an_article_may_catch_the_error_of_a_call(article):
    cells = FAILS.replace("    fails(2),", "    caught(2),").replace(
        "# %% The first",
        "def caught(n):\n    try:\n        return fails(n)\n    except ValueError:\n"
        "        return number(n)\n# %% The first",
    )
    results = [article(cells, jobs) for jobs in (1, 2)]
    assert calls(results[0][1]) == calls(results[1][1])
    assert files(results[0][0] / "site") == files(results[1][0] / "site")
    counts = [(summary.computed, summary.hits) for _, _, summary in results]
    assert counts[0] == counts[1]


def test_nothing_is_forced_twice_though_the_article_runs_again(article):
    cells = """
one = number(1).value
@conjure
def fails(n: int) -> Data:
    raise ValueError(n)
try:
    str(fails(1).value)
except ValueError:
    pass
"""
    for _ in range(2):
        folder, _, summary = article(cells, 2, force=("*",))
        assert (summary.computed, summary.hits) == (1, 0)
    assert len(began(folder)) == 2


def test_processes_that_an_article_starts_see_what_workers_make(article):
    cells = """
import multiprocessing
values = [number(n) for n in range(3)]
def first(i):
    return values[i].value[0]
# %%
with multiprocessing.get_context("fork").Pool(2) as pool:
    total = sum(pool.map(first, range(3)))
total
"""
    folder, _, _ = article(cells, 2)
    assert '<p class="output">9</p>' in (folder / "site" / "article.html").read_text()


def test_processes_that_an_article_starts_do_not_wait_for_a_call_that_fails(article):
    cells = (
        FAILS.partition("# %% The first")[0]
        + """
import multiprocessing
values = [fails(n) for n in (1, 2)]
def first(i):
    return values[i].value[0]
# %%
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(first, range(2))
"""
    )
    messages = []
    for jobs in (1, 2):
        with pytest.raises(CellError, match="2 is too much") as failure:
            article(cells, jobs)
        messages.append(str(failure.value).replace(f"jobs{jobs}", "jobs"))
    assert messages[0] == messages[1]


def test_a_store_in_memory_gets_everything(article):
    _, store, summary = article(ALL, 2, store=MemoryStore())
    records = [record for _, record in store.build("article").calls]
    assert len(records) == summary.computed + 4  # which the calls of `quick` had computed
    assert all(store.read(record) for record in records)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_workers_within_two_seconds_and_loses_nothing(tmp_path, number):
    cells = """
@conjure
def endless(n: int) -> Data:
    (HERE / f"pid{n}").write_text(str(os.getpid()))
    time.sleep(600)
    return Data(n)
# %%
values = [number(n) for n in range(2)]
[value.value for value in values]
[endless(n) for n in range(2)]
"""
    script = tmp_path / "article.py"
    script.write_text(HEADER + cells)
    process = subprocess.Popen(
        [sys.executable, "-m", "report", "build", "article.py", "--jobs", "2"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    pids = [tmp_path / f"pid{n}" for n in range(2)]
    wait_for(lambda: all(file.exists() and file.read_text() for file in pids), seconds=120)
    begun = time.monotonic()
    if number == signal.SIGINT:  # as a terminal sends it
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    wait_for(lambda: not any(is_running(int(file.read_text())) for file in pids), seconds=120)
    assert time.monotonic() - begun < 2
    assert process.wait(10) == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "what was computed is kept" in process.communicate()[1]
    index = tmp_path / ".artifacts" / "index"
    assert len(list(index.rglob("*.json"))) == 2


def test_an_argument_loads_what_it_needs_before_its_calls_are_forked(article):
    """Else each fork would load it again."""
    cells = """
class Model:
    digest = "1"

    def __init__(self):
        self.loaded_by = None

    def load_before_fork(self):
        self.loaded_by = self.loaded_by or os.getpid()

@conjure
def used(model: Model, n: int) -> Data:
    time.sleep(0.1)
    return Data(model.loaded_by)

model = Model()
# %%
assert {used(model, n).value for n in range(4)} == {os.getpid()}
"""
    article(cells, 2)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_function_that_changes_its_argument_is_refused_wherever_it_is_computed(article, jobs):
    cells = """
class Model:
    def fit(self):
        self.fitted = 1

@conjure
def gains(model: Model, n: int) -> Data:
    model.fit()
    time.sleep(0.1)
    return Data(n)

model = Model()
gains(model, 1), gains(model, 2)
"""
    with pytest.raises(CellError, match="gains changed its argument 'model'"):
        article(cells, jobs)
