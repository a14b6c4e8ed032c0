"""Measure memory and time of encoding and decoding: python benchmarks/streaming_memory.py

Clips are 10 minutes and 1 hour long. Each is a fresh process, with the model "music" and few
events, so that an hour of sound takes minutes. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import soundfile as sf

from sparse_codec import EncodeOptions, EventSet, SparseCodec

CLIP = (
    Path(__file__).parent.parent / "experiments" / "clips" / "music" / "mozart_k156_movement1.flac"
)
FEW = EncodeOptions(n_events=2, candidates=1, interim=0, refine=0)
WAYS = ("encode", "decode")


def looped_blocks(n_samples: int) -> Iterator[np.ndarray]:
    """Yield the clip again and again: blocks of a second, at the codec's samplerate."""
    audio, samplerate = sf.read(CLIP, dtype="float32")
    for start in cycle(range(0, len(audio), samplerate)):
        block = audio[start : start + min(samplerate, n_samples)]
        n_samples -= len(block)
        yield block
        if not n_samples:
            return


def looped_windows(codec: SparseCodec, n_samples: int) -> Iterator[EventSet]:
    """Yield the events of the clip's first window again and again, one window later each time."""
    window = next(codec.stream(looped_blocks(codec.config.segment_samples), FEW))
    for _ in range(codec.n_windows(n_samples)):
        yield window
        window = window.shift(codec.config.half_frames * codec.config.hop / codec.samplerate)


def run(way: str, minutes: float, checkpoint: str) -> float:
    """Encode or decode so many minutes. Returns: the largest resident size so far, in MB."""
    codec = SparseCodec.load(checkpoint)
    n_samples = round(minutes * 60 * codec.samplerate)
    results = (
        codec.stream(looped_blocks(n_samples), FEW)
        if way == "encode"
        else codec.play(looped_windows(codec, n_samples))
    )
    for _ in results:
        pass
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1000


def measure(way: str, minutes: float) -> tuple[float, float]:
    """Return peak (MB) and seconds of `run` in a fresh process."""
    started = time.perf_counter()
    command = [sys.executable, __file__, "--one", way, str(minutes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout), time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--minutes", type=float, nargs="+", default=[10.0, 60.0], help="default: 10 60"
    )
    parser.add_argument(
        "--one",
        nargs="+",
        metavar=("WAY", "MINUTES"),
        help="print the peak of this process alone, in MB, after each of the clips",
    )
    parser.add_argument("--checkpoint", default="music", help="of --one (default: %(default)s)")
    args = parser.parse_args()
    if args.one:
        way, *clips = args.one
        for minutes in clips:
            print(run(way, float(minutes), args.checkpoint))
        return 0
    print(f"{'way':<8}{'minutes':>10}{'peak MB':>10}{'seconds':>10}{'of the first':>14}")
    for way in WAYS:
        first = None
        for minutes in args.minutes:
            peak, seconds = measure(way, minutes)
            first = first or peak
            print(f"{way:<8}{minutes:>10g}{peak:>10.0f}{seconds:>10.0f}{peak / first:>14.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
