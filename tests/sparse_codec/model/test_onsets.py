"""Rises of the spectrum are where sounds begin, and events near one move to it."""

import numpy as np
import pytest
import torch

from sparse_codec.config import CodecConfig
from sparse_codec.model.events import Events
from sparse_codec.model.onsets import CLEAR, HANDICAP, begin_at, handicaps, peaks, rise
from sparse_codec.model.spectrogram import magnitudes

CONFIG = CodecConfig()
N_FRAMES = 64
ONSETS = (10.3, 24.0, 41.6)  # frames
CLOSE = 1.3  # frames, 30 ms: a window sees a sharp attack ahead of it


def times_of(audio: np.ndarray) -> torch.Tensor:
    seen = magnitudes(torch.from_numpy(audio.astype(np.float32))[None], CONFIG.window, CONFIG.hop)
    (times,) = peaks(rise(seen, N_FRAMES), CLEAR)
    return times


@pytest.fixture
def seconds() -> np.ndarray:
    return np.arange((N_FRAMES + 8) * CONFIG.hop) / CONFIG.samplerate


def note(
    seconds: np.ndarray, onset: float, hertz: float, attack: float = 0.005, fall: float = 2.0
) -> np.ndarray:
    """Return six partials that rise within `attack` seconds at an onset in frames, and fall."""
    since = seconds - onset * CONFIG.hop / CONFIG.samplerate
    envelope = np.clip(since / attack, 0, 1) * np.exp(-fall * since.clip(0))
    return envelope * sum(np.sin(2 * np.pi * hertz * h * seconds + h) / h for h in range(1, 7))


@pytest.mark.parametrize("level", [1.0, 1e-3])
def test_notes_begin_where_they_are_played(seconds, level):
    """A soft note counts beside a loud one; the scale of all does not matter."""
    notes = zip(ONSETS, (220, 330, 494), (1, 0.1, 0.4), strict=True)
    times = times_of(level * sum(gain * note(seconds, at, hertz) for at, hertz, gain in notes))
    assert times[0] == 0  # what sounds at the start begins there
    assert times[1:].tolist() == pytest.approx(ONSETS, abs=CLOSE)


@pytest.mark.parametrize("attack", [0.15, 0.2])
def test_a_note_that_swells_begins_once_and_where_it_is_first_heard(seconds, attack):
    """Bowed notes one after another: each rises for longer than it takes to hear that it began."""
    pitches = zip(ONSETS[1:], (294, 247), strict=True)
    swelling = sum(note(seconds, at, hertz, attack, fall=1) for at, hertz in pitches)
    times = times_of(note(seconds, -20, 196) + swelling)
    assert times.tolist() == pytest.approx([0, *ONSETS[1:]], abs=CLOSE)


def test_a_vibrato_is_no_beginning(seconds):
    """Five partials go 20 cents up and down, six times a second, and a soft note begins."""
    phase = 2 * np.pi * 220 * seconds + 220 * 0.0116 / 6 * np.sin(2 * np.pi * 6 * seconds)
    steady = sum(np.sin(h * phase) for h in range(1, 6))
    times = times_of(steady + 0.5 * note(seconds, ONSETS[1], 700))
    assert times.tolist() == pytest.approx([0, ONSETS[1]], abs=CLOSE)


@pytest.mark.parametrize("n_frames", [1, 2, 3, 8])
def test_silence_and_short_segments_have_no_rise(n_frames):
    times = peaks(rise(torch.zeros(2, 9, 16), n_frames), CLEAR)
    assert [each.tolist() for each in times] == [[0], [0]]


def test_events_have_a_handicap_in_frames_where_nothing_begins():
    free = handicaps([torch.tensor([0.0, 4.4]), torch.tensor([0.0])], 8) == 0
    assert free.tolist() == [[f in (0, 1, 4, 5) for f in range(8)], [f < 2 for f in range(8)]]
    assert handicaps([torch.tensor([0.0])], 8).max() == HANDICAP > 0


def test_events_within_reach_move_and_others_stay():
    onsets = torch.tensor([[3.0, 9.6, 14.0, 30.2], [0.4, 5.0, 6.0, 63.0]])
    frames = onsets.round()
    events = Events(
        vectors=torch.rand(2, 4, 5),
        frames=frames.long(),
        offsets=onsets - frames,
        gains=torch.tensor([[1.0, 2, 0, 3], [1, 2, 3, 4]]),
    )
    moved = begin_at(events, [torch.tensor([0, 10.7]), torch.tensor([0.0, 5.8])], reach=3.5)
    expected = torch.tensor([[0, 10.7, 10.7, 30.2], [0, 5.8, 5.8, 63]])
    torch.testing.assert_close(moved.frames + moved.offsets, expected)
    assert moved.offsets.abs().max() <= 0.5
    assert moved.vectors is events.vectors and moved.gains is events.gains
