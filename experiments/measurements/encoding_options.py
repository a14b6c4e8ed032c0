"""Measure options of encoding with a shipped model: what each costs, and what it brings.

    python -m experiments.measurements.encoding_options --data DIR... [--checkpoint music]

The figures go to `encoding_options.json` beside this file, from which the article "What we tried" is built.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.audio.recordings import find_recordings, held_out_segments, spread
from sparse_codec.model.spectrogram import shares_removed

FIGURES = Path(__file__).parent / "encoding_options.json"
SEGMENTS = 3  # held-out, spread over the data
OPTIONS: dict[str, dict] = {
    "as the article": {},
    "greedy: no refinement": {"interim": 0, "refine": 0},
    "one pass: no joint gains either": {"interim": 0, "refine": 0, "joint_gains": False},
    "1 candidate": {"candidates": 1},
    "4 candidates": {"candidates": 4},
    "24 candidates": {"candidates": 24},
    "refinement at the end only": {"interim": 0},
    "refinement while searching only": {"refine": 0},
    "200 steps at the end": {"refine": 200},
    "8 events": {"n_events": 8},
    "16 events": {"n_events": 16},
    "48 events": {"n_events": 48},
    "64 events": {"n_events": 64},
    "merging at a cosine of 0.9": {"merge": 0.9},
    "merging at a cosine of 0.7": {"merge": 0.7},
    "stopping at -6 dB": {"stop": -6.0},
    "stopping at -10 dB": {"stop": -10.0},
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="experiments.measurements.encoding_options", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders of audio with held-out works"
    )
    parser.add_argument("--checkpoint", default="music")
    parser.add_argument(
        "--out", type=Path, default=FIGURES, help="JSON file (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec = SparseCodec.load(args.checkpoint)
    held_out = [r for folder in args.data for r in find_recordings(folder) if r.split == "test"]
    config = codec.config
    segments = list(
        held_out_segments(
            spread(held_out, SEGMENTS), config.segment_samples, config.samplerate, each=1
        )
    )
    originals = [codec.magnitudes(torch.from_numpy(audio)[None]) for audio in segments]
    rows = {
        name: measure(codec, originals, replace(config.encode, **changes))
        for name, changes in tqdm(OPTIONS.items(), disable=None)
    }
    done = {"checkpoint": codec.digest, "segments": len(originals), "rows": rows}
    args.out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(done, indent=1))
    return 0


def measure(codec: SparseCodec, originals: list[torch.Tensor], options: EncodeOptions) -> dict:
    """Means over segments: shares (L2, L1), events with a gain, seconds."""
    shares, events, seconds = [], [], []
    for original in originals:
        started = time.perf_counter()
        found = codec.decompose(original, options)
        seconds.append(time.perf_counter() - started)
        shares.append(shares_removed(found.residual, original, codec.config.half_frames))
        events.append(int((found.gains > 0).sum()))
    l2, l1 = np.mean(shares, axis=0).round(3).tolist()
    return {
        "l2": l2,
        "l1": l1,
        "events": round(float(np.mean(events)), 1),
        "seconds": round(float(np.mean(seconds)), 2),
    }


if __name__ == "__main__":
    sys.exit(main())
