"""What the articles let one hear: each function makes one artifact of a clip, an event set or another artifact.

Everything here is pure and conjured: the same arguments give the same bytes, computed once. Sounds are sums of
events rendered to 16 bits each (see `report.mix`), so any of them can be put together again from its events.
What they let one see is in `experiments.sections.pictures`.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from experiments.clips import Clip
from report import Artifact, Data, Sound, conjure, mix
from report.artifacts.media import FULL_SCALE, to_int16
from report.mix import UNITY
from sparse_codec import EventSet, SparseCodec
from sparse_codec.evaluation.measure import BITS
from sparse_codec.evaluation.variations import vary
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS
from sparse_codec.events import join
from sparse_codec.model.spectrogram import hann, log_spectral_distance, shares_removed, stft

STEPS = (
    -2,
    -1,
    0,
    1,
    2,
)  # how far along a principal direction, in standard deviations of an example's events
DIRECTIONS = 2
STEERED = 6  # events of an example that can be steered: the strongest


# ---- from a clip to events


@conjure
def original(clip: Clip, codec: SparseCodec) -> Sound:
    """The clip as the codec hears it: mono, at the codec's samplerate, at its own level."""
    return Sound(clip.audio(codec.config.samplerate), codec.config.samplerate)


@conjure
def first_half(clip: Clip, codec: SparseCodec) -> Sound:
    """The coded half of the clip's first segment."""
    return Sound(
        _segment(clip, codec)[: codec.config.segment_samples // 2], codec.config.samplerate
    )


@conjure
def encoded(clip: Clip, codec: SparseCodec) -> Data:
    """The events of the whole clip, and those of its first half segment alone."""
    windows = list(codec.stream([clip.audio(codec.samplerate)]))
    first, whole = windows[0], join(windows)
    half = dataclasses.replace(first, n_samples=codec.config.segment_samples // 2)
    return Data({"events": whole.to_json(), "first half": half.to_json()})


@conjure
def event_data(encoding: Artifact, part: str) -> Data:
    """An event set of an encoding alone: "events" of the whole clip, or those of its "first half"."""
    return Data(encoding.value[part])


@conjure
def variation(events: Artifact, kind: str, codec: SparseCodec) -> Data:
    """The events after one of the codec's VARIATIONS."""
    return Data(vary(codec, events_of(events), kind).to_json())


def events_of(artifact: Artifact) -> EventSet:
    """The event set in the data that `event_data` or `variation` made."""
    return EventSet.from_json(artifact.value)


# ---- from events to sound


@conjure
def rendered(events: Artifact, codec: SparseCodec) -> Sound:
    """An event set as sound: the integer sum of its events."""
    return Sound(_sum_of_events(events_of(events), codec), codec.config.samplerate)


@conjure
def event_sound(events: Artifact, index: int, codec: SparseCodec) -> Sound:
    """One event at its gain, from its onset on, without the silence at its end."""
    (samples,) = codec.render(events_of(events).select([index]))
    return Sound(without_silent_end(to_int16(samples)[0]), codec.config.samplerate)


@conjure
def stage_sound(events: Artifact, index: int, stage: str, codec: SparseCodec) -> Sound:
    """One event after a stage of the decoder: "excitation", "resonance" or "room"."""
    (stages,) = codec.render_stages(events_of(events).select([index]))
    return Sound(stages[stage], codec.config.samplerate)


@conjure
def residual_sound(clip: Clip, half: Artifact, n_events: int, codec: SparseCodec) -> Sound:
    """What the first events leave of the coded half: the residual's non-negative part with the original's phases."""
    config = codec.config
    left = original_magnitudes(clip, codec) - codec.scene(
        events_of(half).select(slice(n_events)), config.n_frames
    )
    audio = torch.from_numpy(_segment(clip, codec))[None]
    phases = torch.angle(stft(audio, config.window, config.hop))
    spectrum = torch.polar(left.clamp(min=0)[None], phases)
    spectrum = torch.nn.functional.pad(spectrum, (0, 1))
    heard = torch.istft(
        spectrum, config.window, config.hop, window=hann(config.window), length=audio.shape[1]
    )
    return Sound(heard[0, : config.segment_samples // 2].numpy(), config.samplerate)


@conjure
def coded_otherwise(sound: Artifact, name: str) -> Sound:
    """A sound after one of WAVEFORM_CODECS."""
    return Sound(_code_otherwise(sound, name)[0], sound.value.samplerate)


@conjure
def bits_otherwise(sound: Artifact, name: str) -> Data:
    """The rate of that file in bits per second."""
    return Data(_code_otherwise(sound, name)[1])


def _code_otherwise(sound: Artifact, name: str) -> tuple[np.ndarray, float]:
    return WAVEFORM_CODECS[name].code(waveform(sound.value)[0].numpy(), sound.value.samplerate)


def _sum_of_events(events: EventSet, codec: SparseCodec) -> np.ndarray:
    sounds = [to_int16(samples)[0] for samples in codec.render(events)]
    return mix(sounds, events.onsets.tolist(), [UNITY] * len(sounds), events.n_samples)


def without_silent_end(samples: np.ndarray) -> np.ndarray:
    """int16 samples up to the last that is not 0, and at least one."""
    sounding = np.flatnonzero(samples)
    return samples[: sounding[-1] + 1] if len(sounding) else samples[:1]


# ---- what an event may sound like instead


@conjure
def steered(events: Artifact, index: int, direction: int, step: int, codec: SparseCodec) -> Sound:
    """One event whose vector is moved along a principal direction of the set, by standard deviations."""
    found = events_of(events)
    centred = found.vectors - found.vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    move = step * sizes[direction] / np.sqrt(len(found)) * directions[direction]
    vectors = (found.vectors + move).clip(-1, 1).astype(np.float32)
    (samples,) = codec.render(dataclasses.replace(found, vectors=vectors).select([index]))
    return Sound(without_silent_end(to_int16(samples)[0]), found.samplerate)


def strongest(events: EventSet) -> list[int]:
    """The events that can be steered."""
    return (
        np.argsort(-events.gains, kind="stable")[:STEERED].tolist()
        if len(events) > DIRECTIONS
        else []
    )


@conjure
def choices(sets: dict[str, list[Artifact]], steps: dict[str, list[list[Artifact | None]]]) -> Data:
    """What events may sound like instead, by hash: see `report.EventRoll`."""
    return Data(
        {
            "sets": {kind: [_hash(sound) for sound in sounds] for kind, sounds in sets.items()},
            "steps": {
                event: [[_hash(sound) for sound in row] for row in rows]
                for event, rows in steps.items()
            },
        }
    )


def _hash(sound: Artifact | None) -> str | None:
    return sound and sound.sha256


# ---- numbers


@conjure
def shares(clip: Clip, half: Artifact, codec: SparseCodec) -> Data:
    """The shares (L2, L1) of the coded half that are gone after each event."""
    original, *left = (residual[None] for residual in residuals(clip, half, codec))
    return Data([shares_removed(residual, original, codec.config.half_frames) for residual in left])


@conjure
def figures(original: Artifact, reconstruction: Artifact, events: Artifact) -> Data:
    """What the table of an example says. The distance is measured on the rendered audio of the coded half."""
    found = events_of(events)
    heard, reference = waveform(reconstruction.value), waveform(original.value)
    numbers = (found.vectors.shape[1] + 2) * len(found)  # vector, time, gain
    return Data(
        {
            "events": len(found),
            "distance": log_spectral_distance(heard, reference).item(),
            "silence": log_spectral_distance(torch.zeros_like(reference), reference).item(),
            "bits_per_second": BITS * numbers * found.samplerate / found.n_samples,
            "samples_to_numbers": found.n_samples / max(1, numbers),
        }
    )


# ---- shared pieces


def _segment(clip: Clip, codec: SparseCodec) -> np.ndarray:
    """The clip's first segment (segment_samples,), padded with zeros."""
    audio = clip.audio(codec.config.samplerate)[: codec.config.segment_samples]
    return np.pad(audio, (0, codec.config.segment_samples - len(audio)))


def original_magnitudes(clip: Clip, codec: SparseCodec) -> torch.Tensor:
    """Magnitudes (F, T) of the clip's first segment."""
    return codec.magnitudes(torch.from_numpy(_segment(clip, codec))[None])[0]


def residuals(clip: Clip, half: Artifact, codec: SparseCodec) -> list[torch.Tensor]:
    """The residuals (F, T) of the coded half: before the first event and after each."""
    return list(
        codec.peel(original_magnitudes(clip, codec)[:, : codec.config.half_frames], events_of(half))
    )


def waveform(sound: Sound) -> torch.Tensor:
    """A stored sound as floats (1, T), full scale being 1."""
    return torch.from_numpy(sound.samples.astype(np.float32) / FULL_SCALE)[None]
