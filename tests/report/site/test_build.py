"""A build writes a whole site or leaves the old one as it was."""

import base64
import hashlib
import json
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from report import CellError, FolderStore, ReportError, SiteError, build
from report.article.page import assets
from report.artifacts.record import seal, unseal
from report.artifacts.store import Store
from report.site import selfcheck
from report.site.kept import Kept
from report.site.target import _swap, replacing

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
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def built(scripts, out, store):
    summary = build(scripts, out, store, {"commit": "a1b2"}, {"BUILD": 7})
    return summary, files(out)


def test_a_site_is_whole_and_names_nothing_outside_itself(scripts, store, tmp_path):
    summary, site = built(scripts, tmp_path / "new" / "site", store)
    expected = {"index.html", "music.html", "speech.html", "manifest.json"}
    assert expected | {f"assets/{name}" for name in assets()} <= set(site)
    for name in ("index.html", "music.html", "speech.html"):
        for address in re.findall(r'\b(?:src|href)="([^"#]+)"', site[name].decode()):
            assert address in site or address == "data:,", address
    assert b'href="speech.html">Speech' in site["index.html"]
    assert b"Part 7" in site["music.html"]
    assert (summary.pages, summary.computed, summary.media) == (["music.html", "speech.html"], 2, 2)


def test_every_sound_has_a_card_that_says_how_it_was_made(scripts, store, tmp_path):
    _, site = built(scripts, tmp_path / "site", store)
    page = site["music.html"].decode()
    assert page.count("How it was made") == 2
    for name, artifact in json.loads(site["manifest.json"])["artifacts"].items():
        assert not name.startswith("music/") or (name in page and artifact["sha256"] in page)


def test_the_site_says_what_it_holds_and_how_it_was_made(scripts, store, tmp_path):
    _, site = built(scripts, tmp_path / "site", store)
    manifest = json.loads(site["manifest.json"])
    assert set(manifest["files"]) == set(site) - {"manifest.json"}
    assert manifest["facts"] == {"commit": "a1b2"}
    for article in ("music", "speech"):
        artifact = manifest["artifacts"][f"{article}/ramp/1"]
        assert artifact["function"] == "ramp"  # which both share
        assert artifact["arguments"] == {"n": "100"}
        assert f"media/{artifact['sha256']}.flac" in site
    crate = json.loads(site["ro-crate-metadata.json"])
    parts = {part["@id"] for part in crate["@graph"][1]["hasPart"]}
    assert parts == set(site) - {"ro-crate-metadata.json"}


def test_building_twice_gives_the_same_bytes_and_computes_nothing(scripts, store, tmp_path):
    _, first = built(scripts, tmp_path / "one", store)
    summary, second = built(scripts, tmp_path / "two", store)
    assert first == second and (summary.computed, summary.hits) == (0, 4)
    _, afresh = built(scripts, tmp_path / "three", FolderStore(tmp_path / "other"))
    assert first == afresh
    assert str(tmp_path).encode() not in b"".join(afresh.values())


def test_an_old_site_is_replaced_whole_if_that_is_asked_for(scripts, store, tmp_path):
    built(scripts, tmp_path / "site", store)
    only(scripts[:1], tmp_path / "site", store)
    _, alone = built(scripts[:1], tmp_path / "alone", store)
    assert files(tmp_path / "site") == alone and "speech.html" not in alone
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "alone",
        "scripts",
        "site",
        "store",
    ]


def only(scripts, out, store):
    return build(scripts, out, store, {"commit": "a1b2"}, {"BUILD": 7}, only=True)


def test_other_articles_of_the_site_stay(scripts, store, tmp_path):
    """Articles that are built one after the other make the site that they make together."""
    scripts[0].write_text(PARTS)
    _, together = built(scripts, tmp_path / "together", store)
    built(scripts[:1], tmp_path / "site", store)
    summary, site = built(scripts[1:], tmp_path / "site", store)
    assert site == together
    assert summary.kept == ["music"] and "kept as they were: music; --only leaves" in str(summary)
    summary, site = built(scripts[:1], tmp_path / "site", store)
    assert site == together and summary.kept == ["speech"]
    summary, site = built(scripts, tmp_path / "site", store)
    assert site == together and not summary.kept and "kept" not in str(summary)


def test_nothing_of_the_article_that_is_built_again_stays(scripts, store, tmp_path):
    scripts[0].write_text(PARTS)
    built(scripts, tmp_path / "site", store)
    scripts[0].write_text(PARTS.replace("(1, 2)", "(1, 3)").replace("part-", "other-"))
    _, site = built(scripts[:1], tmp_path / "site", store)
    _, afresh = built(scripts, tmp_path / "afresh", store)
    assert site == afresh and "music-other-3.html" in site and "music-part-2.html" not in site


@pytest.mark.parametrize("name", ["CNAME", ".git/HEAD", "media/note.txt", ".nojekyll"])
def test_files_of_others_in_the_site_are_not_deleted(scripts, store, tmp_path, name):
    built(scripts, tmp_path / "site", store)
    (tmp_path / "site" / ".DS_Store").touch()  # as every file manager of a Mac leaves
    built(scripts, tmp_path / "site", store)
    file = tmp_path / "site" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("x")
    with pytest.raises(SiteError, match=f"{name} was not built here and would be deleted; move it"):
        built(scripts, tmp_path / "site", store)
    assert file.read_text() == "x"


def test_a_kept_page_that_was_changed_is_an_error(scripts, store, tmp_path):
    built(scripts, tmp_path / "site", store)
    with (tmp_path / "site" / "speech.html").open("a") as page:
        page.write("<p>More.")
    with pytest.raises(SiteError, match="speech.html is not what was built; build it too, or leav"):
        built(scripts[:1], tmp_path / "site", store)
    assert "speech.html" not in files(only(scripts[:1], tmp_path / "site", store).out)


def test_pages_of_another_version_are_kept_with_a_word(scripts, store, tmp_path, monkeypatch):
    built(scripts, tmp_path / "site", store)
    monkeypatch.setattr("report.site.build.assets", lambda: {"page.css": b"p { color: red }"})
    summary, _ = built(scripts[:1], tmp_path / "site", store)
    assert summary.outdated and "build these again too" in str(summary)


def test_a_site_of_an_older_version_is_not_kept_in_parts(scripts, store, tmp_path):
    built(scripts, tmp_path / "site", store)
    manifest = json.loads((tmp_path / "site" / "manifest.json").read_text())
    for about in manifest["pages"].values():
        del about["parts"], about["order"], about["authors"], about["date"]
    manifest["sha256"] = selfcheck.digest(manifest)
    (tmp_path / "site" / "manifest.json").write_bytes(selfcheck.serialise(manifest))
    with pytest.raises(SiteError, match="speech.html was built by an older version; build it too"):
        built(scripts[:1], tmp_path / "site", store)
    built(scripts, tmp_path / "site", store)


def test_a_site_of_another_schema_is_replaced_if_all_its_articles_are_built(
    scripts, store, tmp_path
):
    built(scripts, tmp_path / "site", store)
    path = tmp_path / "site" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 1}))
    with pytest.raises(SiteError, match="its schema is 1, not 2; build the site again, all of it"):
        built(scripts[:1], tmp_path / "site", store)
    built(scripts, tmp_path / "site", store)


def test_builds_whose_processes_have_the_same_number_leave_each_other_alone(tmp_path):
    """As those of two containers that write into one folder."""
    with replacing(tmp_path / "site") as one, replacing(tmp_path / "site") as other:
        (other.folder / "other").touch()
        (one.folder / "one").touch()
    assert set(files(tmp_path / "site")) == {"one"}  # the last to end
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("there", [2, 1, 0])
def test_a_site_that_another_build_replaces_meanwhile_is_not_lost(
    scripts, store, tmp_path, monkeypatch, there
):
    """Nor an article that comes to a site which had none to keep."""
    out = tmp_path / "site"
    if there:
        built(scripts[:there], out, store)
    (tmp_path / "third.py").write_text('"""Third"""\n# %%\n1\n')
    copy = Kept.copy

    def slow_copy(*arguments):
        monkeypatch.undo()
        if (pid := os.fork()) == 0:
            built([tmp_path / "third.py"], out, store)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        return copy(*arguments)

    monkeypatch.setattr(Kept, "copy", slow_copy)
    with pytest.raises(SiteError, match="was replaced by another build meanwhile; build again"):
        built(scripts[:1], out, store)
    expected = {"third.html", *(f"{script.stem}.html" for script in scripts[:there])}
    assert expected <= set(files(out))


def test_a_failed_article_leaves_the_old_site_and_the_others_are_tried(
    scripts, store, tmp_path, capfd
):
    _, before = built(scripts, tmp_path / "site", store)
    scripts[0].write_text('"""Music"""\n# %%\n1 / 0\n')
    capfd.readouterr()
    with pytest.raises(CellError, match=r"music.py, cell 2, line 3: ZeroDivisionError"):
        built(scripts, tmp_path / "site", store)
    assert "speech: Part" in capfd.readouterr().err
    assert files(tmp_path / "site") == before
    scripts[1].write_text('"""Speech\n')
    with pytest.raises(
        SiteError, match=r"(?s)2 things failed.*music.py, cell 2.*speech.py, line 1"
    ):
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
def test_when_the_swap_fails_the_old_site_comes_back(
    scripts, store, tmp_path, monkeypatch, failing_call
):
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


def test_a_site_that_a_killed_build_put_aside_comes_back(scripts, store, tmp_path):
    _, before = built(scripts, tmp_path / "site", store)
    os.rename(tmp_path / "site", tmp_path / ".site.replaced-12345")
    scripts[0].write_text('"""Music"""\n# %%\n1 / 0\n')
    with pytest.raises(CellError):
        built(scripts, tmp_path / "site", store)
    assert files(tmp_path / "site") == before
    shutil.copytree(tmp_path / "site", tmp_path / ".site.replaced-12345")  # killed a little later
    built(scripts[1:], tmp_path / "site", store)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scripts", "site", "store"]


@pytest.mark.skipif(sys.platform == "win32", reason="locks are fcntl's, which this system lacks")
def test_builds_replace_a_site_one_after_the_other(tmp_path):
    def replace(who):
        for number in range(50):
            new = tmp_path / f"new-{who}-{number}"
            new.mkdir()
            (new / "page").write_text(who)
            _swap(new, tmp_path / "site")

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(replace, who) for who in "abcd"]:
            done.result()
    assert (tmp_path / "site" / "page").read_text() in "abcd"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_damaged_object_stops_the_build(scripts, store, tmp_path):
    built(scripts, tmp_path / "site", store)
    shutil.rmtree(tmp_path / "site")
    victim = next((tmp_path / "store").glob("objects/*/*.flac"))
    victim.write_bytes(b"")
    with pytest.raises(ReportError, match=victim.name):
        built(scripts, tmp_path / "site", store)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scripts", "store"]


def test_names_that_would_collide_are_refused(scripts, store, tmp_path):
    for bad, message in (
        ([scripts[0], scripts[0]], "music.html would be written twice; rename one of"),
        ([scripts[0], tmp_path / "Music.py"], "would be written twice; rename one of the scripts"),
        ([tmp_path / "Index.py"], "Index.html is the page that lists all articles; rename the scr"),
        ([], "no article script was given"),
    ):
        with pytest.raises(SiteError, match=message):
            build(bad, tmp_path / "site", store)
    with pytest.raises(ReportError, match="missing.py"):
        build([tmp_path / "missing.py"], tmp_path / "site", store)


EVIL = '"><script>alert(1)</script>'


def tamper(store, **fields):
    """Change the records of a store, as everyone can who has the right to write there."""
    for name in store.storage.entries("builds/"):
        store.storage.delete(name)
    for name in store.storage.entries("index/"):
        record = unseal(store.storage.get(name)) | fields
        store.storage.put(name, seal(record), "application/json", immutable=False)
    return Store(store.storage)


def test_a_hostile_record_puts_no_markup_into_a_page(scripts, store, tmp_path):
    built(scripts, tmp_path / "site", store)
    tampered = tamper(store, function=EVIL, arguments={EVIL: EVIL}, versions={EVIL: EVIL})
    summary, site = built(scripts, tmp_path / "site", tampered)
    assert summary.hits == 4
    assert EVIL.encode() not in site["music.html"] + site["speech.html"]
    assert b"&gt;&lt;script&gt;" in site["music.html"]


@pytest.mark.parametrize(
    "fields",
    [
        {"sha256": "../../../etc/passwd"},
        {"media_type": "text/html"},
        {"media_type": "../x"},
        {"info": {"peaks": [EVIL]}},
        {"info": {"seconds": EVIL, "peak": None, "clipped": EVIL, "peaks": [[0, 1]], "alt": EVIL}},
    ],
)
def test_a_record_that_can_not_be_one_stops_the_build(scripts, store, tmp_path, fields):
    built(scripts, tmp_path / "site", store)
    before = files(tmp_path / "site")
    tampered = tamper(store, **fields)
    (field,) = fields
    with pytest.raises(ReportError, match=rf"index/.*json in .* is damaged \({field}"):
        built(scripts, tmp_path / "site", tampered)
    assert files(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scripts", "site", "store"]


PARTS = """'''Music'''
import numpy as np
from report import Compare, Part, Sound, conjure

@conjure
def ramp(n: int) -> Sound:
    return Sound(np.linspace(-0.5, 0.5, n), 8000)

def compared(n: int) -> Compare:
    return Compare("Two", [("A", ramp(n), None), ("B", ramp(300), None)])

# %%
[Part(f"part-{n}", f"Part {n}", "", [compared(n)]) for n in (1, 2)]
"""


def test_each_part_is_a_page_of_the_site_that_the_index_lists(scripts, store, tmp_path):
    scripts[0].write_text(PARTS)
    summary, site = built(scripts, tmp_path / "site", store)
    assert summary.pages == ["music.html", "music-part-1.html", "music-part-2.html", "speech.html"]
    assert ": pages: 2 and 2 of parts, media files: " in str(summary)
    assert b'<a href="music-part-1.html">Part 1</a>' in site["index.html"]
    manifest = json.loads(site["manifest.json"])
    # Without the parts: `diff` would name every change in them twice.
    assert set(manifest["pages"]) == {"music.html", "speech.html"}
    assert set(summary.pages) < set(manifest["files"]) == set(site) - {"manifest.json"}
    for name in summary.pages:
        for address in re.findall(r'\b(?:src|href)="([^"#]+)', site[name].decode()):
            assert address in site or address == "data:,", address


def test_a_part_can_not_have_the_page_of_another_article(scripts, store, tmp_path):
    text = '"""{0}"""\nfrom report import Part\n# %%\nPart("{1}", "Live", "", [])\n'
    scripts[0].write_text(text.format("Music", "live"))
    scripts[1] = scripts[1].rename(scripts[1].with_name("Music-live.py"))
    summary, _ = built(scripts, tmp_path / "site", store)
    assert summary.pages == ["music.html", "music-live-2.html", "Music-live.html"]
    scripts[0].write_text(text.format("Music", "live-set"))
    scripts[1].write_text(text.format("Live", "set"))
    with pytest.raises(
        SiteError, match="music-live-set.html would be written twice; rename the part of music"
    ):
        built(scripts, tmp_path / "site", store)


def test_sounds_that_scripts_read_have_copies_for_pages_on_a_disk(scripts, store, tmp_path):
    _, plain = built(scripts, tmp_path / "plain", store)
    scripts[0].write_text(PARTS)
    _, site = built(scripts[:1], tmp_path / "site", store)
    sounds = {name: data for name, data in site.items() if name.endswith(".flac")}
    copies = {name for name in site if name.startswith("offline/")}
    expected = {name.replace("media/", "offline/").replace(".flac", ".js") for name in sounds}
    assert copies == expected and len(copies) == 3
    for data in sounds.values():
        digest = hashlib.sha256(data).hexdigest()
        copy = site[f"offline/{digest}.js"].decode()
        name, text = re.fullmatch(r'media\.take\("(\w+)", "([^"]+)"\);\n', copy).groups()
        assert name == digest and base64.b64decode(text) == data
    assert not [name for name in plain if name.startswith("offline/")]


def test_the_date_is_that_of_the_environment_or_the_one_that_is_given(
    scripts, store, tmp_path, monkeypatch
):
    def date() -> str:
        build(scripts, tmp_path / "site", store, {"date": "2026-01-02"}, {"BUILD": 7})
        page = (tmp_path / "site" / "music.html").read_text()
        return re.search(r'<meta name="date" content="([^"]+)">', page)[1]

    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert date() == "2026-01-02"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert date() == "1970-01-02T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(SiteError, match="SOURCE_DATE_EPOCH is 'yesterday'"):
        date()
