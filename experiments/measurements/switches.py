"""Train one model for every switch of the configuration, all for the same time on the same data, and measure them.

    python -m experiments.measurements.switches --data DIR... --minutes 3 [--only NAME...]

The figures go to `ablate.json` beside this file, from which the article "What we tried" is built; those that are
shipped are of `--minutes 0.75`. Runs that are there already are kept, so an interrupted round goes on.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sparse_codec import SparseCodec
from sparse_codec.audio.recordings import find_recordings, held_out_segments, spread
from sparse_codec.config import parse_config
from sparse_codec.model.spectrogram import log_mel_distance, magnitudes, shares_removed
from sparse_codec.training.trainer import Trainer

FIGURES = Path(__file__).parent / "switches.json"
CONFIGS = Path(__file__).parents[1] / "configs"
SEGMENTS = 3  # held-out, spread over the data

# name, what is changed, in the tables of default.toml
SWITCHES: dict[str, tuple[str, dict]] = {
    "default": ("nothing", {}),
    "no scenes": ("the greedy loss alone: no scenes are fitted", {"training": {"scenes": 0}}),
    "switch gain": (
        "the gain is the height of the encoder's switch, as published",
        {"codec": {"gain": "switch"}},
    ),
    "linear input": (
        "the encoder sees plain magnitudes, as published",
        {"codec": {"input": "linear"}},
    ),
    "published gain and input": ("both of these", {"codec": {"gain": "switch", "input": "linear"}}),
    "one envelope": (
        "noise and partials share an envelope",
        {"decoder": {"noise_envelope": False}},
    ),
    "no tilt": ("an event's colour does not change but by its decays", {"decoder": {"tilt": 0.0}}),
    "glide": ("an event's pitch may move by a semitone", {"decoder": {"glide": 1.0}}),
    "no room": ("the decoder has no room stage", {"decoder": {"reverberation": []}}),
    "no perceptual loss": ("scenes without the log-mel term", {"training": {"perceptual": 0.0}}),
    "sparsity": ("the sum of the gains has a price of 0.05", {"training": {"sparsity": 0.05}}),
    "adversarial": ("a discriminator, with a weight of 0.1", {"training": {"adversarial": 0.1}}),
    "no L1": (
        "no reward for the L1 norm removed",
        {"training": {"removed_l1": 0.0, "scene_l1": 0.0}},
    ),
    "no price on over-subtraction": ("what goes below zero is free", {"training": {"over": 0.0}}),
    "no cosine": (
        "no reward for the cosine between event and residual",
        {"training": {"cosine": 0.0}},
    ),
    "one candidate": ("one candidate a step in training", {"training": {"candidates": 1}}),
}
PUBLISHED = "published configuration"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="experiments.measurements.switches", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders of audio with held-out works"
    )
    parser.add_argument(
        "--minutes", type=float, default=3.0, help="of training for each (default: %(default)s)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=[*SWITCHES, PUBLISHED], help="these switches, measured anew"
    )
    parser.add_argument(
        "--out", type=Path, default=FIGURES, help="JSON file (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)  # so that two rounds on two cores do not slow each other down
    done = (
        json.loads(args.out.read_text())
        if args.out.exists()
        else {"minutes": args.minutes, "runs": {}}
    )
    if done["minutes"] != args.minutes:
        print(
            f"error: {args.out} has runs of {done['minutes']} minutes; give the same or delete it",
            file=sys.stderr,
        )
        return 2
    recordings = [r for folder in args.data for r in find_recordings(folder)]
    for name in args.only or [n for n in (*SWITCHES, PUBLISHED) if n not in done["runs"]]:
        print(f"{name}: {args.minutes} minutes", flush=True)
        done["runs"][name] = run(name, recordings, args.minutes)
        args.out.write_text(json.dumps(done, indent=1) + "\n")
        print(json.dumps(done["runs"][name]), flush=True)
    return 0


def run(name: str, recordings: list, minutes: float) -> dict:
    """Train a variant for so many minutes, and measure it on held-out segments."""
    config, training = parse_config(tables_of(name, minutes), name)
    trainer = Trainer(config, training, recordings, "cpu", log=lambda line: None)
    trainer.validate = lambda: None  # no time for that
    with tempfile.TemporaryDirectory() as folder:
        trainer.run(Path(folder))
        codec = SparseCodec.load(Path(folder) / "model.safetensors")
    return {"steps": trainer.step} | measure(codec, trainer.test_set)


def tables_of(name: str, minutes: float) -> dict:
    """The configuration of a variant: default.toml with its changes, or paper.toml."""
    file = "paper.toml" if name == PUBLISHED else "default.toml"
    tables = tomllib.loads((CONFIGS / file).read_text())
    changes = {} if name == PUBLISHED else copy.deepcopy(SWITCHES[name][1])
    for table, values in changes.items():
        tables.setdefault(table, {}).update(values)
    tables["training"]["minutes"] = minutes
    return tables


def measure(codec: SparseCodec, test_set: list, n_segments: int = SEGMENTS) -> dict:
    """Shares removed in the configuration's own transform, greedily and with its own options, and of the sound."""
    config, few = codec.config, spread(test_set, n_segments)
    figures: dict[str, list] = {
        "greedy": [],
        "refined": [],
        "sound": [],
        "log_mel": [],
        "seconds": [],
    }
    for audio in held_out_segments(few, config.segment_samples, config.samplerate, each=1):
        original = codec.magnitudes(torch.from_numpy(audio)[None])
        found = codec.decompose(original, replace(config.encode, interim=0, refine=0))
        figures["greedy"].append(shares_removed(found.residual, original, config.half_frames))
        started = time.perf_counter()
        found = codec.decompose(original, config.encode)
        figures["seconds"].append(time.perf_counter() - started)
        figures["refined"].append(shares_removed(found.residual, original, config.half_frames))
        half = config.segment_samples // 2
        sound = torch.from_numpy(codec.decode(codec.event_set(found, half)))[None]
        reference = torch.from_numpy(audio[:half])[None]
        shown, meant = (magnitudes(x, 2048, 512) for x in (sound, reference))
        figures["sound"].append(shares_removed(meant - shown, meant, half // 512))
        figures["log_mel"].append(log_mel_distance(sound, reference, config.samplerate).item())
    return {name: np.round(np.mean(values, axis=0), 3).tolist() for name, values in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
