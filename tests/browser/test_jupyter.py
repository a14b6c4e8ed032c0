"""An article in JupyterLab, opened by jupytext and run there by its menu."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import wait_until, wait_until_it_moves

pytest.importorskip("jupyterlab", reason="needs JupyterLab: pip install '.[test]'")
ROOT = Path(__file__).parents[2]
ARTICLE = '''"""Tones"""
from pathlib import Path
import numpy as np
from report import Player, Sound, conjure

LEVEL = float(Path(__file__).with_name("level.txt").read_text())
assert Path(__file__).name == "tones.py"

@conjure
def tone(hertz: int) -> Sound:
    return Sound(LEVEL * np.sin(hertz * np.arange(16000) / 1000), 8000)

# %% [markdown]
# Two of them.

# %%
Player(tone(100), "low")

# %%
[Player(tone(200), "high"), Sound(0.3 * np.cos(np.arange(4000) / 9), 8000)]
'''
SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"python": "Jupytext Notebook"}},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
PATIENCE = 60  # seconds


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "article"
    folder.mkdir()
    (folder / "tones.py").write_text(ARTICLE)
    (folder / "level.txt").write_text("0.5")
    return folder


@pytest.fixture
def lab(folder, tmp_path):
    """The address of a JupyterLab in the folder, with settings of its own."""
    (tmp_path / "config" / "labconfig").mkdir(parents=True)
    overrides = tmp_path / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.write_text(json.dumps(SETTINGS))
    places = {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA")}
    places |= {
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "run"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    options += ["--IdentityProvider.token=", "--LabApp.extension_manager=readonly"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        cwd=folder,
        env=os.environ | places | {"PYTHONPATH": str(ROOT)},
        stdout=(tmp_path / "log").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(f"{address}/api", process, tmp_path / "log")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # its kernels end with it
        process.wait()


@pytest.fixture
def page(browser):
    with browser.new_context() as context:
        context.set_default_timeout(1000 * PATIENCE)
        yield context.new_page()


def wait_for_server(address, process, log):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(address)
            return
        except urllib.error.URLError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


@pytest.mark.slow
def test_an_article_runs_in_jupyterlab_and_plays_without_a_network(lab, folder, page):
    page.goto(f"{lab}/lab/tree/tones.py")
    page.locator(".jp-Dialog").get_by_role("button", name="Select").click()  # the kernel of Python
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # before, nothing would run
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    wait_until(page, "document.querySelectorAll('.jp-OutputArea audio').length === 3", PATIENCE)
    sources = "[...document.querySelectorAll('audio')].map((audio) => audio.src.slice(0, 16))"
    assert page.evaluate(sources) == ["data:audio/flac;"] * 3
    page.evaluate("() => { const sound = document.querySelector('audio'); sound.play() }")
    wait_until_it_moves(page)
    built = subprocess.run(
        [sys.executable, "-m", "report", "build", "tones.py"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "computed: 0 (in 0.0 s), found in the store: 3" in built.stdout, built.stderr
