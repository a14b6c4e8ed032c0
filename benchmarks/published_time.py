"""Measure the published system against its plainest form: python -m benchmarks.published_time

Encodes a segment of music with random weights, in one thread.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.pairs import HEADER, Pair, interleaved, report
from benchmarks.plain_published import PlainPublished
from experiments.clips import shipped_clips
from sparse_codec import SparseCodec, read_config

CONFIG = Path(__file__).parent.parent / "experiments" / "configs" / "paper.toml"


def measure(n_pairs: int) -> list[Pair]:
    """Return CPU seconds of encoding one segment, plainly and as the codec does it."""
    torch.manual_seed(0)
    codec = SparseCodec(read_config(CONFIG)[0]).eval()
    audio = shipped_clips()[1].audio(codec.samplerate)[: codec.config.segment_samples]
    original = codec.magnitudes(torch.from_numpy(np.ascontiguousarray(audio))[None])
    plain = PlainPublished(codec)
    return list(
        interleaved(lambda: plain.decompose(original), lambda: codec.decompose(original), n_pairs)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=3, help="runs of each (default: 3)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(HEADER)
    print(report("encode, paper.toml", measure(args.pairs)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
