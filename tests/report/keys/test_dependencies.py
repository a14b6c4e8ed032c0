"""What `tests/mutations` can not show: the rest of how code becomes a key."""

import inspect
from pathlib import Path

import pytest

import report
from report import Data, Sound, conjure
from report.artifacts.session import _request
from report.keys.dependencies import code_of
from report.keys.libraries import library_versions
from report.keys.source import find_module, resolve

ROOT = Path(report.__file__).parent


def test_importing_this_package_does_nothing_that_a_key_would_have_to_know():
    for path in ROOT.glob("*.py"):
        name = "report" if path.stem == "__init__" else f"report.{path.stem}"
        assert [ast_line(x) for x in find_module(name).effects if path.stem != "__main__"] == [], (
            name
        )


def ast_line(statement):
    return statement.lineno


@conjure
def plain(n: int) -> Data:
    return Data(n)


@conjure
def sounding(n: int) -> Sound:
    return Sound([0.0] * n, 8000)


def test_a_function_depends_on_how_its_own_kind_of_media_is_encoded():
    data, sound = (code_of(f.__wrapped__).symbols for f in (plain, sounding))
    assert (
        "report.artifacts.media.encode_data" in data
        and "report.artifacts.media.encode_sound" not in data
    )
    assert (
        "report.artifacts.media.encode_sound" in sound
        and "report.artifacts.media.encode_figure" not in sound
    )
    assert not any(
        name.startswith(("report.artifacts.store", "report.artifacts.session")) for name in data
    )


def test_libraries_are_those_that_are_reached_and_what_they_require():
    assert library_versions(frozenset()).keys() == {"python"}
    assert {"numpy", "scipy", "joblib"} <= library_versions(frozenset({"sklearn"})).keys()
    assert "matplotlib" not in code_of(sounding.__wrapped__).versions


def test_a_name_leads_to_where_it_is_defined():
    module = find_module("report")
    assert str(resolve(module, "conjure")) == "report.artifacts.session.conjure"
    assert (
        resolve(module, "len").kind == "builtin"
        and resolve(module, "nothing_like_it").kind == "injected"
    )


def test_a_function_from_a_shell_is_refused():
    scope = {"__name__": "a_shell", "conjure": conjure, "Data": Data}
    exec("@conjure\ndef f() -> Data:\n    return Data(1)", scope)
    with pytest.raises(
        report.ReportError, match="source of f can not be read; define it in a file"
    ):
        scope["f"]()


def test_what_is_kept_of_the_source_names_file_and_line():
    source = code_of(plain.__wrapped__).source()
    kept = source[f"{plain.__module__}.plain"]
    line = Path(__file__).read_text().splitlines()[kept["line"] - 1]
    assert line == "@conjure" and kept["text"].startswith("@conjure\ndef plain(n: int)")


def test_a_request_says_all_that_its_key_is_made_of():
    bound = inspect.signature(plain.__wrapped__).bind(3)
    request = _request(plain.__wrapped__, bound)
    assert set(request.parts) == {"function", "code", "arguments", "globals", "libraries", "device"}
    assert set(request.values) == {"n", "device"}
