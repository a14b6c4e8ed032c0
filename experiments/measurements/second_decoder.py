"""Measure checkpoints that differ in their decoder, trained for the same time on the same data.

    python -m experiments.measurements.second_decoder --checkpoints HARMONIC RECURRENT --data DIR...

The figures go to `second_decoder.json` beside this file; the article "What we tried" shows them.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import torch

from experiments.measurements.command_line import add_data_option, held_out, measurement_parser
from experiments.measurements.switches import measure
from experiments.stored_figures import FigureFile, Figures, as_json
from sparse_codec import SparseCodec
from sparse_codec.config import config_tables

FIGURES = FigureFile.beside(__file__)
SEGMENTS = 12  # held-out, spread over the data


def main(argv: list[str] | None = None) -> int:
    """Measure each checkpoint. Returns: the exit code."""
    parser = measurement_parser(FIGURES, __doc__)
    parser.add_argument(
        "--checkpoints", nargs="+", required=True, help="one for each kind of decoder"
    )
    add_data_option(parser)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    test_set = held_out(args.data)
    decoders = {}
    for codec in [SparseCodec.load(checkpoint) for checkpoint in args.checkpoints]:
        decoders[kind_of(codec)] = facts(codec) | measure(codec, test_set, SEGMENTS)
    figures = {"segments": SEGMENTS, "decoders": decoders}
    replace(FIGURES, path=args.out).write(figures)
    print(as_json(figures))
    return 0


def kind_of(codec: SparseCodec) -> str:
    """Return the decoder's kind, as configurations name it."""
    return config_tables(codec.config)["decoder"]["kind"]


def facts(codec: SparseCodec) -> Figures:
    """Return what is known of a model without measuring it.

    The run lasted `minutes`. Steps, hours and the history of shares removed end with the checkpoint
    that was kept, the one that did best on a few held-out segments.
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
