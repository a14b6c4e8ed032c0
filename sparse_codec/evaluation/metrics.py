"""Figures of sounds, onsets and words, beside the shares and distances of `model/spectrogram.py`.

Packages of the extra "evaluation" measure opinion, onsets and words; a figure whose package is not
installed is left out.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import soxr

ONSET_WINDOW = 0.05  # seconds within which two onsets agree, and within which two are one
ACTIVE = 3000  # states of words that the recogniser keeps in each frame
STRONGEST = 16  # events whose onsets are compared with the labels


def is_installed(package: str) -> bool:
    """Return whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


def unique_onsets(seconds: np.ndarray) -> np.ndarray:
    """Return onsets in order, without those less than ONSET_WINDOW after the last one in it."""
    unique: list[float] = []
    for onset in np.sort(seconds):
        if not unique or onset - unique[-1] >= ONSET_WINDOW:
            unique.append(float(onset))
    return np.array(unique)


def onset_f_measure(estimated: np.ndarray, labelled: np.ndarray) -> float:
    """Return the F-measure of unique onsets in seconds. Source: mir_eval, Raffel et al. 2014."""
    import mir_eval

    reference, estimate = unique_onsets(labelled), unique_onsets(estimated)
    return float(mir_eval.onset.f_measure(reference, estimate, window=ONSET_WINDOW)[0])


def redundancy(seconds: np.ndarray) -> float:
    """Return the share of events whose onset an earlier event has too, within ONSET_WINDOW."""
    return 1 - len(unique_onsets(seconds)) / len(seconds) if len(seconds) else 0.0


def opinion_score(sound: np.ndarray, reference: np.ndarray, samplerate: int) -> float:
    """Return the predicted mean opinion score, 1 to 5, of sounds (T,).

    Source: Zimtohrli, google/zimtohrli.
    """
    import zimtohrli

    a, b = (soxr.resample(x, samplerate, 48_000).astype(np.float32) for x in (reference, sound))
    return float(zimtohrli.mos_from_signals(a, b))


def intelligibility(sound: np.ndarray, reference: np.ndarray, samplerate: int) -> float:
    """Return the extended short-time objective intelligibility of sounds (T,), about 0 to 1.

    Source: Jensen and Taal 2016, package pystoi.
    """
    import pystoi

    return float(pystoi.stoi(reference, sound, samplerate, extended=True))


def recognise(sound: np.ndarray, samplerate: int) -> str:
    """Return the words that PocketSphinx recognises with its own model of American English.

    It goes through the sound once, with at most ACTIVE states a frame: it makes as many errors as
    by its defaults, and a bad sound takes a quarter of the time.
    """
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=16_000, loglevel="FATAL", fwdflat=False, maxhmmpf=ACTIVE)
    audio = soxr.resample(sound, samplerate, 16_000)
    samples = np.rint(32_767 * audio / max(1e-9, np.abs(audio).max()) * 0.9).astype(np.int16)
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr if decoder.hyp() else ""


def word_errors(transcript: str, recognised: str) -> tuple[int, int]:
    """Return the number of wrong, missing and added words, and the number of words of a transcript.

    Source: package jiwer.
    """
    import jiwer

    transcript, recognised = plain_words(transcript), plain_words(recognised)
    errors = jiwer.process_words(transcript, recognised)
    n_errors = errors.substitutions + errors.deletions + errors.insertions
    return n_errors, len(transcript.split())


def plain_words(text: str) -> str:
    """Return a text in lower case, of letters and apostrophes, with one space between words."""
    letters = [char if char.isalpha() or char == "'" else " " for char in text.lower()]
    return " ".join("".join(letters).split())
