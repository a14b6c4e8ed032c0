"""The code that the documentation shows runs."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from experiments.clips import SHIPPED
from sparse_codec import EncodeOptions, SparseCodec

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "first_steps.ipynb"
QUICK = EncodeOptions(n_events=16, candidates=2, interim=0, refine=0)
QUICK_CELL = """
import functools
from sparse_codec import EncodeOptions, SparseCodec
quick = EncodeOptions(n_events=16, candidates=2, interim=0, refine=0)
SparseCodec.encode = functools.partialmethod(SparseCodec.encode, options=quick)
"""  # as the fixture quick_model, for a notebook's kernel


def python_blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def five_lines() -> str:
    return python_blocks((ROOT / "README.md").read_text().split("## Five lines")[1])[0]


@pytest.fixture
def song(tmp_path, monkeypatch) -> Path:
    """The working folder, with song.wav: four seconds at 44,100 Hz, a little louder on the left."""
    audio, samplerate = sf.read(SHIPPED / "music" / "bach_bwv309.flac")
    audio = np.repeat(audio[: 4 * samplerate], 44_100 // samplerate)
    sf.write(tmp_path / "song.wav", np.stack([audio, 0.8 * audio], axis=1), 44_100)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quick_model(monkeypatch):
    """The shipped models with options that are less exact and quick."""
    load = SparseCodec.load

    def load_quick(path):
        codec = load(path)
        codec.config = dataclasses.replace(codec.config, encode=QUICK)
        return codec

    monkeypatch.setattr(SparseCodec, "load", load_quick)


@pytest.mark.slow
def test_every_block_of_the_page_about_the_codec_runs(song, quick_model):
    names = {}
    for block in python_blocks((ROOT / "docs" / "codec.md").read_text()):
        exec(compile(block, block, "exec"), names)
    events = names["events"]
    assert 0 < len(names["half"]) == len(events) // 2 and len(names["large"]) < len(events)
    assert len(names["early"]) + len(names["late"]) == len(events)
    for name in ("half.wav", "again.wav"):
        sound, samplerate = sf.read(song / name)
        assert samplerate == 22_050 and len(sound) == events.n_samples
        assert np.abs(sound).max() > 0.01
    assert (song / "song.events").stat().st_size < (song / "exact.events").stat().st_size


@pytest.mark.slow
def test_five_lines_move_the_stronger_half_of_a_song_by_half_a_second(song, quick_model):
    code = five_lines()
    assert len([line for line in code.splitlines() if line]) == 5
    exec(compile(code, "README.md", "exec"), {})
    moved, samplerate = sf.read(song / "moved.wav")
    assert samplerate == 22_050 and len(moved) == 4.5 * samplerate
    assert np.abs(moved).max() > 0.01
    rise = 256  # samples in which a consistent event begins
    assert np.abs(moved[: samplerate // 2 - rise]).max() < 1e-4


@pytest.mark.slow
def test_the_notebook_of_the_five_lines_runs(song, monkeypatch):
    pytest.importorskip("ipykernel", reason="the kernel that runs notebooks; pip install ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="runs notebooks; pip install nbclient")
    nbformat = pytest.importorskip("nbformat", reason="reads notebooks; pip install nbclient")
    sf.write(song / "song.wav", sf.read(song / "song.wav")[0][:44_100], 44_100)  # a second
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(QUICK_CELL))
    place = {"metadata": {"path": str(song)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=place).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [output.data.get("text/html", "") for output in outputs if "data" in output]
    assert any("<audio" in page for page in pages)
    assert len(sf.read(song / "moved.wav")[0]) == 1.5 * 22_050


def test_the_notebook_has_the_five_lines_and_no_outputs():
    nbformat = pytest.importorskip("nbformat", reason="reads notebooks; pip install nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    written = "\n".join(cell.source for cell in code).replace(", progress=tqdm", "")
    assert all(line in written for line in five_lines().splitlines())
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
