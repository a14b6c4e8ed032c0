"""manifest.json has a site's files and how each artifact was made; any change of it is found."""

import dataclasses
import hashlib
import json
import random
import shutil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from report import FolderStore, build
from report.errors import SiteError
from report.listening.design import design_json
from report.site import selfcheck
from report.site.manifest import File, describe, make, read, serialise
from tests.report.listening.asked import designs_of

ANY = File("0" * 64, 1, "text/html")
FILE = dataclasses.asdict(ANY)


def encoded(fields: dict) -> bytes:
    """A manifest by someone who knows how to hash one."""
    return selfcheck.serialise(fields | {"sha256": selfcheck.digest(fields)})


def changed(site, **fields) -> bytes:
    return encoded(json.loads((site / "manifest.json").read_bytes()) | fields)


def test_every_file_but_the_manifest_is_named_by_hash_length_and_type(site):
    files = json.loads((site / "manifest.json").read_bytes())["files"]
    there = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    assert set(files) == set(there) - {"manifest.json"}
    for name, file in files.items():
        data = there[name].read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest(), name
        assert file["bytes"] == len(data), name
    types = {name.rpartition(".")[2]: file["media_type"] for name, file in files.items()}
    assert types == {
        "css": "text/css",
        "html": "text/html",
        "js": "text/javascript",
        "json": "application/json",
        "png": "image/png",
        "flac": "audio/flac",
    }


def test_every_artifact_says_how_it_was_made_and_nothing_that_varies(site):
    manifest = json.loads((site / "manifest.json").read_bytes())
    half = manifest["artifacts"]["ramps/half/1"]
    assert half["function"] == "half" and half["media_type"] == "audio/flac"
    assert half["bytes"] == manifest["files"][f"media/{half['sha256']}.flac"]["bytes"]
    assert "numpy" in half["libraries"]
    assert manifest["artifacts"]["ramps/ramp/1"]["arguments"] == {"n": "100"}
    on_no_page = manifest["artifacts"]["ramps/ramp/3"]
    assert half["inputs"] == [on_no_page["sha256"]]
    assert f"media/{on_no_page['sha256']}.flac" not in manifest["files"]
    for artifact in manifest["artifacts"].values():
        assert not {"seconds", "created", "machine"} & set(artifact)
    assert manifest["pages"]["ramps.html"]["title"] == "Ramps & <slopes>"


def test_what_is_written_is_read_again(site):
    data = (site / "manifest.json").read_bytes()
    manifest = read(data)
    assert manifest.encode() == data
    page = (site / "ramps.html").read_bytes()
    assert manifest.files["ramps.html"] == describe("ramps.html", page)
    assert manifest.sha256 == json.loads(data)["sha256"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
@example({"\uffff": "\U0001d11e", "é": '\x00\x1f\x7f\u2028\t"\\/', "a": [], "b": {}})
def test_it_is_written_as_the_check_of_an_archive_writes_it(value):
    assert serialise(value) == selfcheck.serialise(value)


def test_a_changed_byte_anywhere_is_found(site):
    data = (site / "manifest.json").read_bytes()
    dice = random.Random(0)
    for place in dice.sample(range(len(data)), 300):
        with pytest.raises(
            SiteError, match=r"manifest.json can not be used: .*; build the site again"
        ):
            read(data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :])


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"schema": 2}', b"\xff"]
)
def test_what_is_no_manifest_is_a_clear_error(damage):
    with pytest.raises(SiteError, match="manifest.json can not be used") as error:
        read(damage)
    assert "\n" not in str(error.value)


def test_another_spelling_of_the_same_manifest_is_not_it(site):
    data = (site / "manifest.json").read_bytes()
    twice = data.replace(b"{\n", b'{\n "schema": 2,\n', 1)  # a name that stands there twice
    for other in (
        data + b"\n",
        data.replace(b"\n", b"\r\n"),
        json.dumps(json.loads(data)).encode(),
        twice,
    ):
        with pytest.raises(SiteError, match="does not hash to what it says"):
            read(other)


def test_another_schema_or_generator_is_refused(site):
    with pytest.raises(SiteError, match="schema is 3, not 2"):
        read(changed(site, schema=3))
    with pytest.raises(SiteError, match="not written here"):
        read(changed(site, generator="another"))


HOSTILE = [
    *("../x.html", "/etc/passwd", "a/../../x.html", "a\\b.html", "..\\x.html", "", "a//b.html"),
    *("./x.html", "C:\\x", "a\nb.html", "<script>.html", ".hidden", "x.html/", "manifest.json"),
    *("media/x.flac", f"media/{'1' * 64}.flac"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leads_elsewhere_is_refused_whoever_hashed_it(site, name):
    files = json.loads((site / "manifest.json").read_bytes())["files"]
    with pytest.raises(SiteError, match="manifest.json can not be used"):
        read(changed(site, files=files | {name: FILE}))
    with pytest.raises(SiteError):
        make({}, {}, {name: ANY}, [])


@pytest.mark.parametrize(
    "media",
    [
        "javascript:alert(1)",
        'https://h/"><script>',
        "https://key:secret@h/m",
        "../../../etc",
        "//h/m",
        "",
    ],
)
def test_media_are_at_no_other_kind_of_address(site, media):
    with pytest.raises(SiteError, match="unusable media"):
        read(changed(site, media=media))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"facts": {"a": 1}}, 'facts["a"] is 1, expected a text'),
        ({"facts": []}, "facts is [], expected an object"),
        ({"pages": {"ramps.html": {}}}, 'pages["ramps.html"].title is missing'),
        ({"pages": {"none.html": {"title": "x"}}}, "pages: 'none.html' is not among the files"),
        ({"files": {"a.html": FILE | {"sha256": "x"}}}, 'files["a.html"].sha256 is "x"'),
        ({"files": {"a.html": FILE | {"bytes": -1}}}, 'files["a.html"].bytes is -1'),
        ({"files": {"a.html": {"sha256": "0" * 64}}}, 'files["a.html"].bytes is missing'),
        ({"artifacts": {"a": {}}}, 'artifacts["a"].sha256 is missing'),
        ({"artifacts": []}, "artifacts is [], expected an object"),
        ({"more": 1}, "more is no known field"),
    ],
)
def test_fields_that_are_not_what_they_have_to_be_are_named(site, fields, problem):
    with pytest.raises(SiteError, match="manifest.json can not be used") as error:
        read(changed(site, **fields))
    assert problem in str(error.value)


def test_a_file_of_a_kind_that_no_site_has_is_refused():
    with pytest.raises(SiteError, match="run.exe: no file of a site ends in 'exe'"):
        describe("run.exe", b"")


def test_listening_tests_are_listed_by_what_they_ask(asking):
    """So answers are checked without the page. The other articles' entries stay as they were."""
    designs = designs_of(asking / "site")
    assert set(designs) == {"mushra", "preference"}
    page = (asking / "site" / "tones.html").read_text()
    for design in designs.values():
        assert design_json(design).decode() in page
    files = json.loads((asking / "site" / "manifest.json").read_bytes())["files"]
    for item in designs["mushra"].items:
        assert all(f"media/{sha}.flac" in files for sha in item.sounds.values())


def test_a_build_of_another_article_keeps_the_tests_that_are_there(asking, tmp_path):
    folder = shutil.copytree(asking, tmp_path / "asking")
    before = designs_of(folder / "site")
    (folder / "words.py").write_text('"""Words"""\n\n# %% [markdown]\n# No sound.\n')
    build([folder / "words.py"], folder / "site", FolderStore(folder / "store"))
    assert designs_of(folder / "site") == before


def test_a_manifest_without_tests_is_as_it_was_before_there_were_any(site):
    assert "tests" not in json.loads((site / "manifest.json").read_bytes())["pages"]["ramps.html"]


def test_a_test_that_is_not_the_one_of_its_hash_is_an_error(asking):
    fields = json.loads((asking / "site" / "manifest.json").read_bytes())
    asked = fields["pages"]["tones.html"]["tests"]
    for test in asked.values():
        test["design"]["question"] = "Is it not good?"
    with pytest.raises(SiteError, match="the test '.*' is not the one of its hash"):
        read(encoded(fields)).designs()
    for test in asked.values():
        test["design"]["version"] = 99
    with pytest.raises(SiteError, match="has version 99"):
        read(encoded(fields)).designs()
