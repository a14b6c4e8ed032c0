"""A Dask cluster computes what an article calls, and the site is the same."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from threading import current_thread
from types import SimpleNamespace

import pytest

from report import CellError, FolderStore, ReportError, build
from report.site import computing
from report.site.computing import CallError, Task, _with_our_errors, compute_on_worker
from tests.clusters import running_cluster
from tests.processes import Running
from tests.report.site.test_computing import began, calls, files

MODULE = """
import os, random, signal, time
from pathlib import Path
import numpy as np
from report import Data, Sound, conjure

HERE = Path(__file__).parent
LEVEL = 3

def began(name):
    with (HERE / "began").open("a") as file:
        file.write(f"{name} {os.getppid()}\\n")  # the worker, of which this is a fork

@conjure
def number(n: int) -> Data:
    began(f"number {n}")
    time.sleep(0.1)
    return Data([n * LEVEL, random.random(), float(np.random.rand())])

@conjure
def beep(given, large: np.ndarray, n: int = 100) -> Sound:
    began(f"beep {n}")
    time.sleep(0.1)
    return Sound(large[:n] + given.value[0] / 100, 800)

@conjure
def fragile(n: int) -> Data:
    began(f"fragile {n}")
    time.sleep(0.5)
    if n == 1 and (HERE / "began").read_text().count("fragile 1") == 1:
        os.kill(os.getppid(), signal.SIGKILL)
    return Data(n)

@conjure
def fails(n: int) -> Data:
    raise ValueError(f"{n} is too much")
"""
HEADER = """'''An article'''
import numpy as np
import {module}
from report import Data, Player, conjure
"""
ALL = """
# %%
numbers = [{module}.number(n) for n in range(4)]
large = np.linspace(0, 50, 100_000)
[Player({module}.beep(given, large, n), "x") for n in (50, 60) for given in numbers]
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Calls that take a tenth of a second are computed in other processes."""
    monkeypatch.setattr(computing, "SHORT", 0.05)


@pytest.fixture
def article(tmp_path, request):
    """A function that builds an article of these cells, with a module of a name of its own."""
    name = re.sub(r"\W", "_", request.node.name)

    def write_and_build(cells, **options):
        folder = tmp_path / ("dask" if options.get("dask") else "here")
        folder.mkdir(exist_ok=True)
        module = f"sounds_{name}"
        (folder / f"{module}.py").write_text(MODULE)
        script = folder / "article.py"
        script.write_text((HEADER + cells).replace("{module}", module))
        store = FolderStore(folder / "store")
        return folder, store, build([script], folder / "site", store, **options)

    return write_and_build


def test_a_cluster_makes_the_same_site_keys_and_records(article, cluster):
    here, store, _ = article(ALL)
    there, its_store, summary = article(ALL, dask=cluster.address)
    assert files(here / "site") == files(there / "site")
    assert calls(store) == calls(its_store) and summary.computed == 12
    pids = {line.split()[-1] for line in began(there)}
    assert pids == {str(worker.pid) for worker in cluster.workers}
    assert article(ALL, dask=cluster.address)[2].hits == 12


def test_a_worker_that_is_killed_costs_its_task_and_no_more(article, tmp_path):
    cells = "# %%\nvalues = [{module}.fragile(n) for n in range(4)]\n[v.value for v in values]\n"
    with running_cluster(tmp_path) as cluster:
        folder, store, _ = article(cells, dask=cluster.address)
        assert cluster.workers[0].poll() or cluster.workers[1].poll()
    names = sorted(line.rpartition(" ")[0] for line in began(folder))
    assert names == ["fragile 0", "fragile 1", "fragile 1", "fragile 2", "fragile 3"]
    assert [store.read(record) for _, record in store.build("article").calls] == [
        b"0", b"1", b"2", b"3"
    ]  # fmt: skip


def test_an_error_on_a_worker_is_that_of_the_article(article, cluster):
    cells = "# %% A cell\n[{module}.fails(n) for n in range(2)]\n"
    messages = []
    for dask in (None, cluster.address):
        with pytest.raises(
            CellError, match=r"article.py, cell \d, line 6: ValueError: 0 is too"
        ) as e:
            article(cells, dask=dask)
        messages.append(str(e.value).replace("/dask/", "/here/"))
    assert messages[0] == messages[1]


def test_a_function_of_the_script_is_computed_here_and_its_author_told(cluster, tmp_path):
    (tmp_path / "article.py").write_text(
        '"""A"""\nfrom report import Data, conjure\n@conjure\ndef own(n: int) -> Data:\n'
        "    return Data(n)\n# %%\n[own(3).value, own(4).value]\n"
    )
    command = ["build", "article.py", "--dask", cluster.address]
    done = Running("report", command, tmp_path).wait()
    assert done.returncode == 0, done.stderr
    told = r"NotSent: own is computed here, not on the cluster: .* move it to a"
    assert len(re.findall(told, done.stderr)) == 1
    page = (tmp_path / "site" / "article.html").read_text()
    assert '<p class="output">3</p>' in page and '<p class="output">4</p>' in page


def test_a_call_that_its_article_sets_up_is_computed_here(article, cluster):
    setting = "# %%\nnp.set_printoptions(precision=3)\n"
    folder, _, summary = article(setting + ALL, dask=cluster.address)
    assert summary.computed == 12 and len(began(folder)) == 12
    assert {line.split()[-1] for line in began(folder)}.isdisjoint(
        str(worker.pid) for worker in cluster.workers
    )


def test_a_worker_with_other_code_is_refused(article, cluster, tmp_path):
    article(ALL, dask=cluster.address)
    changed = MODULE.replace("LEVEL = 3", "LEVEL = 4")
    for module in tmp_path.glob("dask/sounds_*.py"):
        module.write_text(changed)
    script = tmp_path / "dask" / "article.py"
    with pytest.raises(ReportError, match=r"a worker .* has other globals \(.*LEVEL\).*anew"):
        build([script], tmp_path / "site", FolderStore(tmp_path / "s"), dask=cluster.address)
    assert not (tmp_path / "site").exists()


def test_an_address_without_a_scheduler_is_named(article, monkeypatch):
    monkeypatch.setattr("workers.cluster.PATIENCE", 0.5)
    with pytest.raises(ReportError, match="--dask tcp://127.0.0.1:9: no scheduler answers there"):
        article(ALL, dask="tcp://127.0.0.1:9")


def test_a_call_that_exits_does_not_end_its_worker(monkeypatch):
    def leave(*_):
        raise SystemExit(3)

    monkeypatch.setattr(computing, "_unpacked", lambda task, arguments: SimpleNamespace(parts={}))
    monkeypatch.setattr(computing, "apart", leave)
    with pytest.raises(CallError, match="SystemExit"):
        compute_on_worker(Task("module", "name", {}, [], None))


def test_what_a_cluster_makes_is_stored_in_a_thread_for_that():
    """The thread in which its results come has to listen to the cluster."""
    made, threads = Future(), []
    with ThreadPoolExecutor(1, "storing") as storing:
        ours = _with_our_errors(made, storing)
        ours.add_done_callback(lambda done: threads.append(current_thread().name))
        made.set_result(1)
    assert ours.result() == 1 and threads[0].startswith("storing")
