"""Opus, Vorbis and MP3 at their lowest rates: rivals at a few kilobits a second.

Libsndfile codes them, and Debian's `opus-tools` Opus at more rates and in longer packets.
"""

from __future__ import annotations

import io
import shutil
import subprocess
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
        decoded = of_length(len(audio), _resample(decoded, rate, samplerate))
        return decoded, 8 * n_bytes * samplerate / len(audio)


@dataclass(frozen=True)
class OpusTools:
    """Opus by opusenc and opusdec, in packets of 60 ms, at a target of kilobits a second."""

    target: float
    samplerate = 24_000  # Hz, of the decoded sound

    def missing(self) -> str:
        """Return what to install before this codec can be measured, or nothing."""
        there = shutil.which("opusenc") and shutil.which("opusdec")
        return "" if there else "opusenc and opusdec are not there: apt-get install opus-tools"

    def code(self, audio: np.ndarray, samplerate: int) -> tuple[np.ndarray, float]:
        """Code and decode audio, as `WaveformCodec.code` does."""
        wave = io.BytesIO()
        sf.write(wave, audio, samplerate, format="WAV")
        encode = ["opusenc", "--quiet", "--bitrate", f"{self.target}", "--framesize", "60"]
        file = piped([*encode, "-", "-"], wave.getvalue())
        raw = piped(["opusdec", "--quiet", "--rate", str(self.samplerate), "-", "-"], file)
        decoded = np.frombuffer(raw, "<i2").astype(np.float32) / 32_768
        decoded = of_length(len(audio), _resample(decoded, self.samplerate, samplerate))
        return decoded, 8 * len(file) * samplerate / len(audio)


def of_length(n_samples: int, sound: np.ndarray) -> np.ndarray:
    """Return the first samples of a sound, with zeros after its end."""
    return np.pad(sound, (0, max(0, n_samples - len(sound))))[:n_samples]


def piped(command: list[str], data: bytes) -> bytes:
    """Return what a program writes that reads data. Raises: CalledProcessError if it fails."""
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def _resample(audio: np.ndarray, samplerate: int, wanted: int) -> np.ndarray:
    return audio if samplerate == wanted else soxr.resample(audio, samplerate, wanted)


def _lowest_mp3(samplerate: int) -> WaveformCodec:
    """Return MP3 at 8 kb/s.

    The delay is 576 samples of LAME's coder and 529 of any decoder; a file this small has no room
    for the tag with that number.
    """
    options = {"compression_level": 0.999, "bitrate_mode": "CONSTANT"}
    return WaveformCodec("MP3", "MPEG_LAYER_III", samplerate, options, delay=576 + 529)


# libsndfile counts compression from 0 to 1: at 1 its Opus has 6 kb/s, and its MP3 takes 0.999 at
# most.
WAVEFORM_CODECS = {
    "Opus, 6 kb/s": WaveformCodec("OGG", "OPUS", 24_000, {"compression_level": 1.0}),
    "Vorbis, lowest": WaveformCodec("OGG", "VORBIS", 22_050, {"compression_level": 1.0}),
    "MP3, lowest": _lowest_mp3(22_050),
}

# Opus has no sound below 3 kb/s, and MP3 no rate below 8 kb/s; that is spent best at a samplerate
# that leaves little to code.
AT_RATES: dict[str, list[OpusTools | WaveformCodec]] = {
    "Opus": [OpusTools(target) for target in (3, 6, 8, 12)],
    "MP3": [_lowest_mp3(samplerate) for samplerate in (8_000, 11_025, 16_000)],
}
