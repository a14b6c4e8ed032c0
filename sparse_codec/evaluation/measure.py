"""How much of held-out audio the events hold, beside matching pursuit and plain codecs.

The measure: segments normalised to peak 1; the share of the magnitude spectrogram's energy (L2, and L1) that is
gone from the first half; the mean of the segments' shares. `sound_l2` and `sound_l1` are the same shares when the
spectrogram of the rendered sound is subtracted, instead of the sum of the events' own. Every group of recordings is
reported alone. Events are written to JSON and read again before anything is measured of them.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparse_codec.audio.recordings import Recording
from sparse_codec.codec import SparseCodec
from sparse_codec.config import EncodeOptions
from sparse_codec.evaluation import metrics
from sparse_codec.evaluation.frozen_set import Manifest, Segment, find_files, read_segments
from sparse_codec.evaluation.pursuit import Atoms, MatchingPursuit
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS
from sparse_codec.events import EventSet
from sparse_codec.model.spectrogram import (
    log_mel_distance,
    log_spectral_distance,
    magnitudes,
    shares_removed,
)

COUNTS = (1, 4, 8, 16, 32)  # events after which the energy removed is measured
MANY = 128  # partials of the larger matching pursuit
BITS = 32  # of each stored number of an event; a compact format would need fewer
MARGIN = 4096  # samples after the first half that are rendered, so that its last frames see them


def evaluate(
    codec: SparseCodec,
    manifest: Manifest,
    recordings: list[Recording],
    options: EncodeOptions,
    jobs: int = 1,
    progress: Callable = iter,
) -> dict:
    """Figures of the codec and of what it is compared with, for every group of the manifest.

    jobs: processes, each with one thread and one file at a time. Returns plain values: what was measured with which
    options, then the groups. Raises: ManifestError if a file is not there or is another.
    """
    work = [
        (codec, file, recording, options) for file, recording in find_files(manifest, recordings)
    ]
    work.sort(
        key=lambda w: -len(w[1]["starts"])
    )  # the long ones first, so that no process is left with one
    groups: dict[str, list] = defaultdict(list)
    foreign = {file["group"] for file in manifest.files if file["foreign"]}
    with get_context("spawn").Pool(jobs) as pool:
        for group, figures in progress(pool.imap_unordered(measure_file, work)):
            groups[group] += figures
    return {
        "checkpoint": codec.digest,
        "manifest": manifest.digest,
        "options": asdict(options),
        "counts": COUNTS,
        "foreign": sorted(foreign),
        "all": summarise(
            [f for name, group in groups.items() if name not in foreign for f in group]
        ),
        "groups": {name: summarise(group) for name, group in sorted(groups.items())},
    }


def measure_file(
    work: tuple[SparseCodec, dict, Recording, EncodeOptions],
) -> tuple[str, list[dict]]:
    """The group of one file, and the figures of its segments."""
    codec, file, recording, options = work
    torch.set_num_threads(
        1
    )  # one segment at a time is many small operations: more threads only wait for each other
    segments = read_segments(file, recording, codec.config.segment_samples, codec.config.samplerate)
    return file["group"], [measure_segment(codec, segment, options) for segment in segments]


@torch.no_grad()
def measure_segment(
    codec: SparseCodec, segment: Segment, options: EncodeOptions
) -> dict[str, dict]:
    """Figures of one segment by method; which figures there are depends on the method."""
    ruler = Ruler(codec, segment)
    figures = dict(_codec_rows(ruler, options))
    figures |= _pursuit_rows(ruler)
    for name, other in WAVEFORM_CODECS.items():
        sound, rate = other.code(segment.audio, codec.config.samplerate)
        figures[name] = {"bits_per_second": rate} | ruler.heard(torch.from_numpy(sound))
    figures["silence"] = ruler.heard(torch.zeros(ruler.half + MARGIN))
    return figures


class Ruler:
    """What is measured against: one segment, and the parts of it that every method shares."""

    def __init__(self, codec: SparseCodec, segment: Segment):
        self.codec, self.config, self.segment = codec, codec.config, segment
        self.half = codec.config.segment_samples // 2
        self.audio = torch.from_numpy(segment.audio)
        self.original = codec.magnitudes(self.audio[None])[0]
        # the measure's own transform, whatever the codec's is
        self.reference = magnitudes(self.audio[None, : self.half + MARGIN], 2048, 512)

    def heard(self, sound: Tensor) -> dict:
        """Figures of a sound (T,) that stands for the segment; only the first half counts."""
        n_frames, rate = self.half // 512, self.config.samplerate
        sound = torch.nn.functional.pad(sound, (0, MARGIN))[: self.half + MARGIN]
        shown = magnitudes(sound[None], 2048, 512)
        l2, l1 = shares_removed(self.reference - shown, self.reference, n_frames)
        sound, reference = sound[None, : self.half], self.audio[None, : self.half]
        figures = {
            "sound_l2": l2,
            "sound_l1": l1,
            "distance": log_spectral_distance(sound, reference).item(),
            "log_mel": log_mel_distance(sound, reference, rate).item(),
        }
        if metrics.has("zimtohrli") and sound.any():
            figures["opinion"] = metrics.opinion_score(sound[0].numpy(), reference[0].numpy(), rate)
        return figures

    def onsets(self, seconds: np.ndarray, gains: np.ndarray) -> dict:
        """Agreement of the strongest events' onsets with the labels, and how many events share an onset."""
        strongest = seconds[np.argsort(-gains, kind="stable")[: metrics.STRONGEST]]
        figures = {"redundancy": metrics.redundancy(seconds)}
        labels = self.segment.onsets
        if labels is not None and len(labels) and metrics.has("mir_eval"):
            figures["onset_f"] = metrics.onset_f_measure(strongest, labels)
        return figures


def _codec_rows(ruler: Ruler, options: EncodeOptions) -> Iterator[tuple[str, dict]]:
    """The codec with the article's options, at each of COUNTS; changed events; and the codec without refinement."""
    shares = []
    for count in COUNTS:
        events, share, seconds = encode_again(ruler, replace(options, n_events=count))
        shares.append(share)
    sound = torch.from_numpy(ruler.codec.decode(_longer(events, MARGIN)))
    yield (
        "codec",
        {"l2": [s[0] for s in shares], "l1": [s[1] for s in shares], "seconds": seconds}
        | _event_figures(ruler, events, sound),
    )
    chance = np.random.default_rng(5).uniform(
        0, ruler.half / ruler.config.samplerate, min(len(events), metrics.STRONGEST)
    )
    yield f"random times, {metrics.STRONGEST}", ruler.onsets(chance, np.ones(len(chance)))
    for kind in VARIATIONS:
        varied = torch.from_numpy(ruler.codec.decode(vary(ruler.codec, events, kind)))
        yield kind, {"distance_to_reconstruction": _distance(varied, sound[: ruler.half])}
    events, share, seconds = encode_again(ruler, replace(options, interim=0, refine=0))
    sound = torch.from_numpy(ruler.codec.decode(_longer(events, MARGIN)))
    figures = {"l2_all": share[0], "l1_all": share[1], "seconds": seconds}
    yield "codec, greedy", figures | _event_figures(ruler, events, sound)


def _event_figures(ruler: Ruler, events: EventSet, sound: Tensor) -> dict:
    numbers = (ruler.config.vector_size + 2) * len(events)
    facts = {"bits_per_second": BITS * numbers * ruler.config.samplerate / ruler.half}
    facts["harmful"] = count_harmful(ruler, events)
    facts["crowd"] = float(np.bincount(events.frames).max()) if len(events) else 0.0
    return facts | ruler.heard(sound) | ruler.onsets(events.seconds, events.gains)


def encode_again(
    ruler: Ruler, options: EncodeOptions
) -> tuple[EventSet, tuple[float, float], float]:
    """Events of a segment, written and read; the shares (L2, L1) that they remove; and the seconds it took."""
    codec, started = ruler.codec, time.perf_counter()
    events = codec.encode_segment(ruler.segment.audio, options)
    seconds = time.perf_counter() - started
    events = replace(events, n_samples=ruler.half)
    events = EventSet.from_json(json.loads(json.dumps(events.to_json())))
    left = ruler.original - codec.scene(events, ruler.config.n_frames)
    return (
        events,
        shares_removed(left[None], ruler.original[None], ruler.config.half_frames),
        seconds,
    )


def count_harmful(ruler: Ruler, events: EventSet) -> float:
    """How many events add energy, up to the horizon, when they are taken off one by one in the order found."""
    residuals = ruler.codec.peel(ruler.original[:, : ruler.config.horizon_frames], events)
    energies = [left.pow(2).sum().item() for left in residuals]
    return float(sum(after > before for before, after in pairwise(energies)))


def _longer(events: EventSet, n_samples: int) -> EventSet:
    return replace(events, n_samples=events.n_samples + n_samples)


def _distance(sound: Tensor, reference: Tensor) -> float:
    return log_spectral_distance(sound[None], reference[None]).item()


def _pursuit_rows(ruler: Ruler) -> dict[str, dict]:
    """Matching pursuit with as many atoms as events, and with MANY, with and without joint gains."""
    pursuit, rows = MatchingPursuit(ruler.config), {}
    started = time.perf_counter()
    atoms = pursuit.decompose(ruler.original, MANY)
    spectra = pursuit.spectrograms(atoms)
    found = time.perf_counter() - started
    for name, n_atoms, joint in (
        ("matching pursuit", COUNTS[-1], False),
        ("orthogonal matching pursuit", COUNTS[-1], True),
        (f"matching pursuit, {MANY}", MANY, True),
    ):
        started = time.perf_counter()
        counts = [c for c in COUNTS if c < n_atoms] + [n_atoms]
        shares, gains = measure_pursuit(pursuit, ruler.original, atoms, spectra, counts, joint)
        few = atoms.first(n_atoms, gains)
        seconds = time.perf_counter() - started + found * n_atoms / MANY
        figures = {"seconds": seconds, "l2_all": shares[-1][0], "l1_all": shares[-1][1]}
        if n_atoms == COUNTS[-1]:
            figures |= {"l2": [s[0] for s in shares], "l1": [s[1] for s in shares]}
        figures |= ruler.heard(pursuit.render(few, ruler.half + MARGIN))
        onsets = few.frames.numpy() * ruler.config.hop / ruler.config.samplerate
        rows[name] = figures | ruler.onsets(onsets, few.gains.numpy())
    return rows


def measure_pursuit(
    pursuit: MatchingPursuit,
    original: Tensor,
    atoms: Atoms,
    spectra: Tensor,
    counts: list[int],
    joint: bool,
) -> tuple[list[tuple[float, float]], Tensor]:
    """Shares removed after each of `counts` atoms, and the gains of all; `joint` fits them together at each count."""
    shares = []
    for count in counts:
        gains = pursuit.joint_gains(original, spectra[:count]) if joint else atoms.gains[:count]
        left = original[:, : spectra.shape[2]] - torch.einsum("n,nft->ft", gains, spectra[:count])
        shares.append(shares_removed(left[None], original[None], pursuit.config.half_frames))
    return shares, gains


def summarise(figures: list[dict]) -> dict:
    """Means over segments, rounded to what is reported; of a figure that only some have, over those."""
    summary: dict = {"segments": len(figures)}
    for method in figures[0] if figures else ():
        names = list(dict.fromkeys(name for f in figures for name in f[method]))
        summary[method] = {}
        for name in names:
            values = [f[method][name] for f in figures if name in f[method]]
            summary[method][name] = np.round(np.mean(values, axis=0), 3).tolist()
    return summary


# ---- tables


def write_results(results: dict, path: Path) -> None:
    path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


VARIATIONS = {"random vectors": 11, "random times": 12, "perturbed": 13}  # each with its seed
PERTURBATION = 0.6  # norm of the vector that is added to all


def vary(codec: SparseCodec, events: EventSet, kind: str) -> EventSet:
    """One of VARIATIONS of events in the first half of a segment."""
    seed = VARIATIONS[kind]
    if kind == "random vectors":
        return events.randomise_vectors(seed)
    if kind == "random times":
        return events.randomise_times(seed, until=codec.config.segment_samples // 2)
    return events.perturb(PERTURBATION, seed, spare=codec.decoder.pitch_numbers)
