"""The pictures of the articles: spectrograms, the film of a decomposition, vectors, layouts.

All of them are pure and conjured, like the sounds in `sounds.py`.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.clips import Clip
from experiments.sections.sounds import (
    DIRECTIONS,
    STEPS,
    events_of,
    original_magnitudes,
    residuals,
    steered_vectors,
    strongest,
    waveform,
)
from report import Artifact, Data, Film, Picture, conjure

if TYPE_CHECKING:  # they take seconds to import, and a warm build draws nothing
    from matplotlib.axes import Axes

    from sparse_codec import EventSet, SparseCodec

FLOOR_DB = -70  # below the reference: a spectrogram is black from here on
REFERENCE = 256.0  # magnitude at 0 dB: a sinusoid of half of full scale, Hann window of 2048
MEL_BANDS = 160  # rows of a spectrogram
WIDTH = 400  # columns of a spectrogram, at most
PICTURE_HOP = 256  # samples from column to column, at least
HERTZ = {500: "500 Hz", 1000: "1 kHz", 2000: "2", 4000: "4", 8000: "8 kHz"}  # marks of its axis
FILM_SECONDS = 8.0
FILM_PIXELS = 6e6  # of all frames of a film together, about: phones keep it decoded
BOXED = 18.0  # dB
INK = "#7d7a72"

Version = tuple[str, Artifact, Artifact | None]  # label, sound, spectrogram: an item of a Compare


def versions(sounds: dict[str, Artifact]) -> list[Version]:
    """Each sound with its label and its spectrogram."""
    return [(label, sound, spectrogram(sound, label.lower())) for label, sound in sounds.items()]


@conjure
def spectrogram(sound: Artifact, title: str) -> Picture:
    """Magnitudes of a sound in dB, on one scale, so that all pictures of the article compare."""
    samples, rate = sound.value.samples, sound.value.samplerate
    axes = _axes(len(samples) / rate, rate)
    return Picture(spectrogram_pixels(sound), f"Spectrogram of {title}", lossy=True, **axes)


def spectrogram_pixels(sound: Artifact) -> np.ndarray:
    """Return the pixels of a spectrogram (MEL_BANDS, at most WIDTH, 3), uint8."""
    from sparse_codec.model.spectrogram import magnitudes

    samples, rate = waveform(sound.value), sound.value.samplerate
    hop = max(PICTURE_HOP, -(-samples.shape[1] // WIDTH))
    return _colours(_decibels(magnitudes(samples, window=2048, hop=hop)[0].numpy(), rate))


@conjure
def film(clip: Clip, events: Artifact, codec: SparseCodec) -> Film:
    """The residual before the first event and after each."""
    size, left = _film_size(events_of(events)), residuals(clip, events, codec)
    frames = np.stack([_frame(residual.numpy(), codec.samplerate, size) for residual in left])
    alt = f"The residual spectrogram of {clip.title}, one frame for each event taken off"
    return Film(frames, FILM_SECONDS, alt)


@conjure
def boxes(clip: Clip, events: Artifact, codec: SparseCodec) -> Data:
    """The box of each event in the film's picture: left, right, bottom, top, in shares of it.

    Inside lies all of the event that is no more than BOXED below its loudest place.
    """
    event_set, n_frames = events_of(events), original_magnitudes(clip, codec).shape[1]
    return Data(
        [
            _box(_decibels(codec.scene(event_set.select([i]), n_frames).numpy(), codec.samplerate))
            for i in range(len(event_set))
        ]
    )


def _box(decibels: np.ndarray) -> list[float]:
    """Return the box of what is loud in a picture (bands, T), at least one band and one frame."""
    loud = decibels >= decibels.max() - BOXED
    across, up = (np.flatnonzero(loud.any(axis)) for axis in (0, 1))
    bands, frames = decibels.shape
    sides = [across[0] / frames, (across[-1] + 1) / frames, up[0] / bands, (up[-1] + 1) / bands]
    return [float(side) for side in sides]


@conjure
def film_poster(clip: Clip, events: Artifact, codec: SparseCodec) -> Picture:
    """The film's first frame."""
    config, original = codec.config, original_magnitudes(clip, codec)
    alt = f"The spectrogram of {clip.title} before any event is taken off"
    axes = _axes(original.shape[1] * config.hop / config.samplerate, config.samplerate)
    pixels = _frame(original.numpy(), config.samplerate, _film_size(events_of(events)))
    return Picture(pixels, alt, lossy=True, **axes)


@conjure
def vectors_picture(events: Artifact) -> Picture:
    """All event vectors, a row for each event in the order of the set: blue below 0, red above."""
    vectors = events_of(events).vectors
    n_events, size = vectors.shape
    alt = f"Event vectors: {n_events} rows of {size} numbers between -1 and 1"
    return Picture(_rows(vectors), alt)


def _rows(vectors: np.ndarray) -> np.ndarray:
    """Return a row of pixels for each vector, uint8 (N, V, 3)."""
    from matplotlib import colormaps

    return np.rint(255 * colormaps["RdBu_r"]((vectors + 1) / 2)[..., :3]).astype(np.uint8)


@conjure
def layout(events: Artifact, seed: int) -> Data:
    """The height in 0..1 and the colour of each event's mark.

    Heights come from 1-D t-SNE, colours from a random projection. With fewer than five events, for
    which t-SNE means nothing, heights are the first principal component.
    """
    vectors = events_of(events).vectors.astype(np.float64)
    heights = _to_unit_range(_one_dimension(vectors, seed), axis=0)
    return Data({"heights": heights.tolist(), "colours": _mark_colours(vectors, vectors, seed)})


@conjure
def looks(events: Artifact, sets: dict[str, Artifact], seed: int) -> Data:
    """The look of a mark whose event has another sound: see `report.EventRoll`.

    Colours are on the scale of `events`, so that they compare. Heights in one of `sets`, other
    events in the place of these, come from a layout of that set; a steered event, see
    `sounds.steered`, lies between those of `events` that it is like.
    """
    event_set, placed = events_of(events), layout(events, seed).value["heights"]
    vectors = event_set.vectors

    def look(others: np.ndarray, heights: list[float]) -> list[dict[str, Any]]:
        colours, rows = _mark_colours(others, vectors, seed), _rows(others)
        pixels = [base64.b64encode(row.tobytes()).decode() for row in rows]
        parts = zip(heights, colours, pixels, strict=True)
        return [{"y": y, "colour": colour, "row": row} for y, colour, row in parts]

    def steered(event: int, direction: int, step: int) -> dict[str, Any]:
        moved = steered_vectors(event_set, direction, step)[[event]]
        return look(moved, [_between(moved[0], vectors, placed)])[0]

    return Data(
        {
            "sets": {
                kind: look(events_of(other).vectors, layout(other, seed).value["heights"])
                for kind, other in sets.items()
            },
            "steps": {
                str(event): [
                    [steered(event, direction, step) if step else None for step in STEPS]
                    for direction in range(DIRECTIONS)
                ]
                for event in strongest(event_set)
            },
        }
    )


def _between(vector: np.ndarray, vectors: np.ndarray, heights: list[float]) -> float:
    """Return the mean of the heights, weighted by the inverse square of the distance."""
    weights = 1 / np.maximum(1e-9, ((vectors - vector) ** 2).sum(1))
    return float(weights @ np.array(heights) / weights.sum())


def _mark_colours(vectors: np.ndarray, scale: np.ndarray, seed: int) -> list[str]:
    """Return a colour for each vector, by a projection whose range on vectors `scale` is full."""
    projection = np.random.default_rng(seed).normal(size=(vectors.shape[1], 3))
    shares = _to_unit_range(vectors.astype(np.float64) @ projection, 0, scale @ projection)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.rint(70 + 150 * shares).astype(int)]


def _one_dimension(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Return positions (N,) of vectors (N, V) such that like ones are near each other."""
    if len(vectors) < 2:
        return np.zeros(len(vectors))
    if len(vectors) < 5:
        centred = vectors - vectors.mean(axis=0)
        return centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    from sklearn.manifold import TSNE

    perplexity = min(8.0, (len(vectors) - 1) / 3)
    embedding = TSNE(1, init="pca", perplexity=perplexity, random_state=seed)
    return embedding.fit_transform(vectors)[:, 0]


def _to_unit_range(values: np.ndarray, axis: int, scale: np.ndarray | None = None) -> np.ndarray:
    """Scale values to 0..1 along an axis; equal values become 0.

    scale: values whose range becomes 0..1 instead; others are clipped.
    """
    if not len(values):
        return values
    scale = values if scale is None else scale
    low, high = scale.min(axis, keepdims=True), scale.max(axis, keepdims=True)
    return ((values - low) / np.where(high > low, high - low, 1.0)).clip(0, 1)


# ---- parts of a spectrogram


def _decibels(magnitudes: np.ndarray, samplerate: int, n_bands: int = MEL_BANDS) -> np.ndarray:
    """Return dB (mel bands, T) from FLOOR_DB to 0, lowest band first.

    Negative magnitudes count as silence.
    """
    from sparse_codec.model.spectrogram import mel_bands

    mel = mel_bands(n_bands, len(magnitudes), samplerate).numpy()
    bands = (mel / mel.sum(1, keepdims=True)) @ magnitudes.clip(min=0)
    return np.clip(20 * np.log10(np.maximum(bands, 1e-9) / REFERENCE), FLOOR_DB, 0)


def _colours(decibels: np.ndarray) -> np.ndarray:
    """Return pixels uint8 (mel bands, T, 3), highest band first."""
    from matplotlib import colormaps

    colours = colormaps["magma"](1 - decibels[::-1] / FLOOR_DB)[..., :3]
    return np.rint(255 * colours).astype(np.uint8)


def _film_size(events: EventSet) -> tuple[int, int]:
    """Return the bands and columns of a film of these events: fewer where there are many frames."""
    share = min(1.0, math.sqrt(FILM_PIXELS / (len(events) + 1) / (MEL_BANDS * WIDTH)))
    return round(share * MEL_BANDS), round(share * WIDTH)


def _frame(magnitudes: np.ndarray, samplerate: int, size: tuple[int, int]) -> np.ndarray:
    """Return a spectrogram (F, T) as a frame of a film (*size, 3).

    A column is the mean of the frames that it stands for, in dB.
    """
    bands, width = size
    decibels = _decibels(magnitudes, samplerate, bands)
    first = np.arange(width) * decibels.shape[1] // width
    last = np.maximum(first + 1, np.arange(1, width + 1) * decibels.shape[1] // width)
    sums = np.cumsum(np.pad(decibels, ((0, 0), (1, 0))), axis=1)
    return _colours((sums[:, last] - sums[:, first]) / (last - first))


def _axes(seconds: float, samplerate: int) -> dict[str, Any]:
    """Return the marks of a spectrogram's axes, as a Picture takes them."""
    every = max(1, round(seconds / 6))
    across = {f"{second} s": second / seconds for second in range(every, int(seconds) + 1, every)}
    # A mark at the right edge would stick out.
    across = {text: share for text, share in across.items() if share < 0.97}
    below = {hertz: text for hertz, text in HERTZ.items() if hertz < samplerate / 2}
    up = {text: _height(hertz, samplerate) for hertz, text in below.items()}
    return {"across": across, "up": up}


def _height(hertz: float, samplerate: int) -> float:
    """Return the place of a frequency on the mel axis, as a share of its height."""
    return float(np.log10(1 + hertz / 700) / np.log10(1 + samplerate / 2 / 700))


# ---- plots


def tone_down(*all_axes: Axes) -> None:
    """Draw axes in a grey that reads on a light and on a dark page, which shows behind them."""
    for axes in all_axes:
        axes.tick_params(colors=INK, labelsize=10, length=3)
        axes.xaxis.label.set(color=INK, size=10)
        axes.yaxis.label.set(color=INK, size=10)
        for spine in axes.spines.values():
            spine.set_color(INK)
