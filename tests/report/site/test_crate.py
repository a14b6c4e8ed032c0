"""The provenance of a site for machines, as an RO-Crate 1.1."""

import json

import pytest

from report.sharing.publish import publish
from report.site.crate import make_crate
from report.site.manifest import About, File, Manifest, Provenance, read
from report.storage.folder import Folder


def graph(data: bytes) -> dict[str, dict]:
    things = json.loads(data)["@graph"]
    by_id = {thing["@id"]: thing for thing in things}
    assert len(by_id) == len(things)
    return by_id


@pytest.fixture
def crate(site):
    return graph((site / "ro-crate-metadata.json").read_bytes())


def provenance(**other) -> Provenance:
    digests = {"sha256": "1" * 64, "key": "2" * 64, "code": "3" * 64}
    fields = {"bytes": 3, "media_type": "audio/wav", "function": "f", "inputs": []}
    return Provenance(**digests | fields | {"arguments": {}, "libraries": {}} | other)


def test_the_crate_holds_every_file_of_the_site(site, crate):
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {part["@id"] for part in crate["./"]["hasPart"]} == there - {"ro-crate-metadata.json"}
    assert crate["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert crate["./"]["name"] == "Ramps & <slopes>" and crate["./"]["license"] == "CC-BY-4.0"


def test_every_media_file_is_what_one_action_made(crate):
    media = [name for name in crate if name.startswith("media/")]
    results = [
        thing["result"]["@id"] for thing in crate.values() if thing["@type"] == "CreateAction"
    ]
    assert len(media) == 4 and all(results.count(name) == 1 for name in media)


def test_an_action_names_its_function_its_inputs_and_its_arguments(site, crate):
    half = read((site / "manifest.json").read_bytes()).artifacts["ramps/half/1"]
    action = crate[f"#{half.key}"]
    function = crate[action["instrument"]["@id"]]
    assert (function["name"], function["identifier"]) == ("half", half.code)
    assert {crate[x["@id"]]["name"] for x in function["softwareRequirements"]} >= {
        "numpy",
        "python",
    }
    source, argument = (crate[x["@id"]] for x in action["object"])
    assert source["@id"] == f"#{half.inputs[0]}"
    assert source["@type"] == "CreativeWork"  # not a file, since it is on no page
    assert (argument["@type"], argument["name"]) == ("PropertyValue", "sound")


def test_everything_that_is_referred_to_is_there(crate):
    def references(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else references(list(value.values()))
        if isinstance(value, list):
            for item in value:
                yield from references(item)

    targets = {name for thing in crate.values() for name in references(list(thing.values()))}
    assert {name for name in targets if name not in crate} == {"https://w3id.org/ro/crate/1.1"}
    assert set(crate) - targets == {"ro-crate-metadata.json"}


def test_the_reference_library_reads_it(site, tmp_path):
    rocrate = pytest.importorskip(
        "rocrate.rocrate", reason="needs the RO-Crate library: pip install rocrate"
    )
    release = publish(site, Folder(tmp_path / "published")).release
    published = tmp_path / "published" / "releases" / release
    for folder, media in ((site, "media/"), (published, "../../media/")):
        crate = rocrate.ROCrate(folder)
        assert crate.metadata.version == "1.1"
        assert crate.root_dataset["datePublished"] == "2026-02-03T04:05:06+00:00"
        actions = crate.get_by_type("CreateAction")
        assert len([x for x in actions if x["result"].id.startswith(media)]) == 4
        assert all(x["instrument"].type == "SoftwareSourceCode" for x in actions)
        assert {x.id for x in crate.root_dataset["mentions"]} == {x.id for x in actions}


def test_the_date_is_the_one_that_is_known():
    dated, undated = (Manifest(facts, {}, {}, {}) for facts in ({"date": "2026-01-02"}, {}))
    assert graph(make_crate(dated))["./"]["datePublished"] == "2026-01-02"
    root = graph(make_crate(undated))["./"]
    assert "datePublished" not in root  # it was 1970-01-01
    assert "date of publication is not known" in root["description"]
    said = {"a.html": About("A", date="2026-03-01"), "b.html": About("B", date="2025-01-01")}
    assert graph(make_crate(Manifest({}, said, {}, {})))["./"]["datePublished"] == "2026-03-01"


def test_authors_are_people_of_the_crate():
    pages = {
        "a.html": About("A", authors=["Ada", "Ben"], order=1),
        "b.html": About("B", authors=["Ben", "Cid"]),
    }
    crate = graph(make_crate(Manifest({}, pages, {}, {})))
    assert [crate[x["@id"]]["name"] for x in crate["./"]["author"]] == ["Ben", "Cid", "Ada"]
    assert "author" not in graph(make_crate(Manifest({}, {}, {}, {})))["./"]


def test_hostile_texts_stay_texts():
    evil = '"}], "@id": "./", </script><script>'
    files = {f"media/{'1' * 64}.wav": File("1" * 64, 3, "audio/wav")}
    artifacts = {evil: provenance(function=evil, arguments={evil: evil}, libraries={evil: evil})}
    crate = graph(make_crate(Manifest({"license": evil}, {}, files, artifacts)))
    assert crate[f"media/{'1' * 64}.wav"]["name"] == evil
    assert not [name for name in crate if "script" in name]
