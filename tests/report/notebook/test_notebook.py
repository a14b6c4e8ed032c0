"""An article in a real kernel: the keys of a build, and sounds that play without a network."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
import soundfile as sf
from nbclient import NotebookClient

from report import MemoryStore, Part, Player, use_store
from report.notebook import shown
from report.notebook.kernel import text_of

ROOT = Path(__file__).parents[3]
ARTICLE = '''"""Tones

Two of them."""
import numpy as np
from helper import LEVEL
from report import Compare, Player, Sound, claim, conjure

@conjure
def tone(hertz: int) -> Sound:
    return Sound(LEVEL * np.sin(hertz * np.arange(800) / 1000), 8000)

# %% [markdown]
# The level is {{ LEVEL:.2f }}, and `{{ }}` is code.

# %% tags=["hide"]
[Player(tone(hertz), f"{hertz}") for hertz in (100, 200)]

# %%
Compare("Both", [("low", tone(100), None), ("high", tone(200), None)])

# %%
claim(LEVEL < 1, "It is not loud.", tone(100))
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tones.py").write_text(ARTICLE)
    (tmp_path / "helper.py").write_text("LEVEL = 0.5\n")
    return tmp_path


def report(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "report", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def html_of(cell) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)


def text_of_output(cell):
    return cell.outputs[-1].data["text/plain"]


def test_an_article_as_a_notebook_plays_and_finds_what_a_build_computed(folder):
    assert "computed: 2" in report(folder, "build", "tones.py").stdout
    stored = sorted(path.name for path in (folder / ".artifacts/index").rglob("*"))
    done = report(folder, "notebook", "tones.py")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (folder / ".artifacts/index").rglob("*")) == stored
    notebook = nbformat.read(folder / "tones.ipynb", 4)
    nbformat.validate(notebook)
    title, setup, prose, players, compare, claimed = notebook.cells
    assert title.source == "# Tones\n\nTwo of them."
    assert setup.source.startswith("import numpy as np\nfrom helper")
    assert prose.source == "The level is 0.50, and `{{ }}` is code."
    assert len(re.findall('<audio [^>]*src="data:audio/', html_of(players))) == 2
    assert len(re.findall('<audio [^>]*src="data:audio/', html_of(compare))) == 2
    assert "It is not loud" in html_of(claimed)
    assert "media/" not in html_of(players) + html_of(compare)
    assert not re.search(r"https?://", html_of(players) + html_of(compare))
    assert players.metadata.jupyter.source_hidden
    assert [text_of_output(cell) for cell in (players, compare, claimed)] == [
        "[Player(100), Player(200)]",
        "Compare(Both)",
        "Claim(It is not loud.)",
    ]


def keys(store):
    return sorted(path.name for path in (store / "index").rglob("*.json"))


GIVEN = '''"""Given"""
from dataclasses import dataclass
from pathlib import Path
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from report import Data, Sound, conjure

STEPS: int = 3  # and a remark
SHIFT: float = (
    0.5
)

@dataclass
class Row:
    steps: int

@conjure
def counted() -> Data:
    return Data([STEPS, str(SHIFT)])

# %%
[Path("tone.wav"), Sound(0.3 * np.sin(np.arange(4000) / 9), 8000), counted()]

# %%
Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))

# %%
[Row(STEPS), Row(2)]

# %%
pd.DataFrame({"a": [1.5, 2.5]})

# %%
figure, axes = plt.subplots()
axes.plot([1, 2, STEPS])
axes.set_title("A line")
figure

# %% [markdown]
# It has {{ STEPS }} steps.
'''


def test_all_that_a_page_shows_is_the_same_artifact_in_a_notebook(tmp_path):
    settings = ["--set", "STEPS=5", "--set", "SHIFT=inf"]
    (tmp_path / "given.py").write_text(GIVEN)
    sf.write(tmp_path / "tone.wav", 0.3 * np.sin(np.arange(4000) / 7), 8000)
    built = report(tmp_path, "build", "given.py", "--store", "one", *settings)
    assert built.returncode == 0, built.stderr
    done = report(tmp_path, "notebook", "given.py", "--store", "two", *settings)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert (
        keys(tmp_path / "one") == keys(tmp_path / "two") and not (tmp_path / ".artifacts").exists()
    )
    cells = nbformat.read(tmp_path / "given.ipynb", 4).cells
    assert "STEPS: int = 5  # and a remark" in cells[1].source
    assert "SHIFT: float = (\n    float('inf')\n)" in cells[1].source
    assert cells[-1].source == "It has 5 steps."
    shown = [html_of(cell) for cell in cells[2:-1]]
    assert [html.count('src="data:') for html in shown] == [2, 1, 0, 0, 1]
    assert [html.count("<table") for html in shown] == [0, 0, 1, 1, 0]


def test_a_build_finds_what_a_notebook_computed(folder):
    assert report(folder, "notebook", "tones.py").returncode == 0
    assert "computed: 0" in report(folder, "build", "tones.py").stdout


def test_what_a_page_can_not_show_is_an_error_in_a_notebook_too(folder):
    (folder / "wrong.py").write_text(
        '"""Wrong"""\nfrom pathlib import Path\n# %%\nPath("no.wav")\n'
    )
    done = report(folder, "notebook", "wrong.py")
    assert done.returncode == 1 and not (folder / "wrong.ipynb").exists()
    assert "wrong.py, cell 2, line 4: ValueError: there is no file no.wav" in done.stderr


def test_a_parameter_that_is_not_there_is_said_before_the_kernel_starts(folder):
    done = report(folder, "notebook", "tones.py", "--set", "HERTZ=3")
    assert done.returncode == 1 and "--set HERTZ: tones.py has no parameters" in done.stderr


def test_a_cell_that_is_run_again_has_the_keys_of_its_new_source(folder, monkeypatch):
    """As in Jupyter, by jupytext: no command prepares the kernel."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOME", str(folder))
    notebook = jupytext.read(folder / "tones.py", fmt="py:percent")
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    client = NotebookClient(notebook, resources={"metadata": {"path": str(folder)}})
    setup, _prose, players, *_ = notebook.cells
    look = nbformat.v4.new_code_cell("print(tone(100).record.key, tone(100).sha256, __file__)")
    said = []
    with client.setup_kernel():
        for change in (
            ("", ""),
            ("hertz * np", "2 * hertz * np"),
            ("2 * hertz * np", "hertz * np"),
        ):
            setup.source = setup.source.replace(*change) if change[0] else setup.source
            client.execute_cell(setup, 0)
            client.execute_cell(players, 2)
            notebook.cells[1] = look
            client.execute_cell(look, 1)
            said.append(look.outputs[0].text.split())
    assert said[0] == said[2] and Path(said[0][2]).parent == folder
    assert said[0][0] != said[1][0] and said[0][1] != said[1][1]
    assert "computed: 0" in report(folder, "build", "tones.py").stdout


@pytest.mark.parametrize(
    ("inputs", "cells", "text"),
    [
        (["", "a = 1", "b = 2"], {1: "x", 2: "y"}, "\na = 1\nb = 2\n"),
        (["", "a = 1", "b = 2", "a = 3"], {1: "x", 2: "y", 3: "x"}, "\na = 3\nb = 2\n"),
        (["", "a = 1", "a = 3", "a = 1"], {}, "\na = 1\na = 3\n"),
        (["", "def f(): 1", "f()", "def f(): 2", "f()"], {}, "\ndef f(): 2\nf()\n"),
        (["", "a = ", "get_ipython().run_line_magic('x', '')\nb = 1"], {}, "\n\nb = 1\n"),
    ],
    ids=["in order", "again", "without IDs", "functions without IDs", "commands and errors"],
)
def test_the_source_of_a_kernel_is_each_cell_as_it_was_last(inputs, cells, text):
    assert text_of(inputs, cells) == text


def test_what_is_wrong_is_said_and_nothing_is_written(folder):
    code = '"""Wrong"""\ndef wrong():\n    1 / 0\n# %% [markdown]\n# Some.\n# %%\n1\nwrong()\n'
    (folder / "wrong.py").write_text(code)
    done = report(folder, "notebook", "wrong.py")
    assert done.returncode == 1
    assert "error: wrong.py, cell 3, line 3: ZeroDivisionError: division by zero" in done.stderr
    assert not (folder / "wrong.ipynb").exists()
    (folder / "tones.ipynb").write_text(json.dumps({"cells": []}))
    done = report(folder, "notebook", "tones.py")
    assert done.returncode == 1 and "tones.ipynb was not written here" in done.stderr


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["-m", "ipykernel_launcher", "-f", "{connection_file}"], "No module named 'report.noteb"),
        (["-c", "raise SystemExit(3)"], "Kernel died"),
    ],
    ids=["of another Python", "broken"],
)
def test_a_kernel_that_can_not_run_an_article_is_said_with_what_to_do(
    folder, monkeypatch, argv, words
):
    (folder / "kernels/python3").mkdir(parents=True)
    (folder / "other").mkdir()
    (folder / "other/report.py").write_text("")
    kernel = {"argv": [sys.executable, *argv], "env": {"PYTHONPATH": str(folder / "other")}}
    named = {"display_name": "Python 3", "language": "python"}
    (folder / "kernels/python3/kernel.json").write_text(json.dumps(kernel | named))
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    done = report(folder, "notebook", "tones.py")
    assert done.returncode == 1 and words in done.stderr
    assert done.stderr.rstrip().endswith("python -m ipykernel install --sys-prefix")
    assert "Traceback" not in done.stderr


def test_a_part_is_shown_as_its_heading_and_what_it_holds():
    tone = 0.3 * np.sin(np.arange(4000) / 9)
    with use_store(MemoryStore()):
        players = [Player(tone, 8000, "One"), Player(tone / 2, 8000, "Two")]
        html = shown.html_of([Part("name", "A <part>", "", players)])
    assert "A &lt;part&gt;</h3>" in html and html.count('src="data:audio/flac') == 2
