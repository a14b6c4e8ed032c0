"""Measure `.events` files: bits a second, and how near their sound is to the clips.

    python -m experiments.measurements.rate_distortion --data DIR... [--checkpoint music]

Every clip of held-out works is encoded once and written at several roundings and target rates. The
figures go to `rate_distortion.json` beside this file; the articles on music and speech show them.
For each checkpoint's name:

    checkpoint, priors   their digests
    clips                names, `seconds` each
    pcm                  bits a second of 16-bit PCM at the codec's samplerate
    unquantised          l2, l1: shares of the clips' energy that their events remove, the mean
    rows                 from the most bits to the fewest, for each:
        name, mode, scale, rate      how the files were written; null where it does not apply
        bits                         bits a second of the files, header and all
        ratio                        how many times fewer these are than PCM's
        l2, l1                       shares removed by the events of the files
        l2_loss, l1_loss             the part of these shares that is lost
        l2_loss_worst, l1_loss_worst the same, of the clip that loses most
        ratio_worst                  of the clip that compresses least
        log_mel                      distance of the files' sound from the clips', dB
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from experiments.measurements.command_line import add_data_option, held_out, measurement_parser
from experiments.stored_figures import FigureFile, Figures, as_json
from sparse_codec import EventSet, SparseCodec, load_audio
from sparse_codec.audio.recordings import Recording
from sparse_codec.coding.channels import Window, channels_of, join_windows
from sparse_codec.coding.event_file import SCALE, EventWriter, header_for, read_header, read_windows
from sparse_codec.coding.priors import Priors
from sparse_codec.coding.rate import limit_rate
from sparse_codec.events import join
from sparse_codec.model.spectrogram import log_mel_distance, shares_removed

FIGURES = FigureFile.beside(__file__)
SECONDS = 30  # of a clip


@dataclass(frozen=True)
class Way:
    """A way to write a file."""

    name: str
    mode: str
    scale: int | None = None
    rate: int | None = None  # bits a second


WAYS = [
    Way("lossless", "lossless"),
    *(Way(f"scale {scale}", "quantised", scale=scale) for scale in (64, 128, SCALE, 384, 768)),
    *(Way(f"{rate} bits/s", "quantised", rate=rate) for rate in (600, 300)),
]


@dataclass(frozen=True)
class EncodedClip:
    """SECONDS of a recording, and its events window by window."""

    name: str
    audio: np.ndarray  # (T,)
    windows: list[EventSet]


def main(argv: list[str] | None = None) -> int:
    """Measure files of one checkpoint's events. Returns: the exit code."""
    parser = measurement_parser(FIGURES, __doc__)
    add_data_option(parser)
    parser.add_argument("--checkpoint", default="music")
    text = "how many, spread over the groups (default: %(default)s)"
    parser.add_argument("--clips", type=int, default=4, help=text)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec, priors = SparseCodec.load(args.checkpoint), Priors.load(args.checkpoint)
    sounds = held_out_audio(held_out(args.data), codec.samplerate, args.clips)
    clips = []
    for name, audio in tqdm(sounds, unit="clip", disable=None):
        clips.append(EncodedClip(name, audio, list(codec.stream([audio]))))
    file = replace(FIGURES, path=args.out)
    figures = file.read() if file.path.is_file() else {}
    figures[Path(args.checkpoint).stem] = measure(codec, priors, clips)
    file.write(figures)
    print(as_json(figures))
    return 0


def held_out_audio(
    recordings: list[Recording], samplerate: int, n_clips: int
) -> list[tuple[str, np.ndarray]]:
    """Return clips with names, spread over the groups.

    The recordings of a group are joined, and cut into clips.
    """
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(recording.group, []).append(recording)
    size, each = SECONDS * samplerate, -(-n_clips // len(groups))
    clips = []
    for group, members in groups.items():
        audio = np.zeros(0, np.float32)
        for recording in members:
            if len(audio) < each * size:
                more = load_audio(recording.path, samplerate, seconds=each * SECONDS)
                audio = np.concatenate([audio, more])
        for k in range(min(each, len(audio) // size)):
            clips.append((f"{group} {k + 1}", audio[k * size : (k + 1) * size]))
    spread = np.rint(np.linspace(0, len(clips) - 1, n_clips)).astype(int)
    return [clips[i] for i in np.unique(spread)]


def measure(codec: SparseCodec, priors: Priors, clips: list[EncodedClip]) -> Figures:
    """Return all figures of one checkpoint."""
    before = np.array([removed(codec, clip, join(clip.windows)) for clip in clips])
    rows = [measure_way(codec, priors, clips, before, way) for way in tqdm(WAYS, disable=None)]
    return {
        "checkpoint": codec.digest,
        "priors": priors.digest,
        "seconds": SECONDS,
        "clips": [clip.name for clip in clips],
        "pcm": 16 * codec.samplerate,
        "unquantised": dict(zip(("l2", "l1"), before.mean(0).round(4).tolist(), strict=True)),
        "rows": sorted(rows, key=lambda row: -row["bits"]),
    }


def measure_way(
    codec: SparseCodec, priors: Priors, clips: list[EncodedClip], before: np.ndarray, way: Way
) -> Figures:
    """Return a row. before: shares (clips, 2) that the events remove as they were encoded."""
    rates, after, distances = [], [], []
    for clip in clips:
        file = write(codec, clip, priors, way)
        rates.append(8 * len(file) / (len(clip.audio) / codec.samplerate))
        events = read(codec, file, priors)
        after.append(removed(codec, clip, events))
        sound, reference = (torch.from_numpy(x)[None] for x in (codec.decode(events), clip.audio))
        distances.append(log_mel_distance(sound, reference, codec.samplerate))
    bits, pcm = np.array(rates), 16 * codec.samplerate
    loss = 1 - np.array(after) / before
    figures = dict(zip(("l2", "l1"), np.array(after).mean(0).tolist(), strict=True))
    figures |= dict(zip(("l2_loss", "l1_loss"), loss.mean(0).tolist(), strict=True))
    figures |= dict(zip(("l2_loss_worst", "l1_loss_worst"), loss.max(0).tolist(), strict=True))
    return {
        **asdict(way),
        "bits": round(bits.mean().item()),
        "ratio": round(pcm / bits.mean().item(), 1),
        "ratio_worst": round(pcm / bits.max().item(), 1),
        **{name: round(value, 4) for name, value in figures.items()},
        "log_mel": round(torch.stack(distances).mean().item(), 2),
    }


def removed(codec: SparseCodec, clip: EncodedClip, events: EventSet) -> tuple[float, float]:
    """Return the shares (L2, L1) of a clip's magnitudes that are gone with the events' scene."""
    original = codec.magnitudes(torch.from_numpy(clip.audio)[None])
    n_frames = original.shape[2]
    return shares_removed(original - codec.scene(events, n_frames), original, n_frames)


def write(codec: SparseCodec, clip: EncodedClip, priors: Priors, way: Way) -> bytes:
    """Return a clip's `.events` file."""
    used = priors if way.mode == "quantised" else None
    header, file = header_for(codec, priors=used), io.BytesIO()
    writer = EventWriter(file, header, used)
    windows: Iterable[tuple[Window, int]]
    if way.rate:
        windows = limit_rate(clip.windows, way.rate, header, priors)
    else:
        windows = ((window, way.scale or SCALE) for window in clip.windows)
    for window, scale in windows:
        writer.write(window, scale)
    writer.close()
    return file.getvalue()


def read(codec: SparseCodec, file: bytes, priors: Priors) -> EventSet:
    """Return the events of a file with one channel."""
    stream = io.BytesIO(file)
    header = read_header(stream)
    header.check_codec(codec)
    (events,) = channels_of(join_windows(read_windows(stream, header, priors)))
    return events


if __name__ == "__main__":
    sys.exit(main())
