"""The ten minutes of docs/listening.md are followed, block by block, in an empty folder."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from tests.report.listening.asked import designs_of
from tests.report.listening.listeners import honest
from tests.report.test_guide import BLOCK, NAMED, ROOT, run

GUIDE = (ROOT / "docs" / "listening.md").read_text()
SECTION = re.search(r"^## In ten minutes\n(.*?)^## ", GUIDE, re.DOTALL | re.MULTILINE)[1]
PAGE = "http://127.0.0.1:8000"  # where `serve` shows it


@contextmanager
def running(command: str, folder: Path, *options: str) -> Iterator[str]:
    """A command that goes on until the end of the block; yields the line with its address."""
    words = [sys.executable, *shlex.split(command)[1:], *options]
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stdout:
            if "http://127.0.0.1:" in line and "may send" not in line:
                yield line
                break
        else:
            pytest.fail(f"{command} ended")
    finally:
        process.terminate()
        process.communicate()


def listen(folder: Path, address: str, seeds: range) -> None:
    """Answer as simulated listeners do who took the test on the page, and sent what it says."""
    design = designs_of(folder / "site")["mushra"]
    assert design.post == address
    for seed in seeds:
        data = honest(design, seed)
        answer = urllib3.request("POST", address, body=data, headers={"Origin": PAGE})
        assert answer.status == 201, answer.data


@pytest.mark.slow
def test_a_reader_who_follows_it_gets_from_a_folder_to_a_figure(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])  # 8070 may be taken here
    section = SECTION.replace("8070", port)
    said = {}
    for kind, text in BLOCK.findall(section):
        if kind == "python":
            name = NAMED.match(text)
            assert name, f"a block without the name of its file: {text[:60]}"
            (tmp_path / name[1]).write_text(text[name.end() :])
            continue
        for line in text.splitlines():
            if line == "python -m report ratings serve --into answers &":
                with running(line.removesuffix("&"), tmp_path, "--port", port):
                    listen(tmp_path, f"http://127.0.0.1:{port}/", range(8))
            elif line == "python -m report serve sounds.py &":
                with running(line.removesuffix("&"), tmp_path, "--port", "0") as address:
                    assert "/sounds.html" in address
            else:
                said[line] = run(line, tmp_path)
    assert (
        "8 listeners count, 0 rejected"
        in said["python -m report ratings answers --json results.json"]
    )
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["tests"][0]["listeners"] == 8
    page = (tmp_path / "site" / "sounds.html").read_text()
    assert "8 listeners count" in page and "fine − coarse" in page
