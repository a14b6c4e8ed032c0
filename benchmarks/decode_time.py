"""Measure decoding against its plainest form: python -m benchmarks.decode_time

Decodes 64 events of each shipped checkpoint, at places drawn at random in two windows, in one
thread: as their plain sum, and consistent. The plainest form is the plain sum of the first version,
whose room is a convolution.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import time
from typing import Any

import numpy as np
import torch

from benchmarks.pairs import HEADER, interleaved, report, shares, timed_parts
from benchmarks.plain_sound import plain_decode
from sparse_codec import EventSet, SparseCodec
from sparse_codec.model.consistent import Projection, Synthesis

N_EVENTS = 64
CHECKPOINTS = ("music", "speech-harmonic")


def random_events(codec: SparseCodec) -> EventSet:
    """Return events of equal gain in two windows."""
    rng, config = np.random.default_rng(0), codec.config
    return EventSet(
        vectors=rng.uniform(-0.8, 0.8, (N_EVENTS, config.vector_size)).astype(np.float32),
        frames=np.sort(rng.integers(0, 2 * config.half_frames, N_EVENTS)),
        offsets=rng.uniform(-0.5, 0.5, N_EVENTS).astype(np.float32),
        gains=np.ones(N_EVENTS, np.float32),
        n_samples=config.segment_samples,
        samplerate=config.samplerate,
        hop=config.hop,
    )


def parts_of(codec: SparseCodec) -> dict[str, list[tuple[Any, str]]]:
    """Return the parts of consistent decoding, for `timed_parts`."""
    decoder = codec.decoder
    return {
        "vectors read": [(decoder, "sounding")],
        "levels": [(decoder, "_framed"), (decoder, "_dry"), (decoder, "in_room")],
        "sinusoids": [(decoder, "_partials")],
        "noise": [(decoder, "_noise")],
        "pictures": [(decoder, "_shown")],
        "projection": [(Projection, "take"), (Synthesis, "add")],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=9, help="runs of each (default: 9)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(HEADER)
    for name in CHECKPOINTS:
        codec = SparseCodec.load(name)
        events = random_events(codec)
        before = functools.partial(plain_decode, codec, events)
        for kind, consistent in (("consistent", True), ("sum", False)):
            now = functools.partial(codec.decode, events, consistent)
            pairs = list(interleaved(before, now, args.pairs))
            seconds = events.n_samples / events.samplerate
            speed = seconds / statistics.median(pair.fast for pair in pairs)
            line = report(f"{name}, {kind}", pairs)
            print(f"{line}; {speed:.0f} times real time", flush=True)
        with timed_parts(parts_of(codec)) as parts:
            started = time.process_time()
            for _ in range(args.pairs):
                codec.decode(events, consistent=True)
            total = time.process_time() - started
        print(f"  of the consistent: {shares(parts, total)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
