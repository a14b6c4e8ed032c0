"""Artifacts are computed again and compared with those in the store."""

import io
import json

import numpy as np
import pytest
import soundfile as sf
from PIL import Image

from report import FolderStore, build
from report.artifacts.media import Data, Sound, encode
from report.errors import ReportError
from report.site.reproduce import DIFFERENT, NEAR, SAME_BYTES, SAME_VALUES, compare, reproduce
from tests.processes import Running

TONE = np.sin(np.arange(4000) / 9) / 2
STORED = encode(Sound(TONE, 8000)).data


def sound(samples):
    return encode(Sound(samples, 8000)).data


def test_the_same_bytes_are_the_same():
    assert compare(STORED, bytes(STORED), "audio/flac") == (SAME_BYTES, None)


def test_the_same_samples_in_another_container_are_told_apart_from_the_same_bytes():
    file = io.BytesIO()
    samples, samplerate = sf.read(io.BytesIO(STORED), dtype="int16")
    sf.write(file, samples, samplerate, format="WAVEX", subtype="PCM_16")
    assert compare(STORED, file.getvalue(), "audio/flac") == (SAME_VALUES, None)


@pytest.mark.parametrize(
    ("level", "verdict"), [(-60, NEAR), (-41, NEAR), (-39, DIFFERENT), (0, DIFFERENT)]
)
def test_a_difference_is_told_in_decibels_below_the_original(level, verdict):
    noise = np.random.default_rng(0).normal(size=TONE.size)
    noise *= np.linalg.norm(TONE) / np.linalg.norm(noise) * 10 ** (level / 20) / 2
    actual, decibels = compare(sound(TONE / 2), sound(TONE / 2 + noise), "audio/flac")
    assert actual == verdict and decibels == pytest.approx(level, abs=0.3)


def test_another_length_rate_or_format_is_different():
    assert compare(STORED, sound(TONE[:-1]), "audio/flac")[0] == DIFFERENT
    assert compare(STORED, encode(Sound(TONE, 8001)).data, "audio/flac")[0] == DIFFERENT
    assert compare(STORED, b"damaged", "audio/flac") == (DIFFERENT, None)


def test_silence_that_was_not_silent_is_different():
    assert compare(sound(np.zeros(9)), sound(np.ones(9) / 2), "audio/flac")[0] == DIFFERENT


def picture(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def test_pictures_are_compared_by_their_pixels():
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert (
        compare(picture(pixels), picture(pixels, compress_level=1), "image/png")[0] == SAME_VALUES
    )
    assert compare(picture(pixels), picture(pixels[::-1]), "image/png")[0] == DIFFERENT


def data(value):
    return encode(Data(value)).data


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        ({"a": [1.0, 2.0000001], "b": "x"}, NEAR),
        ({"a": [1.0, 2.5], "b": "x"}, DIFFERENT),
        ({"a": [1.0, 2.0], "b": "y"}, DIFFERENT),
        ({"a": [1.0, 2.0, 3.0], "b": "x"}, DIFFERENT),
    ],
)
def test_data_are_compared_number_by_number(other, verdict):
    assert compare(data({"a": [1.0, 2.0], "b": "x"}), data(other), "application/json")[0] == verdict


ARTICLE = '''"""Numbers"""
import os
from report import Data, Sound, conjure

@conjure
def fixed(n: int) -> Data:
    return Data([n, n / 3])

@conjure
def wavering(of) -> Data:
    return Data({"here": os.getpid(), "of": of.value})

@conjure
def unordered() -> Data:
    return Data(list({"one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}))

# %%
[fixed(3), wavering(fixed(3)), unordered()]
'''


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "counts.py"
    path.write_text(ARTICLE)
    return path


def test_each_artifact_is_computed_again_from_the_stored_ones(script, tmp_path):
    store = FolderStore(tmp_path / "store")
    build([script], tmp_path / "site", store)
    before = {path: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()}
    verdicts = {v.name: v.verdict for v in reproduce([script], store, ("*",)).verdicts}
    assert verdicts["counts/fixed/1"] == SAME_BYTES
    (verdict,) = reproduce([script], store, ("fixed",)).verdicts
    assert verdict.name == "counts/fixed/1"
    assert before == {
        path: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()
    }


def test_what_is_not_there_can_not_be_compared(script, tmp_path):
    with pytest.raises(
        ReportError, match="counts/fixed/1 is not in the store as this code makes it; build first"
    ):
        reproduce([script], FolderStore(tmp_path / "empty"), ("*",))
    store = FolderStore(tmp_path / "store")
    build([script], tmp_path / "site", store)
    with pytest.raises(ReportError, match="no artifact is called nobody"):
        reproduce([script], store, ("nobody",))


def test_the_command_finds_what_depends_on_the_process(script, tmp_path):
    """The number of a process and the order of a set differ in a fresh process."""

    def run(*arguments):
        return Running("report", arguments, tmp_path).wait()

    assert run("build", script.name).returncode == 0
    done = run("reproduce", script.name, "--json", "verdicts.json")
    result = json.loads((tmp_path / "verdicts.json").read_text())
    verdicts = {v["name"]: v["verdict"] for v in result["verdicts"]}
    assert verdicts["counts/fixed/1"] == SAME_BYTES and verdicts["counts/wavering/1"] != SAME_BYTES
    assert verdicts["counts/unordered/1"] == DIFFERENT and done.returncode == 1
    assert "counts/fixed/1: bytes same" in done.stdout and "cores" in result["machine"]
    assert run("reproduce", script.name, "--only", "fixed").returncode == 0
