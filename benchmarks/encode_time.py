"""The encoder against its plainest form, at each effort: CPU seconds and shares removed.

    python -m benchmarks.encode_time [--checkpoint music] [--segments 8] [--picture docs/speed.png]

Segments are of the shipped clips, on one thread. Both ways see the same segment in turn.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch

from benchmarks.pairs import HEADER, Pair, interleaved, report
from benchmarks.plain_encode import plain_codec, plain_decompose
from experiments.clips import shipped_clips
from experiments.stored_figures import as_json
from sparse_codec import SparseCodec
from sparse_codec.config import EFFORTS, at_effort
from sparse_codec.model.spectrogram import shares_removed

CLIPS = {"music": "music", "speech-harmonic": "speech"}  # of each checkpoint


def main(argv: list[str] | None = None) -> int:
    """Print the table. Returns: the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="music", choices=tuple(CLIPS))
    parser.add_argument("--segments", type=int, default=8)
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--picture", metavar="FILE", help="draw the figures there")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec, plain = SparseCodec.load(args.checkpoint), plain_codec(args.checkpoint)
    originals = segments(codec, args.checkpoint)[: args.segments]
    half, seconds = codec.config.half_frames, codec.config.segment_samples / 2 / codec.samplerate
    shares = {"plain": [shares_removed(plain_decompose(plain, x)[1], x, half) for x in originals]}
    print(HEADER)
    figures: dict[str, dict[str, float]] = {}
    plainly: list[float] = []
    for effort in EFFORTS:
        options, pairs = at_effort(codec.config.encode, effort), []
        shares[effort] = []
        for x in originals:
            left = codec.decompose(x, options).residual
            shares[effort].append(shares_removed(left, x, half))
            pairs += interleaved(
                lambda x=x: plain_decompose(plain, x),
                lambda x=x, options=options: codec.decompose(x, options),
                1,
            )
        print(report(effort, pairs), flush=True)
        figures[effort] = _figures(pairs, seconds)
        plainly += [pair.plain for pair in pairs]
    figures["plain"] = {"seconds": round(float(np.median(plainly)), 3)}
    for way, rows in shares.items():
        l2, l1 = np.mean(rows, 0)
        print(f"{way:<24}L2 {l2:.4f}  L1 {l1:.4f}")
        figures[way].update(l2=round(float(l2), 4), l1=round(float(l1), 4))
    if args.json:
        with open(args.json, "w") as file:
            file.write(as_json(figures))
    if args.picture:
        _draw(figures, args.picture)
    return 0


def _draw(figures: dict[str, dict[str, float]], file: str) -> None:
    """Draw shares removed against CPU seconds."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(7.2, 2.8), layout="constrained")
    for place, order in enumerate(("l2", "l1"), start=1):
        label = f"share of {order.upper()} removed"
        axes = canvas.add_subplot(1, 2, place, xlabel="CPU seconds a window", ylabel=label)
        curve = [figures[effort] for effort in EFFORTS]
        axes.plot([x["seconds"] for x in curve], [x[order] for x in curve], "o-", color="#c8553d")
        axes.plot(figures["plain"]["seconds"], figures["plain"][order], "s", color="#555555")
        for name in (*EFFORTS, "plain"):
            at = (figures[name]["seconds"], figures[name][order])
            axes.annotate(name, at, (4, -12), textcoords="offset points", fontsize=9)
        axes.set_xlim(0, 1.25 * figures["plain"]["seconds"])
        axes.margins(y=0.2)
    canvas.savefig(file, dpi=110)


def _figures(pairs: list[Pair], window_seconds: float) -> dict[str, float]:
    """Return the median ratio, and CPU seconds for each second of sound."""
    fast = float(np.median([pair.fast for pair in pairs]))
    return {
        "ratio": round(float(np.median([pair.ratio for pair in pairs])), 2),
        "seconds": round(fast, 3),
        "real_time_factor": round(fast / window_seconds, 3),
    }


def segments(codec: SparseCodec, name: str) -> list[torch.Tensor]:
    """Return magnitudes (1, F, T) of the first segment of each shipped clip, and three of the long
    one.
    """
    clips, long = shipped_clips(CLIPS[name])
    size, rate = codec.config.segment_samples, codec.samplerate
    sounds = [clip.audio(rate)[:size] for clip in clips]
    if long is not None:
        whole = long.audio(rate)
        sounds += [
            whole[start : start + size] for start in range(size // 2, len(whole) - size, size)
        ]
    padded = [np.pad(sound, (0, size - len(sound))) for sound in sounds]
    return [codec.magnitudes(torch.from_numpy(sound)[None]) for sound in padded]


if __name__ == "__main__":
    sys.exit(main())
