"""What one hears of a change of an event's vector: brighter, longer, softer attack, noisier."""

from __future__ import annotations

import numpy as np

from experiments.sections.event_names import NO_KEY
from experiments.sections.sounds import STEPS, samples_of
from report import Artifact, Data, Sound, conjure

WINDOW, HOP = 1024, 128  # samples, of the spectra that are measured
SOUNDING = 0.01  # energy of a frame in which a sound still sounds, as a share of its loudest one's
RISEN = 0.8  # energy at which an attack is over, likewise
FLOOR = 1e-6  # energy in each bin, as a share of the loudest one's
SECOND = 0.5  # of the largest change: what changes so much is told too

# What is measured, the smallest change that is plainly heard, and the words for its two ways.
MEASURES: dict[str, tuple[float, str, str]] = {
    "pitch": (1.0, "lower", "higher"),  # semitones
    "brightness": (0.15, "darker", "brighter"),  # octaves of the spectral centroid
    "length": (0.25, "shorter", "longer"),  # octaves of the seconds
    "attack": (0.5, "sharper attack", "softer attack"),  # octaves of its seconds
    "noise": (2.0, "purer", "noisier"),  # dB of the spectral flatness
    "level": (2.0, "softer", "louder"),  # dB
}


@conjure
def directions(steered: dict[str, Artifact], keys: Artifact) -> Data:
    """The words for both ends of each direction along which events are steered.

    steered: the sounds of all steps, in the order of the events in `keys`, see `sounds.steered`.
    keys: their pitches, see `pitches.steered_keys`.
    Returns: for each event a list of [low end, high end].
    """
    sounds = iter(samples_of(steered))
    return Data(
        {
            event: [ends(_changes([next(sounds) for step in STEPS if step], row)) for row in rows]
            for event, rows in keys.value.items()
        }
    )


def ends(changes: dict[str, float]) -> list[str]:
    """Return the words for the two ends of a direction, of its changes in units of MEASURES.

    The largest change is told, and the next one if it is not much smaller.
    """
    ranked = sorted(changes, key=lambda name: -abs(changes[name]))
    told = [
        name
        for name in ranked[:2]
        if abs(changes[name]) >= max(1.0, SECOND * abs(changes[ranked[0]]))
    ]
    if not told:
        return ["slightly one way", "the other"]
    pairs = [MEASURES[name][1:][:: 1 if changes[name] > 0 else -1] for name in told]
    low, high = zip(*pairs, strict=True)
    return [", ".join(low), ", ".join(high)]


def measure(samples: np.ndarray, samplerate: int) -> dict[str, float]:
    """Return what MEASURES names of int16 samples (T,), without the pitch."""
    padded = np.pad(samples.astype(np.float64), (0, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW))) ** 2 + 1e-3
    energy = (frames**2).sum(1)
    loudest = max(energy.max(), 1e-9)
    sounding = energy >= SOUNDING * loudest
    mean = power[sounding].mean(0) if sounding.any() else power.mean(0)
    mean += FLOOR * mean.max()  # else the rounding to 16 bits is noise
    hertz = np.fft.rfftfreq(WINDOW, 1 / samplerate)
    risen = 1 + int(np.argmax(energy >= RISEN * loudest)) - int(np.argmax(sounding))
    return {
        "brightness": float(np.log2((hertz @ np.sqrt(mean)) / np.sqrt(mean).sum())),
        "length": float(np.log2(max(1, sounding.sum()) * HOP / samplerate)),
        "attack": float(np.log2(max(1, risen) * HOP / samplerate)),
        "noise": float(10 * (np.log10(mean).mean() - np.log10(mean.mean()))),
        "level": float(10 * np.log10((samples.astype(np.float64) ** 2).sum() + 1)),
    }


def _changes(sounds: list[Sound], keys: list[int]) -> dict[str, float]:
    """Return the change from the first step to the last, by a line through all, in units."""
    steps = [step for step in STEPS if step]
    values = [measure(sound.samples, sound.samplerate) for sound in sounds]
    changes = {
        name: np.polyfit(steps, [value[name] for value in values], 1)[0] for name in values[0]
    }
    if NO_KEY not in keys:
        changes["pitch"] = np.polyfit(STEPS, keys, 1)[0]
    length = STEPS[-1] - STEPS[0]
    return {name: float(length * slope / MEASURES[name][0]) for name, slope in changes.items()}
