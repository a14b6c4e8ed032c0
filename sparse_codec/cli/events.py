"""Commands on event sets: info, render, perturb, randomise, morph. They read .events and .json, and write any kind."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from sparse_codec.audio.files import KINDS
from sparse_codec.cli.jobs import add_command
from sparse_codec.cli.sound import add_model, clipping, say
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.channels import Window, channels_of
from sparse_codec.coding.event_file import EventFileError
from sparse_codec.coding.formats import (
    SET_SUFFIXES,
    Tally,
    load_codec,
    open_file,
    open_windows,
    read_set,
    write_set,
)
from sparse_codec.events import EventSet
from sparse_codec.outputs import check_output

INPUT = "event set: .events or .json"
INPUTS = (".events", ".json")
INFO_KINDS = '.events, .json, .safetensors, or the name of a shipped checkpoint, such as "music"'
OUTPUTS = (*SET_SUFFIXES, *KINDS)


def add_commands(commands) -> None:
    info = add_command(
        commands,
        "info",
        print_info,
        "say what a .events file, an event set or a checkpoint is",
        "info song.events",
    )
    info.add_argument("file", help=INFO_KINDS)
    info.add_argument("--json", action="store_true", help="print JSON")
    add_model(info)

    text = (
        "make sound of an event set, edited by hand or by a script; or store it in another format"
    )
    render = add_command(commands, "render", render_set, text, "render edited.json -o edited.wav")
    render.add_argument("set", metavar="EDIT.json", help=INPUT)
    _add_output(render)

    text = "move all sounds in one random direction; times, gains and pitches stay"
    perturb = add_command(
        commands, "perturb", perturb_set, text, "perturb song.events -o other.wav --amount 0.6"
    )
    perturb.add_argument("set", metavar="IN", help=INPUT)
    perturb.add_argument(
        "--amount", type=float, required=True, help="norm of what is added to vectors in [-1, 1]"
    )
    _add_seed(perturb)
    _add_output(perturb)

    text = "give events random times, random sounds, or both"
    randomise = add_command(
        commands, "randomise", randomise_set, text, "randomise song.events -o other.wav --times"
    )
    randomise.add_argument("set", metavar="IN", help=INPUT)
    randomise.add_argument("--times", action="store_true", help="anywhere in the clip")
    randomise.add_argument(
        "--vectors", action="store_true", help="other sounds at the same times and gains"
    )
    _add_seed(randomise)
    _add_output(randomise)

    text = "make what lies between two event sets"
    morph = add_command(
        commands,
        "morph",
        morph_sets,
        text,
        "morph one.events other.events -o between.wav --share 0.3",
    )
    morph.add_argument("set", metavar="A", help=INPUT)
    morph.add_argument("other", metavar="B", help=INPUT)
    morph.add_argument(
        "--share", type=float, default=0.5, help="0 is A, 1 is B (default: %(default)s)"
    )
    _add_output(morph)


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
    add_model(parser)


# ---- edits


def render_set(args: argparse.Namespace) -> int:
    return _edit(args, lambda events, codec: events)


def perturb_set(args: argparse.Namespace) -> int:
    return _edit(
        args,
        lambda events, codec: events.perturb(args.amount, args.seed, codec.decoder.pitch_numbers),
    )


def randomise_set(args: argparse.Namespace) -> int:
    if not (args.times or args.vectors):
        args.usage_error("give --times, --vectors or both")

    def randomise(events: EventSet, codec: SparseCodec) -> EventSet:
        events = events.randomise_vectors(args.seed) if args.vectors else events
        return events.randomise_times(args.seed) if args.times else events

    return _edit(args, randomise)


def _edit(args: argparse.Namespace, edit: Callable[[EventSet, SparseCodec], EventSet]) -> int:
    """Read a set, change every channel and write it."""
    check_output(args.out, OUTPUTS)
    events, codec = read_set(args.set, args.model)
    changed = tuple(edit(channel, codec) for channel in channels_of(events))
    return _write(args.out, changed if isinstance(events, tuple) else changed[0], codec)


def morph_sets(args: argparse.Namespace) -> int:
    check_output(args.out, OUTPUTS)
    (one, codec), (other, its) = (read_set(path, args.model) for path in (args.set, args.other))
    if codec is not its or len(channels_of(one)) != len(channels_of(other)):
        raise EventFileError(
            f"{args.set}, {args.other}: of two checkpoints, or one is stereo; encode both alike"
        )
    pairs = zip(channels_of(one), channels_of(other), strict=True)
    between = tuple(a.interpolate(b, args.share) for a, b in pairs)
    return _write(args.out, between if isinstance(one, tuple) else between[0], codec)


def _write(out: str, events: Window, codec: SparseCodec) -> int:
    written = write_set(out, events, codec)
    n_events, n_samples = sum(map(len, channels_of(events))), channels_of(events)[0].n_samples
    say(
        out,
        f"{n_events} events of {n_samples / codec.samplerate:.1f} s{clipping(written) if written else ''}",
    )
    return 0


# ---- info


def print_info(args: argparse.Namespace) -> int:
    path = Path(args.file)
    if path.is_file() and path.suffix.lower() not in (*INPUTS, ".safetensors"):
        raise EventFileError(f"{path}: no file of events and no checkpoint; give {INFO_KINDS}")
    facts = _set_facts(args) if path.suffix.lower() in INPUTS else _checkpoint_facts(args.file)
    print(json.dumps(facts, indent=1) if args.json else "\n".join(_lines(facts)))
    return 0


def _set_facts(args: argparse.Namespace) -> dict:
    path, tally = args.file, Tally()
    if Path(path).suffix.lower() == ".events":
        with open_file(path) as file:
            header, codec, windows = open_windows(file, path, args.model)
            for window in windows:
                tally.add(window)
        facts = vars(header)
    else:
        events, codec = read_set(path, args.model)
        tally.add(events)
        facts = {"checkpoint": codec.digest, "channels": tally.n_channels}
    return {**facts, **tally.facts(codec.samplerate, Path(path).stat().st_size)}


def _checkpoint_facts(name: str) -> dict:
    codec = load_codec(name)
    parts = {
        part: sum(p.numel() for p in getattr(codec, part).parameters())
        for part in ("encoder", "decoder")
    }
    return {
        "digest": codec.digest,
        "parameters": parts,
        "config": dataclasses.asdict(codec.config),
        **codec.card,
    }


def _lines(facts: dict, indent: str = "") -> Iterator[str]:
    """Facts for people, one a line."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}"
            yield from (f"{indent}  {', '.join(_lines(item))}" for item in value)
        else:
            yield f"{indent}{name.replace('_', ' ')}: {f'{value:.6g}' if isinstance(value, float) else value}"
