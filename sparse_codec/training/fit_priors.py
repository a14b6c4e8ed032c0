"""Fit the priors of a checkpoint on training audio."""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

from sparse_codec.audio.recordings import Recording, random_segment
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.priors import CELLS, TOTAL, Priors, PriorsError
from sparse_codec.coding.quantise import FINEST_STEP, ONE, SILENT, event_numbers, gain_levels
from sparse_codec.events import EventSet

SMOOTH = 2.5  # standard deviation, in cells, of the kernel that the counts are smoothed with
UNSEEN = 0.03  # share of a table that is spread evenly: what was never seen can come
ROUNDING = 0.005  # at scale 256, share of the loudest event's energy that rounding costs
EXAMPLES = 64  # events that sensitivities are measured on
NUDGE = 0.03  # how far each number is moved for that, times its pace


def fit_priors(
    codec: SparseCodec,
    recordings: list[Recording],
    n_excerpts: int = 30,
    seed: int = 0,
    progress: Callable = iter,
) -> Priors:
    """Priors of a checkpoint from the events of random excerpts of the training works among some recordings.

    `progress` wraps the excerpts, as tqdm does. Raises: PriorsError if there is no training work or no event.
    """
    training = [r for r in recordings if r.split == "train"]
    if not training:
        raise PriorsError(
            "no training works among the recordings; give the folders that the codec was trained on"
        )
    return tabulate(
        codec, training_windows(codec, progress(range(n_excerpts)), training, random.Random(seed))
    )


def training_windows(
    codec: SparseCodec, excerpts: Iterable, recordings: list[Recording], rng: random.Random
) -> Iterator[EventSet]:
    """The events of two windows of each excerpt: of one that starts the sound and of one that follows."""
    n_samples = codec.config.segment_samples * 3 // 2  # as far as the second window sees
    for _ in excerpts:
        excerpt = random_segment(recordings, n_samples, codec.samplerate, rng)
        yield from itertools.islice(codec.stream([excerpt]), 2)


def tabulate(codec: SparseCodec, windows: Iterable[EventSet]) -> Priors:
    """Priors from windows of events. Raises: PriorsError if there are no events."""
    windows = [window.in_time_order() for window in windows if len(window)]
    if not windows:
        raise PriorsError("no events in the recordings; give others")
    numbers = np.concatenate([event_numbers(window.vectors, window.offsets) for window in windows])
    n_frames = codec.config.half_frames
    levels = [gain_levels(window.gains) for window in windows]
    drops = np.concatenate([(each.max() - each).clip(0, SILENT) for each in levels])
    deltas = np.concatenate([np.diff(window.frames % n_frames, prepend=0) for window in windows])
    return Priors(
        checkpoint=codec.digest,
        steps=equal_steps(sensitivities(codec, numbers)),
        numbers=np.stack([_table(np.histogram(column, CELLS, (-1, 1))[0]) for column in numbers.T]),
        drops=_table(np.bincount(drops, minlength=SILENT + 1)),
        deltas=_table(np.bincount(deltas, minlength=n_frames), smooth=0),
    )


@torch.no_grad()
def sensitivities(codec: SparseCodec, numbers: np.ndarray) -> np.ndarray:
    """(V + 1,) mean squared derivative of events' spectrograms, which have unit energy, by each of their numbers."""
    some = (
        torch.from_numpy(numbers[:: max(1, len(numbers) // EXAMPLES)][:EXAMPLES])
        .float()
        .to(codec.device)
    )
    nudges = NUDGE * torch.cat([codec.decoder.pace, codec.decoder.pace.new_ones(1)])

    def spectrograms(at: torch.Tensor) -> torch.Tensor:
        return codec.decoder.spectrograms(at[:, :-1].contiguous(), at[:, -1] / 2)

    squares = []
    for number, nudge in enumerate(nudges):
        moved = torch.zeros_like(nudges)
        moved[number] = nudge
        change = (spectrograms(some + moved) - spectrograms(some - moved)) / (2 * nudge)
        squares.append(change.pow(2).sum((1, 2)).mean().item())
    return np.array(squares)


def equal_steps(sensitivity: np.ndarray) -> np.ndarray:
    """Steps (V + 1,) in units with which each number costs the same, and all together ROUNDING.

    A number that is rounded to a step errs by a twelfth of the step's square.
    """
    steps = np.sqrt(12 * ROUNDING / len(sensitivity) / np.maximum(sensitivity, 1e-9))
    return np.rint(steps * ONE).astype(np.int64).clip(FINEST_STEP, ONE)


def _table(counts: np.ndarray, smooth: float = SMOOTH) -> np.ndarray:
    """Counts that add up to about TOTAL, smoothed, none below 1."""
    shares = counts / counts.sum()
    if smooth:
        reach = np.arange(-int(4 * smooth), int(4 * smooth) + 1)
        kernel = np.exp(-0.5 * (reach / smooth) ** 2)
        spread = np.convolve(
            np.pad(shares, len(reach), mode="constant"), kernel / kernel.sum(), "same"
        )
        shares = spread[len(reach) : -len(reach)]
        shares /= shares.sum()
    shares = (1 - UNSEEN) * shares + UNSEEN / len(shares)
    return np.maximum(1, np.rint(TOTAL * shares)).astype(np.int64)
