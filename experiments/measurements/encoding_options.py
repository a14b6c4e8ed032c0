"""Measure options of encoding with a shipped model: what each costs, and what it brings.

    python -m experiments.measurements.encoding_options --data DIR... [--checkpoint music]

The figures go to `encoding_options.json` beside this file; the article "What we tried" shows them.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from experiments.measurements.command_line import add_data_option, held_out, measurement_parser
from experiments.stored_figures import FigureFile, Figures, as_json
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.audio.recordings import held_out_segments, spread
from sparse_codec.config import EFFORTS
from sparse_codec.model.spectrogram import shares_removed

FIGURES = FigureFile.beside(__file__)
SEGMENTS = 3  # held-out, spread over the data
OPTIONS: dict[str, dict[str, Any]] = {
    "as the article": {},
    "greedy: no refinement (--fast)": EFFORTS["fast"],
    "more refinement (--best)": EFFORTS["best"],
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
    """Measure every set of options. Returns: the exit code."""
    parser = measurement_parser(FIGURES, __doc__)
    add_data_option(parser)
    parser.add_argument("--checkpoint", default="music")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec = SparseCodec.load(args.checkpoint)
    config = codec.config
    few = spread(held_out(args.data), SEGMENTS)
    segments = held_out_segments(few, config.segment_samples, config.samplerate, each=1)
    originals = [codec.magnitudes(torch.from_numpy(audio)[None]) for audio in segments]
    measure(codec, originals[:1], config.encode)  # the first encoding of a process takes longer
    rows = {}
    for name, changes in tqdm(OPTIONS.items(), disable=None):
        rows[name] = measure(codec, originals, replace(config.encode, **changes))
    figures = {"checkpoint": codec.digest, "segments": len(originals), "rows": rows}
    replace(FIGURES, path=args.out).write(figures)
    print(as_json(figures))
    return 0


def measure(codec: SparseCodec, originals: list[torch.Tensor], options: EncodeOptions) -> Figures:
    """Return means over segments: shares (L2, L1), events with a gain, CPU seconds."""
    shares, events, seconds = [], [], []
    for original in originals:
        started = time.process_time()
        decomposition = codec.decompose(original, options)
        seconds.append(time.process_time() - started)
        shares.append(shares_removed(decomposition.residual, original, codec.config.half_frames))
        events.append(int((decomposition.events.gains > 0).sum()))
    l2, l1 = np.mean(shares, axis=0).round(3).tolist()
    return {
        "l2": l2,
        "l1": l1,
        "events": round(float(np.mean(events)), 1),
        "seconds": round(float(np.mean(seconds)), 2),
    }


if __name__ == "__main__":
    sys.exit(main())
