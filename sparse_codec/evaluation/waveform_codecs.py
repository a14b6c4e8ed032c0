"""Opus, Vorbis and MP3 at their lowest rates, by libsndfile: what else there is at a few kilobits a second."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile as sf
import soxr


@dataclass(frozen=True)
class WaveformCodec:
    """A format of libsndfile, and the samplerate (Hz) it is given audio at."""

    format: str
    subtype: str
    samplerate: int
    options: dict
    delay: int = 0  # samples by which it comes back late

    def code(self, audio: np.ndarray, samplerate: int) -> tuple[np.ndarray, float]:
        """Audio (T,) coded and decoded again, (T,), and the rate of the file in bits per second, header and all."""
        file = io.BytesIO()
        given = (
            soxr.resample(audio, samplerate, self.samplerate)
            if samplerate != self.samplerate
            else audio
        )
        sf.write(
            file, given, self.samplerate, format=self.format, subtype=self.subtype, **self.options
        )
        n_bytes = file.tell()
        file.seek(0)
        decoded, rate = sf.read(file, dtype="float32", start=self.delay)
        decoded = soxr.resample(decoded, rate, samplerate) if rate != samplerate else decoded
        decoded = np.pad(decoded, (0, max(0, len(audio) - len(decoded))))[: len(audio)]
        return decoded, 8 * n_bytes * samplerate / len(audio)


# libsndfile counts compression from 0 to 1; at 1 its Opus is 6 kb/s, and 0.999 is the most that its MP3 takes. An MP3's
# delay is 576 samples of LAME's coder and 529 of any decoder; so small a file has no room for the tag that tells it.
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
