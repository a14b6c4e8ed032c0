"""The pictures that stand for articles where others link to them: no words but labels, and dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.sections.pictures import spectrogram_pixels
from experiments.sections.pitches import along_pitch
from report import Artifact, Compare, Cover, Picture, conjure

SIZE = (1200, 630)  # pixels, as sites that show links want it
FINER = 2  # times as many pixels while marks are drawn
DIMMED = 0.7  # of what lies behind marks
GROUND, INK = (21, 23, 26), (230, 227, 220)  # RGB
LABEL = 92  # pixels above a spectrogram, for its label
LETTERS = 46  # pixels, their size
GAP = 12  # pixels between spectrograms
MOST = 3  # spectrograms side by side


@conjure
def roll(
    mix: Artifact, span: list[int], lane: float, marks: list[list[Any]], title: str
) -> Picture:
    """Marks over the spectrogram of their mix along pitch.

    span: the MIDI pitches at the edges of the spectrogram, which is as high as the picture but for
        the lane below it.
    lane: its height, as a share of the picture's.
    marks: for each event its start as a share of the time, its height and radius in 0..1, and its
        colour.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(_lit(along_pitch(mix, span), lane))
    width, height = (FINER * side for side in SIZE)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for start, y, radius, colour in marks:
        reach = FINER * (12 + 26 * radius)
        x = min(max(width * start, 1.2 * reach), width - 1.2 * reach)
        down = min(max(height * (1 - y), 1.2 * reach), height - 1.2 * reach)
        box = (x - reach, down - reach, x + reach, down + reach)
        draw.ellipse(box, fill=colour, outline="#ffffff", width=2 * FINER)
    image = image.resize(SIZE, Image.Resampling.LANCZOS)
    return Picture(np.asarray(image), f"{title}, over their spectrogram", lossy=True)


def _lit(grey: np.ndarray, lane: float) -> np.ndarray:
    """Return a grey picture as colours on black, loud where it was dark, with a lane below it."""
    from matplotlib import colormaps

    below = np.full((round(len(grey) * lane / (1 - lane)), grey.shape[1]), 255, np.uint8)
    levels = np.concatenate([grey, below]) / 255
    return np.rint(255 * DIMMED * colormaps["magma"](1 - levels)[..., :3]).astype(np.uint8)


def of_versions(components: Sequence[object]) -> Cover:
    """Return a cover with the spectrograms of the first comparison here, and its second sound."""
    compare = next(shown for shown in components if isinstance(shown, Compare))
    pictured = {label: sound for label, sound, picture in compare.items if picture}
    shown = dict(list(pictured.items())[:MOST])
    return Cover(spectrograms(shown, compare.title), compare.items[1][1])


@conjure
def spectrograms(sounds: dict[str, Artifact], title: str) -> Picture:
    """Spectrograms side by side, each under its label."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", SIZE, GROUND)
    draw = ImageDraw.Draw(image)
    width = (SIZE[0] - GAP * (len(sounds) - 1)) // len(sounds)
    for i, (label, sound) in enumerate(sounds.items()):
        left = i * (width + GAP)
        behind = Image.fromarray(spectrogram_pixels(sound))
        image.paste(behind.resize((width, SIZE[1] - LABEL)), (left, LABEL))
        _write(draw, label, left + 2 * GAP, width - 4 * GAP)
    alt = f"{title} Spectrograms of {', '.join(sounds)}"
    return Picture(np.asarray(image), alt, lossy=True)


def _write(draw: Any, text: str, left: int, width: int) -> None:
    """Write one line above a spectrogram, smaller where it would be too wide."""
    from PIL import ImageFont

    length = draw.textlength(text, ImageFont.load_default(LETTERS))
    size = LETTERS * min(1.0, width / length)
    draw.text((left, LABEL / 2), text, INK, ImageFont.load_default(size), anchor="lm")
