"""The pictures of the articles: spectrograms, the film of a decomposition, vectors, layouts.

All of them are pure and conjured, like the sounds in `sounds.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.clips import Clip
from experiments.sections.sounds import events_of, original_magnitudes, residuals, waveform
from report import Artifact, Data, Film, Picture, conjure
from sparse_codec import SparseCodec
from sparse_codec.model.spectrogram import magnitudes, mel_bands

if TYPE_CHECKING:  # matplotlib takes a second to import, and a warm build draws nothing
    from matplotlib.axes import Axes

FLOOR_DB = -70  # below the reference: a spectrogram is black from here on
REFERENCE = 256.0  # magnitude at 0 dB: a sinusoid of half of full scale, Hann window of 2048
MEL_BANDS = 160  # rows of a spectrogram
WIDTH = 512  # columns of a spectrogram, at most
PICTURE_HOP = 256  # samples from column to column, at least
HERTZ = {500: "500 Hz", 1000: "1 kHz", 2000: "2", 4000: "4", 8000: "8 kHz"}  # marks of its axis
FILM_SECONDS = 8.0
FILM_COLUMNS = 3  # pixels for a frame of the codec
INK = "#7d7a72"

Version = tuple[str, Artifact, Artifact | None]  # label, sound, spectrogram: an item of a Compare


def versions(sounds: dict[str, Artifact]) -> list[Version]:
    """Each sound with its label and its spectrogram."""
    return [(label, sound, spectrogram(sound, label.lower())) for label, sound in sounds.items()]


@conjure
def spectrogram(sound: Artifact, title: str) -> Picture:
    """Magnitudes of a sound in dB, on one scale, so that all pictures of the article compare."""
    samples, rate = waveform(sound.value), sound.value.samplerate
    hop = max(PICTURE_HOP, -(-samples.shape[1] // WIDTH))
    decibels = _decibels(magnitudes(samples, window=2048, hop=hop)[0].numpy(), rate)
    axes = _axes(samples.shape[1] / rate, rate)
    return Picture(_colours(decibels), f"Spectrogram of {title}", lossy=True, **axes)


@conjure
def film(clip: Clip, half: Artifact, codec: SparseCodec) -> Film:
    """The residual before the first event and after each."""
    left = residuals(clip, half, codec)
    frames = np.stack([_frame(residual.numpy(), codec.samplerate) for residual in left])
    alt = f"The residual spectrogram of {clip.title}, one frame for each event taken off"
    return Film(frames, FILM_SECONDS, alt)


@conjure
def film_poster(clip: Clip, codec: SparseCodec) -> Picture:
    """The film's first frame."""
    config = codec.config
    original = original_magnitudes(clip, codec)[:, : config.half_frames]
    alt = f"The spectrogram of {clip.title} before any event is taken off"
    axes = _axes(config.half_frames * config.hop / config.samplerate, config.samplerate)
    return Picture(_frame(original.numpy(), config.samplerate), alt, lossy=True, **axes)


@conjure
def vectors_picture(events: Artifact) -> Picture:
    """All event vectors, a row for each event in the order of the set: blue below 0, red above."""
    from matplotlib import colormaps

    vectors = events_of(events).vectors
    n_events, size = vectors.shape
    pixels = np.rint(255 * colormaps["RdBu_r"]((vectors + 1) / 2)[..., :3]).astype(np.uint8)
    return Picture(pixels, f"Event vectors: {n_events} rows of {size} numbers between -1 and 1")


@conjure
def layout(events: Artifact, seed: int) -> Data:
    """The height in 0..1 and the colour of each event's mark.

    Heights come from 1-D t-SNE, colours from a random projection. With fewer than five events, for
    which t-SNE means nothing, heights are the first principal component.
    """
    vectors = events_of(events).vectors.astype(np.float64)
    colours = vectors @ np.random.default_rng(seed).normal(size=(vectors.shape[1], 3))
    colours = np.rint(70 + 150 * _to_unit_range(colours, axis=0)).astype(int)
    heights = _to_unit_range(_one_dimension(vectors, seed), axis=0)
    hexadecimal = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours]
    return Data({"heights": heights.tolist(), "colours": hexadecimal})


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


def _to_unit_range(values: np.ndarray, axis: int) -> np.ndarray:
    """Scale values to 0..1 along an axis; equal values become 0."""
    if not len(values):
        return values
    low, high = values.min(axis, keepdims=True), values.max(axis, keepdims=True)
    return (values - low) / np.where(high > low, high - low, 1.0)


# ---- parts of a spectrogram


def _decibels(magnitudes: np.ndarray, samplerate: int) -> np.ndarray:
    """Return dB (mel bands, T) from FLOOR_DB to 0, lowest band first.

    Negative magnitudes count as silence.
    """
    mel = mel_bands(MEL_BANDS, len(magnitudes), samplerate).numpy()
    bands = (mel / mel.sum(1, keepdims=True)) @ magnitudes.clip(min=0)
    return np.clip(20 * np.log10(np.maximum(bands, 1e-9) / REFERENCE), FLOOR_DB, 0)


def _colours(decibels: np.ndarray) -> np.ndarray:
    """Return pixels uint8 (mel bands, T, 3), highest band first."""
    from matplotlib import colormaps

    colours = colormaps["magma"](1 - decibels[::-1] / FLOOR_DB)[..., :3]
    return np.rint(255 * colours).astype(np.uint8)


def _frame(magnitudes: np.ndarray, samplerate: int) -> np.ndarray:
    """Return a spectrogram as a frame of a film (MEL_BANDS, FILM_COLUMNS * T, 3)."""
    return _colours(_decibels(magnitudes, samplerate)).repeat(FILM_COLUMNS, axis=1)


def _axes(seconds: float, samplerate: int) -> dict[str, dict[str, float]]:
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
