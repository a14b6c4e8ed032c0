"""Measure how a sound is made of events: their plain sum, and the consistent one after some steps.

    python -m experiments.measurements.consistent_sound [FILE:SECONDS ...]

Of each shipped clip of music, and of other files from a second on, one segment is encoded with the
article's options, and the same events are rendered in every way. The figures go to
`consistent_sound.json` beside this file; the article "What we tried" shows them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.plain_sound import plain_decode
from experiments.clips import SHIPPED
from experiments.measurements.command_line import measurement_parser
from experiments.measurements.rows import DRAWS, FIRST, NAMES, PLAIN, means
from experiments.stored_figures import FigureFile, Figures, as_json
from sparse_codec import EventSet, SparseCodec, load_audio
from sparse_codec.config import MEASURE
from sparse_codec.evaluation.frozen_set import Segment
from sparse_codec.evaluation.measure import MARGIN, Ruler, encode_again
from sparse_codec.events import join
from sparse_codec.model.harmonic_decoder import HarmonicDecoder

FIGURES = FigureFile.beside(__file__)
STEPS = (0, 1, 3, 5, 10)


def main(argv: list[str] | None = None) -> int:
    """Measure every way on every segment. Returns: the exit code."""
    parser = measurement_parser(FIGURES, __doc__)
    parser.add_argument("also", nargs="*", metavar="FILE:SECONDS", help="other recordings")
    parser.add_argument("--checkpoint", default="music")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec = SparseCodec.load(args.checkpoint)
    places = [f"{file}:0" for file in sorted((SHIPPED / "music").glob("*.flac"))]
    segments = {}
    for place in tqdm([*places, *args.also], disable=None):
        segment = read_segment(place, codec)
        segments[segment.name] = measure(codec, segment)
    figures = {"checkpoint": codec.digest, "steps": codec.steps, "segments": segments}
    replace(FIGURES, path=args.out).write(figures)
    print(as_json(means(figures)))
    return 0


def read_segment(place: str, codec: SparseCodec) -> Segment:
    """Return the segment to measure of a file from a second on, at peak 1, of "FILE:SECONDS"."""
    path, _, start = place.rpartition(":")
    size = MEASURE.segment_samples
    audio = load_audio(path, codec.samplerate, float(start), size / codec.samplerate)[:size]
    audio = np.pad(audio, (0, size - len(audio))) / max(1e-9, np.abs(audio).max())
    name = Path(path).stem + (f" at {start} s" if float(start) else "")
    return Segment(audio.astype(np.float32), group="", name=name)


def measure(codec: SparseCodec, segment: Segment) -> Figures:
    """Return the figures of every way to render the segment's events, and the opinions of the
    consistent sound for other phases at the onsets.
    """
    ruler = Ruler(codec, segment)
    events = join(encode_again(ruler, codec.config.encode).windows)
    events = replace(events, n_samples=ruler.half + MARGIN)
    ways = {name: figures_of(ruler, sound) for name, sound in sounds(codec, events)}
    draws = [figures_of(ruler, sound)["opinion"] for sound in sounds_of_phases(codec, events)]
    return {"ways": ways, "opinions of other phases": draws}


def sounds(codec: SparseCodec, events: EventSet) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every way's name and sound."""
    yield FIRST, plain_decode(codec, events)
    yield PLAIN, codec.decode(events, consistent=False)
    shipped = codec.steps
    for codec.steps in STEPS:
        yield f"consistent, {codec.steps} steps", codec.decode(events)
    codec.steps = shipped


def sounds_of_phases(codec: SparseCodec, events: EventSet) -> Iterator[np.ndarray]:
    """Yield consistent sounds of events whose partials start with phases drawn at random."""
    assert isinstance(codec.decoder, HarmonicDecoder)
    generator, shipped = torch.Generator().manual_seed(0), codec.decoder.start_turns
    for _ in range(DRAWS):
        codec.decoder.start_turns = torch.rand(shipped.shape, generator=generator).double()
        yield codec.decode(events)
    codec.decoder.start_turns = shipped


def figures_of(ruler: Ruler, sound: np.ndarray) -> dict[str, float]:
    """Return the ruler's figures, and the level in dB of the original's."""
    figures = ruler.measure_sound(torch.from_numpy(sound))
    level = 20 * np.log10(sound[: ruler.half].std() / ruler.segment.audio[: ruler.half].std())
    return {name: float(np.round(figures.get(name, level), 3)) for name in NAMES}


if __name__ == "__main__":
    sys.exit(main())
