"""The sounds and numbers of the articles: each function makes one artifact of a clip or of events.

All of them are pure and conjured: the same arguments give the same bytes, computed once. A sound is
the sum of its events' parts, each in 16 bits (see `report.mix`), so the page can put it together
again from them; `parts.py` has these one by one. `pictures.py` has the same for the eye.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.clips import Clip
from report import Artifact, Data, Sound, Stretch, conjure, mix
from report.artifacts.media import FULL_SCALE, peak_level, to_int16
from report.mix import UNITY
from sparse_codec import EventSet
from sparse_codec.evaluation.variations import vary
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS
from sparse_codec.events import join

if TYPE_CHECKING:  # PyTorch takes seconds to import, and a warm build computes nothing
    import torch

    from sparse_codec import SparseCodec

STEPS = (-2, -1, 0, 1, 2)  # along a principal direction, in standard deviations of its events
DIRECTIONS = 2
STEERED = 6  # events of an example that can be steered: the strongest


# ---- from a clip to events


@conjure
def original(clip: Clip, codec: SparseCodec) -> Sound:
    """The clip as the codec hears it: mono, at the codec's samplerate, at its own level."""
    return Sound(clip.audio(codec.samplerate), codec.samplerate)


@conjure
def first_half(clip: Clip, codec: SparseCodec) -> Sound:
    """The coded half of the clip's first segment."""
    n_samples = codec.config.segment_samples // 2
    audio = clip.audio(codec.samplerate)[:n_samples]
    return Sound(np.pad(audio, (0, n_samples - len(audio))), codec.samplerate)


@conjure
def encoded(clip: Clip, codec: SparseCodec) -> Data:
    """The events of the whole clip, and those of its first half segment alone."""
    windows = list(codec.stream([clip.audio(codec.samplerate)]))
    first, whole = windows[0], join(windows)
    half = dataclasses.replace(first, n_samples=codec.config.segment_samples // 2)
    return Data({"events": whole.to_json(), "first half": half.to_json()})


@conjure
def event_data(encoding: Artifact, part: str) -> Data:
    """One event set of an encoding: "events" of the whole clip, or those of its "first half"."""
    return Data(encoding.value[part])


@conjure
def variation(events: Artifact, kind: str, codec: SparseCodec) -> Data:
    """The events after one of the codec's VARIATIONS; random times are anywhere in the clip."""
    event_set = events_of(events)
    return Data(vary(codec, event_set, kind, until=event_set.n_samples).to_json())


def begin_encoding(clips: list[Clip], *codecs: SparseCodec) -> None:
    """Let a build encode clips side by side, ahead of what is shown of them: it takes longest."""
    for clip in clips:
        for codec in codecs:
            encoded(clip, codec)  # is still computed when the call returns


def clip_events(clip: Clip, codec: SparseCodec) -> Artifact:
    """Return the events of the whole clip."""
    return event_data(encoded(clip, codec), "events")


def half_events(clip: Clip, codec: SparseCodec) -> Artifact:
    """Return the events of the clip's coded half."""
    return event_data(encoded(clip, codec), "first half")


@functools.lru_cache(maxsize=16)
def events_of(artifact: Artifact) -> EventSet:
    """Return the event set in the JSON of an artifact, which is parsed once."""
    return EventSet.from_json(artifact.value)


# ---- from events to sound


@conjure
def rendered(events: Artifact, codec: SparseCodec) -> Sound:
    """An event set as sound: the integer sum of its events' parts."""
    event_set = events_of(events)
    parts = event_parts(event_set, codec)
    starts, sounds = [start for start, _ in parts], [samples for _, samples in parts]
    samples = mix(sounds, starts, [UNITY] * len(parts), event_set.n_samples)
    return Sound(samples, codec.samplerate)


def event_parts(events: EventSet, codec: SparseCodec) -> list[tuple[int, np.ndarray]]:
    """Return for each event where its part of the sound begins, and the part, int16 (T,)."""
    return [(int(part.start), to_int16(part.sound)[0]) for part in codec.parts(events)]


@conjure
def plain_sum(events: Artifact, codec: SparseCodec) -> Sound:
    """An event set as the sum of its events as they sound alone, whose partials beat."""
    event_set = events_of(events)
    sounds = [to_int16(samples)[0] for samples in codec.render(event_set)]
    levels = [UNITY] * len(sounds)
    samples = mix(sounds, event_set.onsets.tolist(), levels, event_set.n_samples)
    return Sound(samples, codec.samplerate)


@conjure
def event_sound(events: Artifact, index: int, codec: SparseCodec) -> Sound:
    """One event at its gain as it sounds alone, without the silence at its end."""
    (samples,) = _rendered_alone(events_of(events).select([index]), codec)
    return Sound(samples, codec.samplerate)


@conjure
def event_sounds(events: Artifact, seconds: float, codec: SparseCodec) -> dict[str, Sound | Data]:
    """Each event at its gain as it sounds alone, without the silence at its end, see `packed`."""
    return packed(_rendered_alone(events_of(events), codec), codec.samplerate, seconds)


def _rendered_alone(events: EventSet, codec: SparseCodec) -> list[np.ndarray]:
    return [without_silent_end(to_int16(samples)[0]) for samples in codec.render(events)]


def packed(sounds: list[np.ndarray], samplerate: int, seconds: float) -> dict[str, Sound | Data]:
    """Put sounds, int16 (T,), one after another into files of that many seconds, or of one sound.

    Readers load a file as a whole, and each file costs a build some time. So sounds that are needed
    one by one are packed into short files, and those that are needed together into long ones.

    Returns: the files by "1", "2" and so on, and "places": for each sound its "file", the "first"
    sample and the "length" there, and its "peak" in dBFS, None for silence.
    """
    files: list[list[np.ndarray]] = []
    filled, places = 0, []
    for samples in sounds:
        if not files or filled + len(samples) > seconds * samplerate:
            files.append([])
            filled = 0
        files[-1].append(samples)
        places.append(
            {
                "file": str(len(files)),
                "first": filled,
                "length": len(samples),
                "peak": peak_level(samples),
            }
        )
        filled += len(samples)
    whole = {
        str(number): Sound(np.concatenate(members), samplerate)
        for number, members in enumerate(files, start=1)
    }
    return {**whole, "places": Data(places)}


def samples_of(pack: Mapping[str, Artifact]) -> list[Sound]:
    """Return the samples of the sounds that `packed` has put into files."""
    files = {name: artifact.value for name, artifact in pack.items()}
    return [
        Sound(
            files[place["file"]].samples[place["first"] :][: place["length"]],
            files[place["file"]].samplerate,
        )
        for place in files["places"]
    ]


def files(pack: Mapping[str, Artifact]) -> list[Artifact]:
    """Return the files into which `packed` has put sounds."""
    return [file for name, file in pack.items() if name != "places"]


def stretches(pack: Mapping[str, Artifact]) -> list[Stretch]:
    """Return the sounds that `packed` has put into files."""
    return [
        Stretch(pack[place["file"]], place["first"], place["length"], place["peak"])
        for place in pack["places"].value
    ]


@conjure
def stage_sound(events: Artifact, index: int, stage: str, codec: SparseCodec) -> Sound:
    """One event after a stage of the decoder: "excitation", "resonance" or "room"."""
    (stages,) = codec.render_stages(events_of(events).select([index]))
    return Sound(stages[stage], codec.samplerate)


@conjure
def residual_sound(clip: Clip, events: Artifact, n_events: int, codec: SparseCodec) -> Sound:
    """The clip without its first events.

    Its magnitudes are the residual's where these are positive, its phases the original's.
    """
    import torch

    from sparse_codec.model.spectrogram import hann, stft

    config, samples = codec.config, torch.from_numpy(clip.audio(codec.samplerate))[None]
    # Frames that are centred after the end reach back into the clip.
    audio = torch.nn.functional.pad(samples, (0, config.window // 2))
    original = codec.magnitudes(audio)[0]
    scene = codec.scene(events_of(events).select(slice(n_events)), original.shape[1])
    residual = original - scene
    phases = torch.angle(stft(audio, config.window, config.hop))
    spectrum = torch.polar(residual.clamp(min=0)[None], phases)
    spectrum = torch.nn.functional.pad(spectrum, (0, 1))
    window, n_samples = hann(config.window), samples.shape[1]
    sound = torch.istft(spectrum, config.window, config.hop, window=window, length=n_samples)
    return Sound(sound[0].numpy(), config.samplerate)


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


def without_silent_end(samples: np.ndarray) -> np.ndarray:
    """Return int16 samples up to the last that is not 0, and at least one."""
    sounding = np.flatnonzero(samples)
    return samples[: sounding[-1] + 1] if len(sounding) else samples[:1]


# ---- other sounds for an event


@conjure
def steered(events: Artifact, seconds: float, codec: SparseCodec) -> dict[str, Sound | Data]:
    """The strongest events, with vectors moved along principal directions of the set.

    They are in the order of `moves`, see `packed`.
    """
    event_set = events_of(events)
    moved = {
        (direction, step): dataclasses.replace(
            event_set, vectors=steered_vectors(event_set, direction, step)
        )
        for _, direction, step in moves(event_set)
    }
    sounds = [
        sound
        for event, direction, step in moves(event_set)
        for sound in _rendered_alone(moved[direction, step].select([event]), codec)
    ]
    return packed(sounds, codec.samplerate, seconds)


def moves(events: EventSet) -> list[tuple[int, int, int]]:
    """Return how events are steered: the event, the direction, and the deviations along it."""
    return [
        (event, direction, step)
        for event in strongest(events)
        for direction in range(DIRECTIONS)
        for step in STEPS
        if step
    ]


def steered_vectors(events: EventSet, direction: int, step: int) -> np.ndarray:
    """Return all vectors (N, V) moved along a principal direction, by `step` deviations.

    Directions are the right singular vectors of the centred vectors; the singular value over the
    square root of their number is the standard deviation along a direction.
    """
    vectors = events.vectors
    centred = vectors - vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    move = step * sizes[direction] / np.sqrt(len(vectors)) * directions[direction]
    return (vectors + move).clip(-1, 1).astype(np.float32)


def strongest(events: EventSet) -> list[int]:
    """Return the events that can be steered, the strongest first.

    A set of no more events than DIRECTIONS has none.
    """
    if len(events) <= DIRECTIONS:
        return []
    return np.argsort(-events.gains, kind="stable")[:STEERED].tolist()


@conjure
def choices(
    sets: dict[str, list[str]],
    steps: dict[str, list[list[str | None]]],
    looks: Artifact,
    directions: Artifact,
    places: dict[str, Any] | None = None,
) -> Data:
    """The sounds that events may have instead, by the keys of stretches: see `report.EventRoll`.

    looks: has for each of these sounds the look of an event's mark, in lists of the same shape.
    directions: names the ends of the steps.
    places: on a scale, if there is one, like `looks`.
    """
    by_key: dict[str, Any] = {}
    for shown in (looks.value, *([places] if places else [])):
        for kind, keys in sets.items():
            _add(by_key, keys, shown["sets"][kind])
        for event, rows in steps.items():
            for row, row_looks in zip(rows, shown["steps"][event], strict=True):
                _add(by_key, row, row_looks)
    return Data({"sets": sets, "steps": steps, "directions": directions.value, "looks": by_key})


def _add(looks: dict[str, Any], keys: Sequence[str | None], more: list[Any]) -> None:
    """Add to the looks by key what is known of these sounds."""
    for key, look in zip(keys, more, strict=True):
        if key is not None:
            looks[key] = looks.get(key, {}) | look


# ---- numbers


@conjure
def shares(clip: Clip, events: Artifact, codec: SparseCodec) -> Data:
    """The shares (L2, L1) of the clip that are gone after each event."""
    from sparse_codec.model.spectrogram import shares_removed

    original, *left = (residual[None] for residual in residuals(clip, events, codec))
    return Data([shares_removed(residual, original, original.shape[2]) for residual in left])


@conjure
def evaluated_shares(clip: Clip, codec: SparseCodec) -> Data:
    """The shares (L2, L1) that are gone of the piece of a clip that evaluation measures.

    It is as many windows as it takes to cover 2.97 s: one of music, four of a voice.
    """
    import torch

    from sparse_codec.evaluation.measure import windows_of
    from sparse_codec.model.spectrogram import shares_removed

    half = codec.config.segment_samples // 2
    n_windows, n_frames = windows_of(codec), windows_of(codec) * codec.config.half_frames
    audio = clip.audio(codec.samplerate)[: (n_windows + 1) * half]
    audio = np.pad(audio, (0, (n_windows + 1) * half - len(audio)))
    original = codec.magnitudes(torch.from_numpy(audio)[None])[..., :n_frames]
    events = events_of(clip_events(clip, codec))
    left = original - codec.scene(events.select(events.frames < n_frames), n_frames)
    return Data(shares_removed(left, original, n_frames))


@conjure
def figures(original: Artifact, reconstruction: Artifact, events: Artifact) -> Data:
    """The figures of an example. The distance is that of the rendered sound."""
    import torch

    from sparse_codec.evaluation.measure import BITS
    from sparse_codec.model.spectrogram import log_spectral_distance

    sound, reference = waveform(reconstruction.value), waveform(original.value)
    event_set = events_of(events)
    n_events, vector_size = event_set.vectors.shape
    numbers = (vector_size + 2) * n_events  # vector, time, gain
    return Data(
        {
            "events": n_events,
            "distance": log_spectral_distance(sound, reference).item(),
            "silence": log_spectral_distance(torch.zeros_like(reference), reference).item(),
            "bits_per_second": BITS * numbers * event_set.samplerate / event_set.n_samples,
            "samples_to_numbers": event_set.n_samples / max(1, numbers),
        }
    )


# ---- also for pictures


def original_magnitudes(clip: Clip, codec: SparseCodec) -> torch.Tensor:
    """Return magnitudes (F, T) of the clip."""
    import torch

    return codec.magnitudes(torch.from_numpy(clip.audio(codec.samplerate))[None])[0]


def residuals(clip: Clip, events: Artifact, codec: SparseCodec) -> Iterator[torch.Tensor]:
    """Yield the residuals (F, T) of the clip: before the first event and after each."""
    return codec.peel(original_magnitudes(clip, codec), events_of(events))


def waveform(sound: Sound) -> torch.Tensor:
    """Return a stored sound as floats (1, T); 1 is full scale."""
    import torch

    return torch.from_numpy(sound.samples.astype(np.float32) / FULL_SCALE)[None]
