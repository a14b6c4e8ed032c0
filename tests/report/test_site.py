import json
import os
import re
import shutil

import pytest

from report import CellError, FolderStore, ReportError, SiteError, build
from report.site import ASSETS

ARTICLE = '''"""{title}

Two sounds."""
import numpy as np
from report import Player, Sound, conjure

@conjure
def ramp(n: int) -> Sound:
    return Sound(np.linspace(-0.5, 0.5, n), 8000)

# %% [markdown]
# ## Part {{{{ BUILD }}}}

# %%
[Player(ramp(n), f"Ramp of {{n}}") for n in (100, 200)]
'''


@pytest.fixture
def scripts(tmp_path):
    paths = [tmp_path / "scripts" / f"{name}.py" for name in ("music", "speech")]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_text(ARTICLE.format(title=path.stem.capitalize()))
    return paths


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def built(scripts, out, store):
    summary = build(scripts, out, store, {"commit": "a1b2"}, {"BUILD": 7})
    return summary, files(out)


def test_a_site_is_whole_and_names_nothing_outside_itself(scripts, store, tmp_path):
    summary, site = built(scripts, tmp_path / "new" / "site", store)
    assert {"index.html", "music.html", "speech.html", "manifest.json", *(f"assets/{a}" for a in ASSETS)} <= set(site)
    for name in ("index.html", "music.html", "speech.html"):
        for address in re.findall(r'\b(?:src|href)="([^"#]+)"', site[name].decode()):
            assert address in site or address == "data:,", address
    assert b'href="speech.html">Speech' in site["index.html"]
    assert b"Part 7" in site["music.html"]
    assert (summary.pages, summary.computed, summary.media) == (["music.html", "speech.html"], 4, 2)


def test_the_manifest_says_what_every_media_file_is_and_who_made_it(scripts, store, tmp_path):
    _, site = built(scripts, tmp_path / "site", store)
    manifest = json.loads(site["manifest.json"])
    media = {name.removeprefix("media/"): data for name, data in site.items() if name.startswith("media/")}
    assert set(manifest["media"]) == set(media) and manifest["facts"] == {"commit": "a1b2"}
    for name, entry in manifest["media"].items():
        assert entry["bytes"] == len(media[name]) and name == f"{entry['sha256']}.wav"
        assert [made["function"] for made in entry["made_by"]] == ["article_music.ramp", "article_speech.ramp"]
        assert entry["made_by"][0]["arguments"]["n"] in ("100", "200")


def test_building_twice_gives_the_same_bytes_and_computes_nothing(scripts, store, tmp_path):
    _, first = built(scripts, tmp_path / "one", store)
    summary, second = built(scripts, tmp_path / "two", store)
    assert first == second and (summary.computed, summary.hits) == (0, 4)
    _, afresh = built(scripts, tmp_path / "three", FolderStore(tmp_path / "other"))
    assert first == afresh
    assert str(tmp_path).encode() not in b"".join(afresh.values())


def test_an_old_site_is_replaced_whole(scripts, store, tmp_path):
    built(scripts, tmp_path / "site", store)
    _, site = built(scripts[:1], tmp_path / "site", store)
    assert "speech.html" not in site and "music.html" in site
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scripts", "site", "store"]


def test_a_failed_article_leaves_the_old_site_and_the_others_are_tried(scripts, store, tmp_path, capsys):
    _, before = built(scripts, tmp_path / "site", store)
    scripts[0].write_text('"""Music"""\n# %%\n1 / 0\n')
    capsys.readouterr()
    with pytest.raises(CellError, match=r"music.py, cell 2, line 3: ZeroDivisionError"):
        built(scripts, tmp_path / "site", store)
    assert "speech: Part" in capsys.readouterr().err
    assert files(tmp_path / "site") == before
    scripts[1].write_text('"""Speech\n')
    with pytest.raises(SiteError, match=r"(?s)2 of 2 articles failed.*speech.py, line 1.*music.py, cell 2"):
        built(scripts, tmp_path / "site", store)
    assert files(tmp_path / "site") == before


def test_a_folder_that_is_no_site_is_not_replaced(scripts, store, tmp_path):
    out = tmp_path / "photos"
    out.mkdir()
    (out / "cat.jpg").write_bytes(b"cat")
    for text in (None, "{}", '{"generator": "another"}', "not json"):
        if text:
            (out / "manifest.json").write_text(text)
        with pytest.raises(SiteError, match="photos is not a site built here"):
            built(scripts, out, store)
    assert (out / "cat.jpg").exists()
    shutil.rmtree(out)
    out.mkdir()
    built(scripts, out, store)  # an empty folder is fine
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(SiteError):
        built(scripts, file, store)


@pytest.mark.parametrize("failing_call", [1, 2])
def test_when_the_swap_fails_the_old_site_comes_back(scripts, store, tmp_path, monkeypatch, failing_call):
    _, before = built(scripts, tmp_path / "site", store)
    rename, calls = os.rename, []

    def flaky(source, target):
        calls.append(1)
        if len(calls) == failing_call:
            raise OSError(30, "Read-only file system")
        rename(source, target)

    monkeypatch.setattr(os, "rename", flaky)
    with pytest.raises(SiteError, match="cannot write the site .*: Read-only file system"):
        built(scripts[:1], tmp_path / "site", store)
    assert files(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scripts", "site", "store"]


def test_a_damaged_object_stops_the_build(scripts, store, tmp_path):
    built(scripts, tmp_path / "site", store)
    shutil.rmtree(tmp_path / "site")
    victim = next(store.path.glob("objects/*/*.wav"))
    victim.write_bytes(b"")
    with pytest.raises(ReportError, match=victim.name):
        built(scripts, tmp_path / "site", store)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scripts", "store"]


def test_names_that_would_collide_are_refused(scripts, store, tmp_path):
    for bad in ([scripts[0], scripts[0]], [tmp_path / "index.py"], []):
        with pytest.raises(SiteError):
            build(bad, tmp_path / "site", store)
    with pytest.raises(ReportError, match="missing.py"):
        build([tmp_path / "missing.py"], tmp_path / "site", store)
