"""Commands on event sets: info, render, perturb, randomise, morph.

They read .events and .json files, and write files of any kind.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparse_codec.audio.files import KINDS
from sparse_codec.cli.messages import Tally, clipping, say
from sparse_codec.cli.options import Commands, add_command, add_model, add_plain, consistency
from sparse_codec.coding.channels import Window, channels_of, window_of
from sparse_codec.coding.event_file import EventFileError
from sparse_codec.coding.formats import (
    SET_SUFFIXES,
    load_facts,
    open_file,
    open_windows,
    read_json_set,
    read_set,
    write_set,
)
from sparse_codec.events import EventSet
from sparse_codec.outputs import check_output

if TYPE_CHECKING:
    from sparse_codec.codec import SparseCodec

INPUT = "event set: .events or .json"
INPUTS = (".events", ".json")
INFO_KINDS = '.events, .json, .safetensors, or the name of a shipped checkpoint, such as "music"'
OUTPUTS = (*SET_SUFFIXES, *KINDS)


def add_commands(commands: Commands) -> None:
    _add_info(commands)
    _add_render(commands)
    _add_perturb(commands)
    _add_randomise(commands)
    _add_morph(commands)


# ---- info


def _add_info(commands: Commands) -> None:
    text = "say what a .events file, an event set or a checkpoint is"
    info = add_command(commands, "info", print_info, text, "info song.events")
    info.add_argument("file", help=INFO_KINDS)
    info.add_argument("--json", action="store_true", help="print JSON")
    add_model(info)


def print_info(args: argparse.Namespace) -> int:
    """Print facts about a file of events or a checkpoint."""
    path = Path(args.file)
    if path.is_file() and path.suffix.lower() not in (*INPUTS, ".safetensors"):
        raise EventFileError(f"{path}: no file of events and no checkpoint; give {INFO_KINDS}")
    if path.suffix.lower() in INPUTS:
        facts = _set_facts(args.file, args.model)
    else:
        facts = _checkpoint_facts(args.file)
    print(json.dumps(facts, indent=1) if args.json else "\n".join(_lines(facts)))
    return 0


def _set_facts(path: str, model: str | None) -> dict[str, Any]:
    tally = Tally()
    facts: dict[str, Any]
    if Path(path).suffix.lower() == ".events":
        with open_file(path) as file:
            header, checkpoint, windows = open_windows(file, path, model)
            for window in windows:
                tally.add(window)
        facts = dataclasses.asdict(header)
    else:
        events, checkpoint = read_json_set(path, model)
        tally.add(events)
        facts = {"checkpoint": checkpoint.digest, "channels": tally.n_channels}
    return {**facts, **tally.facts(checkpoint.config.samplerate, Path(path).stat().st_size)}


def _checkpoint_facts(name: str) -> dict[str, Any]:
    checkpoint = load_facts(name)
    return {
        "digest": checkpoint.digest,
        "parameters": checkpoint.parameters,
        "config": dataclasses.asdict(checkpoint.config),
        **checkpoint.card,
    }


def _lines(facts: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield facts for people, one a line."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}"
            yield from (f"{indent}  {', '.join(_lines(item))}" for item in value)
        else:
            text = f"{value:.6g}" if isinstance(value, float) else value
            yield f"{indent}{name.replace('_', ' ')}: {text}"


# ---- render


def _add_render(commands: Commands) -> None:
    text = (
        "make sound of an event set, edited by hand or by a script; or store it in another format"
    )
    render = add_command(commands, "render", render_set, text, "render edited.json -o edited.wav")
    render.add_argument("set", metavar="EDIT.json", help=INPUT)
    _add_output(render)


def render_set(args: argparse.Namespace) -> int:
    """Write an event set in another format."""
    return _edit(args, lambda events, codec: events)


# ---- perturb


def _add_perturb(commands: Commands) -> None:
    text = "move all sounds in one random direction; times, gains and pitches stay"
    example = "perturb song.events -o other.wav --amount 0.6"
    perturb = add_command(commands, "perturb", perturb_set, text, example)
    perturb.add_argument("set", metavar="IN", help=INPUT)
    perturb.add_argument(
        "--amount", type=float, required=True, help="norm of what is added to vectors in [-1, 1]"
    )
    _add_seed(perturb)
    _add_output(perturb)


def perturb_set(args: argparse.Namespace) -> int:
    """Write an event set whose vectors are moved."""

    def perturb(events: EventSet, codec: SparseCodec) -> EventSet:
        return events.perturb(args.amount, args.seed, codec.decoder.pitch_numbers)

    return _edit(args, perturb)


# ---- randomise


def _add_randomise(commands: Commands) -> None:
    text = "give events random times, random sounds, or both"
    example = "randomise song.events -o other.wav --times"
    randomise = add_command(commands, "randomise", randomise_set, text, example)
    randomise.add_argument("set", metavar="IN", help=INPUT)
    randomise.add_argument("--times", action="store_true", help="anywhere in the clip")
    randomise.add_argument(
        "--vectors", action="store_true", help="other sounds at the same times and gains"
    )
    _add_seed(randomise)
    _add_output(randomise)


def randomise_set(args: argparse.Namespace) -> int:
    """Write an event set with random times or vectors."""
    if not (args.times or args.vectors):
        args.usage_error("give --times, --vectors or both")

    def randomise(events: EventSet, codec: SparseCodec) -> EventSet:
        events = events.randomise_vectors(args.seed) if args.vectors else events
        return events.randomise_times(args.seed) if args.times else events

    return _edit(args, randomise)


# ---- morph


def _add_morph(commands: Commands) -> None:
    text = "make what lies between two event sets"
    example = "morph one.events other.events -o between.wav --share 0.3"
    morph = add_command(commands, "morph", morph_sets, text, example)
    morph.add_argument("set", metavar="A", help=INPUT)
    morph.add_argument("other", metavar="B", help=INPUT)
    morph.add_argument(
        "--share", type=float, default=0.5, help="0 is A, 1 is B (default: %(default)s)"
    )
    _add_output(morph)


def morph_sets(args: argparse.Namespace) -> int:
    """Write the event set between two."""
    check_output(args.out, OUTPUTS)
    one, codec = read_set(args.set, args.model)
    other, other_codec = read_set(args.other, args.model)
    if codec is not other_codec or len(channels_of(one)) != len(channels_of(other)):
        raise EventFileError(
            f"{args.set}, {args.other}: of two checkpoints, or one is stereo; encode both alike"
        )
    pairs = zip(channels_of(one), channels_of(other), strict=True)
    between = window_of([a.interpolate(b, args.share) for a, b in pairs])
    return _write(args, between, codec)


# ---- shared by the edits


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="another one gives another result (default: %(default)s)",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--out", required=True, help=f'{", ".join(OUTPUTS)}, or "-" for a WAV stream'
    )
    add_plain(parser)
    add_model(parser)


def _edit(args: argparse.Namespace, edit: Callable[[EventSet, SparseCodec], EventSet]) -> int:
    """Read a set, change every channel and write it; return the exit code."""
    check_output(args.out, OUTPUTS)
    events, codec = read_set(args.set, args.model)
    changed = window_of([edit(channel, codec) for channel in channels_of(events)])
    return _write(args, changed, codec)


def _write(args: argparse.Namespace, events: Window, codec: SparseCodec) -> int:
    counts = write_set(args.out, events, codec, consistency(args))
    tally = Tally()
    tally.add(events)
    length = tally.n_samples / codec.samplerate
    say(args.out, f"{tally.n_events} events of {length:.1f} s{clipping(counts)}")
    return 0
