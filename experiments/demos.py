"""What the articles show: each function makes one artifact of a clip, an event set or another artifact.

Everything here is pure and conjured: the same arguments give the same bytes, computed once. Sounds are sums of
events rendered to 16 bits each (see `report.mix`), so any of them can be put together again from its events.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from experiments.clips import Clip
from report import Artifact, Data, Figure, Film, Picture, Sound, conjure, mix
from report.media import FULL_SCALE, to_int16
from report.mix import UNITY
from sparse_codec import EventSet, SparseCodec
from sparse_codec.evaluate import BITS
from sparse_codec.events import join
from sparse_codec.spectrogram import hann, log_spectral_distance, magnitudes, mel_bands, shares_removed, stft
from sparse_codec.variations import vary

FLOOR_DB = -70  # what a spectrogram shows below its reference is black
REFERENCE = 256.0  # magnitude that is 0 dB: a sinusoid of half of full scale in a Hann window of 2048
MEL_BANDS = 160  # rows of a spectrogram
PICTURE_HOP = 256  # samples from column to column
FILM_SECONDS = 8.0
INK = "#7d7a72"


# ---- from a clip to events


@conjure
def original(clip: Clip, codec: SparseCodec) -> Sound:
    """The clip as the codec hears it: mono, at the codec's samplerate, at its own level."""
    return Sound(clip.audio(codec.config.samplerate), codec.config.samplerate)


@conjure
def first_half(clip: Clip, codec: SparseCodec) -> Sound:
    """The coded half of the clip's first segment."""
    return Sound(_segment(clip, codec)[: codec.config.segment_samples // 2], codec.config.samplerate)


@conjure
def encoded(clip: Clip, codec: SparseCodec) -> Data:
    """The events of the whole clip, and those of its first half segment alone."""
    audio = clip.audio(codec.config.samplerate)
    windows = codec.windows(audio)
    first = next(windows)
    whole = join([first, *windows], n_samples=len(audio))
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
def residual_sound(clip: Clip, half: Artifact, codec: SparseCodec) -> Sound:
    """What is left of the coded half: the residual's non-negative part with the original's phases."""
    config = codec.config
    left = _original(clip, codec) - codec.scene(events_of(half), config.n_frames)
    audio = torch.from_numpy(_segment(clip, codec))[None]
    phases = torch.angle(stft(audio, config.window, config.hop))
    spectrum = torch.polar(left.clamp(min=0)[None], phases)
    spectrum = torch.nn.functional.pad(spectrum, (0, 1))
    heard = torch.istft(spectrum, config.window, config.hop, window=hann(config.window), length=audio.shape[1])
    return Sound(heard[0, : config.segment_samples // 2].numpy(), config.samplerate)


def _sum_of_events(events: EventSet, codec: SparseCodec) -> np.ndarray:
    sounds = [to_int16(samples)[0] for samples in codec.render(events)]
    return mix(sounds, events.onsets.tolist(), [UNITY] * len(sounds), events.n_samples)


def without_silent_end(samples: np.ndarray) -> np.ndarray:
    """int16 samples up to the last that is not 0, and at least one."""
    sounding = np.flatnonzero(samples)
    return samples[: sounding[-1] + 1] if len(sounding) else samples[:1]


# ---- figures


@conjure
def spectrogram(sound: Artifact, title: str) -> Figure:
    """Magnitudes of a sound in dB on one scale for the whole article, so that pictures can be compared."""
    spectrum = magnitudes(_waveform(sound.value), window=2048, hop=PICTURE_HOP)[0].numpy()
    decibels = _decibels(spectrum, sound.value.samplerate)
    return Figure(_draw_spectrogram(decibels, sound.value.samplerate), f"Spectrogram of {title}")


@conjure
def film(clip: Clip, half: Artifact, codec: SparseCodec) -> Film:
    """The residual, event by event, from the original to what is left."""
    residuals, rate = _residuals(clip, half, codec), codec.config.samplerate
    frames = np.stack([_pixels(residual.numpy(), rate) for residual in residuals])
    return Film(frames, FILM_SECONDS, f"The residual spectrogram of {clip.title}, one frame for each event taken off")


@conjure
def shares(clip: Clip, half: Artifact, codec: SparseCodec) -> Data:
    """The shares (L2, L1) of the coded half that are gone after each event."""
    original, *residuals = (residual[None] for residual in _residuals(clip, half, codec))
    return Data([shares_removed(residual, original, codec.config.half_frames) for residual in residuals])


@conjure
def film_poster(clip: Clip, codec: SparseCodec) -> Picture:
    """The film's first frame."""
    original = _original(clip, codec)[:, : codec.config.half_frames]
    return Picture(
        _pixels(original.numpy(), codec.config.samplerate),
        f"The spectrogram of {clip.title} before any event is taken off",
    )


@conjure
def vectors_picture(events: Artifact) -> Figure:
    """All event vectors, one row an event, in the order in which they were found."""
    from matplotlib.figure import Figure as Canvas

    vectors = events_of(events).vectors
    canvas = Canvas(figsize=(5.2, 4.4), layout="constrained", facecolor="none")
    axes = canvas.add_subplot(xlabel="number", ylabel="event, in the order found")
    picture = axes.imshow(vectors, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    tone_down(axes, canvas.colorbar(picture, label="value").ax)
    return Figure(canvas, f"Event vectors: {len(vectors)} rows of {vectors.shape[1]} numbers between -1 and 1")


@conjure
def layout(events: Artifact, seed: int) -> Data:
    """Where each event's mark goes: a height in 0..1 from 1-D t-SNE, and a colour from a fixed random projection.

    With fewer than five events, for which t-SNE means nothing, the height is the first principal component.
    """
    vectors = events_of(events).vectors.astype(np.float64)
    colours = vectors @ np.random.default_rng(seed).normal(size=(vectors.shape[1], 3))
    colours = np.rint(70 + 150 * _to_unit_range(colours, axis=0)).astype(int)
    heights = _to_unit_range(_one_dimension(vectors, seed), axis=0)
    return Data({"heights": heights.tolist(), "colours": [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours]})


def _one_dimension(vectors: np.ndarray, seed: int) -> np.ndarray:
    if len(vectors) < 2:
        return np.zeros(len(vectors))
    if len(vectors) < 5:
        centred = vectors - vectors.mean(axis=0)
        return centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    from sklearn.manifold import TSNE

    perplexity = min(8.0, (len(vectors) - 1) / 3)
    return TSNE(1, init="pca", perplexity=perplexity, random_state=seed).fit_transform(vectors)[:, 0]


def _to_unit_range(values: np.ndarray, axis: int) -> np.ndarray:
    if not len(values):
        return values
    low, high = values.min(axis, keepdims=True), values.max(axis, keepdims=True)
    return (values - low) / np.where(high > low, high - low, 1.0)


# ---- numbers


@conjure
def figures(original: Artifact, reconstruction: Artifact, events: Artifact) -> Data:
    """What the table of an example says. The distance is measured on the rendered audio of the coded half."""
    found = events_of(events)
    heard, reference = _waveform(reconstruction.value), _waveform(original.value)
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


def _original(clip: Clip, codec: SparseCodec) -> torch.Tensor:
    """Magnitudes (F, T) of the clip's first segment."""
    return codec.magnitudes(torch.from_numpy(_segment(clip, codec))[None])[0]


def _residuals(clip: Clip, half: Artifact, codec: SparseCodec) -> list[torch.Tensor]:
    """The residuals (F, T) of the coded half: before the first event and after each."""
    return list(codec.peel(_original(clip, codec)[:, : codec.config.half_frames], events_of(half)))


def _waveform(sound: Sound) -> torch.Tensor:
    """A stored sound as floats (1, T), full scale being 1."""
    return torch.from_numpy(sound.samples.astype(np.float32) / FULL_SCALE)[None]


def _decibels(magnitudes: np.ndarray, samplerate: int) -> np.ndarray:
    """dB (mel bands, T) between FLOOR_DB and 0, lowest band first; what is negative is silent."""
    mel = mel_bands(MEL_BANDS, len(magnitudes), samplerate).numpy()
    bands = (mel / mel.sum(1, keepdims=True)) @ magnitudes.clip(min=0)
    return np.clip(20 * np.log10(np.maximum(bands, 1e-9) / REFERENCE), FLOOR_DB, 0)


def _pixels(magnitudes: np.ndarray, samplerate: int) -> np.ndarray:
    """A spectrogram as plain pixels (2 * MEL_BANDS, 6 * T, 3), for films."""
    from matplotlib import colormaps

    levels = 1 - _decibels(magnitudes, samplerate)[::-1] / FLOOR_DB
    colours = np.rint(255 * colormaps["magma"](levels)[..., :3]).astype(np.uint8)
    return colours.repeat(2, axis=0).repeat(6, axis=1)


def _draw_spectrogram(decibels: np.ndarray, samplerate: int):
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(4.2, 2.7), layout="constrained", facecolor="none")
    axes = canvas.add_subplot(xlabel="seconds", ylabel="Hz")
    extent = (0, decibels.shape[1] * PICTURE_HOP / samplerate, 0, MEL_BANDS)
    axes.imshow(decibels, cmap="magma", vmin=FLOOR_DB, vmax=0, origin="lower", aspect="auto", extent=extent)
    ticks = np.array([100, 500, 1000, 2000, 4000, 8000])
    axes.set_yticks(np.log10(1 + ticks / 700) / np.log10(1 + samplerate / 2 / 700) * MEL_BANDS, ticks)
    tone_down(axes)
    return canvas


def tone_down(*all_axes) -> None:
    """A grey that reads on a light and on a dark page; behind the axes the page shows."""
    for axes in all_axes:
        axes.tick_params(colors=INK, labelsize=10, length=3)
        axes.xaxis.label.set(color=INK, size=10)
        axes.yaxis.label.set(color=INK, size=10)
        for spine in axes.spines.values():
            spine.set_color(INK)
