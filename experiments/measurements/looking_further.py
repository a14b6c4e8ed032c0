"""Measure ideas that could make music, and speech at a low rate, better than the options do.

    python -m experiments.measurements.looking_further --data DIR... --speech DIR...

Of each group of the frozen set one segment is encoded in every way of `OPTIONS`, and the events of
the article's options are fitted further in every way of `FURTHER`. The sound of the point "high" of
quality is heard once more with what the original has of it, `EXCHANGES`. Clips of speech go through
files of RATE_OF_SPEECH that were encoded with at most so many events. The figures go to
`looking_further.json` beside this file, where those of folders that are not given stay; the article
"What we tried" shows them.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from experiments.measurements.command_line import measurement_parser, recordings_in
from experiments.measurements.rows import AS_ARTICLE, HEARD_FURTHER
from experiments.stored_figures import FigureFile, Figures, as_json
from sparse_codec import EventSet, SparseCodec, find_checkpoint, load_audio
from sparse_codec.audio.recordings import Recording
from sparse_codec.coding.in_memory import events_of, file_of
from sparse_codec.coding.priors import Priors
from sparse_codec.config import EFFORTS, at_quality
from sparse_codec.evaluation.frozen_set import Segment, find_files, read_manifest, read_segments
from sparse_codec.evaluation.measure import MARGIN, Ruler, encode_again
from sparse_codec.evaluation.metrics import intelligibility
from sparse_codec.evaluation.words import choose_clips
from sparse_codec.model.consistent import Transform
from sparse_codec.model.events import Events
from sparse_codec.model.fast_scene import FastScene
from sparse_codec.model.harmonic_decoder import HarmonicDecoder
from sparse_codec.model.refine import RATE, Adam, FreeEvents, schedule, settle
from sparse_codec.model.scene_loss import SceneLoss
from sparse_codec.model.spectrogram import magnitudes, shares_removed

FIGURES = FigureFile.beside(__file__)
STEPS = 30  # that are taken further
SHORT = 1024  # samples, of a second window
RATE_OF_SPEECH = 600  # bits a second
N_EVENTS = (24, 20, 17, 14, 12)  # of a window of speech, at most; the first is the configuration's
WORDS = 40  # of each folder of speech
OPTIONS: dict[str, dict[str, Any]] = {
    AS_ARTICLE: {},
    "events begin anywhere": {"reach": 0.0},
    "times move 8 frames to where sounds begin": {"reach": 8.0},
    "more refinement (--best)": EFFORTS["best"],
    "48 events": {"n_events": 48, "interim_every": 12},
    "64 events": {"n_events": 64, "interim_every": 16},
    "128 events": {"n_events": 128, "interim_every": 32},
    "128 events, refined twice as often": {"n_events": 128, "interim_every": 16},
}
STILL = "pitches stand still"
STANDS = 1e-6  # of a step of refinement
# STFTs of ours and of the original -> the one that is heard
EXCHANGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "as encoded": lambda ours, original: ours,
    "the original's magnitudes, our phases": lambda ours, original: (
        original.abs() * torch.sgn(ours)
    ),
    "our magnitudes, the original's phases": lambda ours, original: (
        ours.abs() * torch.sgn(original)
    ),
}
Scene = Callable[[Events], Tensor]
Fit = tuple[Scene, SceneLoss]  # events as a spectrogram, and how far it is from the original


def main(argv: list[str] | None = None) -> int:
    """Measure every way on every segment. Returns: the exit code."""
    parser = measurement_parser(FIGURES, __doc__)
    parser.add_argument(
        "--data", type=Path, nargs="+", default=[], help="folders with the files of the frozen set"
    )
    parser.add_argument(
        "--speech", type=Path, nargs="+", default=[], help="folders of speech with transcripts"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    file = replace(FIGURES, path=args.out)
    figures = file.read() if file.path.is_file() else {}
    if args.data:
        codec = SparseCodec.load("music")
        segments = tqdm(list(one_of_each_group(args.data, codec)), disable=None)
        by_group, high = {}, {}
        for segment in segments:
            by_group[segment.group] = dict(measure(codec, segment))
            high[segment.group] = measure_exchanges(Ruler(codec, segment))
        figures |= {"checkpoint": codec.digest, "steps": STEPS, "segments": by_group, "high": high}
    if args.speech:
        speech, priors = SparseCodec.load("speech"), Priors.load("speech")
        clips = choose_clips(recordings_in(args.speech), WORDS)
        figures["speech"] = measure_speech(speech, priors, clips)
    file.write(figures)
    print(as_json(figures))
    return 0


def one_of_each_group(folders: list[Any], codec: SparseCodec) -> Iterator[Segment]:
    """Yield the middle segment of the first file of each group of the frozen set."""
    frozen = read_manifest(find_checkpoint("music").with_suffix(".manifest.json"))
    first = {file.group: file for file in reversed(frozen.files)}
    few = replace(frozen, files=list(first.values()))
    for file, recording in find_files(few, recordings_in(folders)):
        middle = replace(file, starts=[file.starts[len(file.starts) // 2]])
        yield from read_segments(middle, recording, codec.config.segment_samples, codec.samplerate)


def measure(codec: SparseCodec, segment: Segment) -> Iterator[tuple[str, Figures]]:
    """Yield every way's name, and its figures."""
    ruler = Ruler(codec, segment)
    for name, changes in OPTIONS.items():
        started = time.process_time()
        events = encode_again(ruler, replace(codec.config.encode, **changes)).events
        yield name, figures_of(ruler, events, time.process_time() - started)
        if name == AS_ARTICLE:
            first = events
    started = time.process_time()
    events = encode_again(Ruler(with_still_pitches(codec), segment), codec.config.encode).events
    yield STILL, figures_of(ruler, events, time.process_time() - started)
    for name, way in FURTHER.items():
        started = time.process_time()
        events = refine_on(codec, first, way(ruler))
        yield name, figures_of(ruler, events, time.process_time() - started)


def with_still_pitches(codec: SparseCodec) -> SparseCodec:
    """Return a codec whose events keep their pitches: refinement does not move them."""
    still = copy.deepcopy(codec)
    still.decoder.pace[list(still.decoder.pitch_numbers[1:])] = STANDS
    return still


def figures_of(ruler: Ruler, events: EventSet, seconds: float) -> Figures:
    """Return shares that events and their sound remove, what is heard, and the onsets' F."""
    left = ruler.original - ruler.codec.scene(events, ruler.original.shape[1])
    half = ruler.codec.config.half_frames
    l2, l1 = shares_removed(left[None], ruler.original[None], half)
    sound = ruler.codec.decode(replace(events, n_samples=ruler.half + MARGIN))
    figures: Figures = {"l2": l2, "l1": l1, "seconds": seconds}
    figures |= ruler.measure_sound(torch.from_numpy(sound))
    figures |= ruler.measure_onsets(events.seconds, events.gains)
    wanted = [name for name in HEARD_FURTHER if name in figures]
    return {name: float(np.round(figures[name], 3)) for name in wanted}


# ---- events that are fitted further


def refine_on(codec: SparseCodec, events: EventSet, fits: list[Fit]) -> EventSet:
    """Return events after STEPS on the mean of several losses."""
    moving = FreeEvents(Events.of(events, codec.device), codec.decoder.pace)
    adam = Adam(moving.free.detach())
    for step in range(STEPS):
        gradient = torch.zeros_like(moving.free)
        for scene, loss in fits:
            with torch.enable_grad():
                picture = scene(moving.events())
                slope = loss.gradient(picture.detach())
                gradient += torch.autograd.grad(picture, moving.free, slope)[0] / len(fits)
        adam.step(gradient, RATE * schedule(step, STEPS))
    with torch.no_grad():
        settled = settle(moving.events(), codec.config.half_frames - 1)
    return codec.event_set(settled, events.n_samples)


def own_window(ruler: Ruler) -> Fit:
    """The loss that refinement has."""
    decoder, config = ruler.codec.decoder, ruler.codec.config
    assert isinstance(decoder, HarmonicDecoder)
    original = ruler.original[None, :, : config.n_frames]
    return FastScene(decoder, config.n_frames), SceneLoss(original, config)


def short_window(ruler: Ruler) -> Fit:
    """The same loss of what a transform with a window of SHORT sees of the events, at their hop."""
    decoder, config = ruler.codec.decoder, ruler.codec.config
    assert isinstance(decoder, HarmonicDecoder)
    other, factor = replace(config, window=SHORT), SHORT / config.window
    scene = FastScene(decoder, config.n_frames)
    seen = FastScene(HarmonicDecoder(other), config.n_frames)
    # the peak of a partial grows with the window, noise with its root
    heights = decoder.kinds[:, 0] * factor + decoder.kinds[:, 1] * factor**0.5

    def draw(events: Events) -> Tensor:
        flat, sound = events.flatten(), decoder.sounding(events.flatten().vectors)
        levels = scene.levels(sound, flat) * heights[:, None]
        there = replace(sound, bins=sound.bins * factor)
        return seen.draw(flat, len(events.frames), there, levels)

    original = magnitudes(ruler.audio[None], SHORT, config.hop)[..., : config.n_frames]
    return draw, SceneLoss(original, other)


FURTHER: dict[str, Callable[[Ruler], list[Fit]]] = {
    f"{STEPS} more steps": lambda ruler: [own_window(ruler)],
    f"{STEPS} more steps, half of the loss at {SHORT}": lambda ruler: [
        own_window(ruler),
        short_window(ruler),
    ],
}


# ---- what holds the high point down


def measure_exchanges(ruler: Ruler) -> Figures:
    """Return opinions of the point "high", and of its sound with parts of the original's STFT."""
    codec, config = ruler.codec, ruler.config
    options = at_quality(config.encode, "high", config.n_events)
    events, n_samples = encode_again(ruler, options).events, ruler.half + MARGIN
    ours = torch.from_numpy(codec.decode(replace(events, n_samples=n_samples)))
    original = ruler.audio[:n_samples]
    opinions: Figures = {}
    for name, exchange in EXCHANGES.items():
        sound = exchanged(ours, original, Transform(config.window, config.hop), exchange)
        opinions[name] = float(np.round(ruler.measure_sound(sound)["opinion"], 3))
    return opinions


def exchanged(
    ours: Tensor,
    original: Tensor,
    transform: Transform,
    exchange: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Return the sound (T,) of an STFT that is made of those of two sounds (T,), of whole hops."""
    # frames at the ends see a part of the sound only: they are of silence
    spectra = (
        transform.analyse(torch.nn.functional.pad(sound, (transform.window, transform.window)))
        for sound in (ours, original)
    )
    sound = transform.synthesise(exchange(*spectra))
    return sound[transform.window : -transform.window]


# ---- speech at a low rate


def measure_speech(codec: SparseCodec, priors: Priors, clips: list[Recording]) -> Figures:
    """Return the intelligibility of files, by the most events of a window, and by group."""
    heard: dict[str, dict[str, list[float]]] = {}
    for clip in tqdm(clips, disable=None):
        audio = load_audio(clip.path, codec.samplerate)
        audio = audio / max(np.abs(audio).max(), 1e-9)
        for n_events in N_EVENTS:
            options = replace(codec.config.encode, n_events=n_events)
            file = file_of(codec, codec.stream([audio], options), priors, rate=RATE_OF_SPEECH)
            sound = codec.decode(events_of(codec, file, priors))
            estoi = intelligibility(sound, audio, codec.samplerate)
            heard.setdefault(str(n_events), {}).setdefault(clip.group, []).append(estoi)
    means = {
        n_events: {group: round(float(np.mean(values)), 3) for group, values in groups.items()}
        for n_events, groups in heard.items()
    }
    return {
        "checkpoint": codec.digest,
        "rate": RATE_OF_SPEECH,
        "clips": len(clips),
        "estoi": means,
    }


if __name__ == "__main__":
    sys.exit(main())
