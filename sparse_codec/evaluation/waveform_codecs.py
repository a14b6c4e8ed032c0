"""Opus, Vorbis and MP3 at their lowest rates, by libsndfile: rivals at a few kilobits a second."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile as sf
import soxr

WRITTEN = 2**18  # samples at once: more than a segment; libsndfile's Ogg crashes at some millions


@dataclass(frozen=True)
class WaveformCodec:
    """A format of libsndfile at one setting."""

    format: str
    subtype: str
    samplerate: int  # Hz, of the audio that is coded
    options: dict[str, Any]
    delay: int = 0  # samples by which the decoded audio is late

    def code(self, audio: np.ndarray, samplerate: int) -> tuple[np.ndarray, float]:
        """Code and decode audio (T,); return it, (T,), and the rate of the file in bits a second.

        The rate counts all bytes, the header too.
        """
        file = io.BytesIO()
        resampled = _resample(audio, samplerate, self.samplerate)
        kind = {"format": self.format, "subtype": self.subtype}
        with sf.SoundFile(file, "w", self.samplerate, 1, **kind, **self.options) as sound:
            for part in np.split(resampled, range(WRITTEN, len(resampled), WRITTEN)):
                sound.write(part)
        n_bytes = file.tell()
        file.seek(0)
        decoded, rate = sf.read(file, dtype="float32", start=self.delay)
        decoded = _resample(decoded, rate, samplerate)
        decoded = np.pad(decoded, (0, max(0, len(audio) - len(decoded))))[: len(audio)]
        return decoded, 8 * n_bytes * samplerate / len(audio)


def _resample(audio: np.ndarray, samplerate: int, wanted: int) -> np.ndarray:
    return audio if samplerate == wanted else soxr.resample(audio, samplerate, wanted)


# libsndfile counts compression from 0 to 1: at 1 its Opus has 6 kb/s, and its MP3 takes 0.999 at
# most. The delay of an MP3 is 576 samples of LAME's coder and 529 of any decoder; a file this small
# has no room for the tag with that number.
WAVEFORM_CODECS = {
    "Opus, 6 kb/s": WaveformCodec("OGG", "OPUS", 24_000, {"compression_level": 1.0}),
    "Vorbis, lowest": WaveformCodec("OGG", "VORBIS", 22_050, {"compression_level": 1.0}),
    "MP3, lowest": WaveformCodec(
        "MP3",
        "MPEG_LAYER_III",
        22_050,
        {"compression_level": 0.999, "bitrate_mode": "CONSTANT"},
        delay=576 + 529,
    ),
}
