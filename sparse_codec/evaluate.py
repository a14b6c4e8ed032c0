"""How much of held-out audio the events hold, against matching pursuit with as many.

The measure: segments normalised to peak 1; the share of the magnitude spectrogram's energy (L2, and L1) that is
gone from the first half; the mean of the segments' shares. Every group of recordings is reported alone.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparse_codec.baseline import Atoms, MatchingPursuit
from sparse_codec.codec import SparseCodec
from sparse_codec.config import EncodeOptions
from sparse_codec.data import Recording, held_out_segments
from sparse_codec.spectrogram import log_spectral_distance, shares_removed

COUNTS = (1, 4, 8, 16, 32)  # events after which the energy removed is measured


def evaluate(
    codec: SparseCodec, recordings: list[Recording], each: int, options: EncodeOptions, progress: Callable = iter
) -> dict:
    """Figures of the codec and of the baselines for every group of held-out recordings.

    each: segments a recording. Returns plain values: what was measured with which options, then the groups.
    Raises: ValueError if no recording is held out.
    """
    held_out = [r for r in recordings if r.split == "test"]
    if not held_out:
        raise ValueError("no recording is held out: give a data set with a test split, or more files")
    groups: dict[str, list] = defaultdict(list)
    for recording in progress(held_out):
        for audio in held_out_segments([recording], codec.config.segment_samples, codec.config.samplerate, each):
            groups[recording.group].append(measure_segment(codec, torch.from_numpy(audio), options))
    if not groups:
        raise ValueError("no held-out segment could be measured: all are silent or unreadable, or --each is 0")
    everything = [figures for group in groups.values() for figures in group]
    return {
        "checkpoint": codec.digest,
        "options": asdict(options),
        "threads": torch.get_num_threads(),
        "counts": COUNTS,
        "all": summarise(everything),
        "groups": {name: summarise(group) for name, group in sorted(groups.items())},
    }


def measure_segment(codec: SparseCodec, audio: Tensor, options: EncodeOptions) -> dict:
    """Figures of one segment (segment_samples,) for each method: shares (L2, L1) by count, distance, seconds."""
    half = codec.config.segment_samples // 2
    original = codec.magnitudes(audio[None])[0]
    reference = audio[None, :half]
    one_pass = replace(options, refine=0, joint_gains=False)
    figures = {}
    for name, chosen in (("codec", options), ("codec, one pass", one_pass)):
        started = time.perf_counter()
        shares, sound = measure_codec(codec, original, chosen)
        figures[name] = _figures(shares, sound[:half], reference, time.perf_counter() - started)
    started = time.perf_counter()
    pursuit = MatchingPursuit(codec.config)
    atoms = pursuit.decompose(original, max(COUNTS))
    spectra = pursuit.spectrograms(atoms)
    found = time.perf_counter() - started
    for name, joint in (("matching pursuit", False), ("orthogonal matching pursuit", True)):
        started = time.perf_counter()
        shares, gains = measure_pursuit(pursuit, original, atoms, spectra, joint)
        sound = pursuit.render(replace(atoms, gains=gains), half)
        figures[name] = _figures(shares, sound, reference, found + time.perf_counter() - started)
    figures["silence"] = {"distance": log_spectral_distance(torch.zeros_like(reference), reference).item()}
    return figures


def _figures(shares: list[tuple[float, float]], sound: Tensor, reference: Tensor, seconds: float) -> dict:
    return {"seconds": seconds, "shares": shares, "distance": log_spectral_distance(sound[None], reference).item()}


def measure_codec(
    codec: SparseCodec, original: Tensor, options: EncodeOptions
) -> tuple[list[tuple[float, float]], Tensor]:
    """Shares removed after each of COUNTS events, and the sound of all of them."""
    found = codec.decompose(original[None], options)
    shares = []
    for count in COUNTS:
        left = found.left(found.history[min(count, found.n_found) - 1])
        shares.append(shares_removed(left, found.original, codec.config.half_frames))
    events = codec.event_set(found, n_samples=codec.config.segment_samples // 2)
    return shares, torch.from_numpy(codec.decode(events))


def measure_pursuit(
    pursuit: MatchingPursuit, original: Tensor, atoms: Atoms, spectra: Tensor, joint: bool
) -> tuple[list[tuple[float, float]], Tensor]:
    """Shares removed after each of COUNTS atoms, and the gains of all; `joint` fits them together at each count."""
    shares = []
    for count in COUNTS:
        gains = pursuit.joint_gains(original, spectra[:count]) if joint else atoms.gains[:count]
        left = original[:, : spectra.shape[2]] - torch.einsum("n,nft->ft", gains, spectra[:count])
        shares.append(shares_removed(left[None], original[None], pursuit.config.half_frames))
    return shares, gains


def summarise(figures: list[dict]) -> dict:
    """Means over segments, rounded to what is reported."""
    summary: dict = {"segments": len(figures)}
    for method in figures[0]:
        rows = [f[method] for f in figures]
        means = {"distance": round(float(np.mean([r["distance"] for r in rows])), 2)}
        if "shares" in rows[0]:
            shares = np.mean([r["shares"] for r in rows], axis=0)
            means["l2"] = [round(float(x), 3) for x in shares[:, 0]]
            means["l1"] = [round(float(x), 3) for x in shares[:, 1]]
            means["seconds"] = round(float(np.mean([r["seconds"] for r in rows])), 3)
        summary[method] = means
    return summary


def format_table(results: dict) -> str:
    """The figures as plain text, one block a group."""
    lines = [f"checkpoint {results['checkpoint'][:16]}  options {results['options']}  threads {results['threads']}"]
    for name, group in [("all", results["all"]), *results["groups"].items()]:
        lines += ["", f"{name}: {group['segments']} segments"]
        counts = "".join(f"{c:>7}" for c in results["counts"])
        lines.append(f"{'energy removed with this many events':<40}{counts}   seconds   distance")
        for method, means in group.items():
            if method == "segments":
                continue
            for order in ("l2", "l1"):
                if order in means:
                    values = "".join(f"{x:7.3f}" for x in means[order])
                    tail = f"{means['seconds']:10.2f}{means['distance']:9.2f} dB" if order == "l2" else ""
                    lines.append(f"{method + ', ' + order.upper():<40}{values}{tail}")
            if "l2" not in means:
                lines.append(f"{method:<40}{'':<45}{means['distance']:9.2f} dB")
    return "\n".join(lines)


def markdown_table(results: dict) -> str:
    """The figures of all segments together, as the README and the model card show them."""
    head = ["Share removed with this many events", *map(str, results["counts"]), "Seconds a segment", "Distance"]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for method, means in results["all"].items():
        if not isinstance(means, dict):
            continue
        distance = f"{means['distance']:.1f} dB"
        if "l2" not in means:
            rows.append([method, *[""] * len(results["counts"]), "", distance])
            continue
        for order in ("l2", "l1"):
            shares = [f"{x:.2f}" for x in means[order]]
            facts = [f"{means['seconds']:.1f}", distance] if order == "l2" else ["", ""]
            rows.append([f"{method}, {order.upper()}", *shares, *facts])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write_results(results: dict, path: Path) -> None:
    path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
