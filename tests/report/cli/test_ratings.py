"""`python -m report ratings`: each file is checked against the site, the rest is analysed."""

import json

import pytest

from report.__main__ import _add_options, _prepare
from report.cli.main import run
from report.cli.program import Program
from tests.report.listening.asked import designs_of
from tests.report.listening.listeners import clicker, digest, honest, make_design

PROGRAM = Program("python -m report", "report", "", _add_options, _prepare)


def ratings(*words) -> int:
    return run(PROGRAM, ["ratings", *map(str, words)])


@pytest.fixture
def answers(asking, tmp_path):
    """A folder with seven honest listeners and a random clicker."""
    design = designs_of(asking / "site")["mushra"]
    folder = tmp_path / "answers"
    folder.mkdir()
    for seed in range(7):
        (folder / f"honest-{seed}.json").write_bytes(honest(design, seed))
    (folder / "clicker.json").write_bytes(clicker(design, 100))
    return folder


def test_a_folder_of_answers_becomes_a_table_and_json(asking, answers, tmp_path, capsys):
    out = tmp_path / "results.json"
    assert ratings(answers, "--site", asking / "site", "--json", out) == 0
    said = capsys.readouterr().out
    assert "7 listeners count, 1 rejected" in said
    assert f"rejected {answers}/clicker.json: hidden reference below 90 in" in said
    assert "Reference" in said and "3.5 kHz anchor" in said
    results = json.loads(out.read_text())
    by_kind = {test["kind"]: test for test in results["tests"]}
    mushra = by_kind["mushra"]
    fine = next(e for e in mushra["estimates"] if e["key"] == "fine" and not e["item"])
    assert f"{fine['mean']:.2f}" in said and fine["low"] < fine["mean"] < fine["high"]
    assert mushra["differences"][0]["first"] == "fine"
    assert by_kind["preference"]["listeners"] == 0
    assert results["refused"] == []


def test_clips_that_are_not_these_are_refused_by_name_and_the_rest_is_analysed(
    asking, answers, capsys
):
    """As after a new rendering: the design is another, and so is a sound."""
    text = (answers / "honest-0.json").read_text()
    design = designs_of(asking / "site")["mushra"]
    old = text.replace(design.items[0].sounds["fine"], digest("an earlier rendering"))
    fields = json.loads(old) | {"design": digest("an earlier design"), "listener": "0" * 32}
    (answers / "old.json").write_text(json.dumps(fields))
    (answers / "broken.json").write_text("{")
    assert ratings(answers, "--site", asking / "site") == 1
    said = capsys.readouterr().out
    assert "of other sounds than those of 'low' by 'fine'" in said
    assert f"refused {answers}/broken.json: no JSON" in said
    assert "7 listeners count" in said


def test_a_listener_counts_once(asking, answers, capsys):
    (answers / "again.json").write_bytes((answers / "honest-0.json").read_bytes())
    assert ratings(answers, "--site", asking / "site") == 1
    said = capsys.readouterr().out
    assert f"refused {answers}/honest-0.json: the same listener has answered in" in said
    assert "7 listeners count" in said


def test_answers_to_an_earlier_design_count_if_it_is_named(asking, answers, capsys):
    fields = json.loads((answers / "honest-0.json").read_text())
    fields |= {"design": digest("an earlier design")}
    (answers / "honest-0.json").write_text(json.dumps(fields))
    assert ratings(answers, "--site", asking / "site") == 1
    assert "of the same sounds, so its question" in capsys.readouterr().out
    also = digest("an earlier design")[:16]
    assert ratings(answers, "--site", asking / "site", "--also", also) == 0
    assert ratings(answers, "--site", asking / "site", "--also", "a") == 1
    assert "give 16 or more digits" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "there is no file or folder nowhere"),
        (["s3:/"], "there is no file or folder s3:/"),
    ],
)
def test_what_is_not_there_is_a_clear_error(asking, capsys, words, message):
    assert ratings(*words, "--site", asking / "site") == 1
    assert message in capsys.readouterr().err


def test_answers_to_other_tests_and_no_answers_are_said(asking, tmp_path, capsys):
    file = tmp_path / "other.json"
    file.write_bytes(honest(make_design("mushra", 2, id="another"), 1))
    assert ratings(file, "--site", asking / "site") == 1
    told = capsys.readouterr()
    assert f"refused {file}: of no test of this site" in told.out
    assert "no answers to a test of this site were found" in told.err


def test_a_site_without_tests_is_a_clear_error(site, tmp_path, capsys):
    (tmp_path / "a.json").write_bytes(b"{}")
    assert ratings(tmp_path / "a.json", "--site", site) == 1
    assert "has no listening test" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["serve"], "--into FOLDER"),
        (["post"], "--bucket s3://BUCKET/PREFIX"),
    ],
)
def test_what_serve_and_post_need_is_asked_for(words, message, capsys):
    with pytest.raises(SystemExit):
        ratings(*words)
    assert message in capsys.readouterr().err


def test_an_origin_is_the_start_of_an_address(asking, tmp_path, capsys):
    options = ["--site", asking / "site", "--into", tmp_path / "a", "--origin", "example.org/page"]
    assert ratings("serve", *options) == 1
    assert "give the start of an address" in capsys.readouterr().err
