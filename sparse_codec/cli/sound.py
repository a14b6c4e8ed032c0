"""Commands between sound and events: encode, decode."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from sparse_codec.audio.files import (
    KINDS,
    RAW_FORMATS,
    SUFFIXES,
    AudioError,
    RawFormat,
    SampleCounts,
    duration,
    read_blocks,
    write_blocks,
)
from sparse_codec.cli.jobs import Job, add_command, plan_jobs, positive, run_jobs
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.channels import Window, join_windows
from sparse_codec.coding.event_file import SCALE, EventWriter, header_for
from sparse_codec.coding.formats import (
    DEFAULT_MODEL,
    SET_SUFFIXES,
    Tally,
    load_codec,
    load_priors,
    open_file,
    open_windows,
    play,
    to_bytes,
)
from sparse_codec.coding.quantise import SCALES
from sparse_codec.coding.rate import limit_rate
from sparse_codec.config import EncodeOptions
from sparse_codec.outputs import STREAM, check_output, is_stream, open_output
from sparse_codec.stereo import encode_stereo

FAST = {"interim": 0, "refine": 0}
TEXTS = (".json", ".mid")
QUALITIES = (SCALE / SCALES[1], SCALE / SCALES[0])  # lowest and highest


def add_commands(commands) -> None:
    _add_encode(commands)
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
    decode.add_argument(
        "--force", action="store_true", help="make files in a folder again that are there"
    )
    add_model(decode)


def _add_encode(commands) -> None:
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
    encode.add_argument(
        "--stereo", action="store_true", help="code left and right; else their mean is coded"
    )
    size = encode.add_mutually_exclusive_group()
    size.add_argument("--lossless", action="store_true", help="keep every bit of the events")
    size.add_argument(
        "--quality", type=_quality, metavar="FACTOR", default=1.0, help=_quality_help()
    )
    size.add_argument(
        "--rate", type=positive(float), metavar="BITS", help="a second, or what all events take"
    )
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
    encode.add_argument(
        "--fast", action="store_true", help="no refinement: several times as fast, and less exact"
    )
    encode.add_argument("--raw", type=_raw_format, metavar="RATE,CHANNELS,FORMAT", help=_raw_help())
    encode.add_argument("--json", action="store_true", help="print a line of JSON for each file")
    encode.add_argument(
        "--force", action="store_true", help="make files in a folder again that are there"
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", help="checkpoint that made the events (default: the shipped one that did)"
    )


def _quality_help() -> str:
    return f"how finely numbers are kept, from {QUALITIES[0]:g} to {QUALITIES[1]:g} (%(default)g; 2: in half the steps)"


def _quality(text: str) -> float:
    if not QUALITIES[0] <= float(text) <= QUALITIES[1]:
        raise argparse.ArgumentTypeError(f"{text} is not from {QUALITIES[0]:g} to {QUALITIES[1]:g}")
    return float(text)


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


# ---- encode


def encode_files(args: argparse.Namespace) -> int:
    if args.json and args.out == STREAM:
        args.usage_error("--json and -o - both print on standard output")
    is_text = Path(args.out).suffix.lower() in TEXTS
    if args.rate and is_text:
        args.usage_error("--rate is of .events files; JSON and MIDI are as long as they are")
    codec, plan = load_codec(args.model), plan_jobs(args.inputs, args.out, SUFFIXES, ".events")
    options = _options(args, codec)
    if not plan.in_folder:
        check_output(args.out, SET_SUFFIXES)
    if not args.lossless and not is_text:
        load_priors(args.model)  # before the work, should there be none

    def encode(job: Job) -> None:
        facts = _encode(job, codec, options, args)
        if args.json:
            print(json.dumps({"file": job.source, "out": job.target, **facts}), flush=True)
        else:
            say(job.target, _sentence(**facts) + _missed(facts.get("bits_per_second"), args.rate))

    return run_jobs(plan, encode, args.force)


def _options(args: argparse.Namespace, codec: SparseCodec) -> EncodeOptions:
    given = {"n_events": args.events, "stop": args.stop, "smallest_share": args.smallest_share}
    given |= FAST if args.fast else {}
    return dataclasses.replace(
        codec.config.encode, **{k: v for k, v in given.items() if v is not None}
    )


def _encode(job: Job, codec: SparseCodec, options: EncodeOptions, args: argparse.Namespace) -> dict:
    """Returns facts about the file that was written."""
    blocks = read_blocks(job.source, codec.samplerate, 2 if args.stereo else 1, args.raw)
    windows = (
        encode_stereo(codec, blocks, options) if args.stereo else codec.stream(blocks, options)
    )
    windows = _with_progress(windows, job.source, codec)
    tally = Tally()
    with open_output(job.target) as file:
        if Path(job.target).suffix.lower() in TEXTS:
            events = join_windows(windows)
            tally.add(events)
            file.write(to_bytes(job.target, events, codec))
        else:
            _write_events(file, windows, tally, codec, args)
    return tally.facts(
        codec.samplerate, None if is_stream(job.target) else Path(job.target).stat().st_size
    )


def _with_progress(windows: Iterable[Window], source: str, codec: SparseCodec) -> Iterable[Window]:
    try:
        total = codec.n_windows(round(duration(source) * codec.samplerate))
    except AudioError:  # a stream, or a file that reading will refuse
        total = None
    return tqdm(
        windows, desc=Path(source).name, total=total, unit="window", leave=False, disable=None
    )


def _write_events(
    file: BinaryIO,
    windows: Iterable[Window],
    tally: Tally,
    codec: SparseCodec,
    args: argparse.Namespace,
) -> None:
    """Window by window, each sent off at once."""
    priors = None if args.lossless else load_priors(args.model)
    header = header_for(codec, 2 if args.stereo else 1, priors)
    scale = round(SCALE / args.quality)
    scaled = (
        limit_rate(windows, args.rate, header, priors)
        if args.rate
        else ((window, scale) for window in windows)
    )
    writer = EventWriter(file, header, priors)
    for window, scale in scaled:
        writer.write(window, scale)
        file.flush()
        tally.add(window)
    writer.close()
    tally.n_events = writer.n_events  # rounding leaves out the faintest


def _sentence(
    seconds: float, events: int, bytes: int = 0, bits_per_second: float = 0, ratio: float = 0
) -> str:
    told = f"{events} events of {seconds:.1f} s"
    size = f" in {bytes} bytes: {bits_per_second:.0f} bits a second, {ratio:.0f} to 1 against 16-bit samples"
    return told + (size if bytes else "")


def _missed(rate: float | None, wanted: float | None) -> str:
    """What to say of a file of fewer bits a second than were wanted."""
    if not rate or not wanted or rate > 0.98 * wanted:
        return ""
    return f"; there was nothing to spend {wanted:g} on: the sound ends early, or all its events are as fine as can be"


# ---- decode


def decode_files(args: argparse.Namespace) -> int:
    plan = plan_jobs(args.inputs, args.out, {".events"}, f".{args.format}")
    if not plan.in_folder:
        check_output(args.out, KINDS)
    return run_jobs(plan, lambda job: _decode(job, args.model), args.force)


def _decode(job: Job, model: str | None) -> None:
    with nullcontext(sys.stdin.buffer) if job.source == STREAM else open_file(job.source) as file:
        header, codec, windows = open_windows(file, job.source, model)
        written = write_blocks(job.target, play(codec, windows, header.channels), codec.samplerate)
    say(job.target, f"{written.n_samples / codec.samplerate:.1f} s{clipping(written)}")


def clipping(written: SampleCounts) -> str:
    """What to say of samples over full scale, if there are any."""
    if not written.n_clipped:
        return ""
    return f"; {written.n_clipped} samples were over full scale and are clipped: lower the events' gains"


def say(target: str, told: str) -> None:
    """What became of a file; on standard error if the file itself goes to standard output."""
    if target == STREAM:
        print(f"standard output: {told}", file=sys.stderr)
    else:
        print(f"{target}: {told}", flush=True)
