"""Measure checkpoints that differ in their decoder, trained for the same time on the same data.

    python -m experiments.measurements.second_decoder --checkpoints HARMONIC RECURRENT --data DIR...

The figures go to `second_decoder.json` beside this file, from which the article "What we tried" is built.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from experiments.measurements.switches import measure
from sparse_codec import SparseCodec
from sparse_codec.audio.recordings import find_recordings
from sparse_codec.config import config_tables

FIGURES = Path(__file__).parent / "second_decoder.json"
SEGMENTS = 12  # held-out, spread over the data


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="experiments.measurements.second_decoder", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--checkpoints", nargs="+", required=True, help="one for each kind of decoder"
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders of audio with held-out works"
    )
    parser.add_argument(
        "--out", type=Path, default=FIGURES, help="JSON file (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    held_out = [r for folder in args.data for r in find_recordings(folder) if r.split == "test"]
    codecs = [SparseCodec.load(checkpoint) for checkpoint in args.checkpoints]
    done = {
        "segments": SEGMENTS,
        "decoders": {kind_of(c): facts(c) | measure(c, held_out, SEGMENTS) for c in codecs},
    }
    args.out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(done, indent=1))
    return 0


def kind_of(codec: SparseCodec) -> str:
    """The name that a configuration has for the decoder."""
    return config_tables(codec.config)["decoder"]["kind"]


def facts(codec: SparseCodec) -> dict:
    """What is known of a model without measuring it.

    The run lasted `minutes`; steps, hours and the history of shares removed are those up to the checkpoint that was
    kept, the one that did best on a few held-out segments.
    """
    return {
        "checkpoint": codec.digest,
        "parameters": sum(p.numel() for p in codec.parameters()),
        "decoder_parameters": sum(p.numel() for p in codec.decoder.parameters()),
        "minutes": codec.card["training"]["minutes"],
        **{name: codec.card[name] for name in ("steps", "hours", "train_recordings", "history")},
    }


if __name__ == "__main__":
    sys.exit(main())
