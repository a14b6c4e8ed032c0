"""Parameters: annotated defaults of a script, which a command line sets."""

import json

import pytest

from report import FolderStore, build
from report.article.parameters import parameters_of, read_settings
from report.errors import ReportError

ARTICLE = '''"""Counts"""
from typing import Literal
from report import Data, conjure

STEPS: int = 100
RATE: float = 0.5
FAST: bool = False
NAME: str = "alto"
VOICE: Literal["low", "high"] = "low"
GRID: list[int] = [1]
OTHER = 3
COUNT: int = 0

def counting():
    global COUNT
    COUNT += 1

@conjure
def counted() -> Data:
    return Data([STEPS, RATE, FAST, NAME, VOICE])

@conjure
def other() -> Data:
    return Data(OTHER)

# %%
[counted(), other(), f"{STEPS} steps"]
'''


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "counts.py"
    path.write_text(ARTICLE)
    return path


def test_a_parameter_that_is_set_is_in_page_keys_and_colophon(script, tmp_path):
    store = FolderStore(tmp_path / "store")
    texts = ["STEPS=7", "RATE=2", "FAST=yes", "NAME=a=b", "VOICE=high"]
    settings = read_settings(texts, [script])
    build([script], tmp_path / "site", store)
    set_ = build([script], tmp_path / "site", store, namespace=settings)
    assert (set_.computed, set_.hits) == (1, 1)  # `other` reads none of them
    page = (tmp_path / "site" / "counts.html").read_text()
    assert "7 steps" in page
    assert "<dt>parameters</dt><dd>STEPS = 7, RATE = 2.0, FAST = True" in page
    record = dict(store.build("counts").calls)["counted/1"]
    assert json.loads(store.read(record)) == [7, 2.0, True, "a=b", "high"]
    again = build([script], tmp_path / "site", store)
    assert again.computed == 0 and "100 steps" in (tmp_path / "site" / "counts.html").read_text()
    assert "<dt>parameters" not in (tmp_path / "site" / "counts.html").read_text()


def test_the_parameters_of_a_script_are_its_annotated_defaults(script):
    kinds = {name: parameter.kind for name, parameter in parameters_of(script).items()}
    assert list(kinds) == ["STEPS", "RATE", "FAST", "NAME", "VOICE", "GRID", "COUNT"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("STEPS", "--set STEPS: write it as NAME=VALUE"),
        ("STEPS=many", r"'many' is not an int \(the default of counts.py is 100\)"),
        ("STEPS=1.5", "'1.5' is not an int"),
        ("RATE=fast", r"'fast' is not a float \(the default of counts.py is 0.5\)"),
        ("FAST=2", "'2' is not a bool: true or false"),
        ("VOICE=middle", "'middle' is not one of 'low', 'high'"),
        ("STEP=3", r"no parameter of counts.py; is it STEPS \(int\)\?"),
        ("steps=3", r"is it STEPS \(int\)\?"),
        ("OTHER=3", r"there are STEPS \(int\), RATE"),
        ("GRID=1", r"counts.py says list\[int\], which can not be set; use bool, float"),
        ("COUNT=1", "a function of counts.py writes to it, too"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_right(script, text, words):
    with pytest.raises(ReportError, match=words):
        read_settings([text], [script])


def test_a_setting_is_for_all_articles_that_have_it(script, tmp_path):
    (tmp_path / "other.py").write_text('"""Other"""\nSTEPS: int = 3\n')
    (tmp_path / "float.py").write_text('"""Float"""\nSTEPS: float = 3\n')
    assert read_settings(["STEPS=5"], [script, tmp_path / "other.py"]) == {"STEPS": 5}
    with pytest.raises(ReportError, match="types differ"):
        read_settings(["STEPS=5"], [script, tmp_path / "float.py"])
