"""Nothing that an article does to the process reaches the next one."""

import html
import json
import os
import re
import signal
import sys
import time

import numpy as np
import pytest

from report import FolderStore, MemoryStore, ReportError, SiteError, StoreError, build
from report.site import isolation
from report.site.isolation import SharedProcess, answer, run_alone
from report.site.plan import plan
from report.site.reproduce import reproduce
from tests.processes import Running, is_running, wait_for
from workers.forks import reason_not_to_fork

# A change to the process, and an expression that would show it.
CHANGES = {
    "print options": ("np.set_printoptions(precision=1)", "str(np.array([1 / 3]))"),
    "error states": ("np.seterr(all='raise')", "np.geterr()['over']"),
    "rc": ("plt.rcParams['lines.linewidth'] = 9", "plt.rcParams['lines.linewidth']"),
    "style": ("plt.style.use('dark_background')", "plt.rcParams['axes.facecolor']"),
    "open figure": ("plt.figure(); plt.plot([1, 2])", "plt.get_fignums()"),
    "default dtype": ("torch.set_default_dtype(torch.float64)", "torch.zeros(1).dtype"),
    "gradients": ("torch.set_grad_enabled(False)", "torch.is_grad_enabled()"),
    "threads": ("torch.set_num_threads(1)", "torch.get_num_threads()"),
    "Python's numbers": ("random.seed(7)", "random.random()"),
    "NumPy's numbers": ("np.random.seed(7)", "np.random.rand()"),
    "PyTorch's numbers": ("torch.manual_seed(7)", "torch.rand(1).item()"),
    "warnings": ("warnings.simplefilter('error')", "len(warnings.filters)"),
    "environment": ("os.environ['LEAK'] = 'x'", "os.environ.get('LEAK')"),
    "sys.path": ("sys.path.insert(0, '/leak')", "'/leak' in sys.path"),
    "folder": ("os.chdir('/')", "os.getcwd() == '/'"),
    "umask": ("os.umask(0o777)", "os.umask(0o22)"),
    "function": ("np.mean = None", "np.mean is None"),
    "builtin": ("builtins.zip_all = zip", "hasattr(builtins, 'zip_all')"),
    "class": ("Player.note = 'x'", "Player.note"),
    "table": ("mimetypes.types_map['.leak'] = 'x'", "'.leak' in mimetypes.types_map"),
    "namespace": ("BUILD['leak'] = 1", "'leak' in BUILD"),
    "imports": ("import wave, colorsys", "'colorsys' in sys.modules"),
    "helper": ("import isolated_helper", "isolated_helper.WHERE"),
    "decimals": ("decimal.getcontext().prec = 3", "decimal.getcontext().prec"),
    "recursion": ("sys.setrecursionlimit(5000)", "sys.getrecursionlimit()"),
    "locale": ("locale.setlocale(locale.LC_ALL, 'C')", "locale.setlocale(locale.LC_ALL)"),
    "logging": ("logging.disable(50)", "logging.root.manager.disable"),
    "signals": ("signal.signal(2, signal.SIG_IGN)", "signal.getsignal(2) is signal.SIG_IGN"),
    "collector": ("gc.disable()", "gc.isenabled()"),
    "atexit": ("atexit.register(os._exit, 3)", "1"),
    "thread": ("threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "1"),
    "stderr": ("sys.stderr = None", "sys.stderr is None"),
}
IMPORTS = """
import atexit, builtins, decimal, gc, json, locale, logging, mimetypes, os, random, signal
import sys, threading, time, warnings
import matplotlib.pyplot as plt
import numpy as np
import torch
from report import Data, Figure, Player, Sound, Table, conjure
"""
BAD = f'"""Bad"""{IMPORTS}\n# %%\n' + "\n".join(change for change, _ in CHANGES.values())
SHOWN = ",\n".join(f"[{name!r}, str({value})]" for name, (_, value) in CHANGES.items())
GOOD = f'''"""Good"""{IMPORTS}
import isolated_helper

@conjure
def noise(n: int) -> Sound:
    return Sound(np.random.rand(n) - torch.rand(n).numpy(), 8000)

@conjure
def line() -> Figure:
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot(torch.arange(5) / 3)
    return Figure(figure, "A line.")

# %%
Table(["Setting", "Value"], [
{SHOWN}
], "Settings.")
# %%
[noise(50), line(), str(np.array([1 / 3]))]
'''


@pytest.fixture
def scripts(tmp_path):
    """A good article, and one that misbehaves, in two folders with a helper of the same name."""
    for name, source in (("good", GOOD), ("bad", BAD)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(source)
        (folder / "isolated_helper.py").write_text(f"WHERE = {name!r}\n")
    return tmp_path / "good" / "good.py", tmp_path / "bad" / "bad.py"


def good_page(site):
    """Return the article without the links to others, and the hashes of its artifacts."""
    page = (site / "good.html").read_text()
    manifest = json.loads((site / "manifest.json").read_text())
    artifacts = {name: x["sha256"] for name, x in manifest["artifacts"].items() if "good" in name}
    lines = re.sub(r"(?s)<nav class=.others.*?</nav>", "", page).splitlines()
    return [line.strip() for line in lines if line.strip()], artifacts


@pytest.mark.filterwarnings("ignore:.*results may depend on more than is seen")
def test_an_article_is_the_same_alone_with_others_and_in_any_order(scripts, tmp_path):
    good, bad = scripts
    pages = {}
    for number, order in enumerate(([good], [good, bad], [bad, good])):
        np.random.rand(number), os.environ.pop("LEAK", None)
        store = FolderStore(tmp_path / f"store{number}")
        build(order, tmp_path / f"site{number}", store, namespace={"BUILD": {}})
        pages[number] = good_page(tmp_path / f"site{number}")
    cells = [html.unescape(x) for x in re.findall(r"<td[^>]*>([^<\n]*)", "\n".join(pages[0][0]))]
    assert cells[::2] == list(CHANGES)
    assert pages[0] == pages[1] == pages[2]
    assert len(pages[0][1]) == 2


def test_what_an_article_does_stays_out_of_the_callers_process(tmp_path):
    script = tmp_path / "bad.py"
    script.write_text('"""Bad"""\nimport os, sys\nos.environ["LEAK"] = "x"\nsys.leak = BUILD = 1\n')
    store = MemoryStore()
    namespace = {"BUILD": 7}
    for work in (
        lambda: build([script], tmp_path / "site", store, namespace=namespace),
        lambda: plan([script], store, namespace),
        lambda: pytest.raises(ReportError, reproduce, [script], store, ("*",), namespace),
    ):
        work()
        assert "LEAK" not in os.environ and not hasattr(sys, "leak") and namespace["BUILD"] == 7


def test_random_numbers_are_the_same_in_every_process(tmp_path):
    pytest.importorskip("torch", reason="needs PyTorch, which the articles here use")
    source = '"""R"""\nimport random\nimport numpy as np\nimport torch\n'
    (tmp_path / "r.py").write_text(
        source + "# %%\n[random.random(), np.random.rand(), torch.rand(1).item()]\n"
    )
    pages = []
    for number in range(2):
        done = Running("report", ["build", "r.py", "--out", f"site{number}"], tmp_path).wait()
        assert done.returncode == 0, done.stderr
        pages.append((tmp_path / f"site{number}" / "r.html").read_text())
    assert pages[0] == pages[1] and pages[0].count('class="output"') == 3


# The store, errors and ends


def test_a_store_in_memory_has_what_an_article_computed(tmp_path):
    script = tmp_path / "a.py"
    script.write_text(
        '"""A"""\nfrom report import Data, conjure\n@conjure\ndef f(n: int) -> Data:\n'
        "    return Data(n)\n# %%\nf(2).value\n"
    )
    store = MemoryStore()
    assert build([script], tmp_path / "site", store).computed == 1
    assert store.builds() == ["a"] and store.read(store.build("a").calls[0][1]) == b"2"
    assert build([script], tmp_path / "site", store).hits == 1
    assert build([script], tmp_path / "site", store, force=("f",)).computed == 1


def test_an_article_hears_of_all_records_of_its_last_build_at_once(tmp_path, monkeypatch):
    script = tmp_path / "a.py"
    script.write_text(
        '"""A"""\nfrom report import Data, conjure\n@conjure\n'
        "def data(n: int) -> Data:\n    return Data(n)\n[data(n) for n in range(5)]\n# %%\n"
    )
    store, asked = FolderStore(tmp_path / "store"), []
    build([script], tmp_path / "site", store)
    monkeypatch.setattr(
        isolation,
        "answer",
        lambda store, question: asked.append(question.method) or answer(store, question),
    )
    assert build([script], tmp_path / "site", store).hits == 5
    assert asked and "find" not in asked


def test_processes_of_an_article_may_ask_the_store_at_once(tmp_path):
    script = tmp_path / "a.py"
    script.write_text(
        '"""A"""\nimport multiprocessing\nfrom report import Data, conjure\n'
        "@conjure\ndef f(n: int) -> Data:\n    return Data('x' * 10000 * n)\n"
        "def length(n):\n    return len(f(n).value)\n"
        "# %%\nwith multiprocessing.get_context('fork').Pool(3) as pool:\n"
        "    lengths = pool.map(length, range(1, 40))\nsum(lengths)\n"
    )
    build([script], tmp_path / "site", FolderStore(tmp_path / "store"))
    total = 10000 * sum(range(1, 40))
    assert f'<p class="output">{total}</p>' in (tmp_path / "site" / "a.html").read_text()


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed, perhaps because it needed more memory"),
        ("faulthandler.disable(); ctypes.string_at(0)", "SIGSEGV, an error in compiled code"),
        ("os._exit(4)", "exit code 4"),
    ],
)
def test_a_process_that_ends_early_is_an_error_that_names_the_article(tmp_path, ending, message):
    for name, code in (("sound", "1"), ("broken", ending)):
        source = f'"""A title"""\nimport ctypes, faulthandler, os, signal\n# %%\n{code}\n'
        (tmp_path / f"{name}.py").write_text(source)
    scripts = [tmp_path / "broken.py", tmp_path / "sound.py"]
    with pytest.raises(SiteError, match=rf"process of .*broken.py ended early: .*{message}"):
        build(scripts, tmp_path / "site", MemoryStore())
    assert not (tmp_path / "site").exists()


def test_an_error_keeps_its_class(tmp_path):
    def fail(store):
        raise StoreError("no room")

    with pytest.raises(StoreError, match="no room"):
        run_alone("a", fail, MemoryStore())
    with pytest.raises(KeyboardInterrupt):
        run_alone("a", lambda store: os.kill(os.getpid(), signal.SIGINT), MemoryStore())


def test_a_process_ends_with_its_parent(tmp_path):
    """Even if the parent is killed, as by a system that is out of memory."""

    def killed_parent(store):
        def sleep(store):
            (tmp_path / "pid").write_text(str(os.getpid()))
            time.sleep(60)

        run_alone("inner", sleep, store)

    pid = os.fork()
    if pid == 0:
        killed_parent(MemoryStore())
        os._exit(0)
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), seconds=20)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    child = int((tmp_path / "pid").read_text())
    wait_for(lambda: not is_running(child), seconds=20)


def test_an_article_computes_with_many_threads_after_its_caller_did(tmp_path):
    """A fork would wait for OpenMP threads that only the caller has."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        total = torch.ones(2_000_000).sin().sum().item()
        again = run_alone("a", lambda _: torch.ones(2_000_000).sin().sum().item(), MemoryStore())
    finally:
        torch.set_num_threads(before)
    assert again == total


def test_an_article_may_read_what_its_user_types(tmp_path):
    """As a debugger does, which breakpoint() starts."""
    (tmp_path / "typed.py").write_text('"""T"""\n# %%\ninput().upper()\n')
    (tmp_path / "typing").write_text("hello\n")
    setup = "import os\nos.dup2(os.open('typing', os.O_RDONLY), 0)"
    done = Running("report", ["build", "typed.py"], tmp_path, setup).wait()
    assert done.returncode == 0, done.stderr
    assert '<p class="output">HELLO</p>' in (tmp_path / "site" / "typed.html").read_text()


def test_articles_that_have_to_share_a_process_say_so(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / f"{name}.py").write_text(f'"""{name}"""\n# %%\n1\n')
    scripts = [tmp_path / "a.py", tmp_path / "b.py"]
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.warns(SharedProcess, match="2 articles run in one process, since this system can"):
        build(scripts, tmp_path / "site", MemoryStore())
    build(scripts[:1], tmp_path / "site", MemoryStore())  # nothing to say
    monkeypatch.undo()
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert "GPU" in reason_not_to_fork()
