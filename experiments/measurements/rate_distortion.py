"""Measure `.events` files: bits a second, and how near their sound is to the clips.

    python -m experiments.measurements.rate_distortion --data DIR... [--checkpoint music]

Every clip of held-out works is encoded at each point of quality, and written at several roundings
and target rates. Opus and MP3 code the same clips. The
figures go to `rate_distortion.json` beside this file; the articles on music and speech show them.
For each checkpoint's name:

    checkpoint, priors   their digests
    clips                names, `seconds` each
    pcm                  bits a second of 16-bit PCM at the codec's samplerate
    unquantised          l2, l1: shares of the clips' energy that their events remove, the mean
    rows                 from the most bits to the fewest, for each:
        name, quality, mode, scale, rate  how the files were written; null where it does not apply
        bits                         bits a second of the files, header and all
        ratio                        how many times fewer these are than PCM's
        l2, l1                       shares removed by the events of the files
        l2_loss, l1_loss             the part of these shares that is lost
        l2_loss_worst, l1_loss_worst the same, of the clip that loses most
        ratio_worst                  of the clip that compresses least
        log_mel                      distance of the files' sound from the clips', dB
        sound_l2, sound_l1           shares that the files' sound removes
        opinion                      predicted by Zimtohrli; absent where it is not installed
        seconds                      of CPU time to encode a second
    rivals                           rows with name, bits, log_mel, sound_l2, sound_l1, opinion
    skipped                          rivals whose program is missing, with what to install
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from experiments.measurements.command_line import add_data_option, held_out, measurement_parser
from experiments.stored_figures import FigureFile, Figures, as_json
from sparse_codec import EventSet, SparseCodec, load_audio
from sparse_codec.audio.recordings import Recording
from sparse_codec.coding.event_file import SCALE
from sparse_codec.coding.in_memory import events_of, file_of
from sparse_codec.coding.priors import Priors
from sparse_codec.config import QUALITIES, CodecConfig, at_quality
from sparse_codec.evaluation.metrics import is_installed, opinion_score
from sparse_codec.evaluation.waveform_codecs import AT_RATES, OpusTools
from sparse_codec.events import join
from sparse_codec.model.spectrogram import log_mel_distance, magnitudes, shares_removed

FIGURES = FigureFile.beside(__file__)
SECONDS = 30  # of a clip


@dataclass(frozen=True)
class Way:
    """A way to write a file."""

    name: str
    mode: str
    quality: str = "sparse"
    scale: int | None = None
    rate: int | None = None  # bits a second


WAYS = [
    Way("lossless", "lossless"),
    *(Way(f"scale {scale}", "quantised", scale=scale) for scale in (64, 128, SCALE, 384, 768)),
    *(Way(f"{rate} bits/s", "quantised", rate=rate) for rate in (600, 300)),
    *(
        Way(f"{quality}, scale {scale}", "quantised", quality, scale=scale)
        for quality in QUALITIES
        if quality != "sparse"
        for scale in (64, 128, SCALE, 768)
    ),
]


@dataclass(frozen=True)
class EncodedClip:
    """SECONDS of a recording, and its events window by window, at one point of quality."""

    name: str
    audio: np.ndarray  # (T,)
    windows: list[EventSet]
    seconds: float  # of CPU time that encoding took


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
    clips = {}
    for quality in QUALITIES:
        bar = tqdm(sounds, quality, unit="clip", disable=None)
        clips[quality] = [encode(codec, name, audio, quality) for name, audio in bar]
    file = replace(FIGURES, path=args.out)
    figures = file.read() if file.path.is_file() else {}
    figures[Path(args.checkpoint).stem] = measure(codec, priors, clips)
    file.write(figures)
    print(as_json(figures))
    return 0


def encode(codec: SparseCodec, name: str, audio: np.ndarray, quality: str) -> EncodedClip:
    """Return a clip (T,), encoded at a point of quality."""
    options = at_quality(codec.config.encode, quality, codec.config.n_events)
    started = time.process_time()
    windows = list(codec.stream([audio], options))
    return EncodedClip(name, audio, windows, time.process_time() - started)


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


def measure(codec: SparseCodec, priors: Priors, qualities: dict[str, list[EncodedClip]]) -> Figures:
    """Return all figures of one checkpoint. qualities: the same clips at each point."""
    shares = {
        quality: np.array([removed(codec, clip, join(clip.windows)) for clip in clips])
        for quality, clips in qualities.items()
    }
    rows = [
        measure_way(codec, priors, qualities[way.quality], shares[way.quality], way)
        for way in tqdm(WAYS, disable=None)
    ]
    clips, before = qualities["sparse"], shares["sparse"]
    rivals, skipped = measure_rivals(codec, clips)
    return {
        "checkpoint": codec.digest,
        "priors": priors.digest,
        "seconds": SECONDS,
        "clips": [clip.name for clip in clips],
        "pcm": 16 * codec.samplerate,
        "unquantised": dict(zip(("l2", "l1"), before.mean(0).round(4).tolist(), strict=True)),
        "rows": sorted(rows, key=lambda row: -row["bits"]),
        "rivals": rivals,
        "skipped": skipped,
    }


def measure_way(
    codec: SparseCodec, priors: Priors, clips: list[EncodedClip], before: np.ndarray, way: Way
) -> Figures:
    """Return a row. before: shares (clips, 2) that the events remove as they were encoded."""
    rates, after, heard = [], [], []
    for clip in clips:
        used = priors if way.mode == "quantised" else None
        file = file_of(codec, clip.windows, used, way.scale or SCALE, way.rate)
        rates.append(8 * len(file) / (len(clip.audio) / codec.samplerate))
        events = events_of(codec, file, priors)
        after.append(removed(codec, clip, events))
        heard.append(measure_sound(codec.decode(events), clip.audio, codec.samplerate))
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
        **means(heard),
        "seconds": round(float(np.mean([clip.seconds for clip in clips])) / SECONDS, 2),
    }


def measure_sound(sound: np.ndarray, clip: np.ndarray, samplerate: int) -> dict[str, float]:
    """Return figures of a sound (T,) in the place of a clip (T,)."""
    ours, theirs = (torch.from_numpy(x)[None] for x in (sound, clip))
    config = CodecConfig()  # its transform is the reference
    original = magnitudes(theirs, config.window, config.hop)
    left = original - magnitudes(ours, config.window, config.hop)
    l2, l1 = shares_removed(left, original, original.shape[2])
    distance = log_mel_distance(ours, theirs, samplerate).item()
    figures = {"log_mel": distance, "sound_l2": l2, "sound_l1": l1}
    if is_installed("zimtohrli"):
        figures["opinion"] = opinion_score(sound, clip, samplerate)
    return figures


def means(heard: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure of sounds."""
    return {key: round(float(np.mean([each[key] for each in heard])), 3) for key in heard[0]}


def measure_rivals(
    codec: SparseCodec, clips: list[EncodedClip]
) -> tuple[list[Figures], dict[str, str]]:
    """Return a row for each rival and rate, and the rivals that are missing."""
    rows, skipped = [], {}
    for name, rivals in AT_RATES.items():
        for rival in rivals:
            if isinstance(rival, OpusTools) and rival.missing():
                skipped[name] = rival.missing()
                continue
            coded = [rival.code(clip.audio, codec.samplerate) for clip in clips]
            heard = [
                measure_sound(sound, clip.audio, codec.samplerate)
                for clip, (sound, _) in zip(clips, coded, strict=True)
            ]
            bits = float(np.mean([rate for _, rate in coded]))
            rows.append({"name": name, "bits": round(bits), **means(heard)})
    return rows, skipped


def removed(codec: SparseCodec, clip: EncodedClip, events: EventSet) -> tuple[float, float]:
    """Return the shares (L2, L1) of a clip's magnitudes that are gone with the events' scene."""
    original = codec.magnitudes(torch.from_numpy(clip.audio)[None])
    n_frames = original.shape[2]
    return shares_removed(original - codec.scene(events, n_frames), original, n_frames)


if __name__ == "__main__":
    sys.exit(main())
