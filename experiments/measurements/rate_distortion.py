"""Measure what `.events` files cost and what they keep: bits a second against spectral distance.

    python -m experiments.measurements.rate_distortion --data DIR... [--checkpoint music]

Every clip of held-out works is encoded once and written at several roundings and target rates. The figures go to
`rate_distortion.json` beside this file, which the articles of music and speech show. For each checkpoint's name:

    checkpoint, priors   their digests
    clips                names, `seconds` each
    pcm                  bits a second of 16-bit PCM at the codec's samplerate
    unquantised          l2, l1: shares of the clips' energy that their events remove, the mean
    rows                 from the most bits to the fewest, for each:
        name, mode, scale, rate      how the files were written; null where it does not apply
        bits, ratio                  bits a second of the files, header and all; how many times fewer than PCM
        l2, l1                       shares removed by the events of the files
        l2_loss, l1_loss             what is lost of the shares, relative
        l2_loss_worst, l1_loss_worst the same of the clip that loses most
        ratio_worst                  of the clip that compresses least
        log_mel                      distance of the files' sound from the clips', dB
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from sparse_codec import EventSet, SparseCodec, load_audio
from sparse_codec.audio.recordings import Recording, find_recordings
from sparse_codec.coding.channels import join_windows
from sparse_codec.coding.event_file import SCALE, EventWriter, header_for, read_header, read_windows
from sparse_codec.coding.priors import Priors
from sparse_codec.coding.rate import limit_rate
from sparse_codec.events import join
from sparse_codec.model.spectrogram import log_mel_distance, shares_removed

FIGURES = Path(__file__).parent / "rate_distortion.json"
SECONDS = 30  # a clip


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
class Clip:
    name: str
    audio: np.ndarray  # (T,)
    windows: list[EventSet]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="experiments.measurements.rate_distortion", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders of audio with held-out works"
    )
    parser.add_argument("--checkpoint", default="music")
    parser.add_argument(
        "--clips",
        type=int,
        default=4,
        help="how many, spread over the groups (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=FIGURES, help="JSON file, added to (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec, priors = SparseCodec.load(args.checkpoint), Priors.load(args.checkpoint)
    held_out = [r for folder in args.data for r in find_recordings(folder) if r.split == "test"]
    named = tqdm(held_out_audio(held_out, codec.samplerate, args.clips), unit="clip", disable=None)
    clips = [Clip(name, audio, encode(codec, audio)) for name, audio in named]
    done = json.loads(args.out.read_text()) if args.out.is_file() else {}
    done[Path(args.checkpoint).stem] = measure(codec, priors, clips)
    args.out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(done, indent=1))
    return 0


def held_out_audio(
    recordings: list[Recording], samplerate: int, n_clips: int
) -> list[tuple[str, np.ndarray]]:
    """Clips with names, spread over the groups; the recordings of a group are joined and cut into clips."""
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(recording.group, []).append(recording)
    size, each = SECONDS * samplerate, -(-n_clips // len(groups))
    found = []
    for group, members in groups.items():
        audio = np.zeros(0, np.float32)
        for recording in members:
            if len(audio) < each * size:
                audio = np.concatenate(
                    [audio, load_audio(recording.path, samplerate, seconds=each * SECONDS)]
                )
        for k in range(min(each, len(audio) // size)):
            found.append((f"{group} {k + 1}", audio[k * size : (k + 1) * size]))
    return [
        found[i] for i in np.unique(np.rint(np.linspace(0, len(found) - 1, n_clips)).astype(int))
    ]


def encode(codec: SparseCodec, audio: np.ndarray) -> list[EventSet]:
    return list(codec.stream([audio]))


def measure(codec: SparseCodec, priors: Priors, clips: list[Clip]) -> dict:
    """Everything that the JSON says of one checkpoint."""
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
    codec: SparseCodec, priors: Priors, clips: list[Clip], before: np.ndarray, way: Way
) -> dict:
    """A row of the JSON. before: shares (clips, 2) that the unquantised events remove."""
    files = [write(codec, clip, priors, way) for clip in clips]
    heard = [read(codec, file, priors) for file in files]
    after = np.array(
        [removed(codec, clip, events) for clip, events in zip(clips, heard, strict=True)]
    )
    loss = 1 - after / before
    bits = np.array(
        [
            8 * len(file) / (len(c.audio) / codec.samplerate)
            for file, c in zip(files, clips, strict=True)
        ]
    )
    pcm = 16 * codec.samplerate
    sounds = [
        log_mel_distance(
            *(torch.from_numpy(x)[None] for x in (codec.decode(events), clip.audio)),
            codec.samplerate,
        )
        for clip, events in zip(clips, heard, strict=True)
    ]
    figures = dict(zip(("l2", "l1"), after.mean(0).tolist(), strict=True))
    figures |= dict(zip(("l2_loss", "l1_loss"), loss.mean(0).tolist(), strict=True))
    figures |= dict(zip(("l2_loss_worst", "l1_loss_worst"), loss.max(0).tolist(), strict=True))
    return {
        **asdict(way),
        "bits": round(bits.mean().item()),
        "ratio": round(pcm / bits.mean().item(), 1),
        "ratio_worst": round(pcm / bits.max().item(), 1),
        **{name: round(value, 4) for name, value in figures.items()},
        "log_mel": round(torch.stack(sounds).mean().item(), 2),
    }


def removed(codec: SparseCodec, clip: Clip, events: EventSet) -> tuple[float, float]:
    """Shares (L2, L1) of a whole clip's magnitudes that are gone with the scene of the events."""
    original = codec.magnitudes(torch.from_numpy(clip.audio)[None])
    n_frames = original.shape[2]
    return shares_removed(original - codec.scene(events, n_frames), original, n_frames)


def write(codec: SparseCodec, clip: Clip, priors: Priors, way: Way) -> bytes:
    """A clip's `.events` file."""
    used = priors if way.mode == "quantised" else None
    header, file = header_for(codec, priors=used), io.BytesIO()
    writer = EventWriter(file, header, used)
    if way.rate:
        windows = limit_rate(clip.windows, way.rate, header, priors)
    else:
        windows = ((window, way.scale or SCALE) for window in clip.windows)
    for window, scale in windows:
        writer.write(window, scale)
    writer.close()
    return file.getvalue()


def read(codec: SparseCodec, file: bytes, priors: Priors) -> EventSet:
    stream = io.BytesIO(file)
    header = read_header(stream)
    header.check_codec(codec)
    return join_windows(read_windows(stream, header, priors))


if __name__ == "__main__":
    sys.exit(main())
