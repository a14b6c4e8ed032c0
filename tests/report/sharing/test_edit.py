"""An exported edit, and `python -m report mix EDIT.json`, which turns it into sound."""

import functools
import http.server
import json
import threading
import tracemalloc
import wave
from hashlib import sha256

import numpy as np
import pytest

from report.artifacts.media import decode, to_wav
from report.errors import ReportError
from report.mix import UNITY, mix
from report.sharing.archive import export_zip
from report.sharing.edit import Edit, PlacedEvent, mix_edit, read_edit
from report.sharing.publish import publish
from report.site.locate import open_site
from report.storage.addresses import open_storage
from tests.processes import Running

RATE = 8000


@pytest.fixture
def sounds(site):
    """SHA-256 -> samples of the sounds in the site."""
    return {
        path.stem: decode(path.read_bytes(), "audio/flac").samples
        for path in sorted(site.glob("media/*.flac"))
    }


@pytest.fixture
def fields(sounds):
    """An edit as the page exports it.

    Its events overlap, stick out on both sides, are silent, or are muted.
    """
    names = list(sounds)
    events = [
        {"sound": names[0], "start": -20, "gain": UNITY, "muted": False},
        {"sound": names[1], "start": 50, "gain": 65536, "muted": False},
        {"sound": names[2], "start": 180, "gain": 1000, "muted": False},
        {"sound": names[0], "start": 0, "gain": 0, "muted": False},
        {"sound": names[1], "start": 10, "gain": 9000, "muted": True},
    ]
    return {"schema": 1, "title": "Ramps", "samplerate": RATE, "n_samples": 300, "events": events}


def as_bytes(fields):
    return json.dumps(fields).encode()


def at(place):
    return open_site(open_storage(str(place)))


def test_every_field_is_read(fields):
    edit = read_edit(as_bytes(fields))
    assert (edit.title, edit.samplerate, edit.n_samples) == ("Ramps", RATE, 300)
    assert edit.events[1] == PlacedEvent(fields["events"][1]["sound"], 50, 65536, False)
    assert [event.muted for event in edit.events] == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("schema", 2, "schema is 2, expected a whole number <= 1"),
        ("schema", True, "schema is true, expected a whole number"),
        ("title", None, "title is null, expected a text"),
        ("samplerate", 0, "samplerate is 0, expected a whole number >= 1"),
        ("samplerate", 2**20 + 1, "samplerate is 1048577, expected a whole number <= 1048576"),
        ("samplerate", 8000.0, "samplerate is 8000.0"),
        ("n_samples", 0, "n_samples is 0, expected a whole number >= 1"),
        ("n_samples", 2**28 + 1, "n_samples is 268435457, expected a whole number <= 268435456"),
        ("events", {}, "events is {}, expected a list"),
        ("events", [None] * 10_001, "expected a list of length <= 10000"),
        ("events", [7], "events[0] is 7, expected an object"),
        ("events", [{}], "events[0].sound is missing"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(fields, name, value, told):
    with pytest.raises(ReportError) as error:
        read_edit(as_bytes(fields | {name: value}), "mine.json")
    assert str(error.value).startswith("mine.json: ") and told in str(error.value)
    assert str(error.value).endswith("; export the edit again")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("sound", "../../etc/passwd", 'sound is "../../etc/passwd", expected a SHA-256'),
        ("sound", "A" * 64, "expected a SHA-256"),
        ("start", 1.5, "start is 1.5"),
        ("start", -(2**28) - 1, "start is -268435457, expected a whole number >= -268435456"),
        ("start", 2**28 + 1, "start is 268435457, expected a whole number <= 268435456"),
        ("gain", -1, "gain is -1, expected a whole number >= 0"),
        ("gain", 65537, "gain is 65537, expected a whole number <= 65536"),
        ("muted", 0, "muted is 0, expected true or false"),
        ("first", -1, "first is -1, expected a whole number >= 0"),
        ("length", 0, "length is 0, expected a whole number >= 1"),
    ],
)
def test_a_wrong_field_of_an_event_is_named_with_its_value(fields, name, value, told):
    fields["events"][1][name] = value
    with pytest.raises(ReportError) as error:
        read_edit(as_bytes(fields), "mine.json")
    assert str(error.value).startswith("mine.json: events[1].") and told in str(error.value)


@pytest.mark.parametrize("name", ["schema", "title", "samplerate", "n_samples", "events"])
def test_a_missing_field_is_named(fields, name):
    del fields[name]
    with pytest.raises(ReportError, match=f"{name} is missing; export the edit again"):
        read_edit(as_bytes(fields))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe\xff", b"[" * 100_000, b"1" * 10_000, b"[]", b"null"]
)
def test_what_is_no_edit_is_refused_in_a_line(data):
    with pytest.raises(ReportError, match="is no JSON: |, expected an object; "):
        read_edit(data)


def test_an_edit_becomes_the_sum_of_what_is_not_muted(site, sounds, fields):
    audible = fields["events"][:4]
    expected = mix(
        [sounds[event["sound"]] for event in audible],
        [event["start"] for event in audible],
        [event["gain"] for event in audible],
        300,
    )
    assert (expected == 32767).any() and (expected == -32768).any()
    assert np.array_equal(mix_edit(read_edit(as_bytes(fields)), at(site)), expected)


def test_an_event_may_be_a_stretch_of_a_file(site, sounds, fields):
    name, samples = next(iter(sounds.items()))
    n_samples = len(samples)
    placed = {"sound": name, "start": 7, "gain": UNITY, "muted": False}
    fields["events"] = [
        placed | {"first": 2, "length": 3},
        placed | {"first": n_samples - 4, "start": 50},
    ]
    expected = mix([samples[2:5], samples[-4:]], [7, 50], [UNITY, UNITY], 300)
    assert np.array_equal(mix_edit(read_edit(as_bytes(fields)), at(site)), expected)
    for first, length in ((0, n_samples + 1), (n_samples - 1, 2), (n_samples, None)):
        stretch = {"first": first} | ({"length": length} if length else {})
        fields["events"] = [placed | stretch]
        with pytest.raises(ReportError, match=f"the samples {first} to .*has {n_samples}; export"):
            mix_edit(read_edit(as_bytes(fields)), at(site))


def test_the_site_may_be_a_folder_an_archive_a_release_or_an_address(site, fields, tmp_path):
    edit = read_edit(as_bytes(fields))
    export_zip(site, tmp_path / "site.zip", {})
    publish(site, open_storage(str(tmp_path / "published")))
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "published")
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    places = [
        tmp_path / "site.zip",
        tmp_path / "published",
        f"http://127.0.0.1:{server.server_port}",
    ]
    try:
        for place in places:
            assert np.array_equal(mix_edit(edit, at(place)), mix_edit(edit, at(site)))
    finally:
        server.shutdown()
        server.server_close()


def test_a_sound_that_the_site_lacks_has_damaged_or_has_at_another_rate_is_an_error(site, fields):
    edit = read_edit(as_bytes(fields))
    absent = Edit("", RATE, 9, (PlacedEvent("0" * 64, 0, UNITY, False),))
    with pytest.raises(
        ReportError, match=f"no sound {'0' * 64} at .*; give the site .* with --site"
    ):
        mix_edit(absent, at(site))
    with pytest.raises(ReportError, match="has 8000 Hz, but the edit 22050"):
        mix_edit(read_edit(as_bytes(fields | {"samplerate": 22050})), at(site))
    path = site / "media" / f"{edit.events[1].sound}.flac"
    path.unlink()
    with pytest.raises(ReportError, match=path.name):
        mix_edit(edit, at(site))
    path.write_bytes(b"RIFF")
    with pytest.raises(ReportError, match="another SHA-256"):
        mix_edit(edit, at(site))


def test_a_long_edit_takes_no_more_memory_than_its_sum_and_its_samples(site):
    n = 2**22
    tracemalloc.start()
    assert mix_edit(Edit("", RATE, n, ()), at(site)).size == n
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 14 * n  # eight bytes for a sum, two for a sample, in more than one copy


# ---- as its users run it


@pytest.fixture
def report(built_once):
    def run(*arguments):
        return Running("report", ["mix", *arguments], built_once).wait()

    return run


def test_the_command_writes_the_sound_beside_the_edit_and_says_what_it_is(
    report, fields, tmp_path, site
):
    edit = tmp_path / "mine.json"
    edit.write_bytes(as_bytes(fields))
    done = report(edit)
    out = tmp_path / "mine.wav"
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out}: 0.04 s, SHA-256 {sha256(out.read_bytes()).hexdigest()}\n"
    mixed = mix_edit(read_edit(as_bytes(fields)), at(site))
    assert out.read_bytes() == to_wav(mixed, RATE)
    with wave.open(str(out)) as file:
        assert (file.getnframes(), file.getframerate()) == (300, RATE)


def test_a_sound_that_was_published_is_recognised(report, fields, sounds, tmp_path):
    name, samples = max(sounds.items(), key=lambda item: item[1].size)
    events = [{"sound": name, "start": 0, "gain": UNITY, "muted": False}]
    edit = tmp_path / "same.json"
    edit.write_bytes(as_bytes(fields | {"n_samples": samples.size, "events": events}))
    done = report(edit, "-o", tmp_path / "there" / "out.wav", "--site", "site")
    digest = sha256(to_wav(samples, RATE)).hexdigest()
    last_lines = f"SHA-256 {digest}\nthe same as the published ramps/half/1\n"
    assert done.stdout.endswith(last_lines), done.stdout + done.stderr
    assert (tmp_path / "there" / "out.wav").exists()


def test_what_goes_wrong_is_one_line_and_leaves_the_file_that_was_there(report, fields, tmp_path):
    edit, out = tmp_path / "mine.json", tmp_path / "mine.wav"
    out.write_bytes(b"before")
    edit.write_bytes(as_bytes(fields | {"samplerate": 1}))
    for arguments in (
        [edit],
        [tmp_path / "none.json"],
        [edit, "--site", "nowhere"],
        [out, "-o", out],
    ):
        done = report(*arguments)
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
        assert not done.stdout and out.read_bytes() == b"before"
    assert report().returncode == 2


def test_samples_are_int16_whatever_was_mixed(site):
    silent = mix_edit(Edit("", RATE, 5, ()), at(site))
    assert silent.dtype == np.int16 and not silent.any()
