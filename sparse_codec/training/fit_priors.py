"""Fit the priors of a checkpoint on training audio.

Shapes: N events, V vector size.
"""

import dataclasses
import functools
import itertools
import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from sparse_codec.audio.recordings import Recording, random_segment
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.entropy import UNWRITTEN, round_numbers, split_gaps
from sparse_codec.coding.prediction import Prediction, windows_of_block
from sparse_codec.coding.priors import CELLS, TOTAL, Priors, PriorsError
from sparse_codec.coding.quantise import (
    FINEST_STEP,
    ONE,
    SILENT,
    event_numbers,
    gain_levels,
)
from sparse_codec.events import EventSet, join

PAIRS = (slice(None, -1), slice(1, None))  # events, and those after them
SMOOTH = 2.5  # standard deviation, in cells, of the kernel that the counts are smoothed with
UNSEEN = 0.03  # share of a table that is spread evenly: unseen values can come
SURE = 0.01  # the same of what differs from an expectation, which is mostly 0
FITTED = (160, 215, 290, 400)  # scales that what differs from an expectation has tables for
ROUNDS = 3  # of fitting these tables
ROUNDING = 0.005  # at scale 256, share of the loudest event's energy that rounding costs
EXAMPLES = 64  # events that sensitivities are measured on
NUDGE = 0.03  # how far each number is moved for that, times its pace


def fit_priors(
    codec: SparseCodec,
    recordings: list[Recording],
    n_excerpts: int = 30,
    seed: int = 0,
    progress: Callable[[range], Iterable[int]] = iter,
) -> Priors:
    """Fit the priors of a checkpoint on random excerpts of the training works among recordings.

    `progress` wraps the excerpts, as tqdm does. Raises: PriorsError if there is no training work
    or no event.
    """
    training = [r for r in recordings if r.split == "train"]
    if not training:
        raise PriorsError(
            "no training works among the recordings; give the folders that the codec was trained on"
        )
    excerpts = progress(range(n_excerpts))
    return tabulate(codec, training_windows(codec, excerpts, training, random.Random(seed)))


def training_windows(
    codec: SparseCodec, excerpts: Iterable[int], recordings: list[Recording], rng: random.Random
) -> Iterator[EventSet]:
    """Yield the events of two blocks of each excerpt: one starts the sound, one follows.

    A block is a window, or several where events are expected from others.
    """
    size = _windows_of_block(codec)
    # as far as the last window sees
    n_samples = (2 * size + 1) * codec.config.segment_samples // 2
    for _ in excerpts:
        excerpt = random_segment(recordings, n_samples, codec.samplerate, rng)
        windows = list(itertools.islice(codec.stream([excerpt]), 2 * size))
        yield from (join(windows[at : at + size]) for at in range(0, len(windows), size))


def _windows_of_block(codec: SparseCodec) -> int:
    if codec.decoder.rounding() is None:
        return 1
    return windows_of_block(codec.config.half_frames * codec.config.hop / codec.samplerate)


def tabulate(codec: SparseCodec, windows: Iterable[EventSet]) -> Priors:
    """Return the priors of blocks of events. Raises: PriorsError if there are no events."""
    windows = [window.in_time_order() for window in windows if len(window)]
    if not windows:
        raise PriorsError("no events in the recordings; give others")
    numbers = [event_numbers(window.vectors, window.offsets) for window in windows]
    n_frames = codec.config.half_frames
    block = n_frames * _windows_of_block(codec)
    frames = [window.frames % block for window in windows]
    levels = [gain_levels(window.gains) for window in windows]
    drops = [(each.max() - each).clip(0, SILENT) for each in levels]
    gaps = np.concatenate([np.diff(each, prepend=0) for each in frames])
    deltas = split_gaps(gaps, n_frames, block)
    columns = np.concatenate(numbers)
    common = functools.partial(
        Priors,
        checkpoint=codec.digest,
        drops=_table(np.bincount(np.concatenate(drops), minlength=SILENT + 1)),
        deltas=_table(np.bincount(deltas, minlength=n_frames), smooth=0),
    )
    rounding = codec.decoder.rounding()
    if rounding is None:
        steps = equal_steps(sensitivities(codec, columns))
        return common(steps=steps, numbers=_number_tables(columns))
    steps = np.rint(np.array(rounding.steps) * ONE).astype(np.int64).clip(FINEST_STEP, ONE)
    prediction = Prediction(
        _follow(numbers),
        rounding.spans,
        rounding.longest,
        rounding.coarseness,
        rounding.slopes,
        round(256 * rounding.glide),
        rounding.mute,
        round(ONE * rounding.muted),
        FITTED,
    )
    changes = np.concatenate([np.diff(each, prepend=0) for each in drops])
    priors = common(
        steps=steps,
        numbers=np.ones((len(FITTED) * len(steps), CELLS), np.int64),
        prediction=prediction,
        changes=_table(np.bincount(changes + SILENT, minlength=2 * SILENT + 1), smooth=1.0),
    )
    # How numbers are rounded depends on what they cost, so tables are fitted with those before.
    for _ in range(ROUNDS):
        tables = [written_tables(priors, numbers, frames, scale) for scale in FITTED]
        priors = dataclasses.replace(priors, numbers=np.concatenate(tables))
    return priors


def written_tables(
    priors: Priors, numbers: list[np.ndarray], frames: list[np.ndarray], scale: int
) -> np.ndarray:
    """Return tables (V + 1, CELLS) of what is written of blocks of numbers (N, V + 1) in frames
    (N,).
    """
    assert priors.prediction is not None
    steps = priors.prediction.steps(priors.steps, scale)
    written = []
    for own, at in zip(numbers, frames, strict=True):
        multiples = round_numbers(own, at, np.tile(steps, (len(own), 1)), scale, priors)
        written.append(np.where(multiples == UNWRITTEN, np.nan, multiples * steps / ONE))
    return _number_tables(np.concatenate(written).clip(-1, 1), SURE)


def _follow(numbers: list[np.ndarray]) -> tuple[int, ...]:
    """Return the share of each number (N, V + 1) in windows that goes on to the next event, in
    256ths, by least squares.
    """
    before, after = (np.concatenate([each[part] for each in numbers]) for part in PAIRS)
    shares = (before * after).sum(0) / np.maximum((before**2).sum(0), 1e-9)
    return tuple(np.rint(256 * shares.clip(0, 1)).astype(int).tolist())


def _number_tables(numbers: np.ndarray, unseen: float = UNSEEN) -> np.ndarray:
    """Return tables (V + 1, CELLS) of numbers (N, V + 1), of which NaN do not count."""
    columns = (column[np.isfinite(column)] for column in numbers.T)
    counts = (np.histogram(column, CELLS, (-1, 1))[0] for column in columns)
    return np.stack([_table(each, unseen=unseen) for each in counts])


@torch.no_grad()
def sensitivities(codec: SparseCodec, numbers: np.ndarray) -> np.ndarray:
    """Return the mean squared derivatives (V + 1,) of events' spectrograms by each of their numbers
    (N, V + 1).

    The spectrograms have unit energy.
    """
    some = numbers[:: max(1, len(numbers) // EXAMPLES)][:EXAMPLES]
    examples = torch.from_numpy(some).float().to(codec.device)
    nudges = NUDGE * torch.cat([codec.decoder.pace, codec.decoder.pace.new_ones(1)])

    def spectrograms(at: Tensor) -> Tensor:
        return codec.decoder.spectrograms(at[:, :-1].contiguous(), at[:, -1] / 2)

    squares = []
    for number, nudge in enumerate(nudges):
        move = torch.zeros_like(nudges)
        move[number] = nudge
        change = (spectrograms(examples + move) - spectrograms(examples - move)) / (2 * nudge)
        squares.append(change.pow(2).sum((1, 2)).mean().item())
    return np.array(squares)


def equal_steps(sensitivity: np.ndarray) -> np.ndarray:
    """Return steps (V + 1,) in units with which each number costs the same, and all together
    ROUNDING.

    The mean squared error of a number that is rounded to a step is a twelfth of the step's square.
    """
    steps = np.sqrt(12 * ROUNDING / len(sensitivity) / np.maximum(sensitivity, 1e-9))
    return np.rint(steps * ONE).astype(np.int64).clip(FINEST_STEP, ONE)


def _table(counts: np.ndarray, smooth: float = SMOOTH, unseen: float = UNSEEN) -> np.ndarray:
    """Counts that add up to about TOTAL, smoothed, none below 1."""
    shares = counts / max(counts.sum(), 1)
    if smooth:
        reach = np.arange(-int(4 * smooth), int(4 * smooth) + 1)
        kernel = np.exp(-0.5 * (reach / smooth) ** 2)
        padded = np.pad(shares, len(reach), mode="constant")
        spread = np.convolve(padded, kernel / kernel.sum(), "same")
        shares = spread[len(reach) : -len(reach)]
        shares /= shares.sum()
    shares = (1 - unseen) * shares + unseen / len(shares)
    return np.maximum(1, np.rint(TOTAL * shares)).astype(np.int64)
