"""Measure how much of held-out audio the events hold, beside matching pursuit and plain codecs.

Segments are normalised to peak 1. The figure of a segment is the share of the magnitude
spectrogram's energy (L2, and L1) that is gone from its first half; that of a group is the mean.
`sound_l2` and `sound_l1` are the same shares when the spectrogram of the rendered sound is
subtracted, instead of the sum of the events' spectrograms; `gap_l2` and `gap_l1` are what is lost
between the two, in the codec's own transform. Sounds are measured on the same piece of audio and by
the same transforms, whatever the codec's own are; 2048 samples are the reference. Events are
written to JSON and read again before they are measured.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparse_codec.audio.recordings import Recording
from sparse_codec.codec import SparseCodec
from sparse_codec.config import MEASURE, CodecConfig, EncodeOptions
from sparse_codec.evaluation import metrics
from sparse_codec.evaluation.frozen_set import (
    FrozenFile,
    FrozenSet,
    ManifestError,
    Segment,
    find_files,
    foreign_groups,
    read_segments,
)
from sparse_codec.evaluation.pursuit import Atoms, MatchingPursuit
from sparse_codec.evaluation.variations import VARIATIONS, vary
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS
from sparse_codec.events import EventSet, join
from sparse_codec.model.spectrogram import (
    log_mel_distance,
    log_spectral_distance,
    magnitudes,
    shares_removed,
)
from workers.cluster import as_they_come, open_executor, result_of, share

WINDOWS = (1024, 4096)  # samples, of further transforms that sounds are measured by
COUNTS = (1, 4, 8, 16)  # events of a window after which the energy removed is measured, and all
MANY = 4  # times as many partials as events: the larger matching pursuit
BITS = 32  # of each stored number of an event; a compact format would need fewer
MARGIN = 4096  # samples after the first half that are rendered, so that its last frames see them

Figures = dict[str, float | list[float]]  # by name; a list has one for each number of events
Methods = dict[str, Figures]  # figures of one segment, by method
Result = tuple[str, list[Methods]]  # a group, and a file's segments
Shares = tuple[float, float]  # L2, L1


def evaluate(
    codec: SparseCodec,
    frozen: FrozenSet,
    recordings: list[Recording],
    options: EncodeOptions,
    jobs: int = 1,
    dask: str | None = None,
    speech: bool = False,
    rivals: dict[str, Any] | None = None,
    progress: Callable[[Iterable[Result]], Iterable[Result]] = iter,
) -> dict[str, Any]:
    """Return figures of the codec and of its rivals, for every group of an evaluation set.

    jobs: processes, each with one thread and one file at a time. dask: the address of a Dask
    scheduler, whose workers measure instead. Figures do not depend on them. speech: measure
    intelligibility too. rivals: an earlier result, whose rivals are taken over instead of measured
    again, without their times. The result holds plain values: the model, the set and the options,
    then the groups.
    Raises: ManifestError if a file is not there or is another, or if `rivals` are of another set;
    ClusterError; ForkLost.
    """
    counts = [windows_of(codec) * count for count in counts_of(codec, options)]
    if rivals:
        check_same_set(rivals, frozen, counts)
    files = list(find_files(frozen, recordings))
    # Longest first, so that at the end no process works alone.
    files.sort(key=lambda pair: -len(pair[0].starts))
    groups: dict[str, list[Methods]] = defaultdict(list)
    with open_executor(jobs, dask) as executor:
        shared = share(executor, codec)
        tasks = [(shared, *file, options, speech, rivals is None) for file in files]
        results = (result_of(future) for future in as_they_come(executor, measure_file, tasks))
        for group, figures in progress(results):
            groups[group] += figures
    foreign = foreign_groups(frozen.files)
    own = [figures for name, group in groups.items() if name not in foreign for figures in group]
    every, by_group = summarise(own), {name: summarise(groups[name]) for name in sorted(groups)}
    if rivals:
        every = with_rivals(every, rivals["all"])
        by_group = {name: with_rivals(by_group[name], rivals["groups"][name]) for name in by_group}
    return {
        "checkpoint": codec.digest,
        "manifest": frozen.digest,
        "options": asdict(options),
        "counts": counts,
        "foreign": sorted(foreign),
        "all": every,
        "groups": by_group,
    }


def check_same_set(results: dict[str, Any], frozen: FrozenSet, counts: list[int]) -> None:
    """Raise ManifestError unless results are of this set, at these counts of events and atoms."""
    if results.get("manifest") != frozen.digest or results.get("counts") != counts:
        raise ManifestError(
            f"the rivals were measured on manifest {str(results.get('manifest'))[:16]} at counts"
            f" {results.get('counts')}, not on {frozen.digest[:16]} at {counts};"
            " leave --rivals out to measure them again"
        )


def with_rivals(group: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """Return a group with the methods of an earlier one that it lacks.

    Their times are left out: they are of another machine, or of another hour.
    """
    rivals = {
        name: {key: value for key, value in figures.items() if key != "seconds"}
        for name, figures in earlier.items()
        if name not in group
    }
    return group | rivals


def windows_of(codec: SparseCodec) -> int:
    """Return how many windows of a codec cover the half segment that is measured."""
    return -(-MEASURE.segment_samples // codec.config.segment_samples)


def counts_of(codec: SparseCodec, options: EncodeOptions) -> list[int]:
    """Return the numbers of events of a window at which shares are measured; all are the last."""
    most = options.n_events or codec.config.n_events
    return [count for count in COUNTS if count < most] + [most]


def measure_file(
    codec: SparseCodec,
    file: FrozenFile,
    recording: Recording,
    options: EncodeOptions,
    speech: bool = False,
    rivals: bool = True,
) -> Result:
    """Return the group of one file, and the figures of its segments, `rivals` too."""
    # A segment is many small operations, in which more threads only wait for each other.
    torch.set_num_threads(1)
    segments = read_segments(file, recording, MEASURE.segment_samples, codec.samplerate)
    return file.group, [
        measure_segment(codec, segment, options, speech, rivals) for segment in segments
    ]


@torch.no_grad()
def measure_segment(
    codec: SparseCodec,
    segment: Segment,
    options: EncodeOptions,
    speech: bool = False,
    rivals: bool = True,
) -> Methods:
    """Return figures of one segment by method, each with those that make sense for it."""
    ruler = Ruler(codec, segment, speech)
    figures = dict(_codec_figures(ruler, options))
    return figures | _rival_figures(ruler, options) if rivals else figures


def _rival_figures(ruler: Ruler, options: EncodeOptions) -> Methods:
    """Return figures of matching pursuit, of codecs of waveforms and of silence."""
    codec, segment = ruler.codec, ruler.segment
    counts = [windows_of(codec) * count for count in counts_of(codec, options)]
    figures = _pursuit_figures(ruler, counts)
    for name, rival in WAVEFORM_CODECS.items():
        sound, rate = rival.code(segment.audio, codec.samplerate)
        figures[name] = {"bits_per_second": rate, **ruler.measure_sound(torch.from_numpy(sound))}
    figures["silence"] = ruler.measure_sound(torch.zeros(ruler.half + MARGIN))
    return figures


class Ruler:
    """One segment, with the spectrograms that every method is measured against."""

    def __init__(self, codec: SparseCodec, segment: Segment, speech: bool = False):
        self.codec, self.config, self.segment, self.speech = codec, codec.config, segment, speech
        self.half = MEASURE.segment_samples // 2
        self.audio = torch.from_numpy(segment.audio)
        # as the codec sees it, and as matching pursuit does
        self.original = codec.magnitudes(self.audio[None])[0]
        self.reference = magnitudes(self.audio[None], MEASURE.window, MEASURE.hop)[0]

    def measure_sound(self, sound: Tensor) -> Figures:
        """Return figures of a sound (T,) in the place of the segment; its first half counts."""
        rate = self.config.samplerate
        l2, l1 = self.sound_shares(sound, MEASURE.window, MEASURE.hop)
        figures: Figures = {"sound_l2": l2, "sound_l1": l1}
        for window in WINDOWS:
            l2, l1 = self.sound_shares(sound, window, window // 4)
            figures |= {f"sound_l2_{window}": l2, f"sound_l1_{window}": l1}
        sound = torch.nn.functional.pad(sound, (0, self.half))[None, : self.half]
        reference = self.audio[None, : self.half]
        figures["distance"] = log_spectral_distance(sound, reference).item()
        figures["log_mel"] = log_mel_distance(sound, reference, rate).item()
        if sound.any():
            ours, theirs = sound[0].numpy(), reference[0].numpy()
            if metrics.is_installed("zimtohrli"):
                figures["opinion"] = metrics.opinion_score(ours, theirs, rate)
            if self.speech and metrics.is_installed("pystoi"):
                figures["estoi"] = metrics.intelligibility(ours, theirs, rate)
        return figures

    def sound_shares(self, sound: Tensor, window: int, hop: int) -> Shares:
        """Return the shares that the spectrogram of a sound (T,) removes, by one transform."""
        size = self.half + MARGIN
        sound = torch.nn.functional.pad(sound, (0, size))[:size]
        original, ours = (magnitudes(x[None, :size], window, hop) for x in (self.audio, sound))
        return shares_removed(original - ours, original, self.half // hop)

    def gap(self, shares: Shares, sound: Tensor, config: CodecConfig) -> Figures:
        """Return what lies between shares of a scene and those of its sound, by its transform."""
        heard = self.sound_shares(sound, config.window, config.hop)
        return {"gap_l2": shares[0] - heard[0], "gap_l1": shares[1] - heard[1]}

    def measure_onsets(self, seconds: np.ndarray, gains: np.ndarray) -> Figures:
        """Return the share of onsets that repeat another, and agreement with the labels."""
        strongest = seconds[np.argsort(-gains, kind="stable")[: metrics.STRONGEST]]
        figures: Figures = {"redundancy": metrics.redundancy(seconds)}
        labels = self.segment.onsets
        if labels is not None and len(labels) and metrics.is_installed("mir_eval"):
            figures["onset_f"] = metrics.onset_f_measure(strongest, labels)
        return figures


# ---- the codec


def _codec_figures(ruler: Ruler, options: EncodeOptions) -> Iterator[tuple[str, Figures]]:
    """Yield figures with `options` at each of COUNTS, of varied events, and without refinement."""
    shares = []
    for count in counts_of(ruler.codec, options):
        encoded = encode_again(ruler, replace(options, n_events=count))
        shares.append(encoded.shares)
    events, sound = encoded.events, _render(ruler, encoded.events)
    figures: Figures = {
        "l2": [l2 for l2, _ in shares],
        "l1": [l1 for _, l1 in shares],
        "seconds": encoded.seconds,
    }
    yield "codec", figures | _event_figures(ruler, encoded, sound)
    plain = _render(ruler, events, consistent=False)
    gap = ruler.gap(encoded.shares, plain, ruler.config)
    yield "codec, plain sum", gap | ruler.measure_sound(plain)
    yield f"random times, {metrics.STRONGEST}", _chance_figures(ruler, len(events))
    for kind in VARIATIONS:
        varied = torch.from_numpy(ruler.codec.decode(vary(ruler.codec, events, kind)))
        distance = log_spectral_distance(varied[None], sound[None, : ruler.half]).item()
        yield kind, {"distance_to_reconstruction": distance}
    encoded = encode_again(ruler, replace(options, interim=0, refine=0))
    sound, (l2, l1) = _render(ruler, encoded.events), encoded.shares
    figures = {"l2_all": l2, "l1_all": l1, "seconds": encoded.seconds}
    yield "codec, greedy", figures | _event_figures(ruler, encoded, sound)


def _render(ruler: Ruler, events: EventSet, consistent: bool | None = None) -> Tensor:
    """Return the sound (T,) of events of the first half and of MARGIN samples after it."""
    longer = replace(events, n_samples=events.n_samples + MARGIN)
    return torch.from_numpy(ruler.codec.decode(longer, consistent))


def _chance_figures(ruler: Ruler, n_events: int) -> Figures:
    """Return the figures of random onsets in the first half, for comparison."""
    n_onsets = min(n_events, metrics.STRONGEST)
    end = ruler.half / ruler.config.samplerate
    seconds = np.random.default_rng(5).uniform(0, end, n_onsets)
    return ruler.measure_onsets(seconds, np.ones(n_onsets))


def _event_figures(ruler: Ruler, encoded: Encoded, sound: Tensor) -> Figures:
    events = encoded.events
    numbers = (ruler.config.vector_size + 2) * len(events)
    return {
        "bits_per_second": BITS * numbers * ruler.config.samplerate / ruler.half,
        "harmful": count_harmful(ruler, encoded.windows),
        "crowd": float(np.bincount(events.frames).max()) if len(events) else 0.0,
        **ruler.gap(encoded.shares, sound, ruler.config),
        **ruler.measure_sound(sound),
        **ruler.measure_onsets(events.seconds, events.gains),
    }


@dataclass(frozen=True)
class Encoded:
    """The half segment that is measured, as events."""

    events: EventSet  # written to JSON and read again
    windows: list[EventSet]  # the same as they were found
    shares: Shares  # that the events' scene removes
    seconds: float  # of CPU time


def encode_again(ruler: Ruler, options: EncodeOptions) -> Encoded:
    """Encode as many windows of the segment as are measured."""
    codec, started = ruler.codec, time.process_time()
    stream = codec.stream([ruler.segment.audio], options)
    windows = list(islice(stream, windows_of(codec)))
    seconds = time.process_time() - started
    events = replace(join(windows), n_samples=ruler.half)
    events = EventSet.from_json(json.loads(json.dumps(events.to_json())))
    left = ruler.original - codec.scene(events, ruler.original.shape[1])
    shares = shares_removed(left[None], ruler.original[None], ruler.half // ruler.config.hop)
    return Encoded(events, windows, shares, seconds)


def count_harmful(ruler: Ruler, windows: list[EventSet]) -> float:
    """Return how many events add energy up to the horizon of their window, subtracted one by one
    as found, after those of the windows before.
    """
    config, left, harmful = ruler.config, ruler.original, 0
    for place, events in enumerate(windows):
        first = place * config.half_frames
        horizon = slice(first, first + config.horizon_frames)
        energies = []
        for residual in ruler.codec.peel(left, events):
            energies.append(residual[:, horizon].pow(2).sum().item())
            left = residual
        harmful += sum(after > before for before, after in pairwise(energies))
    return float(harmful)


# ---- matching pursuit


def _pursuit_figures(ruler: Ruler, counts: list[int]) -> Methods:
    """Return figures with as many atoms as events, and with MANY times as many, with and without
    joint gains.

    counts: of atoms, at which shares are measured. The transform is MEASURE's.
    """
    pursuit, many = MatchingPursuit(MEASURE), MANY * counts[-1]
    methods: Methods = {}
    started = time.process_time()
    atoms = pursuit.decompose(ruler.reference, many)
    spectra = pursuit.spectrograms(atoms)
    search_seconds = time.process_time() - started
    for name, n_atoms, joint in (
        ("matching pursuit", counts[-1], False),
        ("orthogonal matching pursuit", counts[-1], True),
        (f"matching pursuit, {many}", many, True),
    ):
        started = time.process_time()
        at = counts if n_atoms == counts[-1] else [n_atoms]
        shares, gains = measure_pursuit(pursuit, ruler.reference, atoms, spectra, at, joint)
        first = atoms.first(n_atoms, gains)
        seconds = time.process_time() - started + search_seconds * n_atoms / many
        l2, l1 = shares[-1]
        figures: Figures = {"seconds": seconds, "l2_all": l2, "l1_all": l1}
        if n_atoms == counts[-1]:
            figures["l2"] = [l2 for l2, _ in shares]
            figures["l1"] = [l1 for _, l1 in shares]
        sound = pursuit.render(first, ruler.half + MARGIN)
        figures |= ruler.gap(shares[-1], sound, MEASURE) | ruler.measure_sound(sound)
        onsets = first.frames.numpy() * MEASURE.hop / MEASURE.samplerate
        methods[name] = figures | ruler.measure_onsets(onsets, first.gains.numpy())
    return methods


def measure_pursuit(
    pursuit: MatchingPursuit,
    original: Tensor,
    atoms: Atoms,
    spectra: Tensor,
    counts: list[int],
    joint: bool,
) -> tuple[list[Shares], Tensor]:
    """Return the shares removed after each of `counts` atoms, and the gains at the last.

    joint: fit all gains together at each count.
    """
    shares = []
    for count in counts:
        gains = pursuit.joint_gains(original, spectra[:count]) if joint else atoms.gains[:count]
        left = original[:, : spectra.shape[2]] - torch.einsum("n,nft->ft", gains, spectra[:count])
        shares.append(shares_removed(left[None], original[None], pursuit.config.half_frames))
    return shares, gains


# ---- results


def summarise(segments: list[Methods]) -> dict[str, Any]:
    """Return the mean of each figure over the segments that have it, to three decimals."""
    summary: dict[str, Any] = {"segments": len(segments)}
    for method in segments[0] if segments else ():
        names = dict.fromkeys(name for segment in segments for name in segment[method])
        summary[method] = {}
        for name in names:
            values = [segment[method][name] for segment in segments if name in segment[method]]
            summary[method][name] = np.round(np.mean(values, axis=0), 3).tolist()
    return summary


def write_results(results: dict[str, Any], path: Path) -> None:
    """Write the results of `evaluate` or `count_word_errors` as JSON."""
    path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def read_results(path: Path) -> dict[str, Any]:
    """Return results that `write_results` wrote. Raises: ManifestError for another file."""
    try:
        results: dict[str, Any] = json.loads(path.read_text())
        results["manifest"], results["counts"], results["groups"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        problem = f"{path}: no results of an evaluation ({error!r})"
        raise ManifestError(f"{problem}; give a file that --json wrote") from error
    return results
