"""Tables of documents come from the figures that are stored."""

import pytest

from experiments.measurements import write_tables
from experiments.measurements.write_tables import main, with_tables

TEXT = "Before.\n<!-- table: music counts -->\nold\n<!-- end -->\nAfter.\n"


def test_a_table_comes_between_its_markers_and_stays_when_written_again():
    once = with_tables(TEXT)
    assert once.startswith("Before.\n<!-- table: music counts -->\n| Share removed")
    assert once.endswith("|\n<!-- end -->\nAfter.\n") and "old" not in once
    assert with_tables(once) == once


def test_an_unknown_table_is_refused_by_name():
    with pytest.raises(ValueError, match="no table is called 'music opinions'.*counts"):
        with_tables(TEXT.replace("counts", "opinions"))


def test_a_check_names_documents_that_differ_and_writes_nothing(tmp_path, monkeypatch, capsys):
    document = tmp_path / "a.md"
    document.write_text(TEXT)
    monkeypatch.setattr(write_tables, "DOCUMENTS", [document])
    monkeypatch.setattr(write_tables, "ROOT", tmp_path)
    assert main(["--check"]) == 1 and document.read_text() == TEXT
    assert capsys.readouterr().out == "a.md\n"
    assert main([]) == 0 and main(["--check"]) == 0
