"""Files of figures are read if they are of the right checkpoint; else the error names the fix."""

import json

import pytest

from experiments.stored_figures import FigureFile
from report import ReportError


def test_missing_figures_name_the_command(tmp_path):
    with pytest.raises(ReportError, match="python -m experiments.measurements.switches"):
        FigureFile.beside(str(tmp_path / "switches.py")).read()


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_without_figures_is_named(tmp_path, text):
    path = tmp_path / "switches.json"
    path.write_text(text)
    with pytest.raises(ReportError, match=f"{path}: .*; run python -m a.command"):
        FigureFile(path, "python -m a.command").read()


def test_figures_of_another_checkpoint_are_refused(codec, tmp_path):
    file = FigureFile.beside(str(tmp_path / "compare_time_codes.py"))
    file.write({"checkpoint": "0" * 64})
    advice = "of another checkpoint; run python -m experiments.measurements.compare_time_codes"
    with pytest.raises(ReportError, match=advice):
        file.read_of(codec)
    file.write({"checkpoint": codec.digest, "steps": 3})
    assert file.read_of(codec)["steps"] == json.loads(file.path.read_text())["steps"] == 3
