"""The speech corpus, from the real prompts of the Debian package."""

import gzip
import shutil

import numpy as np
import pytest
import soundfile as sf

from experiments.corpora.speech import (
    HELD_OUT_FAMILY,
    SOUNDS,
    family_of,
    find_prompts,
    main,
    transcripts,
)
from sparse_codec.audio.recordings import find_recordings

needs_prompts = pytest.mark.skipif(
    not SOUNDS.is_dir() or not shutil.which("ffmpeg"),
    reason="needs the prompts and FFmpeg: apt-get install asterisk-core-sounds-en-g722 ffmpeg",
)


def test_families_go_by_the_name_up_to_the_first_dash(tmp_path):
    for name in ("demo-congrats", "vm-intro", "vm-goodbye", "digits/1", "silence/5", "beep"):
        (tmp_path / f"{name}.g722").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.g722").touch()
    families = find_prompts(tmp_path)
    assert {name: len(prompts) for name, prompts in families.items()} == {
        "demo": 1,
        "vm": 2,
        "digits": 1,
    }
    assert family_of(tmp_path / "digits" / "1.g722", tmp_path) == "digits"


def test_without_the_package_it_says_what_to_install(tmp_path, capsys):
    assert main([str(tmp_path / "out"), "--sounds", str(tmp_path)]) == 2
    assert "asterisk-core-sounds-en-g722" in capsys.readouterr().err


def test_transcripts_are_words_as_they_are_spoken(tmp_path):
    with gzip.open(tmp_path / "texts.gz", "wt") as file:
        file.write("; a comment\n\ndemo/dial: Dial 500, or * for the PBX.  Over IP.\n")
    assert transcripts(tmp_path / "texts.gz") == {
        "demo-dial": "Dial five zero zero or star for the P B X Over IP."
    }
    assert transcripts(tmp_path / "none.gz") == {}


@needs_prompts
@pytest.mark.slow
def test_readings_are_speech_and_the_held_out_family_is_not_among_them(tmp_path):
    assert main([str(tmp_path)]) == 0
    recordings = find_recordings(tmp_path)
    trained = [r for r in recordings if r.split == "train"]
    held_out = [r for r in recordings if r.split == "test"]
    assert len(trained) >= 30 and len(held_out) >= 8
    assert all(r.path.stem.startswith(HELD_OUT_FAMILY) for r in held_out)
    audio, rate = sf.read(trained[0].path)
    assert rate == 16_000 and len(audio) > 25 * rate and 0.1 < np.abs(audio).max() <= 1
