"""How the codec works, as two diagrams whose steps are heard: the loop, and an event's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.clips import Clip
from experiments.sections import sounds
from experiments.sections.examples import STAGES
from report import Steps

if TYPE_CHECKING:
    from sparse_codec import SparseCodec

STAGE_WORDS = {
    "excitation": "Something is struck, bowed or blown: a pitch, noise, or both, with a beginning"
    " and an end.",
    "resonance": "Something resonates: each partial and each band of noise has a strength and dies"
    " away at a pace of its own.",
    "room": "A room answers. This is the event as it is heard alone.",
}


def lesson(clip: Clip, codec: SparseCodec) -> list[Steps]:
    """The loop and the stages of the loudest event, heard of a clip; nothing without events."""
    found = sounds.clip_events(clip, codec)
    events = sounds.events_of(found)
    if not len(events):
        return []
    return [
        _loop(clip, codec),
        Steps(
            "From an event's vector to its sound: the loudest event after each stage.",
            [
                (
                    stage.capitalize(),
                    STAGE_WORDS[stage],
                    sounds.stage_sound(found, int(np.argmax(events.gains)), stage, codec),
                )
                for stage in STAGES
            ],
        ),
    ]


def _loop(clip: Clip, codec: SparseCodec) -> Steps:
    found = sounds.clip_events(clip, codec)
    steps = [
        (
            "Look",
            "Where in the spectrogram does a sound begin, and which one? Hear what there is.",
            sounds.original(clip, codec),
        ),
        (
            "Take the best",
            "The event that takes most of it away is written down. Hear the first.",
            sounds.event_sound(found, 0, codec),
        ),
        (
            "Subtract",
            "What the events make is taken off the spectrogram. Hear what the first one leaves.",
            sounds.residual_sound(clip, found, 1, codec),
        ),
        (
            "Look again",
            "The next event is found in what is left, and those found are made to fit together."
            " Hear all of them.",
            sounds.rendered(found, codec),
        ),
    ]
    title = f"The loop that takes {clip.title} apart, window by window."
    return Steps(title, steps, f"up to {codec.config.n_events} times")
