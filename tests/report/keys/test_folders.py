"""Folders in a key: every file below counts, links are followed, and loops end."""

import os

import pytest

from report import ReportError
from report.keys.values import path_digest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "deep" / "a.txt").write_text("a")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.txt").write_text("b")
    return tmp_path / "data"


def test_a_file_in_a_linked_folder_counts(folder):
    (folder / "linked").symlink_to(folder.parent / "elsewhere")
    before = path_digest(folder, "data")
    (folder.parent / "elsewhere" / "b.txt").write_text("c")
    assert path_digest(folder, "data") != before


def test_a_link_back_to_the_folder_adds_nothing(folder):
    before = path_digest(folder, "data")
    (folder / "deep" / "again").symlink_to(folder)
    assert path_digest(folder, "data") == before
    (folder / "deep" / "a.txt").write_text("b")
    assert path_digest(folder, "data") != before


@pytest.mark.parametrize("target", ["nowhere", "broken"], ids=["missing", "itself"])
def test_a_link_that_leads_nowhere_is_named(folder, target):
    (folder / "broken").symlink_to(folder / target)
    with pytest.raises(ReportError, match=r"argument x: .*broken is a link that leads nowhere"):
        path_digest(folder, "argument x")


def test_a_folder_that_may_not_be_read_is_named(folder, monkeypatch):
    real = os.listdir, os.scandir

    def refuse(which):
        def call(path):
            if str(path).endswith("deep"):
                raise PermissionError(13, "Permission denied", str(path))
            return which(path)

        return call

    monkeypatch.setattr(os, "listdir", refuse(real[0]))
    monkeypatch.setattr(os, "scandir", refuse(real[1]))
    with pytest.raises(ReportError, match=r"cannot read .*deep: Permission denied"):
        path_digest(folder, "data")
