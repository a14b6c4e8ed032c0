"""How code becomes a key, as far as `tests/mutations` does not show it."""

import ast
import inspect
import json
import re
import warnings
from pathlib import Path

import pytest

import report
from report import Data, MemoryStore, Player, Sound, build, conjure
from report.article import given, images, spectrogram
from report.artifacts.session import request_of
from report.keys import dependencies
from report.keys.dependencies import code_of
from report.keys.libraries import library_versions
from report.keys.source import find_module, resolve
from report.keys.values_in_source import NotFollowed

ROOT = Path(report.__file__).parent
EFFECTS = [  # of importing this package: none changes a result
    "register_results(conjure, Artifact, decode, encode, _ENCODERS)",
    'if sys.platform != "win32":\n    import fcntl',
]


def test_importing_this_package_does_nothing_that_a_key_would_have_to_know():
    effects = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        module = find_module(".".join(parts).removesuffix(".__init__"))
        if path.stem != "__main__":
            effects += [module.segment(effect.statement).strip() for effect in module.effects]
    assert effects == EFFECTS


@pytest.mark.parametrize("path", sorted((ROOT / "keys").glob("*.py")), ids=lambda path: path.stem)
def test_keys_name_no_module_of_the_rooms_above(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.fullmatch(r"report(\.\w+)+", node.value)


@conjure
def plain(n: int) -> Data:
    return Data(n)


@conjure
def sounding(n: int) -> Sound:
    return Sound([0.0] * n, 8000)


OURS = [images.local_image, spectrogram.spectrogram_of, given.by_content, given.sound_file]


@pytest.mark.parametrize("function", OURS, ids=lambda function: function.__name__)
def test_all_code_of_our_own_artifacts_can_be_followed(function, monkeypatch):
    monkeypatch.setattr(dependencies, "_warned", set())
    monkeypatch.setattr(dependencies, "PACKAGE", Path("/nowhere"))
    code_of.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotFollowed)
        assert code_of(inspect.unwrap(function)).symbols


@conjure
def showing(n: int) -> Sound:
    sound = Player([0.1] * n, 8000).sound.value
    return Sound(getattr(sound, "samp" + "les"), sound.samplerate)


def test_an_author_hears_of_the_own_code_that_is_not_followed_and_not_of_ours(monkeypatch):
    monkeypatch.setattr(dependencies, "_warned", set())
    code_of.cache_clear()
    with pytest.warns(NotFollowed) as heard:
        code_of(inspect.unwrap(showing))
    assert {Path(warning.filename).name for warning in heard} == {"test_dependencies.py"}


def test_a_function_depends_on_how_its_own_kind_of_media_is_encoded():
    data, sound = (code_of(f.__wrapped__).symbols for f in (plain, sounding))
    media = "report.artifacts.media"
    assert f"{media}.encode_data" in data and f"{media}.encode_sound" not in data
    assert f"{media}.encode_sound" in sound and f"{media}.encode_figure" not in sound
    around = ("report.artifacts.store", "report.artifacts.session")
    assert not any(name.startswith(around) for name in data)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfNAME = 'caf\xc3\xa9'\n",
        b"# -*- coding: latin-1 -*-\nNAME = 'caf\xe9'\n",
        b"# vim: set fileencoding=cp1252 :\r\nNAME = 'caf\xe9'\r\n",
    ],
)
def test_a_module_is_read_as_python_reads_it(tmp_path, data):
    (tmp_path / "names_of_places.py").write_bytes(data)
    lines = ['"""A"""', "from names_of_places import NAME", "from report import Data, conjure"]
    lines += ["@conjure", "def f() -> Data:", "    return Data(NAME)", "# %%", "f()"]
    (tmp_path / "a.py").write_text("\n".join(lines))
    store = MemoryStore()
    build([tmp_path / "a.py"], tmp_path / "site", store)
    ((_, record),) = store.build("a").calls
    assert json.loads(store.read(record)) == "café"
    assert "global names_of_places.NAME" in record.values


def test_libraries_are_those_that_are_reached_and_what_they_require():
    assert library_versions(frozenset()).keys() == {"python"}
    assert {"numpy", "scipy", "joblib"} <= library_versions(frozenset({"sklearn"})).keys()
    assert "matplotlib" not in code_of(sounding.__wrapped__).versions


def test_a_name_leads_to_where_it_is_defined():
    module = find_module("report")
    assert str(resolve(module, "conjure")) == "report.artifacts.session.conjure"
    assert resolve(module, "len").kind == "builtin"
    assert resolve(module, "nothing_like_it").kind == "injected"


def test_a_function_from_a_shell_is_refused():
    scope = {"__name__": "a_shell", "conjure": conjure, "Data": Data}
    exec("@conjure\ndef f() -> Data:\n    return Data(1)", scope)
    with pytest.raises(
        report.ReportError, match="source of f can not be read; define it in a file"
    ):
        scope["f"]()


def test_the_source_for_people_names_file_and_line():
    source = code_of(plain.__wrapped__).source()
    symbol = source[f"{plain.__module__}.plain"]
    line = Path(__file__).read_text().splitlines()[symbol["line"] - 1]
    assert line == "@conjure" and symbol["text"].startswith("@conjure\ndef plain(n: int)")


def test_a_request_says_all_that_its_key_is_made_of():
    bound = inspect.signature(plain.__wrapped__).bind(3)
    request = request_of(plain.__wrapped__, bound)
    assert set(request.parts) == {"function", "code", "arguments", "globals", "libraries", "device"}
    assert set(request.values) == {"n", "device"}
