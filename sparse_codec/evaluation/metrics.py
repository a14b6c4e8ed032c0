"""What is measured of a sound or of events, beside the shares and distances of `spectrogram`.

The packages that measure loudness, onsets and words come with the extra "evaluation"; a figure whose package is not
installed is left out.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import soxr

ONSET_WINDOW = 0.05  # seconds within which two onsets agree, and within which two are one
STRONGEST = 16  # events whose onsets are compared with the labels


def has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def unique_onsets(seconds: np.ndarray) -> np.ndarray:
    """Onsets in order, without those less than ONSET_WINDOW after the last that was kept."""
    kept: list[float] = []
    for onset in np.sort(seconds):
        if not kept or onset - kept[-1] >= ONSET_WINDOW:
            kept.append(float(onset))
    return np.array(kept)


def onset_f_measure(estimated: np.ndarray, labelled: np.ndarray) -> float:
    """F-measure of unique onsets in seconds. Source: mir_eval, Raffel et al. 2014."""
    import mir_eval

    return float(
        mir_eval.onset.f_measure(
            unique_onsets(labelled), unique_onsets(estimated), window=ONSET_WINDOW
        )[0]
    )


def redundancy(seconds: np.ndarray) -> float:
    """Share of the events whose onset another, earlier one already has, within ONSET_WINDOW."""
    return 1 - len(unique_onsets(seconds)) / len(seconds) if len(seconds) else 0.0


def opinion_score(sound: np.ndarray, reference: np.ndarray, samplerate: int) -> float:
    """Predicted mean opinion score, 1 to 5, of sounds (T,). Source: Zimtohrli, google/zimtohrli."""
    import zimtohrli

    a, b = (soxr.resample(x, samplerate, 48_000).astype(np.float32) for x in (reference, sound))
    return float(zimtohrli.mos_from_signals(a, b))


def intelligibility(sound: np.ndarray, reference: np.ndarray, samplerate: int) -> float:
    """Extended short-time objective intelligibility, about 0 to 1. Source: Jensen and Taal 2016, package pystoi."""
    import pystoi

    return float(pystoi.stoi(reference, sound, samplerate, extended=True))


def recognise(sound: np.ndarray, samplerate: int) -> str:
    """The words that PocketSphinx hears, with the American English model that it carries."""
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=16_000, loglevel="FATAL")
    audio = soxr.resample(sound, samplerate, 16_000)
    samples = np.rint(32_767 * audio / max(1e-9, np.abs(audio).max()) * 0.9).astype(np.int16)
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr if decoder.hyp() else ""


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Wrong, missing and added words, and how many were said. Source: package jiwer."""
    import jiwer

    said, heard = plain_words(said), plain_words(heard)
    counted = jiwer.process_words(said, heard)
    return counted.substitutions + counted.deletions + counted.insertions, len(said.split())


def plain_words(text: str) -> str:
    """Lower case, letters and apostrophes only, one space between words."""
    return " ".join("".join(c if c.isalpha() or c == "'" else " " for c in text.lower()).split())
