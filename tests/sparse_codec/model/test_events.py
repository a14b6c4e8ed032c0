"""Events inside the codec: all columns are picked and written alike, and clips come back."""

import numpy as np
import torch

from sparse_codec import EventSet
from sparse_codec.model.events import Events


def drawn(batch: int, n_events: int, seed: int = 0) -> Events:
    generator = torch.Generator().manual_seed(seed)
    return Events(
        vectors=2 * torch.rand(batch, n_events, 5, generator=generator) - 1,
        frames=torch.randint(0, 40, (batch, n_events), generator=generator),
        offsets=torch.rand(batch, n_events, generator=generator) - 0.5,
        gains=torch.rand(batch, n_events, generator=generator) + 0.1,
    )


def same(a: Events, b: Events) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.columns, b.columns, strict=True))


def test_an_index_picks_the_same_entries_of_all_columns():
    events, rows, best = drawn(2, 6), torch.arange(2), torch.tensor([4, 1])
    picked = events[rows, best]
    assert picked.vectors.shape == (2, 5) and picked.frames.shape == (2,)
    for column, entries in zip(events.columns, picked.columns, strict=True):
        assert torch.equal(entries[0], column[0, 4]) and torch.equal(entries[1], column[1, 1])


def test_written_events_are_where_they_were_written_and_the_others_stay():
    events, others = drawn(2, 6), drawn(2, 2, seed=1)
    room = Events.zeros(2, 6, 5, torch.device("cpu"))
    room[:, :] = events
    room[:, 2:4] = others
    assert same(room[:, 2:4], others)
    assert same(room[:, :2], events[:, :2]) and same(room[:, 4:], events[:, 4:])


def test_flat_events_are_those_of_one_segment_after_another():
    events = drawn(2, 3)
    assert same(events.flatten()[3:], events[1]) and events.flatten().vectors.shape == (6, 5)
    assert same(Events.cat([events[:1], events[1:]]), events)


def test_a_clip_goes_to_tensors_and_back_without_events_that_have_no_gain():
    events = drawn(1, 4)
    events.gains[0, 2] = 0
    clip = events.event_set(n_samples=50_000, samplerate=22_050, hop=512, first_frame=7)
    kept = [0, 1, 3]
    assert isinstance(clip, EventSet) and len(clip) == 3 and clip.n_samples == 50_000
    np.testing.assert_array_equal(clip.frames, events.frames[0, kept].numpy() + 7)
    again = Events.of(clip, torch.device("cpu"))
    moved = events[:, kept]
    moved.frames[:] += 7
    assert same(again, moved) and again.frames.dtype == torch.long
