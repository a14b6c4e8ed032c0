"""Commands between sound and events: encode, decode."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tqdm import tqdm

from sparse_codec.audio.files import (
    KINDS,
    RAW_FORMATS,
    SUFFIXES,
    AudioError,
    RawFormat,
    duration,
    read_blocks,
    write_blocks,
)
from sparse_codec.checkpoint import CheckpointError
from sparse_codec.cli.jobs import Job, list_jobs, run_jobs, run_side_by_side
from sparse_codec.cli.messages import Tally, clipping, say
from sparse_codec.cli.options import (
    Commands,
    add_command,
    add_force,
    add_model,
    add_plain,
    consistency,
    positive,
)
from sparse_codec.coding.channels import Window, join_windows, play_windows
from sparse_codec.coding.event_file import SCALE, EventWriter, header_for, joined
from sparse_codec.coding.formats import (
    DEFAULT_MODEL,
    SET_SUFFIXES,
    load_codec,
    load_priors,
    open_file,
    open_windows,
    to_bytes,
)
from sparse_codec.coding.quantise import SCALES
from sparse_codec.coding.rate import scaled
from sparse_codec.config import QUALITIES, EncodeOptions, at_effort, at_quality
from sparse_codec.outputs import STREAM, check_output, is_stream, open_output
from workers.cluster import add_options as add_workers
from workers.cluster import open_executor

if TYPE_CHECKING:
    from sparse_codec.codec import SparseCodec

TEXTS = (".json", ".mid")
PRECISIONS = (SCALE / SCALES[1], SCALE / SCALES[0])  # lowest and highest
WITHIN = 0.98  # of the rate that was asked for: a file with less did not spend it


def add_commands(commands: Commands) -> None:
    _add_encode(commands)
    _add_decode(commands)


# ---- encode: its options


def _add_encode(commands: Commands) -> None:
    text = "take sound apart into events"
    encode = add_command(commands, "encode", encode_files, text, "encode song.flac -o song.events")
    encode.add_argument(
        "inputs",
        nargs="+",
        metavar="IN",
        help='sound files, folders, patterns, or "-" for a WAV stream',
    )
    encode.add_argument(
        "-o",
        "--out",
        required=True,
        help='.events, .json or .mid file, "-", or folder of .events files',
    )
    encode.add_argument(
        "--model", default=DEFAULT_MODEL, help="checkpoint, a file or a shipped name (%(default)s)"
    )
    channels = encode.add_mutually_exclusive_group()
    channels.add_argument(
        "--stereo", action="store_true", help="code left and right; else their mean is coded"
    )
    channels.add_argument("--left", action="store_true", help="code the left channel alone")
    _add_size(encode)
    encode.add_argument(
        "--quality",
        type=_quality,
        metavar="NAME",
        default="sparse",
        help="sparse, medium or high: as many events as the checkpoint says, twice, or four times"
        " as many (default: %(default)s)",
    )
    _add_stop(encode)
    effort = encode.add_mutually_exclusive_group()
    for name, text in (
        ("fast", "no refinement: faster, and less exact"),
        ("best", "more refinement: slower, and a little more exact"),
    ):
        effort.add_argument(
            f"--{name}",
            action="store_const",
            const=name,
            dest="effort",
            default="default",
            help=text,
        )
    encode.add_argument("--raw", type=_raw_format, metavar="RATE,CHANNELS,FORMAT", help=_raw_help())
    encode.add_argument("--json", action="store_true", help="print a line of JSON for each file")
    add_force(encode)
    add_workers(encode)


def _add_size(encode: argparse.ArgumentParser) -> None:
    size = encode.add_mutually_exclusive_group()
    size.add_argument("--lossless", action="store_true", help="keep every bit of the events")
    size.add_argument(
        "--precision", type=_precision, metavar="FACTOR", default=1.0, help=_precision_help()
    )
    size.add_argument(
        "--rate", type=positive(float), metavar="BITS", help="a second, or what all events take"
    )


def _add_stop(encode: argparse.ArgumentParser) -> None:
    stop = encode.add_argument_group("when a window of 3 seconds has events enough")
    stop.add_argument(
        "--events",
        type=positive(int),
        metavar="N",
        help="after so many (default: the checkpoint's)",
    )
    stop.add_argument(
        "--stop", type=float, metavar="DB", help="when what is left is so far down, such as -20"
    )
    stop.add_argument(
        "--smallest-share",
        type=_share,
        metavar="PERCENT",
        help="when an event removes less of the energy",
    )


def _precision_help() -> str:
    lowest, highest = PRECISIONS
    return (
        f"how finely numbers are kept, from {lowest:g} to {highest:g}"
        " (%(default)g; 2: in half the steps)"
    )


def _precision(text: str) -> float:
    lowest, highest = PRECISIONS
    if not lowest <= float(text) <= highest:
        raise argparse.ArgumentTypeError(f"{text} is not from {lowest:g} to {highest:g}")
    return float(text)


def _quality(text: str) -> str:
    if text not in QUALITIES:
        names = ", ".join(QUALITIES)
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of {names}; how finely numbers are kept is --precision"
        )
    return text


def _share(text: str) -> float:
    if not 0 <= float(text) < 100:
        raise argparse.ArgumentTypeError(f"{text} is not a percentage from 0 to below 100")
    return float(text) / 100


def _raw_help() -> str:
    return f"what samples without a header are, such as 44100,2,s16le ({', '.join(RAW_FORMATS)})"


def _raw_format(text: str) -> RawFormat:
    try:
        return RawFormat.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}; give {_raw_help()}") from error


# ---- encode: its action


def encode_files(args: argparse.Namespace) -> int:
    """Encode sound files, those of a folder side by side; return the exit code."""
    if args.json and args.out == STREAM:
        args.usage_error("--json and -o - both print on standard output")
    is_text = Path(args.out).suffix.lower() in TEXTS
    if args.rate and is_text:
        args.usage_error("--rate is of .events files; JSON and MIDI are as long as they are")
    codec, todo = load_codec(args.model), list_jobs(args.inputs, args.out, SUFFIXES, ".events")
    if not todo.in_folder:
        check_output(args.out, SET_SUFFIXES)
    if not args.lossless and not is_text:
        load_priors(args.model)  # before the work, should there be none
    side_by_side = todo.in_folder and (args.jobs > 1 or args.dask is not None)
    encoding = Encoding(
        args.model,
        codec.digest,
        _options(args, codec),
        args.stereo,
        args.left,
        args.raw,
        args.lossless,
        args.precision,
        args.rate,
        bar=not side_by_side,
    )
    tell = partial(_tell_encoded, args)
    if not side_by_side:
        return run_jobs(todo, lambda job: tell(job, encode_file(job, encoding)), args.force)
    with open_executor(args.jobs, args.dask) as executor:
        return run_side_by_side(todo, encode_file, (encoding,), tell, args.force, executor)


def _tell_encoded(args: argparse.Namespace, job: Job, facts: dict[str, float]) -> None:
    if args.json:
        print(json.dumps({"file": job.source, "out": job.target, **facts}), flush=True)
    else:
        unspent = _unspent(facts.get("bits_per_second"), args.rate)
        say(job.target, _sentence(**facts) + unspent)


@dataclass(frozen=True)
class Encoding:
    """The encoding of a file, as a worker gets it."""

    model: str
    digest: str  # of the model's checkpoint
    options: EncodeOptions
    stereo: bool
    left: bool
    raw: RawFormat | None
    lossless: bool
    precision: float
    rate: float | None
    bar: bool  # show the progress through a file


def _options(args: argparse.Namespace, codec: SparseCodec) -> EncodeOptions:
    """Return the checkpoint's options, with those of the command in their place."""
    options = {"n_events": args.events, "stop": args.stop, "smallest_share": args.smallest_share}
    changes: dict[str, Any] = {name: x for name, x in options.items() if x is not None}
    effort = at_effort(codec.config.encode, args.effort)
    chosen = at_quality(effort, args.quality, codec.config.n_events)
    return dataclasses.replace(chosen, **changes)


def encode_file(job: Job, encoding: Encoding) -> dict[str, float]:
    """Encode one file; return facts about the file that was written.

    Raises: CheckpointError if the checkpoint here is another.
    """
    import torch

    # The greedy loop is many small operations, in which more threads only wait for each other; and
    # so sums come out the same on any machine.
    torch.set_num_threads(1)
    codec = load_codec(encoding.model)
    if codec.digest != encoding.digest:
        raise CheckpointError(
            f"{encoding.model}: another checkpoint on a worker, {codec.digest[:12]} and not"
            f" {encoding.digest[:12]}; give all workers the same project and files"
        )
    windows, tally = _windows(job.source, codec, encoding), Tally()
    with open_output(job.target) as file:
        if Path(job.target).suffix.lower() in TEXTS:
            events = join_windows(windows)
            tally.add(events)
            file.write(to_bytes(job.target, events, codec))
        else:
            at_once = is_stream(job.target)
            _write_events(file, windows, tally, codec, encoding, at_once)
    n_bytes = None if is_stream(job.target) else Path(job.target).stat().st_size
    return tally.facts(codec.samplerate, n_bytes)


def _windows(source: str, codec: SparseCodec, encoding: Encoding) -> Iterable[Window]:
    """Return the windows of a sound file, encoded as they are read, with a progress bar."""
    channels = 2 if encoding.stereo else 1
    blocks = read_blocks(source, codec.samplerate, channels, encoding.raw, encoding.left)
    windows: Iterator[Window]
    if encoding.stereo:
        from sparse_codec.stereo import encode_stereo

        windows = encode_stereo(codec, blocks, encoding.options)
    else:
        windows = codec.stream(blocks, encoding.options)
    if not encoding.bar:
        return windows
    try:
        total = codec.n_windows(round(duration(source) * codec.samplerate))
    except AudioError:  # a stream, or a file that reading will refuse
        total = None
    name = Path(source).name
    return tqdm(windows, desc=name, total=total, unit="window", leave=False, disable=None)


def _write_events(
    file: BinaryIO,
    windows: Iterable[Window],
    tally: Tally,
    codec: SparseCodec,
    encoding: Encoding,
    at_once: bool,
) -> None:
    """Write a .events file block by block; at_once: each window in a block of its own."""
    priors = None if encoding.lossless else load_priors(encoding.model)
    header = header_for(codec, 2 if encoding.stereo else 1, priors)
    writer = EventWriter(file, header, priors)
    blocks = windows if at_once else joined(windows, header, priors)
    scale = round(SCALE / encoding.precision)
    for window, window_scale in scaled(blocks, header, priors, scale, encoding.rate):
        writer.write(window, window_scale)
        file.flush()
        tally.add(window)
    writer.close()
    tally.n_events = writer.n_events  # rounding leaves out the faintest


def _sentence(
    seconds: float, events: float, bytes: float = 0, bits_per_second: float = 0, ratio: float = 0
) -> str:
    sentence = f"{events} events of {seconds:.1f} s"
    if not bytes:
        return sentence
    return (
        f"{sentence} in {bytes} bytes: {bits_per_second:.0f} bits a second,"
        f" {ratio:.0f} to 1 against 16-bit samples"
    )


def _unspent(rate: float | None, wanted: float | None) -> str:
    """Return the end of a message about a file of fewer bits a second than were wanted."""
    if not rate or not wanted or rate > WITHIN * wanted:
        return ""
    return (
        f"; there was nothing to spend {wanted:g} on:"
        " the sound ends early, or all its events are as fine as can be"
    )


# ---- decode


def _add_decode(commands: Commands) -> None:
    example = "decode song.events -o song.wav"
    decode = add_command(commands, "decode", decode_files, "make sound of .events files", example)
    decode.add_argument(
        "inputs", nargs="+", metavar="IN", help='.events files, folders, patterns, or "-"'
    )
    decode.add_argument(
        "-o", "--out", required=True, help='sound file, "-" for a WAV stream, or folder'
    )
    decode.add_argument(
        "--format", choices=[k[1:] for k in KINDS], default="wav", help="in a folder (%(default)s)"
    )
    add_plain(decode)
    add_force(decode)
    add_model(decode)


def decode_files(args: argparse.Namespace) -> int:
    """Decode .events files, one after the other; return the exit code."""
    todo = list_jobs(args.inputs, args.out, {".events"}, f".{args.format}")
    if not todo.in_folder:
        check_output(args.out, KINDS)
    return run_jobs(todo, lambda job: _decode(job, args.model, consistency(args)), args.force)


def _decode(job: Job, model: str | None, consistent: bool | None) -> None:
    with nullcontext(sys.stdin.buffer) if job.source == STREAM else open_file(job.source) as file:
        header, checkpoint, windows = open_windows(file, job.source, model)
        codec = load_codec(checkpoint.model)
        sound = play_windows(codec, windows, header.channels, consistent)
        counts = write_blocks(job.target, sound, codec.samplerate)
    say(job.target, f"{counts.n_samples / codec.samplerate:.1f} s{clipping(counts)}")
