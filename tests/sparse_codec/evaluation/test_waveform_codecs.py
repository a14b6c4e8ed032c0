"""Codecs of samples: a clip comes back in time, at the rate that is reported."""

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import correlate

from sparse_codec.evaluation.waveform_codecs import AT_RATES, WAVEFORM_CODECS, WRITTEN, OpusTools

RATE = 22_050


@pytest.mark.parametrize("name", WAVEFORM_CODECS)
@pytest.mark.parametrize("n_samples", [2**15, 2**16 + 17])
def test_a_clip_comes_back_as_long_in_time_and_nearly_the_same(music, name, n_samples):
    audio = music[:n_samples]
    decoded, rate = WAVEFORM_CODECS[name].code(audio, RATE)
    assert decoded.shape == audio.shape and decoded.dtype == np.float32
    assert 1_000 < rate < 64_000
    delay = correlate(decoded, audio).argmax() - (n_samples - 1)
    assert abs(delay) <= 2  # samples: a delay would make every figure worse
    assert np.corrcoef(decoded, audio)[0, 1] > 0.6


def test_opus_and_mp3_are_within_twelve_kilobits_a_second(music):
    rates = {
        name: codec.code(music[: 4 * RATE], RATE)[1] for name, codec in WAVEFORM_CODECS.items()
    }
    assert rates["Opus, 6 kb/s"] < 12_000 and rates["MP3, lowest"] < 12_000


@pytest.mark.parametrize(("name", "place"), [("Opus", 0), ("Opus", 3), ("MP3", 0), ("MP3", 2)])
def test_codecs_at_rates_come_back_in_time_at_less_than_twenty_kilobits(music, name, place):
    codec, audio = AT_RATES[name][place], music[: 4 * RATE]
    if isinstance(codec, OpusTools) and codec.missing():
        pytest.skip(codec.missing())
    decoded, rate = codec.code(audio, RATE)
    assert decoded.shape == audio.shape and 2_500 < rate < 20_000
    delay = correlate(decoded, audio).argmax() - (len(audio) - 1)
    assert abs(delay) <= 8


@pytest.mark.parametrize("name", WAVEFORM_CODECS)
def test_the_rate_is_the_files_bits_over_the_clips_seconds(music, name):
    """Twice as long a clip is about twice the file, so the rate stays."""
    short, long = (WAVEFORM_CODECS[name].code(music[: n * RATE], RATE)[1] for n in (6, 12))
    assert long == pytest.approx(short, rel=0.25)


def test_minutes_are_written_a_part_at_a_time(monkeypatch):
    """libsndfile's Ogg crashes if it gets minutes at once."""
    sizes, write = [], sf.SoundFile.write

    def written(file, part):
        sizes.append(len(part))
        write(file, part)

    monkeypatch.setattr(sf.SoundFile, "write", written)
    audio = np.zeros(2 * WRITTEN + 1, np.float32)
    decoded, _ = WAVEFORM_CODECS["Vorbis, lowest"].code(audio, RATE)
    assert len(decoded) == len(audio) and sizes == [WRITTEN, WRITTEN, 1]
