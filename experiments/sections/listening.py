"""Clips by every method side by side: the codec, the plain sum of its events, and rivals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.clips import Clip
from experiments.sections import pictures, sounds
from experiments.sections.event_files import ATOM_NUMBERS
from experiments.sections.examples import at_rate, source
from experiments.sections.sounds import events_of
from report import Artifact, Compare, Data, Grid, Mushra, Sound, conjure
from sparse_codec.audio.blocks import cut_segments
from sparse_codec.config import QUALITIES, at_quality
from sparse_codec.events import join

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from sparse_codec import SparseCodec

PICTURED = 3  # methods that have spectrograms: the page stays light
RIVALS = ("Opus, 6 kb/s", "MP3, lowest")  # of `sounds.coded_otherwise`


@dataclass(frozen=True)
class Method:
    """One clip by one method."""

    name: str
    sound: Artifact
    rate: Artifact | None = None  # bits a second of its file, see `sounds.bits_otherwise`

    @property
    def kilobits(self) -> list[float]:
        """The rate in kb/s, if there is one."""
        return [self.rate.value / 1000] if self.rate else []


def side_by_side(title: str, clips: list[Clip], codec: SparseCodec) -> list[Grid | Compare]:
    """A table of clips by methods, and each clip with the spectrograms of the first ones."""
    # Everything is begun before a value is asked for.
    computed = [_conjure_methods(clip, codec) for clip in clips]
    columns = [
        _label(methods[0].name, [rate for method in methods for rate in method.kilobits])
        for methods in zip(*computed, strict=True)
    ]
    shown = list(zip(clips, computed, strict=True))
    rows = [(clip.title, [method.sound for method in methods]) for clip, methods in shown]
    return [Grid(title, rows, columns), *(_pictured(clip, methods) for clip, methods in shown)]


def _pictured(clip: Clip, methods: list[Method]) -> Compare:
    versions = pictures.versions({each.name: each.sound for each in methods[:PICTURED]})
    return Compare(f"{clip.title}.", versions, source(clip))


def _conjure_methods(clip: Clip, codec: SparseCodec) -> list[Method]:
    """Compute one clip by all methods."""
    original, events = sounds.original(clip, codec), sounds.clip_events(clip, codec)
    made = {
        "Original": original,
        "Codec": sounds.rendered(events, codec),
        "Codec, plain sum": sounds.plain_sum(events, codec),
        "Matching pursuit": pursued(clip, events, codec),
    }
    return [
        *(Method(name, sound) for name, sound in made.items()),
        *(
            Method(
                name,
                sounds.coded_otherwise(original, name),
                sounds.bits_otherwise(original, name),
            )
            for name in RIVALS
        ),
    ]


def _label(name: str, kilobits: list[float]) -> str:
    """Return the name of a method, with the mean of its rates in the place of its setting."""
    return at_rate(name, sum(kilobits) / len(kilobits)) if kilobits else name


@conjure
def pursued(clip: Clip, events: Artifact, codec: SparseCodec) -> Sound:
    """The clip by matching pursuit, window by window, in as many numbers as its events take.

    Each window's atoms are taken off the next one, as the codec does it with its events. They end
    where the frames end that they were chosen for: without that the slow ones would ring on, of
    which no later window knows.
    """
    import torch

    from sparse_codec.evaluation.pursuit import MatchingPursuit

    config, pursuit, event_set = codec.config, MatchingPursuit(codec.config), events_of(events)
    half, horizon = config.segment_samples // 2, config.horizon_frames * config.hop
    sound, left_over = torch.zeros(event_set.n_samples + horizon), torch.zeros(config.n_bins, 0)
    fade = (torch.arange(horizon, 0, -1) / config.window).clamp(max=1)
    segments = cut_segments([clip.audio(codec.samplerate)], config.segment_samples)
    for window, (segment, _) in enumerate(segments):
        original = codec.magnitudes(torch.from_numpy(segment)[None])[0].clone()
        original[:, : left_over.shape[1]] -= left_over
        n_events = int((event_set.frames // config.half_frames == window).sum())
        n_atoms = n_events * (config.vector_size + 2) // ATOM_NUMBERS
        left_over = left_over[:, :0]
        if n_atoms:
            atoms = pursuit.decompose(original, n_atoms)
            sound[window * half :][:horizon] += fade * pursuit.render(atoms, horizon)
            scene = torch.einsum("n,nft->ft", atoms.gains, pursuit.spectrograms(atoms))
            left_over = scene[:, config.half_frames : 2 * config.half_frames]
    return Sound(sound[: event_set.n_samples].numpy(), codec.samplerate)


# ---- a test


def mushra(title: str, clips: list[Clip], codec: SparseCodec) -> Mushra:
    """A test that asks how good clips are by the codec at three rates, and by its rivals.

    The first clip is there to train with, unless there is no other.
    """
    # Everything is begun before a value is asked for.
    items = {clip.title: _judged(clip, codec) for clip in clips}
    reference = {clip.title: sounds.original(clip, codec) for clip in clips}
    training = [clip.title for clip in clips[:-1][:1]]
    return Mushra(title, items, reference, training=training)


def _judged(clip: Clip, codec: SparseCodec) -> dict[str, Artifact]:
    original = sounds.original(clip, codec)
    return {
        **{f"Codec, {quality}": at_rate_of(quality, clip, codec) for quality in QUALITIES},
        "Matching pursuit": pursued(clip, sounds.clip_events(clip, codec), codec),
        **{name: sounds.coded_otherwise(original, name) for name in RIVALS},
    }


def at_rate_of(quality: str, clip: Clip, codec: SparseCodec) -> Artifact:
    """The clip by the codec with the events of a point of quality."""
    events = sounds.clip_events(clip, codec) if QUALITIES[quality] == 1 else None
    return sounds.rendered(events or encoded_at(clip, quality, codec), codec)


@conjure
def encoded_at(clip: Clip, quality: str, codec: SparseCodec) -> Data:
    """The events of the whole clip, as many as a point of quality has."""
    options = at_quality(codec.config.encode, quality, codec.config.n_events)
    return Data(join(list(codec.stream([clip.audio(codec.samplerate)], options))).to_json())


def numbers_a_second(clip: Clip, codec: SparseCodec) -> float:
    """Return how many numbers the codec writes for a second of a clip."""
    events = events_of(sounds.clip_events(clip, codec))
    return (codec.config.vector_size + 2) * len(events) / clip.seconds
