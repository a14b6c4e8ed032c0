"""Articles run side by side, in processes of their own that share the workers."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from report import FolderStore, MemoryStore, SiteError, build
from report.site import computing
from tests.processes import is_running, wait_for

ROOT = Path(__file__).parents[3]
SCRIPT = '''"""{title}"""
import os, signal, time
from pathlib import Path
from report import Data, Table, conjure

HERE = Path(__file__).parent

@conjure
def slow(title: str, n: int) -> Data:
    started = time.monotonic()
    time.sleep(0.3)
    return Data([title, n, started, time.monotonic()] if {timed} else [title, n])

# %%
(HERE / "pids").open("a").write(f"{{os.getpid()}}\\n")
values = [slow({title!r}, n) for n in range(3)]
{more}
# %%
Table(["n"], [[str(value.value[1])] for value in values], "Numbers.")
'''


@pytest.fixture
def scripts(tmp_path):
    """A function that writes three articles."""

    def write(timed=False, **more):
        paths = [tmp_path / f"{name}.py" for name in ("one", "two", "three")]
        for path in paths:
            text = SCRIPT.format(title=path.stem, timed=timed, more=more.get(path.stem, ""))
            path.write_text(text)
        return paths

    return write


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Every call is computed in a process of its own."""
    monkeypatch.setattr(computing, "SHORT", 0.0)


def calls(store, article):
    """The calls of an article's build but for time and machine."""
    return [
        (name, {**record.to_json(), "seconds": 0, "created": "", "machine": {}})
        for name, record in store.build(article).calls
    ]


def test_pages_and_records_are_the_same_for_any_number_of_processes(scripts, tmp_path):
    paths, results = scripts(), []
    for jobs in (1, 2, 3):
        store, site = FolderStore(tmp_path / f"store{jobs}"), tmp_path / f"site{jobs}"
        summary = build(paths, site, store, jobs=jobs)
        assert summary.computed == 9
        pages = {f.name: f.read_bytes() for f in site.rglob("*") if f.is_file()}
        results.append((pages, [calls(store, path.stem) for path in paths]))
    assert results[0] == results[1] == results[2]


def test_all_articles_together_use_so_many_workers_and_no_more(scripts, tmp_path):
    paths, store = scripts(timed=True), MemoryStore()
    build(paths, tmp_path / "site", store, jobs=2)
    times = []
    for path in paths:
        for _, record in store.build(path.stem).calls:
            title, _, start, end = json.loads(store.read(record))
            times.append((start, end, title))
    overlaps = [{t for s, e, t in times if s <= start < e} for start, _, _ in times]
    counts = [sum(s <= start < e for s, e, _ in times) for start, _, _ in times]
    assert max(counts) == 2
    assert any(len(titles) == 2 for titles in overlaps)


def test_errors_come_in_the_order_of_the_articles(scripts, tmp_path):
    paths = scripts(one="time.sleep(1)\nraise ValueError(1)", three="raise ValueError(3)")
    with pytest.raises(SiteError, match=r"(?s)2 things failed.*one.py, cell 2.*three.py, cell 2"):
        build(paths, tmp_path / "site", MemoryStore(), jobs=3)


def test_an_article_that_is_killed_keeps_no_worker_from_the_others(scripts, tmp_path):
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    paths, store = scripts(one=kill, two=kill), MemoryStore()
    with pytest.raises(SiteError, match=r"(?s)2 things failed.*one.py.*two.py") as failure:
        build(paths, tmp_path / "site", store, jobs=2)
    assert "three.py" not in str(failure.value)
    assert len(store.build("three").calls) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_all_articles_within_two_seconds(scripts, tmp_path, number):
    paths = scripts(one="time.sleep(600)", two="time.sleep(600)")
    process = subprocess.Popen(
        [sys.executable, "-m", "report", "build", *map(str, paths), "--jobs", "2"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    index = tmp_path / ".artifacts" / "index"
    wait_for(lambda: len(list(index.rglob("*.json"))) == 6, seconds=120)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    begun = time.monotonic()
    if number == signal.SIGINT:  # as a terminal sends it
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    wait_for(lambda: not any(map(is_running, pids)), seconds=120)
    assert time.monotonic() - begun < 2
    assert process.wait(10) == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "what was computed is kept" in process.communicate()[1]


def test_what_all_need_is_loaded_before_articles_that_were_never_built(scripts, tmp_path):
    paths, store, loaded = scripts(), MemoryStore(), []
    for _ in range(2):
        build(paths[:1], tmp_path / "site", store, load=lambda: loaded.append(1))
    assert loaded == [1]
    build(paths, tmp_path / "site", store, load=lambda: loaded.append(1))
    assert loaded == [1, 1]
