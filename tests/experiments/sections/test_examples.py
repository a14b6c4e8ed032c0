"""An example runs over the whole of its clip, with the small codec."""

import dataclasses

import numpy as np
import pytest

from experiments.clips import Clip, shipped_clips
from experiments.sections import examples
from experiments.sections.sounds import clip_events, events_of
from report import EventRoll, MemoryStore, mix, use_store
from report.mix import UNITY


@pytest.fixture(scope="module", autouse=True)
def store():
    with use_store(MemoryStore()):
        yield


@pytest.fixture(scope="module")
def clip(codec) -> Clip:
    seconds = 1.5 * codec.config.segment_samples / 22_050  # three windows
    return dataclasses.replace(shipped_clips()[0][0], seconds=seconds)


@pytest.fixture(scope="module")
def computed(store, clip, codec) -> examples.Example:
    return examples.conjure_example(clip, codec)


def summed(roll: EventRoll) -> np.ndarray:
    sounds = [part.sound.value.samples[part.first :][: part.length] for part in parts_of(roll)]
    starts = [mark.start - mark.lead for mark in roll.marks]
    return mix(sounds, starts, [UNITY] * len(sounds), roll.mix.info["n_samples"])


def parts_of(roll: EventRoll) -> list:
    return [mark.sound for mark in roll.marks]


def test_everything_of_an_example_is_as_long_as_its_clip(computed, clip, codec):
    n_samples = round(clip.seconds * codec.samplerate)
    shown = [*computed.demos.versions, *(("", v, None) for v in computed.demos.variations.values())]
    for label, sound, _ in shown:
        assert sound.info["n_samples"] == n_samples, label
    assert len(computed.shares) == len(computed.events) == len(computed.demos.boxes.value)
    assert computed.demos.film.info["n_frames"] == len(computed.events) + 1
    windows = computed.events.frames // codec.config.half_frames
    assert set(windows.tolist()) == {0, 1, 2}
    starts = events_of(clip_events(clip, codec)).onsets
    assert [mark.start for mark in roll_of(computed).marks] == starts.tolist()


def roll_of(computed: examples.Example) -> EventRoll:
    part = examples.example(1, computed)
    (roll,) = [each for each in part.components if isinstance(each, EventRoll)]
    return roll


def test_the_parts_of_a_roll_are_stretches_of_few_files_and_sum_to_its_mix(computed):
    roll = roll_of(computed)
    assert np.array_equal(summed(roll), roll.mix.value.samples)
    assert len(roll.files()) < len(roll.marks) / 4
    assert all(mark.alone.length > 0 and mark.alone.peak < 0 for mark in roll.marks)
    assert roll.choice_sets() == ["random vectors"]
    steps = roll.choices.value["steps"]
    assert len(steps) == 6 and all(row.count(None) == 1 for rows in steps.values() for row in rows)


def test_the_long_clip_has_a_page_with_a_roll_of_its_parts(clip, codec):
    (part,) = examples.event_by_event(clip, codec)
    whole, roll = part.components
    assert (
        part.card
        and part.picture == whole.items[0][2]
        and np.array_equal(summed(roll), roll.mix.value.samples)
    )
    assert not roll.choices and all(mark.alone is None for mark in roll.marks)
    assert part.name == "haydn_opus74no1_movement1-events"  # not that of an example of its file
